// The rooms of src/backends: imports between them point one way, and no backend knows another.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src/backends', import.meta.url));
/** Room → the rooms from which it may import besides itself. The contract is a file, `backend.ts`. */
const allowed: Record<string, readonly string[]> = {
  '.': ['backend.ts', 'native', 'wasm', 'reference'],
  native: ['native/run', 'native/toolchain', 'native/emit', 'run', 'backend.ts'],
  'native/run': ['native/toolchain', 'native/runtime', 'native/emit', 'run', 'emit', 'backend.ts'],
  'native/toolchain': ['native/runtime'],
  'native/runtime': ['native/emit'],
  'native/emit': ['emit'],
  wasm: ['wasm/run', 'wasm/emit', 'run', 'backend.ts'],
  'wasm/run': ['wasm/emit', 'run', 'emit', 'backend.ts'],
  'wasm/emit': ['emit'],
  reference: ['backend.ts'],
  run: ['emit', 'backend.ts'],
  emit: [],
  'backend.ts': [],
};
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
const roomOf = (file: string) => (file === 'backend.ts' ? file : dirname(file));

test('no file imports from a room above its own', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(source, file), 'utf8');
    for (const [, target] of text.matchAll(/(?:from|import) '(\.[^']*)'/g)) {
      const path = relative(source, join(source, dirname(file), target));
      const [from, to] = [roomOf(file), roomOf(path)];
      if (!path.startsWith('..') && from !== to && !allowed[from].includes(to)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every room is in the table', () => {
  expect(new Set(files.map(roomOf))).toEqual(new Set(Object.keys(allowed)));
});
