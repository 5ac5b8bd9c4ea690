// Shapes and lists that users give as arguments: every element is read once, and what was checked is what is kept.

import { ShapeMismatchError } from '../base/errors.ts';
import { describe } from './describe.ts';
import { type Dim, isCountable, mostAxes, type Shape, showShape } from './shape.ts';

/** The elements of an array, holes as undefined; undefined for what is no array, or has more than one for each axis. */
export function listOf(given: unknown): unknown[] | undefined {
  if (!Array.isArray(given)) return undefined;
  const { length } = given;
  if (!(length <= mostAxes)) return undefined;
  const list: unknown[] = [];
  for (let i = 0; i < length; i++) list.push(given[i]);
  return list;
}

/** The elements of an array of any length, read by index: the first that does not belong throws, and ends it. */
export function readList<R>(given: readonly unknown[], read: (element: unknown, index: number) => R): R[] {
  const list: R[] = [];
  const { length } = given;
  for (let i = 0; i < length; i++) list.push(read(given[i], i));
  return list;
}

/** `[2, the text "a"]`, or what it is instead of a list. */
export function describeList(given: unknown): string {
  const list = listOf(given);
  if (list) return `[${list.map((v) => (typeof v === 'number' || v === null ? String(v) : describe(v))).join(', ')}]`;
  return Array.isArray(given) ? `an array of more than ${mostAxes}` : describe(given);
}

/** Sizes given by the user, checked. @param advice ends the message of the error. */
export const takeSizes = (op: string, given: unknown, advice = ''): readonly number[] =>
  taken(op, given, false, advice) as number[];

/** Sizes given by the user, `null` for those not known yet. */
export const takeShape = (op: string, given: unknown): Shape => taken(op, given, true, '');

function taken(op: string, given: unknown, mayBeNull: boolean, advice: string): Shape {
  const list = listOf(given);
  if (!list?.every((d) => (mayBeNull && d === null) || (Number.isInteger(d) && (d as number) >= 0))) {
    const orNull = mayBeNull ? ', or null where it is not known yet' : '';
    throw new ShapeMismatchError(
      `${op}: every size must be a whole number of at least 0${orNull}, but the shape is ${list ? describeList(list) : describeList(given)}.${advice}`,
    );
  }
  const shape = list as Dim[];
  checkCountable(op, shape);
  return shape;
}

/** @throws ShapeMismatchError for a shape of more than 2⁵³ elements. */
export function checkCountable(op: string, shape: Shape): void {
  if (isCountable(shape)) return;
  throw new ShapeMismatchError(`${op}: a tensor of shape ${showShape(shape)} would have more than 2^53 elements.`);
}
