// What the tutorial's bundle for browsers weighs: optimizers and decays that it does not use are a small part of it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Minified bytes by file, as esbuild's metafile tells. */
async function weights(folder: string): Promise<ReadonlyMap<string, number>> {
  const { metafile } = await build({
    absWorkingDir: folder,
    stdin: {
      contents: `import * as tf from './src/index.ts';
        import { tutorialModel } from './tests/tutorial-model.ts';
        globalThis.result = new tf.Session().run(tutorialModel(tf).step);`,
      resolveDir: folder,
    },
    plugins: [
      {
        name: 'without native',
        setup: ({ onResolve }) =>
          onResolve({ filter: /\/native\/backend\.ts$/ }, () => ({
            path: join(folder, 'src/backends/native/absent.ts'),
          })),
      },
    ],
    bundle: true,
    splitting: true,
    outdir: 'out',
    minify: true,
    format: 'esm',
    platform: 'browser',
    ignoreAnnotations: true,
    metafile: true,
    write: false,
  });
  const found = new Map<string, number>();
  // Without what is loaded when it is used: files that the page's own bundle does not import as it starts.
  const [entry] = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint === '<stdin>');
  const atStart = new Set<string>();
  const add = (name: string): void => {
    if (atStart.has(name)) return;
    atStart.add(name);
    for (const { path, kind } of metafile.outputs[name].imports) if (kind === 'import-statement') add(path);
  };
  add(entry[0]);
  for (const { inputs } of [...atStart].map((name) => metafile.outputs[name])) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      found.set(file, bytesInOutput);
    }
  }
  return found;
}

/** At de76104, with three optimizers and no decays, by the same code: MILLRACE_BUNDLE=<a checkout of it>. */
const before = 3453;
/** These are neither. */
const others = ['global-step', 'moving-average'].map((name) => `src/train/${name}.ts`);

test('all optimizers and decays add less than 12 KB to the tutorial for browsers', async () => {
  const found = [...(await weights(process.env.MILLRACE_BUNDLE ?? root))];
  const sum = (list: typeof found) => list.reduce((total, [, bytes]) => total + bytes, 0);
  const train = sum(found.filter(([file]) => file.startsWith('src/train/') && !others.includes(file)));
  console.log(
    `The tutorial's bundle: ${sum(found)} bytes; optimizers and decays ${train}, ${train - before} more than three.`,
  );
  expect(train - before).toBeGreaterThan(1000);
  expect(train - before).toBeLessThan(12_000);
});

test('the half of checkpoints that reads and writes files is loaded when it is used', async () => {
  const files = [...(await weights(root)).keys()].filter((file) => file.startsWith('src/checkpoint/'));
  expect(files.sort()).toEqual(['src/checkpoint/reader.ts', 'src/checkpoint/saver.ts']);
});

test('layers, losses, metrics and variables by name are left out of a page that uses none of them', async () => {
  const page = async (names: string) => {
    const { outputFiles, warnings } = await build({
      stdin: {
        contents: `import * as tf from 'millrace'; globalThis.used = [${names}];`,
        resolveDir: join(root, 'examples'),
      },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      splitting: true,
      outdir: 'out',
      write: false,
      logLevel: 'silent',
    });
    expect(warnings).toEqual([]);
    const text = outputFiles.map((file) => file.text).join('');
    const marks = {
      layers: 'tf.layers.dense',
      losses: 'huberLoss',
      metrics: 'tf.metrics.auc',
      variables: 'tf.getVariable',
    };
    const found = Object.entries(marks).filter(([, mark]) => text.includes(mark));
    return { bytes: text.length, parts: found.map(([part]) => part) };
  };
  const [none, layers, all] = await Promise.all(['tf.matmul, tf.nn.relu', 'tf.layers.dense', 'tf'].map(page));
  console.log(
    `A page without them: ${none.bytes} bytes; with tf.layers: ${layers.bytes}; with all of tf: ${all.bytes}.`,
  );
  expect([none.parts, layers.parts]).toEqual([[], ['layers', 'variables']]);
  expect(all.parts).toEqual(['layers', 'losses', 'metrics', 'variables']);
});
