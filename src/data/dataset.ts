// A set of images with labels, and batches of it in random order.
import { InvalidArgumentError } from '../base/errors.ts';
import { cameAs } from '../tensor/describe.ts';
import { anything } from '../tensor/kinds.ts';
import { hostArray, type NDArray } from '../tensor/ndarray.ts';
import { signature } from '../tensor/signature.ts';
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

const classes = 10;
const nextBatchForm = signature('dataSet.nextBatch', { size: anything<number>('a whole number') }, {});

/** One of the three parts of the data: training, validation or test. */
export class DataSet<OneHot extends boolean = boolean, Flat extends boolean = boolean> {
  /** How many images there are. */
  readonly numExamples: number;
  readonly #examples: Examples;
  readonly #oneHot: boolean;
  readonly #random: () => number;
  readonly #order: Uint32Array;
  #position = 0;
  #epochs = 0;
  #all: Batch<OneHot, Flat> | undefined;

  /** @internal */
  constructor(examples: Examples, oneHot: boolean, seed: number) {
    if (!Object.hasOwn(examples ?? {}, 'imageShape')) {
      throw new InvalidArgumentError('Data sets are made by functions, not with new: write await readDataSets(dir).');
    }
    this.#examples = examples;
    this.#oneHot = oneHot;
    this.numExamples = examples.labels.length;
    this.#random = splitMix32(seed);
    this.#order = Uint32Array.from({ length: this.numExamples }, (_, i) => i);
    shuffle(this.#order, this.#random);
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
  nextBatch(size: number): Batch<OneHot, Flat>;
  nextBatch(...given: unknown[]): Batch<OneHot, Flat> {
    const { size } = nextBatchForm.take(given);
    if (!Number.isInteger(size) || size < 1 || size > this.numExamples) {
      throw new InvalidArgumentError(
        `nextBatch: size must be a whole number from 1 to ${this.numExamples}, but ${cameAs(size)} came.`,
      );
    }
    const chosen = new Uint32Array(size);
    for (let taken = 0; taken < size; ) {
      if (this.#position === this.numExamples) {
        this.#epochs++;
        this.#position = 0;
        shuffle(this.#order, this.#random);
      }
      const count = Math.min(size - taken, this.numExamples - this.#position);
      chosen.set(this.#order.subarray(this.#position, this.#position + count), taken);
      taken += count;
      this.#position += count;
    }
    return this.#gather(chosen);
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
