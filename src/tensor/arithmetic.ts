// Whole numbers added, subtracted, multiplied and divided by the type checker, digit by digit as on paper. Sizes of
// shapes are literal types, so that `[null, 28 · 28]` is `[null, 784]`.

// Tables of decimal digits. A row is named by the digit that is carried in (or borrowed) and the first operand's, a
// place in it by the second operand's; an entry is the digit that is carried on, then the digit of the result.
type AddTable = {
  '00': ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'];
  '01': ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'];
  '02': ['02', '03', '04', '05', '06', '07', '08', '09', '10', '11'];
  '03': ['03', '04', '05', '06', '07', '08', '09', '10', '11', '12'];
  '04': ['04', '05', '06', '07', '08', '09', '10', '11', '12', '13'];
  '05': ['05', '06', '07', '08', '09', '10', '11', '12', '13', '14'];
  '06': ['06', '07', '08', '09', '10', '11', '12', '13', '14', '15'];
  '07': ['07', '08', '09', '10', '11', '12', '13', '14', '15', '16'];
  '08': ['08', '09', '10', '11', '12', '13', '14', '15', '16', '17'];
  '09': ['09', '10', '11', '12', '13', '14', '15', '16', '17', '18'];
  '10': ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'];
  '11': ['02', '03', '04', '05', '06', '07', '08', '09', '10', '11'];
  '12': ['03', '04', '05', '06', '07', '08', '09', '10', '11', '12'];
  '13': ['04', '05', '06', '07', '08', '09', '10', '11', '12', '13'];
  '14': ['05', '06', '07', '08', '09', '10', '11', '12', '13', '14'];
  '15': ['06', '07', '08', '09', '10', '11', '12', '13', '14', '15'];
  '16': ['07', '08', '09', '10', '11', '12', '13', '14', '15', '16'];
  '17': ['08', '09', '10', '11', '12', '13', '14', '15', '16', '17'];
  '18': ['09', '10', '11', '12', '13', '14', '15', '16', '17', '18'];
  '19': ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'];
};
type SubtractTable = {
  '00': ['00', '19', '18', '17', '16', '15', '14', '13', '12', '11'];
  '01': ['01', '00', '19', '18', '17', '16', '15', '14', '13', '12'];
  '02': ['02', '01', '00', '19', '18', '17', '16', '15', '14', '13'];
  '03': ['03', '02', '01', '00', '19', '18', '17', '16', '15', '14'];
  '04': ['04', '03', '02', '01', '00', '19', '18', '17', '16', '15'];
  '05': ['05', '04', '03', '02', '01', '00', '19', '18', '17', '16'];
  '06': ['06', '05', '04', '03', '02', '01', '00', '19', '18', '17'];
  '07': ['07', '06', '05', '04', '03', '02', '01', '00', '19', '18'];
  '08': ['08', '07', '06', '05', '04', '03', '02', '01', '00', '19'];
  '09': ['09', '08', '07', '06', '05', '04', '03', '02', '01', '00'];
  '10': ['19', '18', '17', '16', '15', '14', '13', '12', '11', '10'];
  '11': ['00', '19', '18', '17', '16', '15', '14', '13', '12', '11'];
  '12': ['01', '00', '19', '18', '17', '16', '15', '14', '13', '12'];
  '13': ['02', '01', '00', '19', '18', '17', '16', '15', '14', '13'];
  '14': ['03', '02', '01', '00', '19', '18', '17', '16', '15', '14'];
  '15': ['04', '03', '02', '01', '00', '19', '18', '17', '16', '15'];
  '16': ['05', '04', '03', '02', '01', '00', '19', '18', '17', '16'];
  '17': ['06', '05', '04', '03', '02', '01', '00', '19', '18', '17'];
  '18': ['07', '06', '05', '04', '03', '02', '01', '00', '19', '18'];
  '19': ['08', '07', '06', '05', '04', '03', '02', '01', '00', '19'];
};
type MultiplyTable = [
  ['00', '00', '00', '00', '00', '00', '00', '00', '00', '00'],
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['00', '02', '04', '06', '08', '10', '12', '14', '16', '18'],
  ['00', '03', '06', '09', '12', '15', '18', '21', '24', '27'],
  ['00', '04', '08', '12', '16', '20', '24', '28', '32', '36'],
  ['00', '05', '10', '15', '20', '25', '30', '35', '40', '45'],
  ['00', '06', '12', '18', '24', '30', '36', '42', '48', '54'],
  ['00', '07', '14', '21', '28', '35', '42', '49', '56', '63'],
  ['00', '08', '16', '24', '32', '40', '48', '56', '64', '72'],
  ['00', '09', '18', '27', '36', '45', '54', '63', '72', '81'],
];

// Digits are kept with the least significant first ("reversed"), so that carries run from left to right.
type ReverseDigits<S extends string, A extends string = ''> = S extends `${infer H}${infer T}`
  ? ReverseDigits<T, `${H}${A}`>
  : A;
