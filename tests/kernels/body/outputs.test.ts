// The outputs of a task: computed together, stored where each belongs, and what they do not cover filled.
import { expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import { nest } from '../../../src/kernels/body/nest.ts';
import { computeOutputs, filling, fills, iterationSpace, outputAccesses } from '../../../src/kernels/body/outputs.ts';
import type { TaskBuffers } from '../../../src/kernels/offer.ts';
import { verifyKernel } from '../../../src/loops/check/verify.ts';
import type { Buffer, Kernel } from '../../../src/loops/ir.ts';
import * as p from '../../../src/primitives/primitives.ts';
import * as s from '../../../src/primitives/scalar.ts';
import type { Task } from '../../../src/primitives/task.ts';
import { allocate, type TypedArray } from '../../../src/tensor/dtype.ts';
import { elements, rowMajor } from '../../../src/tensor/shape.ts';
import { interpret } from '../../loops/interpret.ts';
import { machines } from '../run.ts';

const unexpected = (): never => {
  throw new Error('these outputs ask for nothing');
};

/** Arrays of nodes, with what they hold at first. */
class Arrays {
  readonly memory = new Map<Buffer, TypedArray>();
  readonly #ofNode = new Map<p.Primitive, Buffer>();
  readonly buffers: TaskBuffers = {
    of: (node) => this.#buffer(node),
    scratch: unexpected,
    own: unexpected,
    status: unexpected,
    checkNumber: unexpected,
  };
  #buffer(node: p.Primitive): Buffer {
    const known = this.#ofNode.get(node);
    if (known) return known;
    const buffer = { name: `b${node.id}`, dtype: node.dtype, length: elements(node.shape) };
    this.#ofNode.set(node, buffer);
    this.memory.set(buffer, allocate(node.dtype, buffer.length));
    return buffer;
  }
  of(node: p.Primitive): TypedArray {
    return this.memory.get(this.#buffer(node)) as TypedArray;
  }
  run(kernels: readonly Kernel[], machine = machines[1]): void {
    for (const kernel of kernels) {
      verifyKernel(kernel, machine);
      interpret(kernel, this.memory);
    }
  }
}

const x = p.feed(0, 'float32', [3, 5]);
const whole = (node: p.Primitive) => ({ node, strides: rowMajor(node.shape), offset: 0, fill: undefined });

test.each(machines)('$name: several outputs of one pass, turned and with gaps', (machine) => {
  const sum = p.feed(1, 'float32', [3, 5]).node;
  const turned = p.feed(2, 'float64', [5, 3]).node;
  const apart = p.feed(3, 'float32', [7, 12]).node;
  const task: Task = {
    shape: [3, 5],
    root: undefined,
    operands: [],
    operandBody: undefined,
    inputs: [x],
    outputs: [
      { ...whole(sum), body: s.add(s.input(0, 'float32'), 1) },
      { node: turned, strides: [1, 3], offset: 0, fill: undefined, body: s.cast(s.input(0, 'float32'), 'float64') },
      {
        node: apart,
        strides: [24, 2],
        offset: 13,
        fill: 9,
        body: s.mul(s.input(0, 'float32'), s.cast(s.index(1), 'float32')),
      },
    ],
  };
  const arrays = new Arrays();
  arrays.of(x.node).set(Array.from({ length: 15 }, (_, i) => i));
  const space = iterationSpace(task, outputAccesses(task));
  const body = nest(space, 1, machine, (at) => computeOutputs(task, arrays.buffers, at));
  arrays.run([...fills(task, arrays.buffers, machine), { name: 'outputs', body, flops: 0, bytes: 0 }], machine);
  const at = (i: number, j: number) => i * 5 + j;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 5; j++) {
      expect(arrays.of(sum)[at(i, j)]).toBe(at(i, j) + 1);
      expect(arrays.of(turned)[j * 3 + i]).toBe(at(i, j));
    }
  }
  const wanted = new Float32Array(84).fill(9);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 5; j++) wanted[13 + i * 24 + j * 2] = at(i, j) * j;
  expect(arrays.of(apart)).toEqual(wanted);
});

test('nothing is stored before all is computed: an output may overwrite what another one reads', () => {
  const [a, b] = [p.feed(0, 'float32', [8]), p.feed(1, 'float32', [8])];
  const task: Task = {
    shape: [8],
    root: undefined,
    operands: [],
    operandBody: undefined,
    inputs: [a, b],
    // The two change places.
    outputs: [
      { ...whole(a.node), body: s.input(1, 'float32') },
      { ...whole(b.node), body: s.input(0, 'float32') },
    ],
  };
  const arrays = new Arrays();
  arrays.of(a.node).set([1, 2, 3, 4, 5, 6, 7, 8]);
  arrays.of(b.node).fill(-1);
  const space = iterationSpace(task, outputAccesses(task));
  const body = nest(space, 4, machines[1], (at) => computeOutputs(task, arrays.buffers, at));
  arrays.run([{ name: 'outputs', body, flops: 0, bytes: 0 }]);
  expect(Array.from(arrays.of(b.node))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(Array.from(arrays.of(a.node))).toEqual(Array(8).fill(-1));
});

test.each([0, 1, 3, 4, 5, 8, 19])('all of an array of %i elements is filled', (length) => {
  for (const machine of [...machines, machineFor(true)]) {
    for (const dtype of ['float32', 'float64', 'int32', 'uint8', 'bool'] as const) {
      const buffer: Buffer = { name: 'b', dtype, length };
      const kernel = filling(buffer, 1, machine);
      verifyKernel(kernel, machine);
      const memory = new Map([[buffer, allocate(dtype, length)]]);
      interpret(kernel, memory);
      expect(Array.from(memory.get(buffer) as TypedArray)).toEqual(Array(length).fill(1));
    }
  }
});
