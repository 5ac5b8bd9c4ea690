// Names of variables and of operations in scopes: the rules and examples of TensorFlow 1's guide "Sharing variables" and of
// the documentation of tf.variable_scope, each a line of a table; and what is refused.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);
const v = (name = 'v') => tf.getVariable(name, [1]).name;
const op = () => tf.zeros([1], { name: 'op' }).name;
const both = () => [v(), op()];

describe('names, as in the documentation of tf.variable_scope', () => {
  test.each<[what: string, build: () => unknown, found: unknown]>([
    ['a variable outside of all scopes', () => v(), 'v:0'],
    [
      'nested scopes',
      () => tf.variableScope('foo', () => tf.variableScope('bar', () => both())),
      ['foo/bar/v:0', 'foo/bar/op:0'],
    ],
    ['a name with a slash', () => tf.variableScope('a/b', () => both()), ['a/b/v:0', 'a/b/op:0']],
    [
      'a scope opened again, with reuse: the same variable, operations of another name',
      () => [tf.variableScope('foo', both), tf.variableScope('foo', { reuse: true }, both)].flat(),
      ['foo/v:0', 'foo/op:0', 'foo/v:0', 'foo_1/op:0'],
    ],
    [
      'a scope opened again without reuse, for other variables',
      () => [tf.variableScope('foo', () => v('a')), tf.variableScope('foo', () => v('b'))],
      ['foo/a:0', 'foo/b:0'],
    ],
    [
      'a scope given itself, at the top',
      () => {
        const foo = tf.variableScope('foo', (scope) => scope);
        return tf.variableScope(foo, both);
      },
      ['foo/v:0', 'foo_1/op:0'],
    ],
    [
      'a scope given itself steps out of the scopes around, for variables alone',
      () => {
        const foo = tf.variableScope('foo', (scope) => scope);
        return tf.variableScope('bar', () =>
          tf.variableScope('baz', () => tf.variableScope(foo, (s) => [s.name, ...both()])),
        );
      },
      ['foo', 'foo/v:0', 'bar/baz/foo/op:0'],
    ],
    [
      'nameScope changes operations, not variables',
      () => tf.nameScope('bar', () => tf.variableScope('foo', both)),
      ['foo/v:0', 'bar/foo/op:0'],
    ],
    ['nameScope inside', () => tf.variableScope('foo', () => tf.nameScope('bar', both)), ['foo/v:0', 'foo/bar/op:0']],
    [
      'tf.variable is named as operations are',
      () =>
        [0, 1].map(() =>
          tf.variableScope('foo', { reuse: tf.AUTO_REUSE }, () => [v(), tf.variable(0, { name: 'w' }).name]),
        ),
      [
        ['foo/v:0', 'foo/w:0'],
        ['foo/v:0', 'foo_1/w:0'],
      ],
    ],
    [
      'default names are made unique',
      () => [0, 1, 2].map(() => tf.variableScope(null, { defaultName: 'conv' }, both)),
      [
        ['conv/v:0', 'conv/op:0'],
        ['conv_1/v:0', 'conv_1/op:0'],
        ['conv_2/v:0', 'conv_2/op:0'],
      ],
    ],
    [
      'default names are counted in the scope around, anew when it is opened again',
      () =>
        [0, 1].map(() =>
          tf.variableScope('net', { reuse: tf.AUTO_REUSE }, () =>
            [0, 1].map(() => tf.variableScope(null, { defaultName: 'conv' }, both)),
          ),
        ),
      [
        [
          ['net/conv/v:0', 'net/conv/op:0'],
          ['net/conv_1/v:0', 'net/conv_1/op:0'],
        ],
        [
          ['net/conv/v:0', 'net_1/conv/op:0'],
          ['net/conv_1/v:0', 'net_1/conv_1/op:0'],
        ],
      ],
    ],
    [
      'a default name beside a name',
      () => tf.variableScope('mine', { defaultName: 'conv' }, both),
      ['mine/v:0', 'mine/op:0'],
    ],
    [
      'a default name that was taken by a name',
      () => [tf.variableScope('conv', () => v()), tf.variableScope(null, { defaultName: 'conv' }, () => v())],
      ['conv/v:0', 'conv_1/v:0'],
    ],
    [
      'reuseVariables, from there on',
      () =>
        tf.variableScope('foo', (scope) => {
          const first = v();
          scope.reuseVariables();
          return [scope.reuse, first, v(), tf.getVariableScope() === scope];
        }),
      [true, 'foo/v:0', 'foo/v:0', true],
    ],
    [
      'reuse is inherited, and not taken back',
      () =>
        tf.variableScope('a', { reuse: tf.AUTO_REUSE }, () =>
          tf.variableScope('b', { reuse: false }, ({ reuse }) => [reuse, tf.variableScope('c', (s) => s.reuse)]),
        ),
      [tf.AUTO_REUSE, tf.AUTO_REUSE],
    ],
    [
      'reuse ends with its scope',
      () => [
        tf.variableScope('a', ({ reuse }) => reuse),
        tf.variableScope('a', { reuse: true }, ({ reuse }) => reuse),
        tf.getVariableScope().reuse,
        tf.getVariableScope().name,
      ],
      [false, true, false, ''],
    ],
    [
      'the name scope of a scope is that in which it was made',
      () =>
        tf.nameScope('n', () => {
          const foo = tf.variableScope('foo', (scope) => scope);
          return [foo.originalNameScope, tf.variableScope(foo, (s) => s.originalNameScope)];
        }),
      ['n/foo/', 'n/foo/'],
    ],
    [
      'a name that an operation has',
      () => [
        tf.zeros([1], { name: 'v' }).name,
        v(),
        tf.variableScope(tf.getVariableScope(), { reuse: true }, () => v()),
      ],
      ['v:0', 'v_1:0', 'v_1:0'],
    ],
  ])('%s', (_, build, found) => {
    expect(inGraph(build)).toEqual(found);
  });

  test('an error in the callback leaves the scopes as they were', () => {
    inGraph(() => {
      expect(() => tf.variableScope('a', { reuse: true }, () => v())).toThrow(tf.InvalidArgumentError);
      expect([tf.getVariableScope().name, v(), op()]).toEqual(['', 'v:0', 'op:0']);
    });
  });

  test('scopes belong to a graph', () => {
    inGraph(() => tf.variableScope('a', () => expect(inGraph(v)).toBe('v:0')));
  });
});

