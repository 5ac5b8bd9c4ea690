// Calls of everything public with arguments of all kinds, right and wrong. The exports, classes and prototypes are walked,
// so that a new one is called too. Used by calls.test.ts, and with many calls by `npm run soak -- calls`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as numpy from '../../src/checkpoint/numpy.ts';
import * as mnist from '../../src/data/mnist.ts';
import * as tf from '../../src/index.ts';
import { type Kind, type Signature, signatures } from '../../src/tensor/signature.ts';

type Any = any;
type Form = Signature<Record<string, Kind<unknown>>, Record<string, Kind<unknown>>>;

/** Something that is called: a function, a constructor, or a method of an instance. */
export interface Callable {
  readonly path: string;
  readonly form: Form | undefined;
  /** The first arguments of the form that the instance stands for. */
  readonly bound: number;
  readonly call: (world: World, given: readonly unknown[]) => unknown;
}

/** What calls may use: made anew now and then, so that graphs stay small. */
export interface World {
  readonly graph: tf.Graph;
  readonly folder: string;
  readonly good: Readonly<Record<string, () => unknown>>;
  readonly odd: readonly unknown[];
  readonly instances: Readonly<Record<string, () => unknown>>;
}

const texts = ['x', 'SAME', 'float32', '__proto__'];

/** Twenty black images. */
export function prepare(folder: string): void {
  const header = (magic: number, ...sizes: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * sizes.length + sizes.reduce((a, b) => a * b, 1));
    for (const [i, n] of [magic, ...sizes].entries()) bytes.writeInt32BE(n, 4 * i);
    return bytes;
  };
  for (const name of [...texts, 'data']) {
    mkdirSync(join(folder, name), { recursive: true });
    for (const part of ['train', 't10k']) {
      writeFileSync(join(folder, name, `${part}-images-idx3-ubyte`), header(0x803, 20, 28, 28));
      writeFileSync(join(folder, name, `${part}-labels-idx1-ubyte`), header(0x801, 20));
    }
  }
}

const throwing = () =>
  new Proxy(
    {},
    {
      get: () => {
        throw new TypeError('thrown by a proxy');
      },
    },
  );

/** Large ones are made once. */
const large = [new Array(1e6), new Array(2 ** 32 - 1)];

function oddValues(made: readonly unknown[]): unknown[] {
  const cyclic: unknown[] = [1];
  cyclic.push(cyclic);
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  const withGetter = Object.defineProperty({}, 'name', {
    enumerable: true,
    get: () => {
      throw new Error('thrown by a getter');
    },
  });
  return [
    ...[undefined, null, Number.NaN, Infinity, -1, 0, 0.5, 3, 2 ** 31, 2 ** 53, 1e300, '', ...texts, true, false],
    ...[Symbol('s'), 1n, 2n ** 70n, () => 1, async () => 1, /x/, new Date(), new Map(), new Set()],
    ...[[], [1], [-1], [2, 2], [1, 2, 2, 1], [null], ['x'], [Number.NaN], [1n], [Symbol('s')], [[1, 2], [3]], [{}]],
    ...[Object.assign(new Array(2), [1]), new Array(3), ...large, cyclic, circle, {}, { unknownOption: 1 }],
    ...[{ name: Symbol('n') }, { name: 1 }, { name: '' }, { axis: 0.5 }, { dtype: 'float' }, { seed: 1n }],
    ...[Object.create(null), Object.create({ name: 'inherited' }), withGetter, throwing(), Promise.resolve(1)],
    ...[new Float32Array(2), new Uint8Array(3), new BigInt64Array(1), new DataView(new ArrayBuffer(8))],
    ...[new ArrayBuffer(8), new Error('e'), new Proxy([], {}), ...made],
  ];
}

/** What is opened once. */
export interface Opened {
  readonly dataSets: mnist.DataSets;
  readonly reader: tf.types.CheckpointReader;
}

