// What a run takes and gives, for backends that execute programs: feeds in, fetches out, the check that failed.

import { InvalidArgumentError } from '../../base/errors.ts';
import type { Sliced } from '../../base/turns.ts';
import type { Buffer } from '../../loops/ir.ts';
import type { Port, Program } from '../../loops/program.ts';
import { copying, copyingInto } from '../../tensor/copying.ts';
import { copyOf, sizeOf, type TypedArray } from '../../tensor/dtype.ts';
import { copyInto } from '../../tensor/typed-array.ts';

/** The elements of a buffer where the program has them. */
export type ViewOf = (buffer: Buffer) => TypedArray;

/** What ports take in memory. */
export const bytesOf = (ports: readonly (Port | undefined)[]): number =>
  ports.reduce((sum, port) => sum + (port ? port.buffer.length * sizeOf(port.buffer.dtype) : 0), 0);

/** Puts in place what a run begins with; feeds unless they are read where they lie. */
export function fill(
  program: Program,
  view: ViewOf,
  feeds: readonly TypedArray[],
  counters: readonly number[],
  isInPlace: (feed: number) => boolean = () => false,
): void {
  for (const [i, port] of program.feeds.entries()) {
    if (port && !isInPlace(i)) copyInto(view(port.buffer), feeds[i]);
  }
  begin(program, view, counters);
}

/** The same, in slices: the feeds are nobody else's. */
export function* filling(
  program: Program,
  view: ViewOf,
  feeds: readonly TypedArray[],
  counters: readonly number[],
): Sliced<void> {
  for (const [i, port] of program.feeds.entries()) {
    if (port) yield* copyingInto(view(port.buffer), feeds[i]);
  }
  begin(program, view, counters);
}

function begin(program: Program, view: ViewOf, counters: readonly number[]): void {
  program.counters.forEach(({ buffer }, i) => {
    view(buffer)[0] = counters[i];
  });
  if (program.status) view(program.status).fill(0);
}

/** The fetches of a run that ended with that code. @throws InvalidArgumentError if it is not 0: a check failed. */
export function collect(program: Program, view: ViewOf, code: number): TypedArray[] {
  if (code !== 0) throw failure(program, view(program.status as Buffer));
  return program.fetches.map(({ buffer }) => copyOf(buffer.dtype, view(buffer)));
}

/** The same, in slices. */
export function* collecting(program: Program, view: ViewOf, code: number): Sliced<TypedArray[]> {
  if (code !== 0) throw failure(program, view(program.status as Buffer));
  const values: TypedArray[] = [];
  for (const { buffer } of program.fetches) values.push(yield* copying(buffer.dtype, view(buffer)));
  return values;
}

function failure(program: Program, [number, , value]: TypedArray): InvalidArgumentError {
  return new InvalidArgumentError(program.messages[number - 1].replace('{value}', String(value)));
}
