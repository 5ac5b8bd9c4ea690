// Operations in primitives: state is explicit, every check holds, and what is missing is said.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as tf from '../../../src/index.ts';
import { printLowered } from '../../../src/primitives/print.ts';
import { backends } from '../../backends.ts';
import { lower } from '../compile.ts';
import { buildProgram, everyStep } from '../random-programs.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

describe('variables', () => {
  test('are read once, however often; each assignment makes a new version of them', () => {
    const { run, v } = inGraph(() => {
      const variable = tf.variable(tf.ones([2])) as any;
      const twice = tf.add(variable, variable) as Any;
      const first = tf.assign(variable, twice as any) as Any;
      const second = tf.assignAdd(variable, first as any) as Any;
      return { v: variable as Any, run: lower({ fetches: [variable, first, second, twice] }) };
    });
    expect(run.nodes.filter((n) => n.kind === 'read')).toHaveLength(1);
    expect(run.updates).toHaveLength(1);
    // The variable itself is fetched as it was before the run.
    expect(run.fetches[0].node.kind).toBe('read');
    expect(run.updates[0].value.node).toBe(run.fetches[2].node);
    expect(run.updates[0].variable.key).toBe(v.operation.id);
    expect([run.reads, run.writes]).toEqual([[v], [v]]);
  });

  test('that are only assigned need no value, those that are only read get none', () => {
    const { run, v, w } = inGraph(() => {
      const [a, b] = [tf.variable(1), tf.variable(2)] as any[];
      return {
        v: a as Any,
        w: b as Any,
        run: lower({ fetches: [tf.neg(b) as Any], targets: [tf.assign(a, 3 as any).operation] }),
      };
    });
    expect(run.reads).toEqual([w]);
    expect(run.writes).toEqual([v]);
  });
});

test('a run lists the random operations that it needs, each by its name, and its feeds in the order in which they came', () => {
  const { run, names } = inGraph(() => {
    const [x, y] = [tf.placeholder('float32', [2]), tf.placeholder('float32', [3])] as Any[];
    const [used, unused] = [tf.randomUniform([2]), tf.randomNormal([2])] as Any[];
    const fetched = tf.add(tf.add(x, used), tf.reduceSum(y) as Any) as Any;
    const feeds = [y, x].map((t) => [t, t.shape as number[]] as const);
    return { run: lower({ fetches: [fetched], feeds }), names: [used.operation.name, unused.operation.name] };
  });
  expect(run.counters).toHaveLength(1);
  expect(run.counters[0]).toContain(names[0]);
  expect(run.feeds.map((f) => [f.feed, f.shape])).toEqual([
    [0, [3]],
    [1, [2]],
  ]);
});

test('what is fed cuts the graph, in the middle too; what stands above needs no feed', () => {
  const run = inGraph(() => {
    const x = tf.placeholder('float32', [2]) as Any;
    const y = tf.exp(x) as Any;
    return lower({ fetches: [tf.neg(y) as Any], feeds: [[y, [2]]] });
  });
  expect(printLowered(run)).toBe(`%0 = feed float32[2] number 0
%1 = map float32[2] neg(in0) (%0[2]:(1)+0)
fetch %1[2]:(1)+0`);
});

describe('checks', () => {
  /** A product after a gather whose value nobody needs. */
  const build = (needed: boolean) =>
    inGraph(() => {
      const index = tf.placeholder('int32', [1]) as Any;
      const row = tf.gather(tf.constant([1, 2, 3]) as Any, index as any) as Any;
      const y = tf.controlDependencies([row], () => tf.mul(tf.constant(2), 3) as Any);
      return { index, fetch: needed ? tf.add(y, tf.reduceSum(row) as Any) : y, graph: y.graph };
    }) as { index: Any; fetch: Any; graph: tf.Graph };

  test('hold for every operation of the run, also for those whose values nobody needs', () => {
    for (const needed of [true, false]) {
      const { index, fetch } = build(needed);
      const run = lower({ fetches: [fetch], feeds: [[index, [1]]] });
      expect(run.checks).toHaveLength(1);
      expect(run.checks[0].message).toMatch(/out of range[\s\S]*made at .*lower\.test\.ts/);
      expect(run.nodes.some((n) => n.kind === 'gather')).toBe(needed);
    }
  });

  test.each(backends)('fail the run there, on %s', async (backend) => {
    const { index, fetch, graph } = build(false);
    const session = new tf.Session({ graph, backend });
    expect(await session.run(fetch, [[index, [2]]] as any)).toBe(6);
    await expect(session.run(fetch, [[index, [3]]] as any)).rejects.toThrow(/index 3 is out of range/);
    await session.close();
  });
});

test('what is missing, or fed and assigned, is a FeedError with the line', () => {
  inGraph(() => {
    const x = tf.placeholder('float32', []) as Any;
    expect(() => lower({ fetches: [tf.neg(x) as Any] })).toThrow(tf.FeedError);
    expect(() => lower({ fetches: [tf.neg(x) as Any] })).toThrow(
      /Placeholder .*made at .*lower\.test\.ts[\s\S]*\[Placeholder, 0\.5\]/,
    );
    const v = tf.variable(1) as any;
    const wanted = { targets: [tf.assign(v, 2 as any).operation], feeds: [[v as Any, []]] } as const;
    expect(() => lower(wanted)).toThrow(tf.FeedError);
    expect(() => lower(wanted)).toThrow(/is fed in a run that assigns to it/);
  });
});

test('graphs that are deeper than the stack are lowered', () => {
  const run = inGraph(() => {
    let x = tf.placeholder('float32', [2]) as Any;
    const first = x;
    for (let i = 0; i < 50_000; i++) x = tf.add(x, 1) as Any;
    return lower({ fetches: [x], feeds: [[first, [2]]] });
  });
  expect(run.nodes.filter((n) => n.kind === 'map')).toHaveLength(50_000);
});

test('programs of every kind of operation, with their updates, are runs that the verifier accepts', () => {
  fc.assert(
    fc.property(fc.constantFrom(...everyStep), fc.boolean(), (recipe, rewrite) => {
      const { fetches, step, shapes, graph } = buildProgram(recipe);
      // lower verifies what it returns.
      const run = lower({ fetches, targets: [step], feeds: shapes }, rewrite);
      expect(new Set(run.updates.map((u) => u.variable.key)).size).toBe(run.updates.length);
      const keys = new Set(graph.variables.map((v) => v.operation.id));
      expect(run.updates.every((u) => keys.has(u.variable.key))).toBe(true);
    }),
    { numRuns: 10 },
  );
});
