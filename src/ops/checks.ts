// Checks that a run must pass before any variable changes.
import type { Operation } from '../graph/operation.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import * as s from '../primitives/scalar.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { text } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { type AnyTensor, apply, defineOp, floats, type Named, requireDType, tensor, truths } from './define.ts';

/** A text as it is, also where it looks like the place of a value. */
const plain = (message: string): string => message.replaceAll('{value}', '(value)');

const CheckNumericsOp = defineOp<{ message: string }>({
  name: 'CheckNumerics',
  infer: ([x]) => ({ ...x, dtype: requireDType('checkNumerics', x, floats, 'only floats can be NaN or infinite') }),
  gradient: (_, [dy]) => [dy],
  lower: ([x], { attributes: { message }, require }) => {
    // Of what is not finite, nothing is 0.
    require(p.check([x], (v) => s.equal(s.sub(v, v), 0), `checkNumerics: ${plain(message)}: {value} came.`));
    return x;
  },
});
const numericsForm = signature('tf.checkNumerics', { x: tensor, message: text }, { name: text }, ['name']);
/**
 * x itself. A run in which it holds NaN or an infinity fails with an InvalidArgumentError that begins with `message`, and
 * changes no variable.
 *
 * ```ts
 * const loss = tf.checkNumerics(tf.reduceMean(errors), 'the loss is not finite');
 * ```
 */
export function checkNumerics<T extends FloatDType = any, A extends Shape = any>(
  x: Tensor<T, A>,
  message: string,
  name?: Named,
): Tensor<T, A>;
export function checkNumerics(...given: unknown[]): AnyTensor {
  const { x, message, name } = numericsForm.take(given);
  return apply(CheckNumericsOp, [x], { message }, name);
}

const AssertOp = defineOp<{ message: string }>({
  name: 'Assert',
  infer: ([condition]) => ({ ...condition, dtype: requireDType('assert', condition, truths) }),
  gradient: () => [null],
  lower: ([condition], { attributes: { message }, require, name }) => {
    require(p.check([condition], (v) => v, `assert: ${message === '' ? `${name} does not hold` : plain(message)}.`));
    return condition;
  },
});
const assertForm = signature('tf.assert', { condition: tensor }, { message: text, name: text }, ['message', 'name']);
/**
 * An operation that fails a run with an InvalidArgumentError where an element of the condition is false: before any
 * variable changes. Runs need it that fetch it, or that run it by control dependencies.
 *
 * @param message what the error says.
 *
 * ```ts
 * const isSmall = tf.assert(tf.less(x, 1), 'x must be below 1');
 * const y = tf.controlDependencies([isSmall], () => tf.sqrt(tf.sub(1, x)));
 * ```
 */
export function assert<A extends Shape = any>(
  condition: Tensor<'bool', A>,
  message?: string | { readonly message?: string; readonly name?: string },
  name?: Named,
): Operation;
export function assert(...given: unknown[]): Operation {
  const { condition, message = '', name } = assertForm.take(given);
  return apply(AssertOp, [condition], { message }, name).operation;
}
