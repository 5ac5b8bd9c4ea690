// What a session promises, in plain JavaScript: the values of variables, what a run returns or why it fails, and which
// random numbers it draws, whatever was run before or is still waiting.
import * as tf from '../../src/index.ts';

type Any = tf.Tensor<any, any>;
type Numbers = readonly number[];

/** Variables of the graph below. */
const variables = ['v', 'w', 'late', 'noise'] as const;
type Name = (typeof variables)[number];

/** What may be fetched, in the order in which it is made: assignments of one variable follow each other in it. */
export const fetchable = [
  'initV',
  'initW',
  'initNoise',
  'v',
  'w',
  'noise',
  'late',
  'addV',
  'afterAdd',
  'setW',
  'setLate',
  'picked',
  'drawn',
  'other',
  'addNoise',
  'doubled',
  'product',
] as const;
export type Fetch = (typeof fetchable)[number];

/** A graph of which any part may be run. Its numbers are whole, so that every sum is exact; random ones are rounded once. */
export function buildGraph() {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', [null]) as Any;
    const index = tf.placeholder('int32', []) as Any;
    const matrix = tf.placeholder('float32', [null, null]) as Any;
    const v = tf.variable(tf.constant([1, 2, 3])) as any;
    const w = tf.variable(5) as any;
    const noise = tf.variable(tf.zeros([4])) as any;
    // Never initialized by itself: only a run that may fail gives it a value.
    const late = tf.variable(7) as any;
    const addV = tf.assignAdd(v, tf.mul(tf.ones([3]), tf.reduceSum(x) as any) as any) as Any;
    const afterAdd = tf.controlDependencies([addV], () => tf.mul(v, 2)) as Any;
    const setW = tf.assign(w, tf.reduceSum(v) as any) as Any;
    const picked = tf.gather(tf.constant([10, 20, 30]), index) as Any;
    const setLate = tf.assign(late, picked as any) as Any;
    const drawn = tf.randomUniform([4]) as Any;
    const other = tf.randomUniform([4]) as Any;
    const addNoise = tf.assignAdd(noise, drawn as any) as Any;
    const product = tf.reduceSum(tf.matmul(matrix, tf.transpose(matrix) as any) as any) as Any;
    const fetches: Record<Fetch, Any | tf.Operation> = {
      initV: v.initializer,
      initW: w.initializer,
      initNoise: noise.initializer,
      ...{ v, w, noise, late, addV, afterAdd, setW, setLate, picked, drawn, other, addNoise, product },
      doubled: tf.mul(x, 2) as Any,
    };
    return { graph, fetches, feeds: { x, index, matrix }, variables: { v, w, noise, late } };
  });
}

/** What is fed: so many ones, an index, and a matrix of ones of that size. */
export interface Given {
  readonly count: number;
  readonly index: number;
  readonly size: number;
}

/** The feeds that a run of these fetches needs. */
export const needs = (fetches: readonly Fetch[]) => ({
  x: fetches.some((f) => f === 'addV' || f === 'afterAdd' || f === 'doubled'),
  index: fetches.some((f) => f === 'picked' || f === 'setLate'),
  matrix: fetches.includes('product'),
});

/** What a run does: it fails with such a message, or gives these results, and draws the numbers of these keys. */
export type Outcome =
  | { readonly fails: RegExp }
  | {
      readonly fails: undefined;
      /** For when all numbers are known that were drawn before and in it. */
      readonly results: () => readonly (Numbers | null)[];
      readonly drawn: ReadonlyMap<Fetch, string>;
    };

/** The random numbers that are known: of each op, stream and number of a run. Equal for all sessions of one seed. */
export class Draws {
  readonly #known = new Map<string, Numbers>();

