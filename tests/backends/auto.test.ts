// The backend of sessions that ask for none.
import { afterEach, expect, test, vi } from 'vitest';
import { createAuto } from '../../src/backends/auto.ts';
import { createWasm } from '../../src/backends/wasm/backend.ts';
import * as tf from '../../src/index.ts';
import type { VariableState } from '../../src/primitives/primitives.ts';
import { nativeMissing } from '../backends.ts';
import { compile } from '../compiler/compile.ts';
import { skipped } from '../skipped.ts';

afterEach(() => vi.unstubAllEnvs());
const options = { threads: 1, portable: false, fastMath: true, profile: false };

const whereItRuns = 'native, where that can run';
if (nativeMissing) skipped(whereItRuns, nativeMissing);
else test(whereItRuns, () => expect(createAuto(options).name).toBe('native'));

test('else wasm, which says why and does all that wasm does', async () => {
  vi.stubEnv('CC', 'no-such-compiler');
  const backend = createAuto(options);
  const wasm = createWasm(options);
  expect(backend.description).toBe(
    `${wasm.description} (not native: The native backend needs a C compiler, but CC is no-such-compiler, which is not found.)`,
  );
  expect([backend.name, backend.machine]).toEqual(['wasm', wasm.machine]);
  await backend.ready;
  const [x, y] = new tf.Graph().asDefault(() => {
    const x = tf.placeholder('float32', [2]) as tf.Tensor<any, any>;
    return [x, tf.mul(x, 2) as tf.Tensor<any, any>];
  });
  const executable = await backend.load(compile({ fetches: [y], feeds: [[x, [2]]] }, backend.machine));
  expect([...(await executable.run([new Float32Array([1, 2])], []))[0]]).toEqual([2, 4]);
  const v: VariableState = { key: 1, name: 'v', dtype: 'float32', shape: [2] };
  await backend.writeVariables(new Map([[v, new Float32Array([3, 4])]]));
  expect([...(await backend.readVariables([v]))[0]]).toEqual([3, 4]);
  backend.close();
});

test('what is asked for by name is not replaced', () => {
  vi.stubEnv('CC', 'no-such-compiler');
  expect(() => new tf.Session({ graph: new tf.Graph(), backend: 'native' })).toThrow(tf.UnavailableError);
});

test('an environment that may not be read is as if nothing were set', async () => {
  const before = process.env;
  const refuse = (): never => {
    throw new Error('NotCapable: Requires env access');
  };
  let session: tf.Session;
  process.env = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse });
  try {
    session = new tf.Session({ graph: new tf.Graph() });
  } finally {
    process.env = before;
  }
  expect(session.backend.name).toMatch(/^(native|wasm)$/);
  await session.close();
});
