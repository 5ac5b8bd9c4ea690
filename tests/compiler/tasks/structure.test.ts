// The text of a task's structure: tasks of one text have the same kernels for other arrays, and whatever a kernel could
// look at is in the text.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import { atOnce } from '../../../src/base/turns.ts';
import { offersFor } from '../../../src/compiler/program/select.ts';
import { structureOf } from '../../../src/compiler/tasks/structure.ts';
import { printKernel } from '../../../src/loops/check/print.ts';
import type { Buffer } from '../../../src/loops/ir.ts';
import type { Primitive } from '../../../src/primitives/primitives.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { Task } from '../../../src/primitives/task.ts';
import { elements } from '../../../src/tensor/shape.ts';
import { compile } from '../compile.ts';
import { buildProgram, everyStep } from '../random-programs.ts';

const machine = machineFor(false);

/** The kernels of a task as text, its arrays named in the order in which the structure names them. */
function kernelsOf(task: Task): string {
  const { nodes } = structureOf(task) as { nodes: readonly Primitive[] };
  const made = new Map<Primitive, Buffer>();
  const bufferOf = (node: Primitive): Buffer => {
    let b = made.get(node);
    const length = node.kind === 'constant' ? node.data.length : elements(node.shape);
    if (!b) made.set(node, (b = { name: `array${nodes.indexOf(node)}`, dtype: node.dtype, length }));
    return b;
  };
  const [offer] = atOnce(offersFor(task, machine));
  const kernels = offer.build({
    of: bufferOf,
    scratch: (name, dtype, length) => ({ name, dtype, length }),
    own: (name, dtype, length) => ({ name, dtype, length, private: true }),
    status: () => ({ name: 'status', dtype: 'float64', length: 3 }),
    checkNumber: () => 1,
  });
  return [offer.name, ...kernels.map(printKernel)].join('\n');
}

test('in random programs, tasks of one structure have the same kernels', () => {
  let alike = 0;
  fc.assert(
    fc.property(fc.constantFrom(...everyStep), (recipe) => {
      const { fetches, step, shapes } = buildProgram(recipe);
      const { program } = compile({ fetches, targets: [step], feeds: shapes }, machine);
      const kernels = new Map<string, string>();
      for (const { task } of program.tasks) {
        const structure = structureOf(task);
        expect(structure === undefined).toBe(task.root?.kind === 'check');
        if (!structure) continue;
        const text = kernelsOf(task);
        const known = kernels.get(structure.text);
        if (known !== undefined) {
          alike++;
          expect(text).toBe(known);
        }
        kernels.set(structure.text, text);
      }
    }),
    { numRuns: 12 },
  );
  expect(alike).toBeGreaterThan(30);
});

const feed = (shape: readonly number[], dtype: 'float32' | 'float64' = 'float32') => p.feed(0, dtype, shape);
const task: Task = {
  shape: [4, 6],
  root: undefined,
  operands: [],
  operandBody: undefined,
  inputs: [feed([4, 6]), feed([4, 6])],
  outputs: [
    {
      node: feed([4, 6]).node,
      body: s.add(s.mul(s.input(0, 'float32'), 2), s.input(1, 'float32')),
      strides: [6, 1],
      offset: 0,
      fill: undefined,
    },
  ],
};
const text = (t: Task) => structureOf(t)?.text;
const [a, b] = task.inputs;
const [output] = task.outputs;

test('other arrays of the same kind do not change it', () => {
  const other = { ...task, inputs: [feed([4, 6]), feed([4, 6])], outputs: [{ ...output, node: feed([4, 6]).node }] };
  expect(text(other)).toBe(text(task));
  // Numbers that are read from memory do not count.
  const three = s.constant(3, 'float32');
  const two = output.body.args[0].args[1];
  const changed = {
    ...task,
    outputs: [{ ...output, body: s.add(s.mul(s.input(0, 'float32'), three), s.input(1, 'float32')) }],
  };
  expect(text(changed)).not.toBe(text(task));
  expect(structureOf(changed, [three])?.text).toBe(structureOf(task, [two])?.text);
});

const input = s.input(0, 'float32');
const differences: Record<string, Task> = {
  'one array twice': { ...task, inputs: [a, a] },
  'what is stored is read': { ...task, outputs: [{ ...output, node: a.node }] },
  sizes: { ...task, shape: [6, 4] },
  strides: { ...task, inputs: [{ ...a, strides: [0, 1] }, b] },
  'where a view begins': { ...task, inputs: [{ ...a, strides: [0, 1], offset: 6 }, b] },
  'the size of an array': { ...task, inputs: [{ ...feed([5, 6]), shape: [4, 6] }, b] },
  'the type of an array': { ...task, inputs: [feed([4, 6], 'float64'), b] },
  'a repeated constant': { ...task, inputs: [p.constant(new Float32Array(1), 'float32', [4, 6]), b] },
  'an operation': { ...task, outputs: [{ ...output, body: s.sub(s.mul(input, 2), s.input(1, 'float32')) }] },
  'a number': { ...task, outputs: [{ ...output, body: s.add(s.mul(input, 3), s.input(1, 'float32')) }] },
  'where it is stored': { ...task, outputs: [{ ...output, offset: 1 }] },
  'strides of what is stored': { ...task, outputs: [{ ...output, strides: [1, 4] }] },
  'what an array is filled with': { ...task, outputs: [{ ...output, fill: 0 }] },
  'another filling': { ...task, outputs: [{ ...output, fill: -0 }] },
  'one more result': { ...task, outputs: [output, output] },
  'items by themselves': { ...task, byItem: true },
  'a root': {
    ...task,
    root: p.reduce('sum', feed([4, 6, 2]), [2]).node as p.Reduce,
    operands: [feed([4, 6, 2])],
    operandBody: input,
  },
  'another reduction': {
    ...task,
    root: p.reduce('max', feed([4, 6, 2]), [2]).node as p.Reduce,
    operands: [feed([4, 6, 2])],
    operandBody: input,
  },
  'shared parts': {
    ...task,
    outputs: [{ ...output, body: ((e) => s.add(e, e))(s.mul(input, 2)) }],
  },
  'equal parts that are not shared': {
    ...task,
    outputs: [{ ...output, body: s.add(s.mul(input, 2), s.mul(input, 2)) }],
  },
};

test('whatever a kernel could look at changes it', () => {
  const texts = new Map([[text(task), 'the task itself']]);
  for (const [what, changed] of Object.entries(differences)) {
    const found = text(changed);
    expect([what, texts.get(found)]).toEqual([what, undefined]);
    texts.set(found, what);
  }
});