/** A world in which all is small. */
export function makeWorld(folder: string, { dataSets, reader }: Opened): World {
  const graph = new tf.Graph();
  const made = graph.asDefault(() => {
    const tensor = tf.constant([
      [1, 2],
      [3, 4],
    ]) as Any;
    const placeholder = tf.placeholder('float32', [null, 2]) as Any;
    const variable = tf.variable(tf.ones([2, 2])) as Any;
    const counter = tf.variable(0, { trainable: false });
    return {
      tensor,
      placeholder,
      variable,
      counter,
      operation: tf.noOp(),
      loss: tf.reduceSum(tf.square(variable)) as Any,
    };
  });
  const optimizer = new tf.train.GradientDescentOptimizer(0.1);
  const session = () => new tf.Session({ graph, backend: 'reference' });
  const good: Record<string, () => unknown> = {
    'a tensor': () => made.tensor,
    'a tensor or a number': () => made.tensor,
    "'SAME' or 'VALID', or pairs of margins": () => 'SAME',
    '[1, height, width, 1]': () => [1, 1, 1, 1],
    '[height, width]': () => [1, 1],
    '[batch, height, width, out]': () => [null, 2, 2, 1],
    'a tensor or null': () => made.tensor,
    'a tensor, a number, a typed array or nested arrays': () => made.tensor,
    'an axis, or an array of them': () => 0,
    'a whole number or an array of them': () => 2,
    'an array of tensors': () => [made.tensor, made.tensor],
    'an array of operations and tensors': () => [made.operation],
    'an array of variables': () => [made.variable],
    'a variable': () => made.variable,
    'a scalar variable of numbers': () => made.counter,
    'a finite number of at least 0 or a scalar tensor': () => 0.5,
    'a finite number above 0 or a scalar tensor': () => 0.5,
    'a finite number above 0': () => 0.5,
    'a finite number of at most 0': () => -0.5,
    'a tensor, numbers or booleans': () => made.tensor,
    'tensors and operations': () => made.tensor,
    'an array of pairs': () => [],
    'an array of whole numbers': () => [2, 2],
    'a shape': () => [2, 2],
    'a whole number': () => 1,
    ...Object.fromEntries(
      ['a finite number', 'a finite number above 0', 'a finite number of at least 1', 'a number from 0 to 1'].map(
        (is) => [`${is} or a scalar tensor`, () => 1],
      ),
    ),
    'a number above 0 or a scalar tensor': () => 1,
    'an array of numbers': () => [1],
    'a number': () => 1,
    'a finite number': () => 1,
    'a text': () => 'x',
    'a text, a scope or null': () => 'x',
    'a whole number of at least 1': () => 2,
    'a whole number of at least 1, or two of them': () => 2,
    'a finite number of at least 0': () => 0.5,
    'a number, or as many as the variable has': () => 1,
    'a function such as tf.initializers.zeros(), or a value': () => tf.initializers.zeros(),
    'an array of texts': () => ['x'],
    'a dtype': () => 'float32',
    'true or false': () => true,
    'a function': () => () => 1,
    'a graph': () => graph,
    'the name of a backend': () => 'reference',
    "the path of a file, such as 'trace.json'": () => join(folder, `trace-${Math.random()}.json`),
    "the folder of the data, such as 'MNIST_data'": () => join(folder, 'data'),
    'an array of addresses': () => ['http://localhost/'],
    'an array of axes': () => [0],
    'an object with the contents of the four files': () => ({}),
  };
  const instances: Record<string, () => unknown> = {
    Tensor: () => made.tensor,
    Placeholder: () => made.placeholder,
    Variable: () => made.variable,
    Operation: () => made.operation,
    Graph: () => new tf.Graph(),
    Session: session,
    InteractiveSession: () => new tf.InteractiveSession({ graph, backend: 'reference' }),
    Optimizer: () => optimizer,
    GradientDescentOptimizer: () => optimizer,
    MomentumOptimizer: () => new tf.train.MomentumOptimizer(0.1, 0.9),
    AdagradOptimizer: () => new tf.train.AdagradOptimizer(0.1),
    AdagradDAOptimizer: () => new tf.train.AdagradDAOptimizer(0.1, made.counter),
    AdadeltaOptimizer: () => new tf.train.AdadeltaOptimizer(),
    RMSPropOptimizer: () => new tf.train.RMSPropOptimizer(0.1),
    AdamOptimizer: () => new tf.train.AdamOptimizer(),
    AdamWOptimizer: () => new tf.train.AdamWOptimizer(),
    LionOptimizer: () => new tf.train.LionOptimizer(),
    FtrlOptimizer: () => new tf.train.FtrlOptimizer(0.1),
    ProximalGradientDescentOptimizer: () => new tf.train.ProximalGradientDescentOptimizer(0.1),
    ProximalAdagradOptimizer: () => new tf.train.ProximalAdagradOptimizer(0.1),
    ExponentialMovingAverage: () => new tf.train.ExponentialMovingAverage(0.9),
    DataSet: () => dataSets.train,
    Saver: () => new tf.train.Saver(),
    CheckpointReader: () => reader,
  };
  return { graph, folder, good, odd: oddValues(Object.values(made)), instances };
}

