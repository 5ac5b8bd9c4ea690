// The folders are the layers: imports point down the list of ARCHITECTURE.md, never up; inside some, too. Each pass and each
// kind of kernel has a test of its name.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../src', import.meta.url));
/** Layer → the layers from which it may import besides itself. */
const allowed: Record<string, readonly string[]> = {
  '.': [
    'api',
    'autodiff',
    'backends',
    'checkpoint',
    'graph',
    'layers',
    'losses',
    'metrics',
    'ops',
    'session',
    'tensor',
    'train',
    'variables',
    'base',
  ],
  checkpoint: ['session', 'graph', 'tensor', 'base'],
  api: ['checkpoint', 'train', 'session', 'ops', 'graph', 'tensor', 'base'],
  session: ['compiler', 'backends', 'graph', 'tensor', 'base'],
  train: ['autodiff', 'ops', 'graph', 'tensor', 'base'],
  layers: ['variables', 'ops', 'graph', 'tensor', 'base'],
  metrics: ['ops', 'graph', 'tensor', 'base'],
  losses: ['ops', 'graph', 'tensor', 'base'],
  variables: ['ops', 'graph', 'tensor', 'base'],
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

/** What a file imports, as it is written there. */
const importsOf = (file: string): string[] =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?:from|import) '(\.[^']*)'/g)].map(([, target]) => target);

test('no file imports from a layer above its own', () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const target of importsOf(file)) {
      const to = layerOf(relative(source, join(source, dirname(file), target)));
      const from = layerOf(file);
      if (from !== to && !allowed[from].includes(to)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** Inside a layer: room → the rooms of it from which it may import besides itself; '.' are the files beside the rooms. */
const rooms: Record<string, Readonly<Record<string, readonly string[]>>> = {
  compiler: { '.': ['graph', 'tasks', 'program'], graph: [], tasks: [], program: ['tasks'] },
  kernels: {
    '.': [],
    body: ['.'],
    cpu: ['.', 'body'],
    'cpu/tile': ['.', 'body'],
    'cpu/reduce': ['.', 'body'],
    'cpu/contract': ['.', 'body', 'cpu/tile', 'cpu/reduce'],
    'cpu/zeros': ['.', 'body', 'cpu/tile', 'cpu/contract'],
    'cpu/winograd': ['.', 'body', 'cpu/tile'],
  },
  loops: { '.': [], check: ['.'], passes: ['.', 'check'] },
};
test.each(Object.keys(rooms))('inside %s, no file imports from a room above its own', (layer) => {
  const folder = join(source, layer);
  const inside = files.filter((f) => layerOf(f) === layer).map((f) => relative(layer, f));
  const wrong: string[] = [];
  for (const file of inside) {
    for (const target of importsOf(join(layer, file))) {
      const path = relative(folder, join(folder, dirname(file), target));
      const [from, to] = [dirname(file), dirname(path)];
      if (path.startsWith('..') || from === to || rooms[layer][from]?.includes(to)) continue;
      wrong.push(`${layer}/${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(new Set(inside.map(dirname))).toEqual(new Set(Object.keys(rooms[layer])));
});

test('the compiler has two doors: compile.ts and explain.ts', () => {
  const doors = ['compiler/compile.ts', 'compiler/explain.ts'];
  const wrong = files
    .filter((f) => layerOf(f) !== 'compiler')
    .flatMap((f) => importsOf(f).map((target) => [f, relative(source, join(source, dirname(f), target))] as const))
    .filter(([, target]) => layerOf(target) === 'compiler' && !doors.includes(target));
  expect(wrong).toEqual([]);
});

describe('tests that one can find', () => {
  const tests = fileURLToPath(new URL('.', import.meta.url));
  const missing = (names: readonly string[]) => names.filter((name) => !existsSync(join(tests, `${name}.test.ts`)));
  const pipeline = readFileSync(join(source, 'compiler/compile.ts'), 'utf8');
  /** The files of a folder, without what holds types only. */
  const named = (folder: string) =>
    files
      .filter((f) => dirname(f) === folder && f !== 'compiler/graph/request.ts')
      .map((f) => f.slice(0, -'.ts'.length));
  const passes = ['compiler/graph', 'compiler/tasks', 'compiler/program', 'loops/passes'].flatMap(named);

  test('each pass is named in compile.ts, and has a test of its name', () => {
    expect(passes.length).toBeGreaterThan(15);
    expect(missing(passes)).toEqual([]);
    // As `name:` at the beginning of a comment, or where the pass that calls it is described.
    const told = pipeline.slice(pipeline.indexOf('export function* compiling'));
    const comments = [...told.matchAll(/^ *\/\/ (.*)$/gm)].map(([, text]) => text).join(' ');
    expect(passes.filter((pass) => !new RegExp(`\\b${basename(pass)}\\b`).test(comments))).toEqual([]);
  });

  test('each kind of kernel in select.ts has a test of its name', () => {
    const kinds = importsOf('compiler/program/select.ts')
      .map((target) => relative(source, join(source, 'compiler/program', target)).slice(0, -'.ts'.length))
      .filter((path) => path.startsWith('kernels/cpu/'));
    expect(kinds.length).toBeGreaterThan(6);
    expect(missing(kinds)).toEqual([]);
  });

  test('the search for races has one', () => {
    expect(missing(['loops/check/races'])).toEqual([]);
  });
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
  const long = files.filter((f) => readFileSync(join(source, f), 'utf8').split('\n').length > 420);
  expect(long).toEqual([]);
});
