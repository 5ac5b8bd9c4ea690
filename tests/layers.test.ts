// The folders are the layers: imports point down the list of ARCHITECTURE.md, never up.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../src', import.meta.url));
/** Layer → the layers from which it may import besides itself. */
const allowed: Record<string, readonly string[]> = {
  '.': ['api', 'autodiff', 'backends', 'graph', 'ops', 'session', 'tensor', 'train', 'base'],
  api: ['session', 'ops', 'graph', 'tensor', 'base'],
  session: ['compiler', 'backends', 'graph', 'tensor', 'base'],
  train: ['autodiff', 'ops', 'graph', 'tensor', 'base'],
  autodiff: ['ops', 'graph', 'tensor', 'base'],
  backends: ['loops', 'primitives', 'tensor', 'base'],
  compiler: ['kernels', 'ops', 'graph', 'loops', 'primitives', 'tensor', 'base'],
  kernels: ['loops', 'primitives', 'tensor', 'base'],
  ops: ['graph', 'primitives', 'tensor', 'base'],
  graph: ['tensor', 'base'],
  loops: ['primitives', 'tensor', 'base'],
  primitives: ['tensor', 'base'],
  data: ['tensor', 'base'],
  tensor: ['base'],
  base: [],
};
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
const layerOf = (file: string) => (file.includes('/') ? file.split('/')[0] : '.');

test('no file imports from a layer above its own', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(source, file), 'utf8');
    for (const [, target] of text.matchAll(/(?:from|import) '(\.[^']*)'/g)) {
      const to = layerOf(relative(source, join(source, dirname(file), target)));
      const from = layerOf(file);
      if (from !== to && !allowed[from].includes(to)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every layer is in the table', () => {
  expect(new Set(files.map(layerOf))).toEqual(new Set(Object.keys(allowed)));
});

test('there are few primitives', () => {
  const text = readFileSync(join(source, 'primitives/primitives.ts'), 'utf8');
  const kinds = new Set([...text.matchAll(/readonly kind: '(\w+)'/g)].map((m) => m[1]));
  expect([...kinds].sort()).toEqual(
    [
      'argReduce',
      'check',
      'concat',
      'constant',
      'contract',
      'counter',
      'feed',
      'gather',
      'map',
      'pad',
      'read',
      'reduce',
      'scatter',
    ].sort(),
  );
});

test('no file is longer than one sitting', () => {
  const long = files.filter(
    (f) => !f.startsWith('tensor/arithmetic') && readFileSync(join(source, f), 'utf8').split('\n').length > 620,
  );
  expect(long).toEqual([]);
});
