// The binary format, read back by the engine.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ByteWriter,
  encodeModule,
  FunctionBody,
  type WasmFunction,
} from '../../../../src/backends/wasm/emit/encode.ts';
import { atOnce } from '../../../../src/base/turns.ts';

const pages = 3;
const limits = { shared: false, minimum: pages, maximum: pages };

/** A module of functions without parameters that push an i32 each. */
function instantiate(functions: readonly WasmFunction[]) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = atOnce(encodeModule(limits, functions));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } });
  return { memory, exports: exports as Record<string, (...parameters: number[]) => number> };
}
function returning(push: (body: FunctionBody) => void, exported = 'f'): WasmFunction {
  const body = new FunctionBody(0);
  push(body);
  return { parameters: 0, results: 1, body, exported };
}
const edges = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 31 - 1, -(2 ** 31)];

test('whole numbers of every length', () => {
  const values = [...edges, ...fc.sample(fc.integer(), { numRuns: 200 })];
  const { exports } = instantiate(values.map((v, i) => returning((b) => b.i32(v), `f${i}`)));
  expect(values.map((_, i) => exports[`f${i}`]())).toEqual(values);
});

test('unsigned numbers below 2³²', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 32 - 1 }), (value) => {
      const writer = new ByteWriter(1);
      writer.unsigned(value);
      const read = writer.finish().reduce((sum, byte, i) => sum + (byte & 127) * 128 ** i, 0);
      expect(read).toBe(value);
      expect(writer.finish().every((byte, i, all) => byte >= 128 === i < all.length - 1)).toBe(true);
    }),
    { numRuns: 500, examples: [[0], [127], [128], [2 ** 31], [2 ** 32 - 1]] },
  );
});

test('floats keep their bits', () => {
  const values = [0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** -149, Math.PI];
  const same = values.map((v, i) =>
    returning((b) => {
      b.f64(v);
      b.op('i64.reinterpret_f64');
      b.i64(32);
      b.op('i64.shr_u');
      b.op('i32.wrap_i64');
    }, `upper${i}`),
  );
  const single = values.map((v, i) =>
    returning((b) => {
      b.f32(v);
      b.op('i32.reinterpret_f32');
    }, `single${i}`),
  );
  const { exports } = instantiate([...same, ...single]);
  for (const [i, v] of values.entries()) {
    expect(exports[`upper${i}`]()).toBe(new Int32Array(Float64Array.of(v).buffer)[1]);
    expect(exports[`single${i}`]()).toBe(new Int32Array(Float32Array.of(v).buffer)[0]);
  }
});

test('loads and stores at offsets of every length', () => {
  const offsets = [0, 4, 124, 128, 16380, 16384, 65536 * pages - 4];
  const { memory, exports } = instantiate(
    offsets.map((offset, i) =>
      returning((b) => {
        b.i32(0);
        b.memory('i32.load', offset);
      }, `f${i}`),
    ),
  );
  for (const offset of offsets) new Int32Array(memory.buffer)[offset / 4] = offset + 1;
  expect(offsets.map((_, i) => exports[`f${i}`]())).toEqual(offsets.map((offset) => offset + 1));
});

test('locals of mixed types are zero, and each has a place of its own', () => {
  const count = 300;
  const { exports } = instantiate([
    returning((b) => {
      const locals = Array.from({ length: count }, (_, i) =>
        b.local(i % 7 === 0 ? 'v128' : i % 3 === 0 ? 'f64' : 'i32'),
      );
      const integers = locals.filter((_, i) => i % 7 !== 0 && i % 3 !== 0);
      for (const [i, local] of integers.entries()) {
        b.i32(i);
        b.get(local);
        b.op('i32.add');
        b.set(local);
      }
      b.i32(0);
      for (const local of integers) {
        b.get(local);
        b.op('i32.add');
      }
    }),
  ]);
  const integers = Array.from({ length: count }, (_, i) => i).filter((i) => i % 7 !== 0 && i % 3 !== 0).length;
  expect(exports.f()).toBe((integers * (integers - 1)) / 2);
});

test('many functions of several kinds call each other', () => {
  const functions: WasmFunction[] = [];
  // Each adds its second parameter, and calls the one before with one parameter more or less.
  for (let i = 0; i < 200; i++) {
    const parameters = 1 + (i % 3);
    const body = new FunctionBody(parameters);
    body.get(0);
    body.i32(1);
    body.op('i32.add');
    if (i > 0) {
      for (let p = 1; p < functions[i - 1].parameters; p++) body.i32(7);
      body.call(i - 1);
    }
    functions.push({ parameters, results: 1, body, exported: i === 199 ? 'last' : undefined });
  }
  const { exports } = instantiate(functions);
  expect(Object.keys(exports)).toEqual(['last']);
  expect(exports.last(1000, 0)).toBe(1200);
});
