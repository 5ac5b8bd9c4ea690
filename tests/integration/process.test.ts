// Programs that use the built package in a process of their own: how they end, and what they leave to the event loop.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-process-'));
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(root, join(dir, 'node_modules/millrace'), 'junction');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(source: string): { status: number | null; out: string; err: string } {
  const file = join(dir, 'program.mjs');
  writeFileSync(file, `import * as tf from 'millrace';\n${source}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
  return { status, out: stdout, err: stderr };
}
/** A product so large that it runs on the worker. */
const large = `
const a = tf.placeholder('float32', [600, 600]);
let y = a;
for (let i = 0; i < 12; i++) y = tf.matmul(y, a).mul(0.01);
const data = tf.array(new Float32Array(360000).fill(0.1), [600, 600]);
const sess = new tf.Session();
`;

test('a script without close() ends by itself with code 0', () => {
  const { status, out } = run(`${large}
    console.log((await sess.run(y, [[a, data]])).shape.join());
    const small = new tf.InteractiveSession();
    console.log(await tf.constant(2).add(3).eval());`);
  expect({ status, out }).toEqual({ status: 0, out: '600,600\n5\n' });
});

test('threads that still look for work when the process ends do not bring it down', () => {
  for (let i = 0; i < 10; i++) {
    const { status, err } = run(`
      const a = tf.variable(tf.fill([512, 512], 0.1));
      const sess = new tf.Session({ threads: 2 });
      await sess.run(tf.initializeAllVariables());
      await sess.run(tf.matmul(a, a).operation);
      await sess.close();`);
    expect({ status, err }).toEqual({ status: 0, err: '' });
  }
});

test('where all built-in objects are frozen it trains as elsewhere', () => {
  const source = `import * as tf from 'millrace'; ${large}
    const v = tf.variable([1, 2, 3]);
    const step = new tf.train.AdamOptimizer(0.1).minimize(tf.reduceSum(tf.square(v)));
    await sess.run(tf.globalVariablesInitializer());
    await sess.run(step);
    console.log((await sess.run(v)).data.map((x) => Math.round(10 * x)).join(), (await sess.run(y, [[a, data]])).shape.join());
    try { tf.matmul(v, v); } catch (error) { console.log(error.name); }`;
  const options = ['--frozen-intrinsics', '--no-warnings', '--input-type=module', '-e', source];
  const { stdout, stderr } = spawnSync(process.execPath, options, { cwd: dir, encoding: 'utf8', timeout: 60_000 });
  expect({ stdout, stderr }).toEqual({ stdout: '9,19,29 600,600\nShapeMismatchError\n', stderr: '' });
});

test('a module given on the command line runs on the pool too: its workers inherit --input-type', () => {
  const source = `import * as tf from 'millrace'; ${large} console.log((await sess.run(y, [[a, data]])).shape.join());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    cwd: dir,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ stdout, stderr }).toEqual({ stdout: '600,600\n', stderr: '' });
});

test('a pending run keeps the process alive', () => {
  const { status, out } = run(`${large} sess.run(tf.reduceSum(y), [[a, data]]).then((v) => console.log(typeof v));`);
  expect({ status, out }).toEqual({ status: 0, out: 'number\n' });
});

test('a 10 ms timer keeps ticking during a long run', () => {
  const { out } = run(`${large}
    const sum = tf.reduceSum(y);
    await sess.run(sum, [[a, data]]);
    let ticks = 0;
    let runs = 0;
    const timer = setInterval(() => ticks++, 10);
    const begin = performance.now();
    for (; performance.now() - begin < 1500; runs++) await sess.run(sum, [[a, data]]);
    clearInterval(timer);
    console.log(JSON.stringify({ ticks, runs }));`);
  const { ticks, runs } = JSON.parse(out);
  // Other programs delay timers too, but a run takes many times 10 ms: on this thread, one tick would follow each.
  expect(ticks).toBeGreaterThan(2 * runs);
});

test('an unhandled error names the line of the user', () => {
  const { status, err } = run(`tf.matmul(tf.zeros([2, 3]), tf.zeros([4, 5]));`);
  expect(status).toBe(1);
  expect(err).toMatch(/ShapeMismatchError: matmul: inner dimensions 3 and 4 differ/);
  expect(err).toMatch(/at MatMul, made at .*program\.mjs:2:\d+/);
});