/** Not for users, though they stand on prototypes. */
const internal = [
  ...['Graph.add', 'Graph.uniqueName', 'Graph.withScope', 'Graph.withControls'],
  ...['Graph.collect', 'Graph.collected', 'Graph.isCollected'],
  ...['Session.snapshot', 'Session.resume'],
];
/** What JavaScript itself calls, with arguments of its own. */
const ofTheLanguage = ['constructor', 'toString'];

const isClass = (f: unknown): f is new (...given: readonly unknown[]) => unknown =>
  typeof f === 'function' && /^class\b/.test(Function.prototype.toString.call(f));

/** The signature of a method: that of its class, or of one above it. */
function formOf(c: object, method: string): unknown {
  for (let at = c as { name?: string }; at.name; at = Object.getPrototypeOf(at)) {
    const form = signatures.get(`${at.name[0].toLowerCase()}${at.name.slice(1)}.${method}`);
    if (form) return form;
  }
  return undefined;
}

/** Everything that is exported and can be called, the methods of classes too. */
export function callables(): Callable[] {
  const found: Callable[] = [];
  const left = new Set(internal);
  const visitClass = (path: string, c: new (...given: readonly unknown[]) => unknown) => {
    const name = path.slice(path.lastIndexOf('.') + 1);
    const form = signatures.get(`new tf.${path.replace('Interactive', '')}`) as Form | undefined;
    found.push({ path: `new ${path}`, form, bound: 0, call: (_, given) => Reflect.construct(c, given) });
    for (const method of Object.getOwnPropertyNames(c.prototype)) {
      const { value } = Object.getOwnPropertyDescriptor(c.prototype, method) as PropertyDescriptor;
      if (typeof value !== 'function' || ofTheLanguage.includes(method)) continue;
      if (internal.includes(`${name}.${method}`)) {
        left.delete(`${name}.${method}`);
        continue;
      }
      const own = formOf(c, method);
      const call = (world: World, given: readonly unknown[]) => {
        const make = world.instances[name];
        if (!make) throw new Error(`there is no instance of ${path} here: add one to makeWorld`);
        const instance = make();
        const result = Reflect.apply(value, instance, given);
        if (!(instance instanceof tf.Session)) return result;
        return Promise.resolve(result).finally(() => instance.close());
      };
      const op = signatures.get(`tf.${method}`);
      found.push({ path: `${path}.${method}`, form: (own ?? op) as Form | undefined, bound: own ? 0 : 1, call });
    }
  };
  const visit = (prefix: string, module: object) => {
    for (const [name, value] of Object.entries(module)) {
      const path = `${prefix}${name}`;
      if (isClass(value)) {
        // Errors are the language's own: they take what Error takes.
        if (!(value.prototype instanceof Error)) visitClass(path, value);
      } else if (typeof value === 'function') {
        // zerosInitializer is tf.initializers.zeros.
        const initializer = /^(\w+)Initializer$/.exec(path)?.[1];
        const form =
          signatures.get(`tf.${path}`) ??
          signatures.get(`tf.initializers.${initializer}`) ??
          signatures.get(`tf.${name}`) ??
          signatures.get(name);
        const call = (_: World, given: readonly unknown[]) => Reflect.apply(value, undefined, given);
        found.push({ path, form: form as Form | undefined, bound: 0, call });
      } else if (typeof value === 'object') visit(`${path}.`, value as object);
    }
  };
  visit('', tf);
  visit('', mnist);
  visit('', numpy);
  if (left.size > 0) throw new Error(`these are no methods any more: ${[...left].join(', ')}`);
  return found;
}

