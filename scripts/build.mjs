// Makes dist/: the types, file by file, and the code, bundled, because 130 modules take five times as long to load as
// one. What browsers get has a folder of its own, without the backend that only Node can run. So has what CommonJS gets:
// TypeScript takes declarations for those of ES modules or of CommonJS by the folder in which they lie.
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
console.log('millrace: compiling src/ to dist/ …');
rmSync(join(root, 'dist'), { recursive: true, force: true });

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const types = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--emitDeclarationOnly'], {
  cwd: root,
  stdio: 'inherit',
});
if (types.status !== 0) process.exit(1);

const entryPoints = { index: 'src/index.ts', mnist: 'src/data/mnist.ts', numpy: 'src/checkpoint/numpy.ts' };
/** Files of their own, which a bundler leaves out of a page that uses nothing of them: package.json says that they do nothing else. */
const rooms = ['layers', 'losses', 'metrics', 'variables'];
// The same modules, and their declarations once more.
const cjs = join(root, 'dist/cjs');
for (const name of readdirSync(join(root, 'dist'))) {
  cpSync(join(root, 'dist', name), join(cjs, name), { recursive: true });
}
writeFileSync(join(cjs, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
for (const name of Object.keys(entryPoints)) {
  writeFileSync(join(cjs, `${name}.js`), `module.exports = require('../${name}.js');\n`);
}

/** In the place of the native backend there is one that says why it is missing. */
const withoutNative = {
  name: 'without native',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/native\/backend\.ts$/ }, () => ({ path: join(root, 'src/backends/native/absent.ts') })),
};

/** The index has them from beside it. */
const apart = {
  name: 'rooms apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/(layers|losses|metrics|variables)\/index\.ts$/ }, ({ path }) => ({
      path: `./${path.split('/')[1]}.js`,
      external: true,
    })),
};

const bundle = (outdir, ...plugins) =>
  build({
    absWorkingDir: root,
    entryPoints: { ...entryPoints, ...Object.fromEntries(rooms.map((room) => [room, `src/${room}/index.ts`])) },
    outdir,
    plugins: [apart, ...plugins],
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    format: 'esm',
    platform: 'neutral',
    // What package.json says of side effects is about these bundles, not about their sources.
    ignoreAnnotations: true,
    logLevel: 'warning',
  });
// The source of a thread, which the bundles hold as a string, as a file.
const [{ text }] = (
  await build({
    absWorkingDir: root,
    entryPoints: ['src/backends/wasm/run/thread.ts'],
    bundle: true,
    format: 'esm',
    write: false,
  })
).outputFiles;
const { threadSource } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
for (const [folder, mark] of [
  ['dist', 'export {};\n'],
  ['dist/cjs', ''],
]) {
  writeFileSync(join(root, folder, 'thread.js'), `${threadSource.trim()}\n${mark}`);
  writeFileSync(join(root, folder, 'thread.d.ts'), 'export {};\n');
}
for (const [outdir, ...plugins] of [['dist'], ['dist/browser', withoutNative]]) {
  await bundle(outdir, ...plugins);
  // They use nothing of what they import so; it is loaded with the index. Users' bundlers would warn of it.
  for (const room of rooms) {
    const file = join(root, outdir, `${room}.js`);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^import "[^"]*";\n/gm, ''));
  }
}