describe('what is refused, with both lines', () => {
  const message = (run: () => unknown): string => {
    try {
      inGraph(() => {
        tf.variableScope('foo', () => tf.getVariable('v', [2, 3]));
        run();
      });
    } catch (error) {
      expect(error).toBeInstanceOf(tf.MillraceError);
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return 'nothing';
  };
  const reused = (...given: any[]) =>
    tf.variableScope('foo', { reuse: true }, () => (tf.getVariable as any)('v', ...given));
  const lines = /was made at \S*scope\.test\.ts:\d+:\d+\n {4}and is asked for at \S*scope\.test\.ts:\d+:\d+/;
  test.each<[string, () => unknown, RegExp]>([
    [
      'a variable that is there',
      () => tf.variableScope('foo', () => tf.getVariable('v', [2, 3])),
      /^InvalidArgumentError: .*variable foo\/v already.*AUTO_REUSE/,
    ],
    [
      'another shape',
      () => reused([2, 4]),
      /^ShapeMismatchError: .*foo\/v has shape \[2, 3\], but \[2, 4\] is asked for/,
    ],
    ['another rank', () => reused([6]), /^ShapeMismatchError: .*\[2, 3\], but \[6\]/],
    ['another dtype', () => reused([2, 3], 'float64'), /^DTypeError: .*dtype float32, but float64 is asked for/],
  ])('%s', (_, run, text) => {
    expect(message(run)).toMatch(text);
    expect(message(run)).toMatch(lines);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'a variable that is not there',
      () => tf.variableScope('foo', { reuse: true }, () => tf.getVariable('w', [1])),
      /no variable foo\/w.*AUTO_REUSE/,
    ],
    ['null without a default name', () => tf.variableScope(null, {}, () => 1), /defaultName/],
    [
      'a default name to be reused',
      () => tf.variableScope(null, { defaultName: 'x', reuse: true }, () => 1),
      /reuse: true needs a name/,
    ],
    ['a name that ends with a slash', () => tf.variableScope('x/', () => 1), /must not begin or end with '\/'/],
    ['a promise', () => tf.variableScope('x', async () => 1), /variableScope: the callback returned a promise/],
    [
      'options behind the callback that are unknown',
      () => (tf.variableScope as any)('x', { reus: true }, () => 1),
      /did you mean reuse\?.*tf\.variableScope\(name, \{ reuse, .*\}, \(\) => …\)/,
    ],
    ['no shape', () => tf.getVariable('w'), /the shape of w is missing/],
    ['a shape beside a value', () => (tf.getVariable as any)('w', [2], { initializer: 0.5 }), /leave out the shape/],
    [
      'an initializer that returns no tensor',
      () => tf.getVariable('w', [2], { initializer: (() => 1) as any }),
      /must return a tensor, but the number 1/,
    ],
    [
      'an initializer that returns another shape',
      () => tf.getVariable('w', [2], { initializer: () => tf.zeros([3]) }),
      /asked for shape \[2\], but returned \[3\]/,
    ],
    [
      'an initializer that returns another dtype',
      () => tf.getVariable('w', [2], { initializer: () => tf.zeros([2], 'int32') }),
      /asked for float32, but returned int32/,
    ],
    [
      'a regularizer that returns no scalar',
      () => tf.getVariable('w', [2], { regularizer: ((x: any) => x) as any }),
      /must return a scalar tensor or null/,
    ],
  ])('%s', (_, run, text) => expect(message(run)).toMatch(text));
});

