// Random programs over variables: several updates a run, reads before and after them, in place or not.
import fc from 'fast-check';
import * as tf from '../../src/index.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const expressions: ((x: Any, y: Any) => Any)[] = [
  (x, y) => api.add(api.mul(x, 0.5), y),
  (x) => api.transpose(x),
  (x, y) => api.mul(api.matmul(x, y), 0.1),
  (x) => api.concat([api.slice(x, [1, 0], [-1, -1]), api.slice(x, [0, 0], [1, -1])], 0),
  (x, y) => api.tanh(api.sub(x, api.transpose(y))),
  (x) => api.add(api.mul(x, 0), api.reduceMax(x, 0, { keepDims: true })),
  (x) => api.gather(x, tf.constant([2, 0, 1], { dtype: 'int32' })),
  (x, y) => api.maximum(api.reshape(api.reshape(x, [-1]), [3, 3]), y),
  (_, y) => y,
  (x) =>
    api.pad(api.slice(x, [0, 0], [2, 2]), [
      [1, 0],
      [0, 1],
    ]),
];
const nat = fc.nat(1000);
export const updateRecipes = fc.record({
  steps: fc.array(fc.tuple(fc.constantFrom('value', 'assign', 'add', 'sub', 'after', 'join'), nat, nat, nat), {
    minLength: 2,
    maxLength: 14,
  }),
  runs: fc.array(fc.array(nat, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
});

type Recipe = typeof updateRecipes extends fc.Arbitrary<infer R> ? R : never;

/** Three variables, and values that are computed from them or assigned to them. */
export function buildUpdates({ steps }: Recipe) {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const vs = [0, 1, 2].map(
      (k) =>
        tf.variable(
          tf.constant(
            Float32Array.from({ length: 9 }, (_, i) => Math.sin(i + k)),
            { shape: [3, 3] },
          ),
        ) as any,
    );
    const made: Any[] = [...vs];
    for (const [kind, a, b, c] of steps) {
      const [x, y] = [made[a % made.length], made[b % made.length]];
      const value = () => expressions[c % expressions.length](x, y);
      const v = vs[a % 3];
      if (kind === 'value') made.push(value());
      else if (kind === 'assign') made.push(tf.assign(v, value() as any) as Any);
      else if (kind === 'add') made.push(tf.assignAdd(v, value() as any) as Any);
      else if (kind === 'sub') made.push(tf.assignSub(v, value() as any) as Any);
      else if (kind === 'after') made.push(tf.controlDependencies([x], () => value()));
      else made.push(tf.controlDependencies([y, x, made[c % made.length]], () => api.add(v, value())));
    }
    return { graph, variables: vs as Any[], values: made, init: tf.initializeAllVariables() };
  });
}
