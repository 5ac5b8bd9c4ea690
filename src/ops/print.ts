// Printing: a session writes the values of tensors after each run that needed them. What is not shown is not fetched.
import { InvalidArgumentError } from '../base/errors.ts';
import { controlDependencies } from '../graph/graph.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import { describe } from '../tensor/describe.ts';
import type { DType, TypedArray } from '../tensor/dtype.ts';
import { anything, kind, text, wholeNumber } from '../tensor/kinds.ts';
import { elements, type Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import { type AnyTensor, apply, defineOp, type OpDefinition, tensor } from './define.ts';
import { identity } from './logic.ts';

/** How much of a tensor is shown, and how: `firstElements` as tf.Print, `edges` as tf.print. */
interface Style {
  readonly part: (x: p.View, summarize: number) => p.View;
  readonly show: (values: Shown, summarize: number) => string;
}
/** The elements of the part that is shown, and the shape of the whole. */
interface Shown {
  readonly dtype: DType;
  readonly data: TypedArray;
  readonly shape: readonly number[];
}

interface PrintAttributes {
  /** Texts, and null where the next input stands. */
  readonly parts: readonly (string | null)[];
  readonly style: keyof typeof styles;
  /** How many elements are shown; all where it is infinite. */
  readonly summarize: number;
  /** After so many runs it prints no more; infinite by default. */
  readonly firstN: number;
}

/** A number as one writes it: of float32 the shortest that is no other one. */
function showElement(v: number, dtype: DType): string {
  if (dtype === 'bool') return String(v !== 0);
  if (Object.is(v, -0)) return '-0';
  if (dtype !== 'float32' || Number.isInteger(v)) return String(v);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(v.toPrecision(digits));
    if (Math.fround(short) === v) return String(short);
  }
  return String(Number(v.toPrecision(9)));
}

/** The first elements, row by row: `[1 2][3...]...`. */
function showFirst({ dtype, data, shape }: Shown): string {
  const limit = data.length;
  let next = 0;
  const row = (axis: number): string => {
    const size = shape[axis];
    if (axis === shape.length - 1) {
      const list: string[] = [];
      while (list.length < size && next < limit) list.push(showElement(data[next++], dtype));
      return list.join(' ') + (axis > 0 && list.length < size ? '...' : '');
    }
    let rows = '';
    for (let i = 0; i < size && next < limit; i++) rows += `[${row(axis + 1)}]`;
    return rows;
  };
  const shown = shape.length === 0 ? (limit > 0 ? showElement(data[0], dtype) : '') : row(0);
  return `[${shown}${elements(shape) > limit ? '...' : ''}]`;
}

/** The first and the last elements along each axis, as NumPy prints them: `[0 1 2 ... 7 8 9]`. */
function showEdges({ dtype, data, shape }: Shown, ends: number): string {
  let next = 0;
  const build = (axis: number): string => {
    if (axis === shape.length) return showElement(data[next++], dtype);
    const inner = shape.length - 1 - axis;
    const between = inner === 0 ? ' ' : '\n'.repeat(inner) + ' '.repeat(axis + 1);
    const size = shape[axis];
    const isCut = size > 2 * ends;
    const count = isCut ? 2 * ends : size;
    const list: string[] = [];
    for (let i = 0; i < count; i++) list.push(build(axis + 1));
    if (isCut) list.splice(ends, 0, '...');
    return `[${list.join(between)}]`;
  };
  return build(0);
}

/** The first and the last `ends` elements along each axis that has more. */
function edgesOf(x: p.View, ends: number): p.View {
  return x.shape.reduce((view, size, axis) => {
    if (size <= 2 * ends) return view;
    const from = (begin: number) =>
      p.slice(
        view,
        view.shape.map((_, i) => (i === axis ? begin : 0)),
        view.shape.map((d, i) => (i === axis ? ends : d)),
      );
    return ends === 0 ? from(0) : p.concat([from(0), from(size - ends)], axis);
  }, x);
}

const styles = {
  firstElements: {
    part: (x, count) => {
      const all = elements(x.shape);
      return p.slice(p.reshape(x, [all]), [0], [Math.min(all, count)]);
    },
    show: showFirst,
  },
  edges: { part: edgesOf, show: showEdges },
} satisfies Record<string, Style>;

const PrintOp: OpDefinition<PrintAttributes> = defineOp({
  name: 'Print',
  prints: true,
  infer: () => ({ dtype: 'bool', shape: [] }),
  gradient: ({ inputs }) => inputs.map(() => null),
  lower: (inputs, { attributes: { parts, style, summarize, firstN }, print }) => {
    const { part, show } = styles[style];
    const write = (values: readonly TypedArray[]): string => {
      let next = 0;
      const shown = parts.map((piece) => {
        if (piece !== null) return piece;
        const { node, shape } = inputs[next];
        return show({ dtype: node.dtype, shape, data: values[next++] }, summarize);
      });
      return shown.join(style === 'edges' ? ' ' : '');
    };
    print({ views: inputs.map((x) => part(x, summarize)), write, firstN });
    return p.constant(Uint8Array.of(1), 'bool', []);
  },
});

