// What may be given as a value or a shape, and what is said of everything else. None of it may end the process.
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

const api = tf as any;
const cyclic: unknown[] = [];
cyclic.push(cyclic);
const indirect: unknown[] = [[1], []];
(indirect[1] as unknown[]).push(indirect);
const deep = Array.from({ length: 65 }).reduce((inner: unknown) => [inner], 1);
const often = Array.from({ length: 60 }).reduce((inner: unknown) => [inner, inner], 1);
const oftenEmpty = Array.from({ length: 60 }).reduce((inner: unknown) => [inner, inner], []);
const hole = [[1, 2, 3], Object.assign(new Array(3), [4])];
const x = tf.placeholder('float32', [null, null], { name: 'x' }) as tf.Tensor<any, any>;
const session = new tf.Session({ backend: 'reference' });

/** The three ways in: each says the same of a value, and which it is. */
const ways: [string, (value: unknown) => unknown, string][] = [
  ['array', async (value) => api.array(value), 'array: expected a number'],
  ['constant', async (value) => api.constant(value), 'constant: expected a number'],
  ['variable', async (value) => api.variable(value), 'variable: expected a number'],
  ['feed', (value) => session.run(x, [[x, value]] as any), 'x:0 (float32, [null, null]), made at '],
];

const refused: [string, unknown, string][] = [
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['text', '1', 'the text "1"'],
  ['a function', () => 1, 'a function'],
  ['a symbol', Symbol('s'), 'the symbol Symbol(s)'],
  ['a bigint', 1n, 'the bigint 1; make it a number: Number(value)'],
  ['a promise', Promise.resolve([1]), 'an object of class Promise; it has no value yet: await it'],
  [
    'BigInt64Array',
    new BigInt64Array(2),
    'BigInt64Array; there is no 64-bit integer dtype: convert it, Int32Array.from(data, Number)',
  ],
  ['BigUint64Array', new BigUint64Array(2), 'BigUint64Array; there is no 64-bit integer dtype'],
  ['BigInt64Array of another realm', runInNewContext('new BigInt64Array(1)'), 'BigInt64Array; there is no 64-bit'],
  ['Int16Array', new Int16Array(2), 'Int16Array; there is no such dtype: convert it, Int32Array.from(data)'],
  [
    'DataView',
    new DataView(new ArrayBuffer(8)),
    'an object of class DataView; give its bytes: new Uint8Array(view.buffer',
  ],
  ['ArrayBuffer', new ArrayBuffer(8), 'an object of class ArrayBuffer; say what is in it: new Float32Array(buffer)'],
  ['SharedArrayBuffer', new SharedArrayBuffer(8), 'an object of class SharedArrayBuffer; say what is in it'],
  ['a Map', new Map(), 'an object of class Map'],
  ['an object', { 0: 1, length: 1 }, 'an object'],
  ['an object without a prototype', Object.create(null), 'an object'],
  ['what only looks like a typed array', Object.create(Float32Array.prototype), 'an object of class Float32Array'],
  ['a number object', new Number(1), 'an object of class Number'],
  ['an array of text', [1, '2'], 'a mixed array: element [1] is the text "2"'],
  ['an array with null', [[1], [null]], 'a mixed array: element [1][0] is null'],
  ['an array with undefined', [1, undefined], 'a mixed array: element [1] is undefined'],
  ['an array with bigints', [1, 2n], 'a mixed array: element [1] is the bigint 2; make it a number: Number(value)'],
  [
    'an array of promises',
    [Promise.resolve(1)],
    'a mixed array: element [0] is an object of class Promise; it has no value yet: await it',
  ],
  [
    'rows as typed arrays',
    [new Float32Array(2)],
    'a mixed array: element [0] is an object of class Float32Array; put the rows into one typed array: tf.array(data, shape)',
  ],
  [
    'an array of objects',
    [
      [1, 2],
      [3, {}],
    ],
    'a mixed array: element [1][1] is an object',
  ],
  ['only holes', new Array(4), 'a sparse array: element [0] is missing'],
  ['a hole', hole, 'a sparse array: element [1][1] is missing; new Array(n) has no elements'],
  ['a row that is missing', Object.assign(new Array(2), [[1]]), 'a sparse array: element [1] is missing'],
  [
    'a shorter row',
    [[1, 2], [3]],
    'a ragged array: element [1] is an array of length 1, others are arrays of length 2',
  ],
  ['a number for a row', [[1, 2], 3], 'a ragged array: element [1] is the number 3, others are arrays of length 2'],
  [
    'a row for a number',
    [
      [1, 2],
      [3, [4]],
    ],
    'a ragged array: element [1][1] is an array, others are numbers',
  ],
  ['an array that contains itself', cyclic, 'an array nested more than 64 deep; it may contain itself'],
  ['one that does further on', indirect, 'a ragged array: element [1][0] is an array, others are numbers'],
  ['a very deep array', deep, 'an array nested more than 64 deep'],
  ['one array very often', often, 'too large an array: its first rows have the lengths [2, 2, ; give a typed array'],
  ['no elements, very often', oftenEmpty, 'too large an array: its first rows have the lengths [2, 2, '],
  [
    'a proxy that says it is long',
    new Proxy([], { get: (_, key) => (key === 'length' ? 1e15 : 0) }),
    'too large an array: its first rows have the lengths [1000000000000000], and at most 100000000 elements',
  ],
  [
    'a proxy of no length',
    new Proxy([], { get: () => 'a' }),
    'too large an array: its first rows have the lengths [a]',
  ],
  ['a proxy of half a length', new Proxy([], { get: (_, key) => (key === 'length' ? 0.5 : 0) }), 'too large an array'],
  [
    'a proxy of a length below 0',
    new Proxy([], { get: (_, key) => (key === 'length' ? -5 : 0) }),
    'too large an array',
  ],
  [
    'a promise of another realm',
    runInNewContext('Promise.resolve(1)'),
    'an object of class Promise; it has no value yet: await it',
  ],
];
test.each(refused)('refused: %s', async (_, value, text) => {
  for (const [name, give, start] of ways) {
    const error = await (give(value) as Promise<unknown>).then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error, name).toBeInstanceOf(tf.MillraceError);
    if (name === 'feed') expect(error).toBeInstanceOf(tf.FeedError);
    else expect([tf.InvalidArgumentError, tf.ShapeMismatchError]).toContain(error?.constructor);
    if (value === undefined && name !== 'feed') {
      expect(error?.message).toMatch(/ is missing\. Write tf\./);
      continue;
    }
    expect(error?.message).toContain(start);
    // A feed is "fed X: why", the others say "X came: why".
    for (const part of text.split(/[:;] /)) expect(error?.message).toContain(part);
  }
});

