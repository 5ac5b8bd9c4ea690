// What a checkpoint holds besides tensors, and how it becomes the state of a session again: all of it, or nothing.
import { DataError, InvalidArgumentError } from '../base/errors.ts';
import { version, versions } from '../base/version.ts';
import type { Variable } from '../graph/tensor.ts';
import type { Session, Snapshot } from '../session/session.ts';
import type { NDArray } from '../tensor/ndarray.ts';
import { sameShape, showShape } from '../tensor/shape.ts';
import type { CheckpointReader, CheckpointVariable } from './reader.ts';
import { toSafetensors } from './safetensors.ts';

/** What goes on where it was: `mnist.train`, or anything whose state is a JSON value. */
export interface Resumable {
  state(): unknown;
  restore(state: unknown): void;
}
/** Variables by the names that they have in files. */
export type Named = ReadonlyMap<string, Variable<any, any>>;

/** What a restore found, by the names in the file. */
export interface Restored {
  /** The step that the checkpoint was saved with, or what `tf.train.getGlobalStep()` was. */
  readonly step: number | undefined;
  /** Variables that have their values from the file. */
  readonly restored: readonly string[];
  /** Variables that the file does not have. */
  readonly missing: readonly string[];
  /** Tensors of the file for which there is no variable. */
  readonly unexpected: readonly string[];
  /** Variables that have another shape or element type in the file. */
  readonly mismatched: readonly string[];
}

/** The bits of a run depend on all of a machine's description but the memory that it may use. */
const textOf = (machine: Snapshot['machine']): string =>
  machine ? JSON.stringify(machine, (key, value) => (key === 'memoryLimit' ? undefined : value)) : 'reference';

/** @internal A checkpoint in pieces. */
export function checkpointOf(
  named: Named,
  snapshot: Snapshot,
  { step, backend, data }: { step: number | undefined; backend: string; data: readonly unknown[] },
): Uint8Array[] {
  const names = [...named.keys()];
  const tensors = snapshot.values.map(({ dtype, shape, data: elements }, i) => ({
    name: names[i],
    dtype,
    shape,
    data: elements,
  }));
  const metadata = new Map([
    ['format', 'millrace'],
    ['seed', String(snapshot.seed)],
    ['backend', backend],
    ['machine', textOf(snapshot.machine)],
    ['versions', JSON.stringify(versions())],
    ['randomRuns', JSON.stringify([...snapshot.randomRuns])],
    ['data', JSON.stringify(data)],
  ]);
  if (step !== undefined) metadata.set('step', String(step));
  return toSafetensors(tensors, metadata);
}

/** How a checkpoint is taken up. */
export interface Resume {
  readonly named: Named;
  /** Must the file have these variables, and no others? */
  readonly strict: boolean;
  /** Were the variables named one by one, so that others in the file are no surprise? */
  readonly chosen: boolean;
  readonly data: readonly Resumable[];
}

/** Gives a session the state that a checkpoint holds. */
export async function resume(session: Session, reader: CheckpointReader, how: Resume, file: string): Promise<Restored> {
  const { metadata } = reader;
  const report = compare(reader.variables, how, metadata.get('step'));
  if (how.strict) refuseMisfits(report, reader.variables, how, file);
  const values = new Map<Variable<any, any>, NDArray>();
  for (const name of report.restored) {
    const variable = how.named.get(name);
    if (variable) values.set(variable, await reader.getTensor(name));
  }
  const randomRuns = runsIn(metadata, file);
  const current = await session.snapshot([]);
  const goesOn = how.strict && randomRuns !== undefined;
  if (goesOn) checkOrigin(metadata, current, randomRuns, file);
  const before = how.data.map((data) => data.state());
  try {
    if (how.data.length > 0) restoreData(how.data, metadata, file);
    await session.resume(values, { isOwn: true, randomRuns: goesOn ? randomRuns : undefined });
  } catch (error) {
    for (const [i, data] of how.data.entries()) data.restore(before[i]);
    throw error;
  }
  return report;
}

