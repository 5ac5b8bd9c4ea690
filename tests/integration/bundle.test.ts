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
    minify: true,
    format: 'esm',
    platform: 'browser',
    ignoreAnnotations: true,
    metafile: true,
    write: false,
  });
  const found = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
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
