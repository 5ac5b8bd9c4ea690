// The playground's disassembler knows every instruction that the emitter uses, and finds the kernels that explain lists.
import { expect, test } from 'vitest';
import { atomic, plain, vector } from '../../examples/playground/instructions.ts';
import { kernelsOf } from '../../examples/playground/kernels.ts';
import { disassemble } from '../../examples/playground/wat.ts';
import { encodeModule, FunctionBody } from '../../src/backends/wasm/emit/encode.ts';
import { atomicOpcodes, opcodes, simdOpcodes } from '../../src/backends/wasm/emit/opcodes.ts';
import { atOnce } from '../../src/base/turns.ts';
import * as tf from '../../src/index.ts';
import { tutorialModel } from '../tutorial-model.ts';

test.each([
  ['plain', opcodes, plain],
  ['vector', simdOpcodes, vector],
  ['atomic', atomicOpcodes, atomic],
])('%s instructions have the names that the emitter gives them', (_, numbers, names) => {
  for (const [name, number] of Object.entries(numbers)) expect(names[number]).toBe(name);
});

test('a function, as text', () => {
  const body = new FunctionBody(2);
  const local = body.local('f64');
  body.open('loop');
  body.get(0);
  body.i32(-70000);
  body.op('i32.add');
  body.open('if');
  body.f64(0.5);
  body.set(local);
  body.op('end');
  body.op('end');
  body.call(0);
  const memory = { minimum: 1, maximum: 2, shared: true };
  const module = atOnce(encodeModule(memory, [{ parameters: 2, results: 0, body, exported: 'run' }]));
  const [only] = disassemble(module);
  expect(only).toMatchObject({ parameters: 2, exported: 'run', calls: [0] });
  expect(only.text).toBe(`(func $0 (export "run") (param i32 i32)
  ;; locals: 1 × f64
  loop
    local.get 0
    i32.const -70000
    i32.add
    if
      f64.const 0.5
      local.set 2
    end
  end
  call $0
)`);
});

test("the kernels of the tutorial's second model, in the order of explain", async () => {
  const modules: Uint8Array[] = [];
  const { Module } = WebAssembly;
  WebAssembly.Module = class extends Module {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(bytes);
      modules.push(bytes);
    }
  };
  try {
    const graph = new tf.Graph();
    const { x, y_, keepProb, step } = graph.asDefault(() => tutorialModel(tf));
    const sess = new tf.Session({ graph, backend: 'wasm', threads: 2 });
    const images = tf.array(new Float32Array(10 * 784), [10, 784]);
    const labels = tf.array(new Float32Array(100), [10, 10]);
    const text = await sess.explain(step, [
      [x, images],
      [y_, labels],
      [keepProb, 1],
    ] as any);
    await sess.close();
    const kernels = kernelsOf(modules.at(-1)!);
    expect(kernels.length).toBeGreaterThan(20);
    expect(kernels).toHaveLength(Number(/(\d+) kernels/.exec(text)?.[1]));
    for (const kernel of kernels) expect(kernel).toMatch(/^\(func \$\d+ \(param i32 i32 i32 i32 i32\)\n/);
  } finally {
    WebAssembly.Module = Module;
  }
});
