// tf.train.Saver: the variables of a session in files, and back.
import { InvalidArgumentError } from '../base/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { Variable } from '../graph/tensor.ts';
import { Session } from '../session/session.ts';
import { describe } from '../tensor/describe.ts';
import { writeDurably } from './durable.ts';
import { checkpointFile, fileNamed, type Keep, settle } from './folder.ts';
import { type CheckpointReader, readerOf } from './reader.ts';
import { bytesSource, openFile } from './source.ts';
import { checkpointOf, type Named, type Restored, type Resumable, resume } from './state.ts';

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
  /** Stands in the name of the file: a number, or the variable that counts steps. */
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

/** What one call saves, taken when it is called. */
interface Moment {
  readonly step: number | undefined;
  readonly pieces: Uint8Array[];
}

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
  constructor(options: SaverOptions = {}) {
    const { varList, maxToKeep = 5, keepCheckpointEveryNHours } = options;
    if (!Number.isSafeInteger(maxToKeep) || maxToKeep < 0)
      throw new InvalidArgumentError(
        `Saver: maxToKeep must be a whole number from 0, but ${describe(maxToKeep)} came.`,
      );
    if (keepCheckpointEveryNHours !== undefined && !(keepCheckpointEveryNHours > 0)) {
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
  async save(session: Session, path: string, options: SaveOptions = {}): Promise<string> {
    if (typeof path !== 'string' || path === '')
      throw new InvalidArgumentError(`save: expected a path, such as 'run/model', but ${describe(path)} came.`);
    const moment = this.#take('save', session, options);
    // A moment that fails is told by this call, not by the next.
    const written = this.#writing.then(async () => {
      const { step, pieces } = await moment;
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
  async restore(session: Session, path: string, options: RestoreOptions = {}): Promise<Restored> {
    const named = this.#named('restore', session);
    const file = await checkpointFile('restore', path);
    const reader = await readerOf(await openFile(file));
    return this.#resume(session, named, reader, options, file);
  }

  /** The same as `save`, as the bytes of a file: for browsers. */
  async toBytes(session: Session, options: SaveOptions = {}): Promise<Uint8Array> {
    const { pieces } = await this.#take('toBytes', session, options);
    const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** The same as `restore`, from the bytes of a file: for browsers. */
  async fromBytes(session: Session, bytes: Uint8Array, options: RestoreOptions = {}): Promise<Restored> {
    const named = this.#named('fromBytes', session);
    if (!(bytes instanceof Uint8Array))
      throw new InvalidArgumentError(`fromBytes: expected a Uint8Array, but ${describe(bytes)} came.`);
    const name = 'The checkpoint';
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
    const variables = [...named.values(), ...(counter ? [counter] : [])];
    return session.snapshot(variables).then((snapshot) => {
      const values = snapshot.values.slice(0, named.size);
      const step = counter ? snapshot.values[named.size].data[0] : (globalStep as number | undefined);
      if (step !== undefined) checkStep(step);
      const facts = { step, backend: session.backend.description, data: states };
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

const listOf = (data: Resumable | readonly Resumable[] | undefined): readonly Resumable[] =>
  data === undefined ? [] : Array.isArray(data) ? data : [data as Resumable];

function checkStep(step: unknown): void {
  if (Number.isSafeInteger(step) && (step as number) >= 0) return;
  throw new InvalidArgumentError(
    `save: globalStep must be a whole number from 0, or a variable that holds one, but ${describe(step)} came.`,
  );
}

/** The variables by their names in files. */
function namedBy(varList: NonNullable<SaverOptions['varList']> | Graph['variables']): Named {
  const entries = Array.isArray(varList)
    ? varList.map((v) => [v?.operation?.name, v] as const)
    : Object.entries(varList as Readonly<Record<string, Variable<any, any>>>);
  const named = new Map<string, Variable<any, any>>();
  for (const [name, variable] of entries) {
    if (!(variable instanceof Variable))
      throw new InvalidArgumentError(`Saver: varList has variables only, but ${describe(variable)} came.`);
    if (named.has(name)) throw new InvalidArgumentError(`Saver: varList has ${name} twice.`);
    if (name === '__metadata__')
      throw new InvalidArgumentError(`Saver: no variable can be saved under the name ${name}.`);
    named.set(name, variable);
  }
  return named;
}
