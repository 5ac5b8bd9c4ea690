// A set of images with labels, and batches of it in random order.
import { InvalidArgumentError } from '../base/errors.ts';
import { hostArray, type NDArray } from '../tensor/ndarray.ts';
import { shuffle, splitMix32 } from './shuffle.ts';

/** Flat images [n, 784], or [n, 28, 28, 1] when not reshaped. */
export type Images<Flat extends boolean> = NDArray<'float32', Flat extends true ? [number, 784] : [number, 28, 28, 1]>;
/** One-hot rows of 10, or class numbers. */
export type Labels<OneHot extends boolean> = OneHot extends true
  ? NDArray<'float32', [number, 10]>
  : NDArray<'uint8', [number]>;
/** Some images and their labels. */
export interface Batch<OneHot extends boolean = boolean, Flat extends boolean = boolean> {
  readonly images: Images<Flat>;
  readonly labels: Labels<OneHot>;
}

/** The pixels and labels of a set, as bytes. */
export interface Examples {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
  /** The sizes of an image, without the number of images. */
  readonly imageShape: readonly number[];
}

/** Where a data set is: a JSON value. */
export interface DataSetState {
  readonly numExamples: number;
  /** Of the order of its examples. */
  readonly seed: number;
  /** How often all examples have been handed out, and how many since. */
  readonly epochs: number;
  readonly position: number;
}

const classes = 10;

/** One of the three parts of the data: training, validation or test. */
export class DataSet<OneHot extends boolean = boolean, Flat extends boolean = boolean> {
  /** How many images there are. */
  readonly numExamples: number;
  readonly #examples: Examples;
  readonly #oneHot: boolean;
  readonly #order: Uint32Array;
  #seed: number;
  #position = 0;
  #epochs = 0;
  #all: Batch<OneHot, Flat> | undefined;

  /** @internal */
  constructor(examples: Examples, oneHot: boolean, seed: number) {
    this.#examples = examples;
    this.#oneHot = oneHot;
    this.numExamples = examples.labels.length;
    this.#order = new Uint32Array(this.numExamples);
    this.#seed = seed;
    this.#startEpoch(0);
  }

  /** Brings the examples into the order of an epoch, which depends on the seed and the number of the epoch alone. */
  #startEpoch(epoch: number): void {
    for (const i of this.#order.keys()) this.#order[i] = i;
    shuffle(this.#order, splitMix32(this.#seed + Math.imul(epoch, 0x85ebca6b)));
    this.#epochs = epoch;
    this.#position = 0;
  }

  /** How often all examples have been handed out by `nextBatch`. */
  get epochsCompleted(): number {
    return this.#epochs;
  }

  /** All images, in the order of the file: float32 from 0 (white) to 1 (black). */
  get images(): Images<Flat> {
    return this.#whole().images;
  }

  /** The labels of all images. */
  get labels(): Labels<OneHot> {
    return this.#whole().labels;
  }

  /**
   * The next `size` examples in random order. Every epoch hands out each example once, in a new order; a batch may span
   * the end of one epoch and the begin of the next. The arrays are the caller's own.
   *
   * @throws InvalidArgumentError unless `size` is a whole number from 1 to `numExamples`.
   *
   * ```ts
   * const batch = mnist.train.nextBatch(50);
   * await trainStep.run([[x, batch.images], [y_, batch.labels]]);
   * ```
   */
  nextBatch(size: number): Batch<OneHot, Flat> {
    if (!Number.isInteger(size) || size < 1 || size > this.numExamples) {
      throw new InvalidArgumentError(
        `nextBatch: the size must be a whole number from 1 to ${this.numExamples}, but ${size} came.`,
      );
    }
    const chosen = new Uint32Array(size);
    for (let taken = 0; taken < size; ) {
      if (this.#position === this.numExamples) this.#startEpoch(this.#epochs + 1);
      const count = Math.min(size - taken, this.numExamples - this.#position);
      chosen.set(this.#order.subarray(this.#position, this.#position + count), taken);
      taken += count;
      this.#position += count;
    }
    return this.#gather(chosen);
  }

  /** Which batches have been handed out: `restore` goes on after them, in this process or another one. A JSON value. */
  state(): DataSetState {
    return { numExamples: this.numExamples, seed: this.#seed, epochs: this.#epochs, position: this.#position };
  }

  /**
   * Goes on after the batches that had been handed out when `state` was called, in the same order, whatever seed this
   * data set was made with.
   *
   * @throws InvalidArgumentError for what is no state, or that of a set with another number of examples.
   *
   * ```ts
   * const state = mnist.train.state();
   * const batch = mnist.train.nextBatch(50);
   * mnist.train.restore(state);                 // nextBatch(50) gives the same batch again
   * ```
   */
  restore(state: unknown): void {
    const { numExamples, seed, epochs, position } = (state ?? {}) as Partial<DataSetState>;
    if (numExamples !== undefined && numExamples !== this.numExamples) {
      throw new InvalidArgumentError(
        `restore: the state is that of a data set of ${numExamples} examples, but this one has ${this.numExamples}.`,
      );
    }
    const whole = [numExamples, seed, epochs, position].every(Number.isSafeInteger);
    if (!whole || !(epochs! >= 0 && position! >= 0 && position! <= this.numExamples))
      throw new InvalidArgumentError('restore: expected what `state` of a data set returned.');
    this.#seed = seed!;
    this.#startEpoch(epochs!);
    this.#position = position!;
  }

  #whole(): Batch<OneHot, Flat> {
    this.#all ??= this.#gather(Uint32Array.from({ length: this.numExamples }, (_, i) => i));
    return this.#all;
  }

  #gather(chosen: Uint32Array): Batch<OneHot, Flat> {
    const { pixels, labels, imageShape } = this.#examples;
    const size = imageShape.reduce((a, b) => a * b, 1);
    const images = new Float32Array(chosen.length * size);
    const rows = new Float32Array(this.#oneHot ? chosen.length * classes : 0);
    const numbers = new Uint8Array(chosen.length);
    chosen.forEach((example, row) => {
      const from = example * size;
      const to = row * size;
      for (let i = 0; i < size; i++) images[to + i] = scaled[pixels[from + i]];
      numbers[row] = labels[example];
      if (this.#oneHot) rows[row * classes + labels[example]] = 1;
    });
    return {
      images: hostArray('float32', [chosen.length, ...imageShape], images) as Images<Flat>,
      labels: (this.#oneHot
        ? hostArray('float32', [chosen.length, classes], rows)
        : hostArray('uint8', [chosen.length], numbers)) as Labels<OneHot>,
    };
  }
}

/** Pixels 0…255 as 0…1. */
const scaled = Float32Array.from({ length: 256 }, (_, i) => i / 255);