test('elements are read once, and in order', () => {
  const reads: string[] = [];
  const list = (name: string, values: unknown[]) =>
    new Proxy(values, {
      get: (of, key) => {
        if (key !== 'length') reads.push(`${name}${String(key)}`);
        return of[key as unknown as number];
      },
    });
  const value = list('', [list('a', [1, 2]), list('b', [3, 4])]);
  expect(api.array(value).toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(reads).toEqual(['0', 'a0', 'a1', '1', 'b0', 'b1']);
});

test('ragged arrays are a matter of shapes, other values of arguments', () => {
  expect(() => api.array([[1, 2], [3]])).toThrow(tf.ShapeMismatchError);
  expect(() => api.constant([[1, 2], [3]])).toThrow(tf.ShapeMismatchError);
  expect(() => api.constant(hole)).toThrow(tf.InvalidArgumentError);
  expect(() => api.constant([1, '2'])).toThrow(tf.InvalidArgumentError);
});

test('what does not fit an element type is named, with its place and what to do', async () => {
  const of = (dtype: tf.DType) => tf.placeholder(dtype, [2], { name: dtype }) as tf.Tensor<any, any>;
  const graph = new tf.Graph();
  const cases: [tf.DType, unknown, RegExp][] = [
    ['bool', [true, 1], /1 \(element \[1\]\) does not fit dtype bool; it holds true and false\.$/],
    [
      'uint8',
      [0, 256],
      /256 \(element \[1\]\) does not fit dtype uint8; it holds whole numbers from 0 to 255: round it/,
    ],
    ['uint8', [-1, 0], /-1 \(element \[0\]\) does not fit dtype uint8/],
    ['int32', [1, 0.5], /0\.5 \(element \[1\]\) does not fit dtype int32; .*: round it first, or use a float dtype\.$/],
    ['int32', [2 ** 31, 1], /2147483648 \(element \[0\]\) does not fit dtype int32/],
    ['int32', [Number.NaN, 1], /NaN \(element \[0\]\) does not fit dtype int32/],
    ['float32', [1, true], /true \(element \[1\]\) does not fit dtype float32; write 1 for true\.$/],
    ['int32', [1, true], /true \(element \[1\]\) does not fit dtype int32; write 1 for true\.$/],
  ];
  const own = new tf.Session({ backend: 'reference', graph });
  for (const [dtype, value, text] of cases) {
    const fed = graph.asDefault(() => of(dtype));
    const error = await own.run(fed, [[fed, value]] as any).then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error).toBeInstanceOf(tf.FeedError);
    expect(error?.message).toMatch(text);
    for (const make of [() => api.array(value, [2], dtype), () => api.constant(value, { dtype })]) {
      expect(make).toThrow(tf.DTypeError);
      expect(make).toThrow(text);
    }
  }
  expect(() => api.array(new Float64Array([1, 0.5]), [2], 'int32')).toThrow(/0\.5 \(element \[1\]\) does not fit/);
  expect(() => api.array(new Float32Array(1), [1], 'bool')).toThrow(/0 \(element \[0\]\) does not fit dtype bool/);
  expect(() => api.constant(0.5, { dtype: 'int32' })).toThrow(/^constant: 0\.5 does not fit dtype int32/);
  expect(() => tf.add(tf.zeros([1], 'int32'), 3e9)).toThrow(/3000000000 does not fit dtype int32/);
});