describe('what holds in a scope', () => {
  test('its initializer, regularizer and dtype, unless a variable or a scope inside has its own', () => {
    inGraph(() => {
      const options = {
        initializer: tf.initializers.zeros(),
        regularizer: (w: tf.Tensor<any, any>) => tf.reduceSum(w, { name: 'penalty' }) as any,
        dtype: 'float64',
      } as const;
      const made = tf.variableScope('a', options, () => {
        const w = tf.getVariable('w', [2]);
        const own = tf.getVariable('own', [2], {
          dtype: 'float32',
          initializer: tf.initializers.ones(),
          regularizer: null,
        });
        const inner = tf.variableScope('b', { initializer: tf.initializers.ones() }, () => tf.getVariable('w', [2]));
        tf.variableScope(tf.getVariableScope(), { reuse: true }, () => tf.getVariable('w', [2]));
        return [w, own, inner] as tf.Variable[];
      });
      expect(made.map((x) => x.dtype)).toEqual(['float64', 'float32', 'float64']);
      expect(made.map((x) => x.initializer.inputs[1].name)).toEqual([
        'a/w/Initializer/fill:0',
        'a/own/Initializer/fill:0',
        'a/b/w/Initializer/fill:0',
      ]);
      // Once for each variable that was made: not for the one that was taken again.
      expect(tf.getCollection(tf.GraphKeys.REGULARIZATION_LOSSES).map((t) => t.name)).toEqual([
        'a/w/Regularizer/penalty:0',
        'a/b/w/Regularizer/penalty:0',
      ]);
    });
  });

  test('trainable and collections are those of tf.variable', () => {
    inGraph(() => {
      tf.getVariable('w', [1]);
      tf.getVariable('frozen', [1], { trainable: false });
      tf.getVariable('count', [], { dtype: 'int32', trainable: false, collections: [tf.GraphKeys.LOCAL_VARIABLES] });
      expect(tf.trainableVariables().map((x) => x.name)).toEqual(['w:0']);
      expect(tf.globalVariables().map((x) => x.name)).toEqual(['w:0', 'frozen:0']);
      expect(tf.localVariables().map((x) => x.name)).toEqual(['count:0']);
    });
  });

  test('an initializer that is a value gives the shape', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend: 'reference' });
    const { all, init } = graph.asDefault(() => ({
      all: [
        tf.getVariable('number', { initializer: 0.5 }),
        tf.getVariable('list', { initializer: [1, 2, 3], dtype: 'int32' }),
        tf.getVariable('tensor', { initializer: tf.ones([2]) }),
      ],
      init: tf.globalVariablesInitializer(),
    }));
    await session.run(init);
    const [number, list, tensor] = (await session.run(all as any)) as unknown as any[];
    expect([number, [...list.data], [...tensor.data]]).toEqual([0.5, [1, 2, 3], [1, 1]]);
    expect(all[1].dtype).toBe('int32');
  });

  test('control dependencies around do not count', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend: 'reference' });
    const { w, first } = graph.asDefault(() => {
      const first = tf.variable(1);
      const w = tf.controlDependencies([first.assignAdd(1)], () => tf.getVariable('w', [2]));
      return { w, first };
    });
    await session.run([first.initializer, w.initializer]);
    expect(await session.run(first)).toBe(1);
  });
});