/** Arguments that fit the first places, as far as the form says what they are. */
export function goodArguments({ form, bound }: Callable, world: World): unknown[] {
  if (!form) return [];
  return Object.values(form.required)
    .slice(bound)
    .map(({ is }) => world.good[is]?.());
}

const limitMs = 1000;
const limitBytes = 200e6;

const timeout = Symbol('timeout');

/** Calls, waits for what comes, closes what was opened. Says what was wrong with it. */
export async function attempt(callable: Callable, world: World, given: readonly unknown[]): Promise<Outcome> {
  const begin = performance.now();
  const before = process.memoryUsage.rss();
  let problem: string | undefined;
  let error: unknown;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const result = world.graph.asDefault(() => ({ value: callable.call(world, given) })).value;
    const slow = new Promise((resolve) => {
      timer = setTimeout(() => resolve(timeout), 2 * limitMs);
    });
    const isOurs = result !== null && typeof result === 'object' && !given.includes(result);
    const value = isOurs ? await Promise.race([result, slow]) : result;
    if (value === timeout) problem = 'it did not end';
    if (value instanceof tf.Session) await value.close();
  } catch (caught) {
    error = caught;
    const isOwn = caught instanceof tf.MillraceError && !(caught instanceof tf.InternalError);
    if (!isOwn) problem = `${(caught as Error)?.stack ?? String(caught)}`;
  }
  clearTimeout(timer);
  const ms = performance.now() - begin;
  const bytes = process.memoryUsage.rss() - before;
  if (ms > limitMs) problem ??= `it took ${Math.round(ms)} ms`;
  if (bytes > limitBytes) problem ??= `it took ${Math.round(bytes / 1e6)} MB`;
  return { error, problem };
}
export interface Outcome {
  readonly error: unknown;
  readonly problem: string | undefined;
}

/** How a call reads in a report. */
export function show({ path }: Callable, given: readonly unknown[]): string {
  const texts = given.map((v) => {
    try {
      if (Array.isArray(v))
        return v.length > 9
          ? `array of ${v.length}`
          : `[${v.map((e) => (Array.isArray(e) ? '[…]' : typeof e === 'object' ? '{…}' : String(e)))}]`;
      if (v !== null && typeof v === 'object') return `${v.constructor?.name ?? 'null'}{${Object.keys(v)}}`;
      return typeof v === 'bigint' ? `${v}n` : String(v);
    } catch {
      return 'unreadable';
    }
  });
  return `${path}(${texts.join(', ')})`;
}

/** Numbers in [0, 1), the same for the same seed (Mulberry32). */
export function randomFrom(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some arguments: right ones with one or more replaced, options with right and wrong values, and some too many. */
export function someArguments(callable: Callable, world: World, random: () => number): unknown[] {
  const pick = <V>(list: readonly V[]): V => list[Math.floor(random() * list.length)];
  const given = goodArguments(callable, world).map((v) => (random() < 0.3 ? pick(world.odd) : v));
  const { form } = callable;
  while (random() < 0.3) given.push(pick(world.odd));
  if (form && random() < 0.7) {
    const options: Record<string, unknown> = {};
    for (const [name, { is }] of Object.entries(form.optional)) {
      if (random() < 0.5) options[name] = random() < 0.5 ? world.good[is]?.() : pick(world.odd);
    }
    if (random() < 0.1) options[pick(texts)] = pick(world.odd);
    given.push(options);
  }
  if (random() < 0.1) given.splice(Math.floor(random() * given.length), 1);
  return given;
}
