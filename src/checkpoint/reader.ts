// tf.train.loadCheckpoint: what is in a checkpoint, without a graph or a session.
import { InvalidArgumentError } from '../base/errors.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, text } from '../tensor/kinds.ts';
import { hostArray, type NDArray } from '../tensor/ndarray.ts';
import { signature } from '../tensor/signature.ts';
import { dtypeFor, elementsFrom } from './elements.ts';
import { checkpointFile } from './folder.ts';
import { dataOffset, parseHeader, prefixBytes, type SafetensorsHeader, type StoredTensor } from './safetensors.ts';
import { openFile, type Source } from './source.ts';

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

/** What only this file can give. */
const ours = Symbol('ours');

/** Reads the tensors of a checkpoint, one at a time. Made by `tf.train.loadCheckpoint`. */
export class CheckpointReader {
  /** What is in it, in the order of the file. */
  readonly variables: readonly CheckpointVariable[];
  /** What the file says of itself: texts by name. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: Source;
  readonly #stored: ReadonlyMap<string, StoredTensor>;

  /** @internal */
  constructor(key: typeof ours, source: Source, header: SafetensorsHeader) {
    if (key !== ours) {
      throw new InvalidArgumentError(
        'Readers are made by functions, not with new: write await tf.train.loadCheckpoint(path).',
      );
    }
    const { tensors, metadata } = header;
    this.#source = source;
    this.#stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.variables = tensors.map(({ name, type, shape }) => ({ name, dtype: dtypeFor(type), shape }));
    this.metadata = metadata;
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

/** @internal */
export async function readerOf(source: Source): Promise<CheckpointReader> {
  const { name, size } = source;
  try {
    const begin = dataOffset(await source.read(0, Math.min(size, prefixBytes)), size, name);
    return new CheckpointReader(ours, source, parseHeader(await source.read(0, begin), size, name));
  } catch (error) {
    await source.close();
    throw error;
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