describe.each(backends)('initial values on %s', (backend) => {
  const valuesOf = async (build: () => readonly tf.Variable<any, any>[], seed = 0): Promise<number[][]> => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend, seed });
    const { variables, init } = graph.asDefault(() => ({ variables: build(), init: tf.globalVariablesInitializer() }));
    await session.run(init);
    return ((await session.run(variables as any)) as unknown as any[]).map((x) => [...x.data]);
  };
  const layer = (name: string) => tf.variableScope(name, () => tf.getVariable('w', [3, 4]));

  test("depend on the variable's own name, not on what else there is", async () => {
    const [a, b] = await valuesOf(() => [layer('a'), layer('b')]);
    const [other, b2, a2] = await valuesOf(() => {
      tf.randomUniform([3]);
      tf.nameScope('n', () => tf.randomUniform([3]));
      const other = layer('other');
      return tf.nameScope('elsewhere', () => [other, layer('b'), layer('a')]);
    });
    expect([a2, b2]).toEqual([a, b]);
    expect(new Set([a, b, other].map(String)).size).toBe(3);
  });

  test('depend on the seeds of graph and session, and on their own', async () => {
    const one = (seed: number, graphSeed?: number, own?: number) =>
      valuesOf(() => {
        if (graphSeed !== undefined) tf.setRandomSeed(graphSeed);
        return [
          tf.getVariable('w', [5], {
            initializer: tf.initializers.randomNormal({ ...(own !== undefined && { seed: own }) }),
          }),
        ];
      }, seed);
    expect(await one(0, 0)).toEqual(await one(0));
    expect(await one(1, 2, 3)).toEqual(await one(1, 2, 3));
    const all = await Promise.all([
      one(0),
      one(1),
      one(0, 1),
      one(1, 1),
      one(2),
      one(0, 2),
      one(0, 0, 1),
      one(0, 1, 1),
    ]);
    expect(new Set(all.map(String)).size).toBe(all.length);
  });

  test('two networks of one scope share weights, and learn together', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const built = graph.asDefault(() => {
      const network = (x: tf.Tensor<'float32', [1, 2]>) =>
        tf.variableScope('network', { reuse: tf.AUTO_REUSE }, () =>
          tf.matmul(x, tf.getVariable('w', [2, 1], { initializer: tf.initializers.zeros() })),
        );
      const loss = tf
        .reduceSum(tf.square(network(tf.constant([[1, 0]])).sub(1)))
        .add(tf.reduceSum(tf.square(network(tf.constant([[0, 1]])).sub(2))));
      const step = new tf.train.GradientDescentOptimizer(0.25).minimize(loss);
      return { loss, step, init: tf.globalVariablesInitializer(), w: tf.globalVariables() };
    });
    expect(built.w.map((x) => x.name)).toEqual(['network/w:0']);
    await session.run(built.init);
    for (let i = 0; i < 30; i++) await session.run(built.step);
    const [w] = (await session.run(built.w as any)) as unknown as any[];
    expect([...w.data].map((x: number) => Math.round(1e4 * x) / 1e4)).toEqual([1, 2]);
  });
});

test('a Saver saves and restores by these names, whatever the order in which they were made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-scope-'));
  try {
    const model = (names: readonly string[]) => {
      const graph = new tf.Graph();
      const { variables, init } = graph.asDefault(() => ({
        variables: names.map((name) => tf.variableScope(name, () => tf.getVariable('w', [2]))),
        init: tf.globalVariablesInitializer(),
      }));
      return {
        graph,
        variables: variables as any,
        init,
        session: new tf.Session({ graph, backend: 'reference' }),
      };
    };
    await using first = model(['a', 'b']).session;
    const { graph } = first;
    await first.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    const values = (await first.run(graph.variables as any)) as unknown as any[];
    const path = await graph.asDefault(() => new tf.train.Saver()).save(first, join(folder, 'model'));
    expect((await tf.train.listVariables(path)).map(({ name }) => name).sort()).toEqual(['a/w', 'b/w']);
    const second = model(['b', 'a']);
    await second.graph.asDefault(() => new tf.train.Saver()).restore(second.session, path);
    const restored = (await second.session.run(second.variables)) as unknown as any[];
    expect(restored.reverse().map((x) => [...x.data])).toEqual(values.map((x) => [...x.data]));
    await second.session.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('in any tree of scopes, names are the path, and a second walk with reuse finds the same variables', () => {
  type Tree = { name: string; inside: Tree[] };
  const tree = fc.memo(
    (depth): fc.Arbitrary<Tree> =>
      fc.record({
        name: fc.constantFrom('a', 'b', 'c/d'),
        inside: depth > 1 ? fc.array(tree(), { maxLength: 3 }) : fc.constant([]),
      }),
  );
  const walk = ({ name, inside }: Tree, path: string, found: [string, tf.Variable<any, any>][]): void =>
    tf.variableScope(name, { reuse: tf.AUTO_REUSE }, (scope) => {
      expect(scope.name).toBe(`${path}${name}`);
      found.push([`${path}${name}/w:0`, tf.getVariable('w', [1])]);
      for (const tree of inside) walk(tree, `${path}${name}/`, found);
    });
  fc.assert(
    fc.property(tree(4), (t) =>
      inGraph(() => {
        const [first, second]: [string, tf.Variable<any, any>][][] = [[], []];
        walk(t, '', first);
        tf.nameScope('again', () => walk(t, '', second));
        expect(first.map(([, w]) => w.name)).toEqual(first.map(([wanted]) => wanted));
        expect(second.every(([, w], i) => w === first[i][1])).toBe(true);
        expect(tf.globalVariables().length).toBe(new Set(first.map(([name]) => name)).size);
      }),
    ),
    { numRuns: 50 },
  );
});