type Trim<S extends string> = S extends `0${infer T}` ? (T extends '' ? '0' : Trim<T>) : S;
type ToNumber<S extends string> = S extends `${infer N extends number}` ? N : number;
type FromReversed<R extends string> = ToNumber<Trim<ReverseDigits<R>>>;
type At<T, K> = K extends keyof T ? T[K] : never;

type AddReversed<
  A extends string,
  B extends string,
  C extends string = '0',
  O extends string = '',
> = A extends `${infer a}${infer at}`
  ? B extends `${infer b}${infer bt}`
    ? At<At<AddTable, `${C}${a}`>, b> extends `${infer c}${infer d}`
      ? AddReversed<at, bt, c, `${O}${d}`>
      : never
    : C extends '0'
      ? `${O}${A}`
      : At<At<AddTable, `${C}${a}`>, '0'> extends `${infer c}${infer d}`
        ? AddReversed<at, '', c, `${O}${d}`>
        : never
  : B extends ''
    ? C extends '0'
      ? O
      : `${O}${C}`
    : AddReversed<B, '', C, O>;

/** A − B, or never when B > A. */
type SubtractReversed<
  A extends string,
  B extends string,
  C extends string = '0',
  O extends string = '',
> = A extends `${infer a}${infer at}`
  ? B extends `${infer b}${infer bt}`
    ? At<At<SubtractTable, `${C}${a}`>, b> extends `${infer c}${infer d}`
      ? SubtractReversed<at, bt, c, `${O}${d}`>
      : never
    : C extends '0'
      ? `${O}${A}`
      : At<At<SubtractTable, `${C}${a}`>, '0'> extends `${infer c}${infer d}`
        ? SubtractReversed<at, '', c, `${O}${d}`>
        : never
  : C extends '1'
    ? never
    : B extends ''
      ? O
      : B extends `0${infer bt}`
        ? SubtractReversed<'', bt, C, O>
        : never;

type MultiplyByDigit<
  A extends string,
  D extends string,
  C extends string = '0',
  O extends string = '',
> = A extends `${infer a}${infer at}`
  ? At<At<MultiplyTable, D>, a> extends `${infer h}${infer l}`
    ? At<At<AddTable, `0${l}`>, C> extends `${infer c}${infer o}`
      ? At<At<AddTable, `0${h}`>, c> extends `0${infer n}`
        ? MultiplyByDigit<at, D, n, `${O}${o}`>
        : never
      : never
    : never
  : C extends '0'
    ? O
    : `${O}${C}`;

type MultiplyReversed<A extends string, B extends string, O extends string = ''> = B extends `${infer b}${infer bt}`
  ? MultiplyReversed<A, bt, AddReversed<O extends '' ? '' : `0${O}`, MultiplyByDigit<A, b>>>
  : O;

/** How often B goes into the remainder R: Q counts. Then on with the digits N that are left; Qs is the quotient so far. */
type DivideDigit<R extends string, B extends string, Q extends string, Qs extends string, N extends string> = [
  SubtractReversed<R, B>,
] extends [never]
  ? LongDivision<N, B, R, `${Qs}${Q}`>
  : DivideDigit<SubtractReversed<R, B>, B, NextDigit[Q & keyof NextDigit], Qs, N>;
type NextDigit = { '0': '1'; '1': '2'; '2': '3'; '3': '4'; '4': '5'; '5': '6'; '6': '7'; '7': '8'; '8': '9' };
/** Long division of the digits N (most significant first) by B (reversed): quotient Qs, remainder R (reversed). */
type LongDivision<
  N extends string,
  B extends string,
  R extends string = '',
  Qs extends string = '',
> = N extends `${infer d}${infer t}`
  ? DivideDigit<`${d}${R extends '0' ? '' : R}`, B, '0', Qs, t>
  : [ToNumber<Trim<Qs>>, FromReversed<R>];

/** A · B. */
export type Mul<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : A extends 1
      ? B
      : B extends 1
        ? A
        : FromReversed<MultiplyReversed<ReverseDigits<`${A}`>, `${B}`>>;
/** A + B. */
export type Add<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : B extends 0
      ? A
      : FromReversed<AddReversed<ReverseDigits<`${A}`>, ReverseDigits<`${B}`>>>;
/** A − B; never when negative. */
export type Sub<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : B extends 0
      ? A
      : [SubtractReversed<ReverseDigits<`${A}`>, ReverseDigits<`${B}`>>] extends [infer R extends string]
        ? [R] extends [never]
          ? never
          : FromReversed<R>
        : never;
/** A / B as [quotient, remainder]. */
export type DivMod<A extends number, B extends number> = number extends A
  ? [number, number]
  : number extends B
    ? [number, number]
    : B extends 1
      ? [A, 0]
      : LongDivision<`${A}`, ReverseDigits<`${B}`>>;
/** ⌈A / B⌉. */
export type CeilDiv<A extends number, B extends number> = B extends 1
  ? A
  : DivMod<A, B> extends [infer Q extends number, infer R]
    ? R extends 0
      ? Q
      : Add<Q, 1>
    : number;
