// What is offered for a task: the cheapest comes first, and every offer is a kernel that is well formed.

import { expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import { InternalError } from '../../../src/base/errors.ts';
import { atOnce } from '../../../src/base/turns.ts';
import { offersFor } from '../../../src/compiler/program/select.ts';
import * as tf from '../../../src/index.ts';
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer } from '../../../src/loops/ir.ts';
import type { Machine } from '../../../src/loops/machine.ts';
import type { Primitive } from '../../../src/primitives/primitives.ts';
import type { Task } from '../../../src/primitives/task.ts';
import { elements } from '../../../src/tensor/shape.ts';
import { compile } from '../compile.ts';
import { buildProgram, everyStep } from '../random-programs.ts';

const wasm = machineFor(false);
const machines: readonly Machine[] = [
  wasm,
  machineFor(true),
  { ...wasm, vectorBytes: 64, registers: 32, sums: { free: 27, most: 27 }, partialVectors: true, prefetches: true },
];

test('in random programs every task has offers, the cheapest first, and every one of them is well formed', () => {
  const seen = new Set<string>();
  let several = 0;
  for (const [k, recipe] of everyStep.entries()) {
    const machine = machines[k % machines.length];
    const { fetches, step, shapes } = buildProgram(recipe);
    for (const { task, offers } of compile({ fetches, targets: [step], feeds: shapes }, machine).program.tasks) {
      const made = atOnce(offersFor(task, machine));
      expect(made.map(({ name, cost }) => ({ name, cost }))).toEqual(offers);
      const costs = made.map((offer) => offer.cost);
      expect(costs).toEqual([...costs].sort((a, b) => a - b));
      expect(costs.every((cost) => cost >= 0 && Number.isFinite(cost))).toBe(true);
      seen.add(task.root?.kind ?? 'map');
      if (made.length > 1) several++;
      for (const offer of made) {
        const buffers = new Map<Primitive, Buffer>();
        const of = (node: Primitive): Buffer => {
          let b = buffers.get(node);
          const length = node.kind === 'constant' ? node.data.length : elements(node.shape);
          if (!b) buffers.set(node, (b = { name: `${node.kind}${node.id}`, dtype: node.dtype, length }));
          return b;
        };
        const kernels = offer.build({
          of,
          scratch: (name, dtype, length) => ({ name, dtype, length }),
          own: (name, dtype, length) => ({ name, dtype, length, private: true }),
          status: () => ({ name: 'status', dtype: 'float64', length: 3 }),
          checkNumber: () => 1,
        });
        for (const kernel of kernels) verifyKernel(kernel, machine);
      }
    }
  }
  expect([...seen].sort()).toEqual(['argReduce', 'check', 'contract', 'gather', 'map', 'reduce', 'scatter']);
  expect(several).toBeGreaterThan(20);
});

test('without fast math nothing is offered that mixes or drops values; all else is, at the same cost', () => {
  const { fetches, feeds } = new tf.Graph().asDefault(() => {
    const image = tf.placeholder('float32', [8, 16, 16, 16]);
    const x = tf.placeholder('float32', [64, 1024]);
    const filter = tf.placeholder('float32', [3, 3, 16, 16]);
    const y = tf.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: 'SAME' });
    const z = tf.matmul(tf.nn.relu(x), tf.ones([1024, 1024]));
    const feeds = [image, filter, x].map((t) => [t, t.shape as number[]] as const);
    return { fetches: [y, z], feeds };
  });
  const dropped = machines.flatMap((machine) =>
    compile({ fetches, feeds }, machine).program.tasks.flatMap(({ task, offers }) => {
      const exact = atOnce(offersFor(task, { ...machine, fastMath: false })).map(({ name, cost }) => ({ name, cost }));
      expect(exact).toEqual(offers.filter(({ name }) => !/^(winograd|lists of)/.test(name)));
      return offers.filter(({ name }) => !exact.some((e) => e.name === name)).map(({ name }) => name.split(' ')[0]);
    }),
  );
  expect([...new Set(dropped)].sort()).toEqual(['lists', 'winograd']);
});

test('a task of a kind for which there is no kernel is an internal error', () => {
  const { program } = compile({ ...everyStepOf(0) });
  const [{ task }] = program.tasks;
  const strange = { ...task, root: { ...task.root, kind: 'sort' } } as unknown as Task;
  expect(() => atOnce(offersFor(strange, wasm))).toThrow(InternalError);
  expect(() => atOnce(offersFor(strange, wasm))).toThrow(/no kernel for a task with root sort/);
});

function everyStepOf(i: number) {
  const { fetches, shapes } = buildProgram(everyStep[i]);
  return { fetches, feeds: shapes };
}
