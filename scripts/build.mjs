// Makes dist/: the types, file by file, and the code, bundled, because 130 modules take five times as long to load as
// one. What browsers get has a folder of its own, without the backend that only Node can run. So has what CommonJS gets:
// TypeScript takes declarations for those of ES modules or of CommonJS by the folder in which they lie.
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'ts59';

const root = fileURLToPath(new URL('..', import.meta.url));
console.log('millrace: compiling src/ to dist/ …');
rmSync(join(root, 'dist'), { recursive: true, force: true });

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const types = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--emitDeclarationOnly'], {
  cwd: root,
  stdio: 'inherit',
});
if (types.status !== 0) process.exit(1);

// The namespaces have files of their own, so that a page's bundle has those that the page uses.
const namespaces = {
  initializers: 'src/variables/initializers.ts',
  layers: 'src/layers/index.ts',
  losses: 'src/losses/index.ts',
  metrics: 'src/metrics/index.ts',
  nn: 'src/ops/nn.ts',
  train: 'src/api/train.ts',
};
const modules = { index: 'src/index.ts', mnist: 'src/data/mnist.ts', numpy: 'src/checkpoint/numpy.ts' };
const entryPoints = { ...modules, ...namespaces };
// The same modules, and their declarations once more.
const cjs = join(root, 'dist/cjs');
for (const name of readdirSync(join(root, 'dist'))) {
  cpSync(join(root, 'dist', name), join(cjs, name), { recursive: true });
}
writeFileSync(join(cjs, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
for (const name of Object.keys(modules)) {
  writeFileSync(join(cjs, `${name}.js`), `module.exports = require('../${name}.js');\n`);
}

/**
 * What a module computes as it is loaded, an op's definition or the signature of a function, is marked as needed only for
 * those who use it: so a page's bundle has the ops that the page uses. Modules are all kept; package.json's word about
 * side effects is on these bundles, not on their sources.
 */
const marked = {
  name: 'marked as pure',
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir, importer }) => {
      const whole = join(resolveDir, path);
      const isIndex = importer === join(root, modules.index);
      const name = isIndex && Object.keys(namespaces).find((of) => whole === join(root, namespaces[of]));
      return name ? { path: `./${name}.js`, external: true } : { path: whole };
    });
    onLoad({ filter: /src\/.*\.ts$/ }, ({ path }) => ({ contents: markCalls(path), loader: 'ts' }));
  },
};

/** The source with a mark before each call in the initial value of a variable of the module. */
function markCalls(path) {
  const text = readFileSync(path, 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const places = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) places.push(node.getStart());
    ts.forEachChild(node, visit);
  };
  for (const statement of source.statements) if (ts.isVariableStatement(statement)) visit(statement);
  const parts = [0, ...places].map((place, i) => text.slice(place, places[i]));
  return parts.join('/* @__PURE__ */ ');
}

/** In the place of the native backend there is one that says why it is missing. */
const withoutNative = {
  name: 'without native',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/native\/backend\.ts$/ }, () => ({ path: join(root, 'src/backends/native/absent.ts') })),
};

const bundle = (outdir, ...plugins) =>
  build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    plugins: [...plugins, marked],
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    format: 'esm',
    platform: 'neutral',
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
for (const [folder, ...plugins] of [['dist'], ['dist/browser', withoutNative]]) {
  await bundle(folder, ...plugins);
  // Of what they import without a name they use nothing: no module but the index does more than define. Users' bundlers
  // would warn of it.
  for (const name of readdirSync(join(root, folder)).filter((of) => of.endsWith('.js'))) {
    const file = join(root, folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^import "[^"]*";\n/gm, ''));
  }
}
