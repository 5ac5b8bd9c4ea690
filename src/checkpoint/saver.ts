// tf.train.Saver: the variables of a session in files, and back.
import { InvalidArgumentError } from '../base/errors.ts';
import { inSlices, type Sliced } from '../base/turns.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import { Variable } from '../graph/tensor.ts';
import { Session } from '../session/session.ts';
import { copyingInto } from '../tensor/copying.ts';
import { describe } from '../tensor/describe.ts';
import { anything, trueOrFalse } from '../tensor/kinds.ts';
import { reading, signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import type { Keep } from './folder.ts';
import { type CheckpointReader, files } from './reader.ts';
import type { Named, Restored, Resumable } from './state.ts';

/** Which variables a Saver saves, and how many checkpoints stay. */
export interface SaverOptions {
  /** The variables, or an object of them by the names that they have in files. Default: all of the session's graph. */
  varList?: readonly Variable<any, any>[] | Readonly<Record<string, Variable<any, any>>> | undefined;
  /** How many of the newest checkpoints stay; 0: all. Default 5. */
  maxToKeep?: number | undefined;
  /** Besides, one stays of every so many hours. */
  keepCheckpointEveryNHours?: number | undefined;
}
/** What is saved with the variables. */
export interface SaveOptions {
  /**
   * Stands in the name of the file: a number, or the variable that counts steps. Without it the file still says what
   * `tf.train.getGlobalStep()` was.
   */
  globalStep?: number | Variable<any, any> | undefined;
  /** Data sets, whose positions are saved too: `mnist.train`. */
  data?: Resumable | readonly Resumable[] | undefined;
}
/** How a checkpoint is restored. */
export interface RestoreOptions {
  /**
   * `true` (default): the file has the variables that are restored, and no others; random numbers go on as they were.
   * `false`: what fits is taken, and random numbers stay as they are.
   */
  strict?: boolean | undefined;
  /** Data sets that go on where they were: those that `save` was given, in the same order. */
  data?: Resumable | readonly Resumable[] | undefined;
}

// Sessions, paths and variables are looked at where they are used.
const session = anything<Session>('a session');
const path = anything<string>('a path');
const data = anything<Resumable | readonly Resumable[]>('data sets');
const saved = { globalStep: anything<number | Variable<any, any>>('a whole number or a variable'), data };
const restored = { strict: trueOrFalse, data };
const saverForm = signature(
  'new tf.train.Saver',
  {},
  {
    varList: anything<NonNullable<SaverOptions['varList']>>('variables, by their names or as an array'),
    maxToKeep: anything<number>('a whole number'),
    keepCheckpointEveryNHours: anything<number>('a number'),
  },
);
const saveForm = signature('saver.save', { session, path }, saved);
const restoreForm = signature('saver.restore', { session, path }, restored);
const toBytesForm = signature('saver.toBytes', { session }, saved);
const fromBytesForm = signature('saver.fromBytes', { session, bytes: anything<Uint8Array>('a Uint8Array') }, restored);

/** What one call saves, taken when it is called. */
interface Moment {
  /** Stands in the name of the file. */
  readonly step: number | undefined;
  readonly pieces: Uint8Array[];
}

/** Compared only where it is a number: to compare asks an object for its own. */
const isPositive = (n: unknown): boolean => typeof n === 'number' && n > 0;

/**
 * Saves the variables of a session in files, and restores them.
 *
 * A checkpoint is one safetensors file, `PATH-STEP.safetensors`, which other programs read too. It holds the variables,
 * the slots of optimizers among them, how often random ops have run, and the positions of the data sets that are handed
 * in, all of one moment: after the runs that were asked for before `save`, and before later ones. A run that is resumed
 * from it is bit for bit the run that went on.
 *
 * A file is whole or not there, whenever the process stops. Reference: tf.train.Saver of TensorFlow 1.
 *
 * ```ts
 * const saver = new tf.train.Saver();
 * await saver.save(sess, 'run/model', { globalStep: 200, data: mnist.train });   // run/model-200.safetensors
 *
 * const latest = await tf.train.latestCheckpoint('run');                         // in another process
 * if (latest) await saver.restore(sess, latest, { data: mnist.train });
 * ```
 */
export class Saver {
  readonly #varList: SaverOptions['varList'];
  readonly #keep: Keep;
  /** Files are written one after another, in the order of the calls. */
  #writing: Promise<unknown> = Promise.resolve();

  /** @throws InvalidArgumentError for options that cannot be. */
  constructor(options?: SaverOptions);
  constructor(...given: unknown[]) {
    const { varList, maxToKeep = 5, keepCheckpointEveryNHours } = saverForm.take(given);
    if (!Number.isSafeInteger(maxToKeep) || maxToKeep < 0)
      throw new InvalidArgumentError(
        `Saver: maxToKeep must be a whole number from 0, but ${describe(maxToKeep)} came.`,
      );
    if (keepCheckpointEveryNHours !== undefined && !isPositive(keepCheckpointEveryNHours)) {
      throw new InvalidArgumentError(
        `Saver: keepCheckpointEveryNHours must be a number above 0, but ${describe(keepCheckpointEveryNHours)} came.`,
      );
    }
    if (varList !== undefined) namedBy(varList);
    this.#varList = varList;
    this.#keep = { maxToKeep, keepCheckpointEveryNHours };
  }

  /**
   * Writes a checkpoint, notes it in the file `checkpoint` of its folder, and removes older ones of the same path beyond
   * `maxToKeep`. Runs go on while the file is written.
   *
   * @returns the path of the file.
   * @throws FailedPreconditionError when a variable has no value; DataError when the file cannot be written: older
   * checkpoints are then as they were (as rejections).
   */
  save(session: Session, path: string, options?: SaveOptions): Promise<string>;
  async save(...given: unknown[]): Promise<string> {
    const { session, path, ...options } = saveForm.take(given);
    if (typeof path !== 'string' || path === '')
      throw new InvalidArgumentError(`save: expected a path, such as 'run/model', but ${describe(path)} came.`);
    const moment = this.#take('save', session, options);
    // A moment that fails is told by this call, not by the next.
    const written = this.#writing.then(async () => {
      const { step, pieces } = await moment;
      const { fileNamed, settle, writeDurably } = await files();
      const file = fileNamed(path, step);
      await writeDurably(file, pieces);
      await settle(file, path, this.#keep);
      return file;
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  /**
   * Gives the variables the values that they have in a checkpoint; they need not be initialized before. When it fails
   * the session is as it was.
   *
   * @returns what was restored, and with `strict: false` what was not.
   * @throws InvalidArgumentError when names or shapes do not fit: lists them; or for another seed of the session.
   * @throws DataError when the file is missing or not whole: names file and byte (all as rejections).
   */
  restore(session: Session, path: string, options?: RestoreOptions): Promise<Restored>;
  async restore(...given: unknown[]): Promise<Restored> {
    const { session, path, ...options } = restoreForm.take(given);
    const named = this.#named('restore', session);
    const { checkpointFile, openFile, readerOf } = await files();
    const file = await checkpointFile('restore', path);
    const reader = await readerOf(await openFile(file));
    return this.#resume(session, named, reader, options, file);
  }

  /** The same as `save`, as the bytes of a file: for browsers. */
  toBytes(session: Session, options?: SaveOptions): Promise<Uint8Array>;
  async toBytes(...given: unknown[]): Promise<Uint8Array> {
    const { session, ...options } = toBytesForm.take(given);
    const { pieces } = await this.#take('toBytes', session, options);
    return inSlices(joining(pieces));
  }

  /** The same as `restore`, from the bytes of a file: for browsers. */
  fromBytes(session: Session, bytes: Uint8Array, options?: RestoreOptions): Promise<Restored>;
  async fromBytes(...given: unknown[]): Promise<Restored> {
    const { session, bytes, ...options } = fromBytesForm.take(given);
    const named = this.#named('fromBytes', session);
    if (!(bytes instanceof Uint8Array))
      throw new InvalidArgumentError(`fromBytes: expected a Uint8Array, but ${describe(bytes)} came.`);
    const name = 'The checkpoint';
    const { bytesSource, readerOf } = await files();
    return this.#resume(session, named, await readerOf(bytesSource(bytes, name)), options, name);
  }

  #named(what: string, session: Session): Named {
    if (!(session instanceof Session))
      throw new InvalidArgumentError(`${what}: the first argument is a session, but ${describe(session)} came.`);
    const named = namedBy(this.#varList ?? session.graph.variables);
    if (named.size === 0) throw new InvalidArgumentError(`${what}: the graph has no variables.`);
    return named;
  }

  /** Everything is taken in the moment of the call: data sets at once, variables in the order of runs. */
  #take(what: string, session: Session, { globalStep, data }: SaveOptions): Promise<Moment> {
    const named = this.#named(what, session);
    const states = listOf(data).map((one) => one.state());
    const counter = globalStep instanceof Variable ? globalStep : undefined;
    if (!counter && globalStep !== undefined) checkStep(globalStep);
    const saved = [...named.values()];
    const noted = counter ?? (globalStep === undefined ? stepIn(session.graph, saved) : undefined);
    return session.snapshot(noted ? [...saved, noted] : saved).then(async (snapshot) => {
      const values = snapshot.values.slice(0, saved.length);
      const counted = noted ? snapshot.values[saved.length].data[0] : (globalStep as number | undefined);
      const step = globalStep === undefined ? undefined : counted;
      if (step !== undefined) checkStep(step);
      const facts = { step: counted, backend: session.backend.description, data: states };
      const { checkpointOf } = await files();
      return { step, pieces: checkpointOf(named, { ...snapshot, values }, facts) };
    });
  }

  async #resume(
    session: Session,
    named: Named,
    reader: CheckpointReader,
    { strict = true, data }: RestoreOptions,
    file: string,
  ): Promise<Restored> {
    try {
      const { resume } = await files();
      return await resume(
        session,
        reader,
        { named, strict, chosen: this.#varList !== undefined, data: listOf(data) },
        file,
      );
    } finally {
      await reader.close();
    }
  }
}

function* joining(pieces: readonly Uint8Array[]): Sliced<Uint8Array> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) yield* copyingInto(bytes.subarray(at, (at += piece.length)), piece);
  return bytes;
}