const countKind = kind<number>('a whole number of at least -1', (v) => Number.isSafeInteger(v) && (v as number) >= -1);
/** How many: −1 for all. */
const most = (given: number): number => (given < 0 ? Infinity : given);

const classicForm = signature(
  'tf.Print',
  { input: tensor, data: anything<readonly AnyTensor[]>('an array of tensors') },
  { message: text, firstN: wholeNumber, summarize: countKind, name: text },
  ['message', 'firstN', 'summarize'],
);
/**
 * `input` itself. A run that computes it prints, when it has succeeded, the message and the first elements of the tensors
 * in `data`: one line, where the session prints (`new tf.Session({ print })`, by default `console.error`).
 *
 * @param options.message begins the line.
 * @param options.firstN prints only in the first so many runs of a session; by default, and if negative, in all.
 * @param options.summarize how many elements of each tensor are shown; −1: all. Default 3.
 *
 * ```ts
 * const checked = tf.Print(loss, [loss, logits], 'loss and logits: ');      // loss and logits: [0.25][[1 2 3...]...]
 * ```
 *
 * Reference: tf.Print of TensorFlow 1.
 */
export function Print<T extends DType = any, S extends Shape = any>(
  input: Tensor<T, S>,
  data: readonly Tensor<any, any>[],
  options: {
    readonly message?: string;
    readonly firstN?: number;
    readonly summarize?: number;
    readonly name?: string;
  },
): Tensor<T, S>;
export function Print<T extends DType = any, S extends Shape = any>(
  input: Tensor<T, S>,
  data: readonly Tensor<any, any>[],
  message?: string,
  firstN?: number,
  summarize?: number,
): Tensor<T, S>;
export function Print(...given: unknown[]): AnyTensor {
  const { input, data, message, firstN = -1, summarize = 3, name = 'Print' } = classicForm.take(given);
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(
      `Print: data must be an array of tensors, but ${came} came. Write ${classicForm.forms}.`,
    );
  };
  const list = Array.isArray(data) ? data : refuse(describe(data));
  const shown = readList(list, (t, i) =>
    t instanceof Tensor ? t : refuse(`one whose element [${i}] is ${describe(t)}`),
  );
  const parts = [...(message === undefined ? [] : [message]), ...shown.map(() => null)];
  const attributes = { parts, style: 'firstElements', summarize: most(summarize), firstN: most(firstN) } as const;
  return input.graph.asDefault(() => {
    const printed = apply(PrintOp, shown, attributes, 'PrintData').operation;
    return controlDependencies([printed], () => identity(input, name) as AnyTensor);
  });
}

/** What is printed: a text, a number, true or false as they are, a tensor by its value. */
export type Printable = string | number | boolean | Tensor<any, any>;
const form = signature('tf.print', {}, { summarize: countKind, name: text });
/**
 * An operation that prints. A run that needs it, as a fetch or by control dependencies, prints when it has succeeded: the
 * given texts, numbers and values of tensors, with a space between them, as one text, where the session prints
 * (`new tf.Session({ print })`, by default `console.error`). Several are printed in the order in which they were made.
 *
 * @param inputsAndOptions what is printed, then perhaps `{ summarize, name }`: how many elements are shown at the beginning
 *   and at the end of each axis (−1: all; default 3), and the name of the operation.
 * @throws InvalidArgumentError for anything else, such as an array of tensors.
 *
 * ```ts
 * const show = tf.print('loss', loss, 'weights', W);      // loss 0.25 weights [0 1 2 ... 7 8 9]
 * const y = tf.controlDependencies([show], () => tf.identity(loss));
 * ```
 *
 * Reference: tf.print of TensorFlow 1.15.
 */
export function print(...inputs: readonly Printable[]): Operation;
export function print(
  ...inputsAndOptions: [...Printable[], { readonly summarize?: number; readonly name?: string }]
): Operation;
export function print(...given: unknown[]): Operation {
  const { list, options } = form.takeAll(given);
  const tensors: AnyTensor[] = [];
  const parts = list.map((v) => {
    if (v instanceof Tensor) {
      tensors.push(v);
      return null;
    }
    if (typeof v === 'string' || typeof v === 'number' || typeof v === 'boolean') return String(v);
    throw new InvalidArgumentError(
      `print: expected texts, numbers and tensors, but ${describe(v)} came. Write tf.print('loss', loss, { summarize, name }).`,
    );
  });
  const { summarize = 3, name } = options;
  const attributes = { parts, style: 'edges', summarize: most(summarize), firstN: Infinity } as const;
  return apply(PrintOp, tensors, attributes, name).operation;
}
