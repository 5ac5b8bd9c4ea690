// Which assignment of a variable an operation sees: the newest one from which a path leads to it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { prune } from '../../../src/compiler/graph/prune.ts';
import { versions } from '../../../src/compiler/graph/versions.ts';
import * as tf from '../../../src/index.ts';
import { backends } from '../../backends.ts';
import { requestFor } from '../compile.ts';

type Any = tf.Tensor<any, any>;

/** Every operation from which a path leads to this one. */
function ancestors(operation: tf.Operation, found = new Set<tf.Operation>()): Set<tf.Operation> {
  for (const before of [...operation.inputs.map((t) => t.operation), ...operation.controlInputs]) {
    if (found.has(before)) continue;
    found.add(before);
    ancestors(before, found);
  }
  return found;
}

const nat = fc.nat(1000);
const program = fc.array(fc.tuple(fc.constantFrom('value', 'assign', 'add', 'after', 'join'), nat, nat, nat), {
  minLength: 8,
  maxLength: 30,
});

test('in random graphs it is the newest assignment among the ancestors', () => {
  const seen = { old: 0, assigned: 0, several: 0 };
  fc.assert(
    fc.property(program, (steps) => {
      const graph = new tf.Graph();
      const { variables, made } = graph.asDefault(() => {
        const vs = [0, 1].map((k) => tf.variable(k) as any);
        const all: Any[] = [...vs];
        for (const [kind, a, b, c] of steps) {
          const [x, y] = [all[a % all.length], all[b % all.length]];
          const v = vs[c % 2];
          if (kind === 'value') all.push(tf.add(x, y) as Any);
          else if (kind === 'assign') all.push(tf.assign(v, x as any) as Any);
          else if (kind === 'add') all.push(tf.assignAdd(v, x as any) as Any);
          else if (kind === 'after') all.push(tf.controlDependencies([x], () => tf.mul(y, v) as Any));
          else all.push(tf.controlDependencies([x, y], () => tf.mul(v, 1) as Any));
        }
        return { variables: vs as Any[], made: all };
      });
      const operations = atOnce(prune(requestFor({ fetches: made })));
      const versionOf = atOnce(versions(operations));
      for (const operation of operations) {
        const before = [...ancestors(operation)];
        for (const variable of variables) {
          const assignments = before.filter((o) => o.type.startsWith('Assign') && o.inputs[0] === variable);
          const newest = assignments.sort((p, q) => q.id - p.id).at(0);
          expect(versionOf(operation, variable)).toBe(newest);
          seen[assignments.length === 0 ? 'old' : assignments.length === 1 ? 'assigned' : 'several']++;
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
});

test.each(backends)('where two paths join, it is the newer one, whichever comes first, on %s', async (backend) => {
  const graph = new tf.Graph();
  const { one, other, init } = graph.asDefault(() => {
    const v = tf.variable(5) as any;
    const both = [tf.assign(v, 1 as any), tf.assignAdd(v, 10 as any)] as Any[];
    const after = (which: Any[]) => tf.controlDependencies(which, () => tf.mul(v, 1) as Any);
    return { one: after(both), other: after([...both].reverse()), init: tf.initializeAllVariables() };
  });
  const session = new tf.Session({ graph, backend });
  await session.run(init);
  expect(await session.run([one, other])).toEqual([11, 11]);
  await session.close();
});
