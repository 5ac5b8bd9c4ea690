// Random sequences of runs in one session against what a session promises: compiled before and not, short and long, failing,
// with and without updates, waiting for each other, with feeds of other sizes, larger programs in between, and the end.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextTurn } from '../../src/base/turns.ts';
import * as tf from '../../src/index.ts';
import type { Snapshot } from '../../src/session/session.ts';
import { backends } from '../backends.ts';
import { buildGraph, Draws, type Fetch, type Given, needs, Promised } from './promises.ts';

const together: readonly (readonly Fetch[])[] = [
  ['initV', 'initW', 'initNoise'],
  ['initV', 'initW', 'initNoise'],
  ['initV'],
  ['v'],
  ['v'],
  ['w', 'v'],
  ['late'],
  ['late'],
  ['noise'],
  ['addV'],
  ['addV'],
  ['v', 'addV'],
  ['afterAdd', 'v'],
  ['initV', 'addV'],
  ['setW'],
  ['addV', 'setW', 'w'],
  ['setLate'],
  ['setLate'],
  ['setLate', 'addV'],
  ['picked', 'setLate', 'w'],
  ['picked'],
  ['drawn'],
  ['drawn'],
  ['drawn', 'other'],
  ['drawn', 'picked'],
  ['drawn', 'addNoise'],
  ['drawn', 'addNoise'],
  ['drawn', 'setLate'],
  ['doubled'],
  ['product'],
  ['product', 'addV'],
];

/** Numbers of any result. */
const numbersOf = (result: any): readonly number[] | null =>
  result === null || result === undefined ? null : typeof result === 'number' ? [result] : Array.from(result.data);

const { graph, fetches: made, feeds: fed, variables } = buildGraph();

function feedsFor(fetches: readonly Fetch[], given: Given, all: boolean) {
  const needed = needs(fetches);
  const data = { x: new Float32Array(given.count).fill(1), matrix: new Float32Array(given.size ** 2).fill(1) };
  const pairs = [
    ...(needed.x || all ? [[fed.x, data.x]] : []),
    ...(needed.index || all ? [[fed.index, given.index]] : []),
    ...(needed.matrix || all ? [[fed.matrix, tf.array(data.matrix, [given.size, given.size])]] : []),
  ];
  /** The caller's arrays are the caller's again when `run` has returned. */
  const spoil = () => Object.values(data).forEach((array) => void array.fill(Number.NaN));
  return { pairs: pairs as any, spoil };
}

const commandsFor = (sizes: readonly number[]) => {
  const given = fc.record({
    count: fc.constantFrom(1, 3, 1500),
    index: fc.constantFrom(0, 2, 3),
    size: fc.constantFrom(...sizes),
  });
  const wait = fc.constantFrom('no', 'no', 'yes', 'turn');
  const run = fc.record({
    kind: fc.constant('run' as const),
    fetches: fc.constantFrom(...together),
    given,
    all: fc.constantFrom(false, false, false, true),
    /** Several calls of the same, without waiting. */
    times: fc.constantFrom(1, 1, 1, 3),
    wait,
  });
  const others = fc.record({ kind: fc.constantFrom('explain' as const, 'save' as const, 'restore' as const), wait });
  const close = fc.record({ kind: fc.constant('close' as const), wait });
  return fc.array(
    fc.oneof({ weight: 40, arbitrary: run }, { weight: 4, arbitrary: others }, { weight: 1, arbitrary: close }),
    { minLength: 5, maxLength: 30 },
  );
};
type Command = ReturnType<typeof commandsFor> extends fc.Arbitrary<(infer C)[]> ? C : never;

/** Does the commands in a new session, and compares everything with the model. */
class Trial {
  readonly #session: tf.Session;
  readonly #promised: Promised;
  readonly #draws: Draws;
  /** Of what has been asked for: what is left to check. */
  #open: (() => Promise<void>)[] = [];
  /** How many runs have succeeded, and failed for each reason. */
  readonly seen: Map<string, number>;

  constructor(backend: (typeof backends)[number], draws: Draws, seen: Map<string, number>) {
    this.seen = seen;
    this.#session = new tf.Session({ graph, backend, threads: 2, seed: 3 });
    this.#promised = new Promised(draws);
    this.#draws = draws;
  }

