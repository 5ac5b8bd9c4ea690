// Looking at checkpoints without a graph or a session: which is the latest, and what is in one.
import { InvalidArgumentError } from '../base/errors.ts';
import { describe } from '../tensor/describe.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, text } from '../tensor/kinds.ts';
import { hostArray, type NDArray } from '../tensor/ndarray.ts';
import { signature } from '../tensor/signature.ts';
import type { SafetensorsHeader, StoredTensor } from './safetensors.ts';
import type { Source } from './source.ts';

/** A tensor in a checkpoint. */
export interface CheckpointVariable {
  readonly name: string;
  /** What it is read as; undefined for element types that millrace does not have. */
  readonly dtype: DType | undefined;
  readonly shape: readonly number[];
}

const hasTensorForm = signature('checkpointReader.hasTensor', { name: text }, {});
const getTensorForm = signature('checkpointReader.getTensor', { name: text }, {});
const closeForm = signature('checkpointReader.close', {}, {});
const path = anything<string>('a path');
const loadForm = signature('tf.train.loadCheckpoint', { path }, {});
const listForm = signature('tf.train.listVariables', { path }, {});

const latestForm = signature('tf.train.latestCheckpoint', { folder: path }, {});

/** @internal What reads and writes files: loaded when a program does so, as most that run in a page never do. */
export const files = () => import('./files.ts');

/** @internal What only `files.ts` gives. */
export const ours = Symbol('ours');

/** Reads the tensors of a checkpoint, one at a time. Made by `tf.train.loadCheckpoint`. */
export class CheckpointReader {
  /** What is in it, in the order of the file. */
  readonly variables: readonly CheckpointVariable[];
  /** What the file says of itself: texts by name. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: Source;
  readonly #stored: ReadonlyMap<string, StoredTensor>;

  /** @internal */
  constructor(key: typeof ours, source: Source, header: SafetensorsHeader, variables: readonly CheckpointVariable[]) {
    if (key !== ours) {
      throw new InvalidArgumentError(
        'Readers are made by functions, not with new: write await tf.train.loadCheckpoint(path).',
      );
    }
    this.#source = source;
    this.#stored = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
    this.variables = variables;
    this.metadata = header.metadata;
  }

  /** Is there a tensor of that name? */
  hasTensor(name: string): boolean;
  hasTensor(...given: unknown[]): boolean {
    const { name } = hasTensorForm.take(given);
    return this.#stored.has(name);
  }

  /**
   * A tensor by its name: float16 and bfloat16 as float32, whole numbers as int32 (uint8 stays).
   *
   * @throws InvalidArgumentError when there is none of that name; DataError for element types that millrace does not
   * have, and for whole numbers beyond int32 (as rejections).
   */
  getTensor(name: string): Promise<NDArray>;
  async getTensor(...given: unknown[]): Promise<NDArray> {
    const { name } = getTensorForm.take(given);
    const stored = this.#stored.get(name);
    if (!stored) {
      const there = [...this.#stored.keys()].slice(0, 20).join(', ');
      throw new InvalidArgumentError(`${this.#source.name} has no tensor ${JSON.stringify(name)}; it has: ${there}.`);
    }
    const { type, shape, begin, end } = stored;
    const bytes = await this.#source.read(begin, end);
    const { elementsFrom } = await files();
    const { dtype, data } = elementsFrom(bytes, type, `${name} in ${this.#source.name}`);
    return hostArray(dtype, [...shape], data);
  }

  /** Closes the file. */
  close(): Promise<void>;
  async close(...given: unknown[]): Promise<void> {
    closeForm.take(given);
    return this.#source.close();
  }

  /** `await using` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a checkpoint to look at its tensors, without a graph: one of `Saver`, or any safetensors file.
 *
 * ```ts
 * const reader = await tf.train.loadCheckpoint('run/model-200.safetensors');
 * const W = await reader.getTensor('W');        // float32 [784, 10]
 * await reader.close();
 * ```
 *
 * @throws DataError when it is missing or not a whole safetensors file: names file and byte (as a rejection).
 */
export function loadCheckpoint(path: string): Promise<CheckpointReader>;
export async function loadCheckpoint(...given: unknown[]): Promise<CheckpointReader> {
  const { path } = loadForm.take(given);
  const { checkpointFile, openFile, readerOf } = await files();
  return readerOf(await openFile(await checkpointFile('loadCheckpoint', path)));
}

/**
 * The names, element types and shapes in a checkpoint, in the order of the file.
 *
 * ```ts
 * await tf.train.listVariables('run/model-200.safetensors');   // [{ name: 'W', dtype: 'float32', shape: [784, 10] }, …]
 * ```
 *
 * @throws DataError when it is missing or not a whole safetensors file: names file and byte (as a rejection).
 */
export function listVariables(path: string): Promise<readonly CheckpointVariable[]>;
export async function listVariables(...given: unknown[]): Promise<readonly CheckpointVariable[]> {
  const { path } = listForm.take(given);
  const reader = await loadCheckpoint(path);
  await reader.close();
  return reader.variables;
}

/**
 * The path of the newest checkpoint in a folder, as the file `checkpoint` there tells; undefined if there is none.
 *
 * ```ts
 * const path = await tf.train.latestCheckpoint('run');
 * if (path) await saver.restore(sess, path);
 * ```
 */
export function latestCheckpoint(folder: string): Promise<string | undefined>;
export async function latestCheckpoint(...given: unknown[]): Promise<string | undefined> {
  const { folder } = latestForm.take(given);
  if (typeof folder !== 'string' || folder === '') {
    throw new InvalidArgumentError(`latestCheckpoint: expected the path of a folder, but ${describe(folder)} came.`);
  }
  const { latestIn } = await files();
  return latestIn(folder);
}
