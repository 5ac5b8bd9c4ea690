// What a session asks of a backend. Adding a backend is a folder beside this file, and a line in registry.ts.

import { InternalError, UnavailableError } from '../base/errors.ts';
import type { Machine } from '../loops/machine.ts';
import type { Program } from '../loops/program.ts';
import type { Lowered, VariableState } from '../primitives/primitives.ts';
import type { TypedArray } from '../tensor/dtype.ts';
import { elements } from '../tensor/shape.ts';
import { dtypeOfArray } from '../tensor/typed-array.ts';

/** What a run computes: the primitives, and for backends with a machine the loop nests fitted to it. */
export interface Compiled {
  readonly lowered: Lowered;
  readonly program: Program | undefined;
}

/** A worker was lost while it ran: the variables that it may have been changing are not known any more. */
export class WorkerLostError extends UnavailableError {}

/** When the parts of a run happened, in milliseconds of the calling thread's `performance.now()`. */
export interface RunProfile {
  /** The feeds had been copied in. */
  readonly started: number;
  /** All kernels had run. */
  readonly computed: number;
  /** The numbers of the kernels in the order in which they were called. */
  readonly calls: readonly number[];
  /** Of each thread: call i began at number 2i and ended at number 2i + 1. */
  readonly threads: readonly Float64Array[];
}

/** A compiled run, ready to be called any number of times. */
export interface Executable {
  /**
   * How long the next run will keep the calling thread, roughly, in milliseconds; undefined: it is on other threads, or
   * copies so much that others have turns meanwhile.
   */
  readonly inlineMs: number | undefined;
  /** The last run, where runs are profiled and made of kernels. */
  readonly profile?: RunProfile | undefined;
  /**
   * Runs once. `feeds` are by feed number, `counters` by the order of the program's counters. Inline executables return
   * without a promise, and have read the feeds then; others read them until they settle, and nobody changes them
   * meanwhile. Resolves with one fresh dense array a fetch, rejects or throws when a check fails; WorkerLostError means
   * that the values of variables are lost.
   */
  run(
    feeds: readonly TypedArray[],
    counters: readonly number[],
  ): readonly TypedArray[] | Promise<readonly TypedArray[]>;
  /** Frees what it holds. */
  dispose(): void;
}

/** What the user may ask of a backend; one that has no use for an option ignores it. */
export interface BackendOptions {
  /** How many threads may compute; undefined: the cores that this process may use. */
  readonly threads: number | undefined;
  /** From where threads start; undefined: they bring their code along. */
  readonly workerUrl?: string | undefined;
  /** Only instructions that compute the same everywhere. */
  readonly portable: boolean;
  /** Kernels that may mix or drop values: see `Machine.fastMath`. */
  readonly fastMath: boolean;
  /** Measure each kernel of each run. */
  readonly profile: boolean;
}

/** How a description ends. */
export const describeMath = ({ fastMath }: Machine): string => `, ${fastMath ? '' : 'no '}fast math`;

/** The part of a backend that belongs to one session. */
export interface Backend {
  readonly name: string;
  /** One line for the user: which one it is and how it runs. */
  readonly description: string;
  /** What kernels are fitted to; undefined for a backend that takes the primitives as they are. */
  readonly machine: Machine | undefined;
  /** Settles when runs may be made; rejects with UnavailableError. */
  readonly ready: Promise<void>;
  /** Waits for what it needs of that by itself; rejects with the same error. */
  load(compiled: Compiled): Promise<Executable>;
  /**
   * Copies of the values of variables, in their order, all of one moment. To be called between runs: until it settles
   * the caller begins no run, load or write, and none is pending.
   *
   * @throws InternalError (as a rejection) for a variable to which no run and no write has given a value.
   */
  readVariables(variables: readonly VariableState[]): Promise<readonly TypedArray[]>;
  /**
   * Gives variables values, which are copied: all of them, or none if it rejects. To be called between runs, as above;
   * the arrays must stay as they are until it settles. Variables that no program has used yet get their storage.
   * Programs that have been loaded find the new values.
   *
   * @throws InternalError (as a rejection) for a value whose element type or length is not the variable's,
   * ResourceExhaustedError where there is no space, UnavailableError where `ready` rejects.
   */
  writeVariables(values: ReadonlyMap<VariableState, TypedArray>): Promise<void>;
  /**
   * Another backend, which goes on where this one cannot load a program; undefined where the user asked for this one.
   * Who asks for it copies the variables.
   */
  readonly instead?: ((problem: UnavailableError) => Backend) | undefined;
  close(): void;
}

/** @throws InternalError for a value that `writeVariables` does not take. */
export function checkValue({ name, dtype, shape }: VariableState, value: TypedArray): void {
  const length = elements(shape);
  const same = dtypeOfArray(value) === (dtype === 'bool' ? 'uint8' : dtype);
  if (same && value.length === length) return;
  throw new InternalError(
    `The variable ${name} has ${length} elements of ${dtype}, but ${value.length} of ${dtypeOfArray(value)} were written.`,
  );
}