  async do(command: Command): Promise<void> {
    if (command.kind === 'run')
      for (let i = 0; i < command.times; i++) this.#run(command.fetches, command.given, command.all);
    else if (command.kind === 'close') this.#close();
    else if (command.kind === 'explain') this.#explain();
    else if (command.kind === 'save') this.#save();
    else this.#restore();
    if (command.wait === 'yes') await this.settle();
    if (command.wait === 'turn') await nextTurn();
  }

  /** Waits for all that was asked for, and checks it in the order of the calls. */
  async settle(): Promise<void> {
    for (const check of this.#open.splice(0)) await check();
  }

  async end(): Promise<void> {
    this.#run(['v'], { count: 1, index: 0, size: 1 }, false);
    this.#close();
    this.#run(['v'], { count: 1, index: 0, size: 1 }, false);
    await this.settle();
  }

  #expect(what: string, result: Promise<unknown>, check: (values: any) => void, fails?: RegExp): void {
    const settled = result.then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
    this.#open.push(async () => {
      const found: { value?: unknown; error?: unknown } = await settled;
      const how = fails?.source ?? 'success';
      this.seen.set(how, (this.seen.get(how) ?? 0) + 1);
      if (fails) {
        expect(found.error, what).toBeInstanceOf(tf.MillraceError);
        expect((found.error as Error).message, what).toMatch(fails);
      } else {
        if (found.error) throw new Error(`${what} failed`, { cause: found.error });
        check(found.value);
      }
    });
  }

  #run(fetches: readonly Fetch[], given: Given, all: boolean): void {
    const wanted = this.#promised.run(fetches, given);
    const { pairs, spoil } = feedsFor(fetches, given, all);
    const result = this.#session.run(
      fetches.map((f) => made[f]),
      pairs,
    );
    spoil();
    const what = `run of ${fetches.join(', ')} with ${JSON.stringify(given)}`;
    const check = (values: unknown[]) => {
      if (wanted.fails) return;
      const found = values.map(numbersOf);
      for (const [op, key] of wanted.drawn) this.#draws.note(key, found[fetches.indexOf(op)] ?? []);
      expect(found, what).toEqual(wanted.results());
    };
    this.#expect(what, result, check, wanted.fails);
  }

  #explain(): void {
    const fails = this.#promised.closed ? /The session is closed/ : undefined;
    this.#expect('explain', this.#session.explain([made.drawn, made.addV], [[fed.x, [1]]] as any), () => {}, fails);
  }

  #save(): void {
    const has = [...this.#promised.values.keys()];
    const wanted = has.map((name) => this.#promised.values.get(name)!);
    const fails = this.#promised.closed ? /The session is closed/ : undefined;
    const check = ({ values }: Snapshot) => expect(values.map(numbersOf)).toEqual(wanted.map((value) => value()));
    this.#expect('snapshot', this.#session.snapshot(has.map((name) => variables[name])), check, fails);
  }

  #restore(): void {
    const { closed, values } = this.#promised;
    if (!closed) values.set('late', () => [40]);
    const written = this.#session.resume(new Map([[variables.late, 40]]));
    this.#expect('resume', written, () => {}, closed ? /The session is closed/ : undefined);
  }

  #close(): void {
    this.#promised.closed = true;
    this.#expect('close', this.#session.close(), () => {});
  }
}

const sizes = { reference: [2, 5, 12], wasm: [2, 12, 250], native: [2, 12, 400] };
const runs = { reference: 60, wasm: 120, native: 40 };

test.each(backends)('any sequence of runs does what a session promises, on %s', async (backend) => {
  // One for all: the same seed draws the same in every session.
  const draws = new Draws();
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(commandsFor(sizes[backend]), async (commands) => {
      const trial = new Trial(backend, draws, seen);
      try {
        for (const command of commands) await trial.do(command);
      } finally {
        await trial.end();
      }
    }),
    { numRuns: runs[backend] },
  );
  expect(seen.size).toBe(4);
  expect(Math.min(...seen.values())).toBeGreaterThan(runs[backend] / 4);
});
