// What a kind of kernel says to a task: what it would cost, and the loop nests that it would run.
import type { Buffer, Kernel } from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import type { Primitive } from '../primitives/primitives.ts';
import type { Task } from '../primitives/task.ts';

/** The buffers of a task's kernels: the arrays that it reads and writes, and others that they ask for. */
export interface TaskBuffers {
  /** The array of a primitive. */
  readonly of: (node: Primitive) => Buffer;
  /** A buffer that only this task uses, while it runs. */
  readonly scratch: (name: string, dtype: Buffer['dtype'], length: number) => Buffer;
  /** The same, for each thread: nothing outlives an iteration of a parallel loop in it. */
  readonly own: (name: string, dtype: Buffer['dtype'], length: number) => Buffer;
  /** Where a failed check leaves its number, the element and the value. */
  readonly status: () => Buffer;
  /** The number, from 1, of a check. */
  readonly checkNumber: (node: Primitive) => number;
}

/** One way to compute a task. */
export interface Offer {
  /** `matmul 4x8`: for dumps. */
  readonly name: string;
  /** Estimated time in units of one vector operation. */
  readonly cost: number;
  readonly build: (buffers: TaskBuffers) => readonly Kernel[];
}

/** A kind of kernel: what it offers for a task, if anything. */
export type OfferFor = (task: Task, machine: Machine) => Offer | undefined;