  /** Notes what has been drawn. @throws Error where it contradicts what was drawn before. */
  note(key: string, found: Numbers): void {
    const known = this.#known.get(key);
    if (known && known.join() !== found.join()) throw new Error(`${key} drew ${found}, and ${known} before`);
    for (const [other, numbers] of this.#known) {
      if (other !== key && numbers.join() === found.join()) throw new Error(`${key} drew what ${other} draws`);
    }
    this.#known.set(key, found);
  }

  get(key: string): Numbers {
    const known = this.#known.get(key);
    if (!known) throw new Error(`${key} has not been drawn`);
    return known;
  }
}

const random: readonly Fetch[] = ['drawn', 'other'];
type Value = () => Numbers;

/** A session as it should be. Runs are told in the order of their calls. */
export class Promised {
  /** Of the variables that are initialized. */
  readonly values = new Map<Name, Value>();
  readonly #runsOf = new Map<string, number>();
  readonly #draws: Draws;
  closed = false;

  constructor(draws: Draws) {
    this.#draws = draws;
  }

  run(fetches: readonly Fetch[], given: Given): Outcome {
    if (this.closed) return { fails: /The session is closed/ };
    // Runs that change variables and others are counted apart.
    const stream = fetches.some((f) => /^(init|add|after|set)/.test(f)) ? 'training' : 'evaluation';
    const counters = new Map(random.filter((op) => fetches.includes(op)).map((op) => [op, `${stream} ${op}`]));
    const drawn = new Map([...counters].map(([op, name]) => [op, `${name} ${this.#runsOf.get(name) ?? 0}`]));
    const { next, results, missing } = this.#compute(fetches, given, (op) => this.#draws.get(drawn.get(op) as string));
    if (missing) return { fails: /used before they are initialized/ };
    if (needs(fetches).index && given.index > 2) return { fails: /out of range/ };
    for (const [name, value] of next) this.values.set(name, value);
    for (const name of counters.values()) this.#runsOf.set(name, (this.#runsOf.get(name) ?? 0) + 1);
    return { fails: undefined, results: () => fetches.map((f) => results[f]?.() ?? null), drawn };
  }

  /** All results of such a run, the new values of variables, and whether it needs one that has none. */
  #compute(fetches: readonly Fetch[], given: Given, draw: (op: Fetch) => Numbers) {
    const has = (...some: Fetch[]) => some.some((f) => fetches.includes(f));
    const next = new Map<Name, Value>();
    let missing = false;
    const old = (name: Name, needed: boolean): Value => {
      const value = this.values.get(name);
      if (needed && !value) missing = true;
      return value ?? (() => []);
    };
    const newest = (name: Name, needed: boolean): Value => next.get(name) ?? old(name, needed);
    const set = (name: Name, asked: boolean, value: Value): Value => {
      if (asked) next.set(name, value);
      return value;
    };
    set('v', has('initV'), () => [1, 2, 3]);
    set('w', has('initW'), () => [5]);
    set('noise', has('initNoise'), () => [0, 0, 0, 0]);
    const [v, noise] = [newest('v', has('addV', 'afterAdd')), newest('noise', has('addNoise'))];
    // No path leads from an assignment of v to it.
    const before = old('v', has('setW'));
    const picked = () => [10 * (given.index + 1)];
    const addV = set('v', has('addV', 'afterAdd'), () => v().map((n) => n + given.count));
    const results: Partial<Record<Fetch, Value>> = {
      addV,
      afterAdd: () => addV().map((n) => 2 * n),
      setW: set('w', has('setW'), () => [before().reduce((a, b) => a + b)]),
      picked,
      setLate: set('late', has('setLate'), picked),
      drawn: () => draw('drawn'),
      other: () => draw('other'),
      addNoise: set('noise', has('addNoise'), () => noise().map((n, i) => Math.fround(n + draw('drawn')[i]))),
      doubled: () => Array.from({ length: given.count }, () => 2),
      product: () => [given.size ** 3],
    };
    for (const name of variables) results[name] = old(name, has(name));
    return { next, results, missing };
  }
}