test('tensors, operations and arrays print well', () => {
  const { out } = run(`
    const x = tf.placeholder('float32', [null, 784], { name: 'x' });
    console.log(x, tf.noOp('go'), tf.array([[1, 2.5], [3, 4]]));
    console.log(tf.array(new Float32Array(100), [100]));`);
  expect(out).toBe(
    'Tensor(x:0, float32, [null, 784]) Operation(go: NoOp) NDArray(float32, [2, 2]) [[1, 2.5], [3, 4]]\n' +
      'NDArray(float32, [100]) [0, 0, 0, …, 0, 0, 0]\n',
  );
});

test('a worker that dies mid-run is an error that says so, until the variables are initialized again', () => {
  const { out, status, err } = run(`
    import { Worker } from 'node:worker_threads';
    const post = Worker.prototype.postMessage;
    let victim;
    Worker.prototype.postMessage = function (...args) { victim = this; return post.apply(this, args); };
    ${large.replaceAll('const sess', 'const v = tf.variable(tf.zeros([600, 600])); const init = tf.initializeAllVariables(); const step = tf.assign(v, y); const sess')}
    await sess.run(init);
    await sess.run(step, [[a, data]]);
    const pending = sess.run(step, [[a, data]]);
    setTimeout(() => victim.terminate(), 5);
    await pending.catch((e) => console.log(e.name, /was lost while it ran .* not known any more/.test(e.message)));
    await sess.run(v).catch((e) => console.log(e.name, /lost with the worker/.test(e.message)));
    await sess.run(init);
    await sess.run(step, [[a, data]]);
    console.log((await sess.run(v)).shape.join());`);
  expect(err).toBe('');
  expect({ status, out }).toEqual({ status: 0, out: 'WorkerLostError true\nFailedPreconditionError true\n600,600\n' });
});

test('a backend that cannot start rejects ready and the first run, not the constructor', () => {
  const { out, status } = run(`
    delete globalThis.WebAssembly;
    const sess = new tf.Session();
    await sess.ready.catch((e) => console.log(e.name, e.message));
    await sess.run(tf.constant(1)).catch((e) => console.log(e.name));
    new tf.Session();`);
  expect({ status, out }).toEqual({
    status: 0,
    out: 'UnavailableError The wasm backend needs WebAssembly, which is missing here.\nUnavailableError\n',
  });
});

test('where the engine promises less memory, a session gets less, and says so when it is not enough', () => {
  const { out, err } = run(`
    const { Memory } = WebAssembly;
    WebAssembly.Memory = function (d) { if (d.maximum > 3000) throw new RangeError('too much'); return new Memory(d); };
    const x = tf.placeholder('float32', [null, 1]);
    const sess = new tf.Session();
    console.log(await sess.run(tf.reduceSum(x), [[x, [[1], [2]]]]));
    const n = tf.array(new Float32Array(8000), [8000, 1]);
    await sess.run(tf.exp(tf.matmul(x, x, { transposeB: true })), [[x, n]]).catch((e) => console.log(e.name, e.message.slice(0, 75)));
    WebAssembly.Memory = function () { throw new RangeError('none'); };
    await new tf.Session().ready.catch((e) => console.log(e.message.split(". ")[0]));`);
  expect(err).toBe('');
  expect(out).toMatch(
    /^3\nResourceExhaustedError This run needs \d+ MB of memory in all, but WebAssembly can have at most .*\nThe wasm backend could not get any memory \(none\)\n$/,
  );
});