test('typed arrays of every accepted kind, empty ones, and conversions', () => {
  const clamped = tf.array(new Uint8ClampedArray([1, 2]));
  expect([clamped.dtype, clamped.data]).toEqual(['uint8', new Uint8Array([1, 2])]);
  expect(tf.constant(new Uint8ClampedArray(3)).dtype).toBe('uint8');
  const foreign = runInNewContext('new Int32Array([1, 2, 3])');
  expect(api.array(foreign).data).toEqual(new Int32Array([1, 2, 3]));
  expect(api.array(foreign, [3, 1], 'float64').toArray()).toEqual([[1], [2], [3]]);
  expect(api.array(runInNewContext('[[1, 2], [3, 4]]')).shape).toEqual([2, 2]);
  expect(tf.array([]).shape).toEqual([0]);
  expect(tf.array([[], []]).shape).toEqual([2, 0]);
  expect(api.array(new Float32Array(0), [0, 5]).toArray()).toEqual([]);
  expect(tf.array(7).toArray()).toBe(7);
  expect(tf.array([[true], [false]]).data).toEqual(new Uint8Array([1, 0]));
  const again = api.array(tf.array([1, 2, 3, 4]), [2, 2], 'int32');
  expect([again.dtype, again.toArray()]).toEqual([
    'int32',
    [
      [1, 2],
      [3, 4],
    ],
  ]);
});

test('a typed array stays the memory of the host array, whatever its class', () => {
  const bytes = Buffer.alloc(4);
  const array = tf.array(bytes, [2, 2]);
  bytes[3] = 7;
  expect(array.toArray()).toEqual([
    [0, 0],
    [0, 7],
  ]);
  const own = new Float32Array(4);
  expect(tf.array(own, [4]).data).toBe(own);
});

test('host arrays and their shapes are frozen, and the shape is a copy', () => {
  const shape: [number, number] = [1, 2];
  const array = tf.array([1, 2], shape);
  shape[0] = 9;
  expect(array.shape).toEqual([1, 2]);
  expect(Object.isFrozen(array) && Object.isFrozen(array.shape)).toBe(true);
  expect(structuredClone({ ...array })).toEqual({ dtype: 'float32', shape: [1, 2], data: new Float32Array([1, 2]) });
});

test('shapes are read once; holes, texts, objects and what cannot be counted are refused', () => {
  let reads = 0;
  const changing = Object.defineProperty([2, 2], 0, { get: () => (reads++ === 0 ? 2 : 1e9) });
  expect(tf.zeros(changing as [number, number]).shape).toEqual([2, 2]);
  expect(reads).toBe(1);
  reads = 0;
  expect(tf.array(new Float32Array(4), changing as [number, number]).shape).toEqual([2, 2]);
  const iterated = Object.assign([2, 2], {
    *[Symbol.iterator]() {
      yield 1e9;
    },
    map: () => [7],
    every: () => true,
    some: () => false,
  });
  expect(tf.ones(iterated as unknown as [number, number]).shape).toEqual([2, 2]);
  expect(tf.reshape(tf.zeros([4]), iterated as unknown as [number, number]).shape).toEqual([2, 2]);
  expect(tf.placeholder('float32', iterated as unknown as [number, number]).shape).toEqual([2, 2]);
  const sneaky = { valueOf: () => 2, toString: () => '2' };
  const wrong: [unknown, string][] = [
    [Object.assign(new Array(3), [2]), '[2, undefined, undefined]'],
    [[2, '3'], '[2, the text "3"]'],
    [[sneaky], '[an object]'],
    [[2n], '[the bigint 2]'],
    [[-1], '[-1]'],
    [[0.5], '[0.5]'],
    ['23', 'the text "23"'],
    [3, 'the number 3'],
    [{ length: 1, 0: 2 }, 'an object'],
    [new Array(1e9), 'an array of more than 64'],
    [new Array(65).fill(1), 'an array of more than 64'],
  ];
  for (const [shape, text] of wrong) {
    const makes = [
      () => api.zeros(shape),
      () => api.array([1, 2], shape),
      () => api.constant(1, { shape }),
      () => api.randomNormal(shape),
      () => api.placeholder('float32', shape),
    ];
    for (const make of makes) {
      // In an optional place an object is options.
      if (text === 'an object' && (make === makes[1] || make === makes[4])) {
        expect(make).toThrow(/there is no option (0|length)\. Write tf\./);
        continue;
      }
      expect(make).toThrow(tf.ShapeMismatchError);
      expect(make).toThrow(`the shape is ${text}.`);
    }
    expect(() => api.tile(tf.zeros([1]), shape)).toThrow(tf.MillraceError);
    if (text !== '[-1]') expect(() => api.reshape(tf.zeros([6]), shape)).toThrow(tf.InvalidArgumentError);
  }
});

