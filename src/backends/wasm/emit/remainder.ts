// The exact remainder of a division of floats, for which WebAssembly has no instruction.
import type { ValueType } from '../../../loops/ir.ts';
import { pushConstant } from './arithmetic.ts';
import type { FunctionBody } from './encode.ts';

/**
 * For a and b, vectors on the stack: what is left of a after subtracting b as often as it goes. Long division: `t` is b
 * times a power of two, each digit `q` has so few bits that its products with the two halves of `t` are exact, and what
 * is subtracted leaves no more bits than a number has. Mostly there is one digit. Where a is no number or infinite, or
 * b no number or 0, 0 is divided by 1.
 */
const program = `
  abs =b =a  a abs =r  r infinity lt  0 b lt  and =fits
  r fits and =r  b 1 fits bitselect =b  b =t
  loop  t  r down mul  le =more  more any_true if  t up mul t more bitselect =t  again end end
  loop  r t div floor =q  t upperHalf and =high  r  q high mul  sub  q  t high sub  mul sub =next
        next  next 0 lt t and  add  r  t r le  bitselect =r
        b t lt =more  more any_true if  t down mul t more bitselect =t  again end end
  r  a sign and  or  notANumber fits bitselect`;

const ofNumbers = ['abs', 'floor', 'add', 'sub', 'mul', 'div', 'lt', 'le'] as const;
const ofBits = ['and', 'or', 'bitselect', 'any_true'] as const;
const within = <T extends string>(words: readonly T[], word: string): word is T => words.includes(word as T);

/** Replaces a and b on the stack, vectors of that type, by the remainder; `temporary` gives locals of type v128. */
export function remainderOnStack(body: FunctionBody, type: ValueType, temporary: () => number): void {
  const single = type.dtype === 'float32';
  const shape = single ? 'f32x4' : 'f64x2';
  const up = single ? 2 ** 12 : 2 ** 21;
  const constants = new Map(
    Object.entries({ 0: 0, 1: 1, up, down: 1 / up, sign: -0, infinity: Infinity, notANumber: NaN }),
  );
  const upperHalf = single ? Int32Array.of(-4096, -4096, -4096, -4096) : Int32Array.of(0, -1, 0, -1);
  const locals = new Map<string, number>();
  for (const word of program.trim().split(/\s+/)) {
    const constant = constants.get(word);
    const name = word.replace('=', '');
    if (constant !== undefined) pushConstant(body, type, constant);
    else if (within(ofNumbers, word)) body.simd(`${shape}.${word}`);
    else if (within(ofBits, word)) body.simd(`v128.${word}`);
    else if (word === 'loop' || word === 'if') body.open(word);
    else if (word === 'again') body.branch(1);
    else if (word === 'end') body.op('end');
    else if (word === 'upperHalf') body.v128(new Uint8Array(upperHalf.buffer));
    else if (name === word) body.get(locals.get(name) as number);
    else {
      if (!locals.has(name)) locals.set(name, temporary());
      body.set(locals.get(name) as number);
    }
  }
}