test('npm run mnist: options, an unknown one, help, Ctrl-C', async () => {
  const program = join(root, 'examples/build/mnist.js');
  const call = (...args: string[]) =>
    spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', cwd: dir, timeout: 120_000 });
  const wrong = call('--nonsense');
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toMatch(/Unknown option '--nonsense'[\s\S]*usage: npm run mnist/);
  expect(call('--steps', 'x').status).toBe(2);
  expect(call('--model', 'rnn').stderr).toMatch(/^--model must be softmax or cnn, not rnn/);
  // What `npm run mnist --steps 20` makes of it.
  const taken = spawnSync(process.execPath, [program, '20'], {
    encoding: 'utf8',
    env: { ...process.env, npm_config_steps: 'true' },
  });
  expect(taken.status).toBe(2);
  expect(taken.stderr).toMatch(/^npm took --steps for itself; write: npm run mnist -- --steps …\n/);
  const many = call('--threads', '5000', '--model', 'softmax');
  expect(many.status).toBe(1);
  expect(many.stderr).toMatch(/\nInvalidArgumentError: Session: threads must be a whole number from 1 to 256.*\n$/);
  const help = call('--help');
  expect(help.status).toBe(0);
  expect(help.stdout).toMatch(/^usage: npm run mnist/);
  const short = call('--model', 'softmax', '--steps', '100', '--batch', '20', '--seed', '2');
  expect(short.status).toBe(0);
  expect(short.stdout).toMatch(
    /^Softmax regression\nbackend: wasm: .*\n100 steps in [\d.]+ s, [\d.]+ steps\/s\ntest accuracy 0\.[89]\d*\n$/,
  );

  const child = spawn(process.execPath, [program, '--model', 'softmax', '--steps', '10000000'], { cwd: dir });
  let out = '';
  child.stdout.on('data', (text) => {
    // Once: a second one would not wait for the evaluation.
    if (!/backend/.test(out) && /backend/.test(out + text)) setTimeout(() => child.kill('SIGINT'), 500);
    out += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(130);
  expect(out).toMatch(/stopped after \d+ of 10000000 steps\ntest accuracy 0\.\d+/);
});

test('the error of a run that nobody awaits is reported', () => {
  const { status, err } = run(`
    const s = new tf.Session();
    s.run(tf.variable(1).assignAdd(1));
    await new Promise((resolve) => setTimeout(resolve, 100));`);
  expect(status).toBe(1);
  expect(err).toMatch(/FailedPreconditionError: These variables are used before they are initialized/);
});

test('what layers and optimizers make deep inside is said to be made at the line of the user', () => {
  const { out } = run(`
    const x = tf.placeholder('float32', [4, 8, 8, 3]);
    const y = tf.variableScope('net', () => tf.layers.batchNormalization(tf.layers.conv2d(x, 4, 3), { training: true }));
    const step = new tf.train.AdamOptimizer(0.1).minimize(tf.losses.meanSquaredError(tf.zeros([4, 6, 6, 4]), y));
    await new tf.Session().run([step, ...tf.globalVariables()], [[x, new Float32Array(768)]]).catch((e) => console.log(e.message));`);
  const lines = [...out.matchAll(/ {2}(\S+), made at (\S+?)(?=:\d+\n)/g)].map(([, name, at]) => [name, at]);
  const file = join(dir, 'program.mjs');
  expect(new Map(lines as [string, string][])).toEqual(
    new Map([
      ...['conv2d/kernel', 'conv2d/bias'].map((name) => [`net/${name}`, `${file}:4`] as const),
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map(
        (name) => [`net/batch_normalization/${name}`, `${file}:4`] as const,
      ),
      ...['beta1_power', 'beta2_power'].map((name) => [name, `${file}:5`] as const),
      ...['conv2d/kernel', 'conv2d/bias', 'batch_normalization/gamma', 'batch_normalization/beta'].flatMap((name) =>
        ['Adam', 'Adam_1'].map((slot) => [`net/${name}/${slot}`, `${file}:5`] as const),
      ),
    ]),
  );
});

test('closing twice waits twice', () => {
  const { out } = run(`${large}
    sess.run(y, [[a, data]]).then(() => console.log('run'));
    sess.close();
    await sess.close();
    console.log('closed');`);
  expect(out).toBe('run\nclosed\n');
});

test('npm run mnist -- --checkpoint DIR goes on bit for bit from what is there, and leaves where it was on Ctrl-C', async () => {
  const program = join(root, 'examples/build/mnist.js');
  const args = (steps: number, to: string) => [
    '--model',
    'softmax',
    '--steps',
    `${steps}`,
    '--checkpoint',
    join(dir, to),
  ];
  const call = (steps: number, to: string) => {
    const { stdout } = spawnSync(process.execPath, [program, ...args(steps, to)], { encoding: 'utf8', cwd: dir });
    return stdout;
  };
  const saved = (to: string, step: number) => readFileSync(join(dir, to, `softmax/model-${step}.safetensors`));
  call(30, 'straight');
  call(11, 'resumed');
  const out = call(30, 'resumed');
  expect(out).toContain(
    `going on after step 11, from ${join(dir, 'resumed/softmax/model-11.safetensors')}\n19 steps in`,
  );
  expect(saved('resumed', 30).equals(saved('straight', 30))).toBe(true);

  const child = spawn(process.execPath, [program, ...args(1e7, 'stopped')], { cwd: dir });
  let printed = '';
  child.stdout.on('data', (text) => {
    if (!/backend/.test(printed) && /backend/.test(printed + text)) setTimeout(() => child.kill('SIGINT'), 500);
    printed += text;
  });
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
  const [, step, path] =
    /stopped after (\d+) of 10000000 steps\nsaved (.*); the same command goes on/.exec(printed) ?? [];
  expect(call(Number(step), 'stopped')).toContain(`going on after step ${step}, from ${path}\n0 steps in`);
});