test('tensors of more than 2⁵³ elements are refused where they are made', () => {
  const large = tf.zeros([2 ** 40]);
  const text = /would have more than 2\^53 elements/;
  for (const make of [
    () => tf.ones([1e300]),
    () => tf.zeros([1e300, 0]),
    () => tf.fill([2 ** 30, 2 ** 30], 1),
    () => tf.constant(1, { shape: [2 ** 53] }),
    () => tf.array([], [2 ** 60, 0]),
    () => tf.placeholder('float32', [1e300]),
    () => tf.randomUniform([2 ** 30, 2 ** 30]),
    () => tf.oneHot(tf.zeros([2 ** 40], 'int32'), 2 ** 20),
    () => tf.tile(large, [2 ** 20]),
    () => tf.add(tf.zeros([2 ** 30, 1]), tf.zeros([2 ** 30])),
    () => tf.matmul(tf.zeros([2 ** 30, 1]), tf.zeros([1, 2 ** 30])),
    () => tf.pad(large, [[0, 2 ** 53]]),
    () => tf.concat([tf.zeros([2 ** 52]), tf.zeros([2 ** 52])], 0),
  ]) {
    expect(make).toThrow(tf.ShapeMismatchError);
    expect(make).toThrow(text);
  }
  expect(tf.ones([2 ** 52]).shape).toEqual([2 ** 52]);
});

test('range and unstack know how many there will be', () => {
  for (const make of [
    () => tf.range(3e9),
    () => tf.range(0, 1, 1e-9),
    () => tf.range(1e300),
    () => tf.range(0, -3e9, -1),
  ]) {
    expect(make).toThrow(tf.InvalidArgumentError);
    expect(make).toThrow(/^range: from .* there are [\de.+]+ numbers, but at most 100000000 are made\.$/);
  }
  expect(() => tf.range(2147483640, 2147483650)).toThrow(/2147483648 \(element \[8\]\) does not fit dtype int32/);
  expect(tf.range(1e6).shape).toEqual([1e6]);
  expect(tf.range(0, 1, 0.25).dtype).toBe('float32');
  expect(tf.range(5, 5).shape).toEqual([0]);
  expect(() => tf.unstack(tf.zeros([1e7]))).toThrow(tf.InvalidArgumentError);
  expect(() => tf.unstack(tf.zeros([2, 1e7]), 1)).toThrow(
    /^unstack: axis 1 of \[2, 10000000\] would give 10000000 tensors/,
  );
  expect(tf.unstack(tf.zeros([3, 2]))).toHaveLength(3);
});

test('a list of tensors is what it was when it was given', () => {
  const [a, b] = [tf.constant([1]), tf.constant([2])];
  const list = [a, b];
  const joined = tf.concat(list, 0);
  list.push(a);
  expect(joined.operation.inputs).toEqual([a, b]);
  expect(() => api.concat(Object.assign(new Array(3), [a]), 0)).toThrow(/one whose element \[1\] is undefined came/);
  expect(() => api.concat(new Array(4e9), 0)).toThrow(/one whose element \[0\] is undefined came/);
});

test('a value that throws is refused, with what was thrown', () => {
  const cause = new Error('my own');
  const thrower = [1, 2];
  Object.defineProperty(thrower, 1, {
    get: () => {
      throw cause;
    },
  });
  const error = (() => {
    try {
      return api.constant(thrower);
    } catch (e) {
      return e;
    }
  })() as Error;
  expect(error).toBeInstanceOf(tf.InvalidArgumentError);
  expect(error.message).toMatch(/but a value that cannot be read came: Error: my own\.$/);
  expect(error.cause).toBe(cause);
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw Object.create(null);
      },
    },
  );
  expect(() => api.constant(hostile)).toThrow(/a value that cannot be read came: an object was thrown/);
});

test('what cannot be shown as nested arrays says so, and is still shown on the console', () => {
  const wide = tf.array([], [1e9, 0]) as tf.NDArray;
  expect(() => wide.toArray()).toThrow(tf.ResourceExhaustedError);
  expect(String(wide)).toBe('NDArray(float32, [1000000000, 0]) []');
  expect(String(tf.array([], [...new Array(50).fill(2), 0]))).toMatch(/\[\]$/);
});
