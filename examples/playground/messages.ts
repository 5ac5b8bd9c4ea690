// What the page and its worker say to each other. The worker answers every command with the same number, in their order;
// what it reports meanwhile has none.
import type { ModelName, OptimizerName } from './models/catalog.ts';

/** What is trained, and how. */
export interface Settings {
  readonly model: ModelName;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly batch: number;
  /** How many threads compute; undefined: all cores. */
  readonly threads: number | undefined;
}

/** The three runs of a model. */
export type Run = 'train' | 'evaluate' | 'predict';

/** Every command: what it takes, and what it is answered with. */
export interface Commands {
  /** Fetches the images. Until then nothing can be trained or evaluated. */
  load: { takes: undefined; gives: undefined };
  /** Builds what the settings ask for, if it is not there yet. Weights stay as long as the model does. */
  build: { takes: Settings; gives: Built };
  train: { takes: undefined; gives: undefined };
  /** Stops training; the answer comes after the last step. All test images are asked then. */
  pause: { takes: undefined; gives: undefined };
  /** One step. */
  step: { takes: undefined; gives: undefined };
  /** Fresh weights. */
  reset: { takes: undefined; gives: Built };
  /** The image whose probabilities are reported from now on, as it learns; without one, none. */
  watch: { takes: Float32Array<ArrayBuffer> | undefined; gives: undefined };
  /** A test image and its label. */
  example: { takes: undefined; gives: { image: Float32Array<ArrayBuffer>; label: number } };
  /** The weights as a safetensors file. */
  save: { takes: undefined; gives: Uint8Array<ArrayBuffer> };
  /** Weights from a file. They may be another model's, which is built then. */
  restore: { takes: Uint8Array<ArrayBuffer>; gives: Built };
  /** How a run is compiled: the text of `session.explain`, and the WebAssembly. */
  explain: { takes: Run; gives: { text: string; code: Uint8Array<ArrayBuffer> } };
}
export type CommandName = keyof Commands;

/** What has been built. */
export interface Built {
  readonly settings: Settings;
  /** How it runs, in the words of `session.backend`. */
  readonly backend: string;
  readonly layers: readonly LayerPicture[];
  readonly step: number;
}
export interface LayerPicture {
  readonly name: string;
  readonly what: string;
  readonly shape: readonly (number | null)[];
  readonly parameters: number;
}

/** A step or more have been taken. */
export interface Progress {
  readonly step: number;
  /** For an image, the mean of the steps since the last report. */
  readonly loss: number;
  readonly accuracy: number;
  readonly stepsPerSecond: number;
}
/** Test images have been asked. */
export interface Evaluation {
  readonly step: number;
  readonly accuracy: number;
  readonly images: number;
  /** Row: what the image is; column: what was said. */
  readonly confusion: readonly number[];
  /** The worst first. */
  readonly mistakes: readonly Mistake[];
}
export interface Mistake {
  readonly image: Float32Array<ArrayBuffer>;
  readonly is: number;
  readonly said: number;
  /** How sure the network was of what it said. */
  readonly probability: number;
}
/** Of variable `filters` of the model. */
export interface Filters {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** What the worker tells without being asked. */
export interface Reports {
  /** Bytes of the images that have come. */
  loading: number;
  progress: Progress;
  evaluation: Evaluation;
  filters: Filters;
  probabilities: Float32Array<ArrayBuffer>;
  /** What runs now. */
  running: Run | undefined;
  /** Training has ended by itself. */
  stopped: string;
}

/** What is posted to the worker. */
export type Command = { [N in CommandName]: { id: number; name: N; takes: Commands[N]['takes'] } }[CommandName];
/** What the worker posts: an answer, an error, or a report. */
export type Answer =
  | { id: number; gives: unknown }
  | { id: number; error: { name: string; message: string } }
  | { [N in keyof Reports]: { report: N; of: Reports[N] } }[keyof Reports];
