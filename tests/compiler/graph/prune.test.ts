// What a run needs: nothing above a fed tensor, everything that a control dependency asks for.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { prune } from '../../../src/compiler/graph/prune.ts';
import * as tf from '../../../src/index.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('keeps what the fetches need and nothing above a fed tensor', () => {
  const { a, b, c } = inGraph(() => {
    const p = tf.placeholder('float32', [2]);
    const q = tf.exp(p);
    return { a: p, b: q, c: tf.add(q, 1) };
  });
  const request = { graph: a.graph, targets: [], seed: 0 };
  const names = (feeds: Any[]) =>
    atOnce(prune({ ...request, fetches: [c], feeds: feeds.map((tensor) => ({ tensor, shape: [2] })) })).map(
      (o) => o.type,
    );
  expect(names([a])).toEqual(['Exp', 'Const', 'Add']);
  expect(names([b])).toEqual(['Const', 'Add']);
});

test('random graphs: exactly what a path leads from, inputs and control dependencies, in the order in which it was made', () => {
  const nat = fc.nat(1000);
  const steps = fc.array(fc.tuple(fc.boolean(), nat, nat), { minLength: 1, maxLength: 25 });
  fc.assert(
    fc.property(steps, fc.array(nat, { maxLength: 3 }), fc.array(nat, { maxLength: 3 }), (made, fed, wanted) => {
      const all = inGraph(() => {
        const tensors = [tf.constant(1), tf.constant(2)] as Any[];
        for (const [control, a, b] of made) {
          const [x, y] = [tensors[a % tensors.length], tensors[b % tensors.length]];
          tensors.push(control ? tf.controlDependencies([x], () => tf.neg(y) as Any) : (tf.add(x, y) as Any));
        }
        return tensors;
      });
      const feeds = new Set(fed.map((n) => all[n % all.length]));
      const fetches = [all[all.length - 1], ...wanted.map((n) => all[n % all.length])];
      const targets = wanted.map((n) => all[n % all.length].operation);
      const reached = new Set(targets);
      for (const t of fetches) if (!feeds.has(t)) reached.add(t.operation);
      for (const o of reached) {
        for (const t of o.inputs) if (!feeds.has(t)) reached.add(t.operation);
        for (const c of o.controlInputs) reached.add(c);
      }
      const given = [...feeds].map((tensor) => ({ tensor, shape: [] }));
      const found = atOnce(prune({ graph: all[0].graph, fetches, targets, feeds: given, seed: 0 }));
      expect(found).toEqual(all[0].graph.operations.filter((o) => reached.has(o)));
    }),
    { numRuns: 200 },
  );
});