/** The count of steps that training keeps, if it is saved: the checkpoint says it, though its name does not. */
function stepIn(graph: Graph, saved: readonly Variable<any, any>[]): Variable<any, any> | undefined {
  const [step, ...others] = graph.getCollection(GraphKeys.GLOBAL_STEP);
  return others.length === 0 && saved.includes(step) ? step : undefined;
}

const listOf = (data: Resumable | readonly Resumable[] | undefined): readonly Resumable[] =>
  data === undefined ? [] : Array.isArray(data) ? data : [data as Resumable];

function checkStep(step: unknown): void {
  if (Number.isSafeInteger(step) && (step as number) >= 0) return;
  throw new InvalidArgumentError(
    `save: globalStep must be a whole number from 0, or a variable that holds one, but ${describe(step)} came.`,
  );
}

/** What varList has, with its names if it has some; each is read once. */
function entriesOf(varList: unknown): readonly (readonly [name: string | undefined, value: unknown])[] {
  if (typeof varList !== 'object' || varList === null)
    throw new InvalidArgumentError(
      `Saver: varList is variables, by their names or as an array, but ${describe(varList)} came.`,
    );
  return reading('Saver', 'varList', () =>
    Array.isArray(varList) ? readList(varList, (v) => [undefined, v] as const) : Object.entries(varList),
  );
}

/** The variables by their names in files. */
function namedBy(varList: NonNullable<SaverOptions['varList']> | Graph['variables']): Named {
  const named = new Map<string, Variable<any, any>>();
  for (const [key, variable] of entriesOf(varList)) {
    if (!(variable instanceof Variable))
      throw new InvalidArgumentError(`Saver: varList has variables only, but ${describe(variable)} came.`);
    const name = key ?? variable.operation.name;
    if (named.has(name)) throw new InvalidArgumentError(`Saver: varList has ${name} twice.`);
    if (name === '__metadata__')
      throw new InvalidArgumentError(`Saver: no variable can be saved under the name ${name}.`);
    named.set(name, variable);
  }
  return named;
}