function compare(stored: readonly CheckpointVariable[], { named, chosen }: Resume, step: string | undefined): Restored {
  const inFile = new Map(stored.map((variable) => [variable.name, variable]));
  const fits = ([name, { dtype, shape }]: [string, Variable<any, any>]) => {
    const found = inFile.get(name);
    return found !== undefined && found.dtype === dtype && sameShape(found.shape, shape as readonly number[]);
  };
  const there = [...named].filter(([name]) => inFile.has(name));
  const names = (list: readonly [string, unknown][]) => list.map(([name]) => name);
  return {
    step: step === undefined ? undefined : Number(step),
    restored: names(there.filter(fits)),
    missing: [...named.keys()].filter((name) => !inFile.has(name)),
    unexpected: chosen ? [] : [...inFile.keys()].filter((name) => !named.has(name)),
    mismatched: names(there.filter((entry) => !fits(entry))),
  };
}

function refuseMisfits(report: Restored, stored: readonly CheckpointVariable[], { named }: Resume, file: string): void {
  const show = (v: { dtype?: unknown; shape: unknown } | undefined) => `${v?.dtype} ${showShape(v?.shape as number[])}`;
  const inFile = new Map(stored.map((variable) => [variable.name, variable]));
  const lines = [
    ...report.missing.map((name) => `  missing in the file: ${name}, ${show(named.get(name))}`),
    ...report.unexpected.map((name) => `  without a variable: ${name}, ${show(inFile.get(name))}`),
    ...report.mismatched.map(
      (name) => `  different: ${name}, ${show(named.get(name))}, in the file ${show(inFile.get(name))}`,
    ),
  ];
  if (lines.length === 0) return;
  const most = 30;
  if (lines.length > most) lines.splice(most, lines.length, `  and ${lines.length - most} more`);
  throw new InvalidArgumentError(
    `${file} does not fit the variables, so nothing is restored:\n${lines.join('\n')}\n` +
      'With { strict: false } what fits is taken; `varList` says which variables are meant.',
  );
}

/** How often random ops had run; undefined in files of other programs. */
function runsIn(metadata: ReadonlyMap<string, string>, file: string): ReadonlyMap<string, number> | undefined {
  const text = metadata.get('randomRuns');
  if (text === undefined) return undefined;
  const list = parsed(text, 'randomRuns', file);
  const whole = (entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === 'string' && Number.isSafeInteger(entry[1]);
  if (!Array.isArray(list) || !list.every(whole)) throw damaged('randomRuns', file);
  return new Map(list as [string, number][]);
}

function restoreData(data: readonly Resumable[], metadata: ReadonlyMap<string, string>, file: string): void {
  const states = parsed(metadata.get('data') ?? '[]', 'data', file);
  if (!Array.isArray(states)) throw damaged('data', file);
  if (states.length !== data.length) {
    throw new InvalidArgumentError(
      `${file} was saved with ${states.length} data sets, but restore was given ${data.length}; give the same ones, in the same order.`,
    );
  }
  for (const [i, one] of data.entries()) one.restore(states[i]);
}

function parsed(text: string, what: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(what, file);
  }
}
const damaged = (what: string, file: string) =>
  new DataError(`${file} is damaged: its text \`${what}\` cannot be read.`);

/**
 * Random numbers go on as they were only from the same seed; all bits are the same only on the same kind of machine, by
 * the same millrace.
 */
function checkOrigin(
  metadata: ReadonlyMap<string, string>,
  { seed, machine }: Snapshot,
  randomRuns: ReadonlyMap<string, number>,
  file: string,
): void {
  const saved = metadata.get('seed');
  if (saved !== String(seed) && randomRuns.size > 0) {
    throw new InvalidArgumentError(
      `${file} was saved in a session with seed ${saved}, but this one has seed ${seed}, so random numbers would not go on as ` +
        `they were. Make the session with new tf.Session({ seed: ${saved} }), or restore with { strict: false } for the variables alone.`,
    );
  }
  const by = millraceOf(metadata);
  if (metadata.get('machine') === textOf(machine) && by === version) return;
  const where = by === version ? 'on another machine or backend' : `by millrace ${by} (this is ${version})`;
  console.warn(
    `millrace: ${file} was saved ${where} (${metadata.get('backend')}): the run goes on from the same values, ` +
      'but its last bits may differ from those that it would have had there.',
  );
}

/** The version of millrace that wrote a file. */
function millraceOf(metadata: ReadonlyMap<string, string>): string {
  try {
    return String(JSON.parse(metadata.get('versions') ?? '{}')?.millrace ?? 'of another version');
  } catch {
    return 'of another version';
  }
}
