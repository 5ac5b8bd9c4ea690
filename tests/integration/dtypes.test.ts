// docs/ops.md: which dtypes each op takes, on which backend. The rules of the ops say it, and every backend that can run here
// proves it: it computes them all, and what comes is what the reference says. To write the page anew:
// UPDATE_GOLDEN=1 npx vitest run tests/integration/dtypes.test.ts
// The suite runs a part of them, the smaller where a C compiler takes long; `npm run soak -- dtypes` runs all.
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { allExamples, type Built, build, dtypes, type Example, type Feeds } from './dtypes.ts';

const page = new URL('../../docs/ops.md', import.meta.url);
const examples = allExamples();
const all = process.env.MILLRACE_DTYPES === 'all';
/** One op of so many is run. */
const oneOf: Partial<Record<tf.BackendName, number>> = all ? {} : { wasm: 2, native: 12 };

/** Per dtype: each op, with the error of its rule where it does not take it. */
const rules = new Map<tf.DType, ReadonlyMap<string, Built>>();
beforeAll(() => {
  for (const dtype of dtypes) {
    const list = new tf.Graph().asDefault(() => [...examples].map(([op, example]) => build(op, example, dtype, [])));
    rules.set(dtype, new Map(list.map((built) => [built.op, built])));
  }
});
const takes = (op: string, dtype: tf.DType) => rules.get(dtype)?.get(op)?.error === undefined;

/** Runs these ops together: their numbers, by op. Random ones depend on the others of the run. */
async function run(backend: tf.BackendName, dtype: tf.DType, ops: readonly (readonly [string, Example])[]) {
  const graph = new tf.Graph();
  const feeds: Feeds = [];
  const built = graph.asDefault(() => ops.map(([op, example]) => build(op, example, dtype, feeds)));
  // Runs that change variables and runs that do not draw other random numbers: these all change some.
  const changes = graph.asDefault(() => {
    tf.variable(0, { trainable: false, collections: [tf.GraphKeys.LOCAL_VARIABLES] });
    return tf.assignAdd(tf.variable(0, { trainable: false }), 1);
  });
  const init = graph.asDefault(() => [tf.globalVariablesInitializer(), tf.localVariablesInitializer()]);
  const session = new tf.Session({ graph, backend, seed: 1 });
  try {
    for (const initializer of init) await session.run(initializer);
    const results = (await session.run(
      [changes, ...built.map((b) => b.fetches)] as never,
      feeds as never,
    )) as unknown as unknown[][];
    return new Map(built.map(({ op, fetches }, i) => [op, { fetches, results: results[i + 1].map(numbersOf) }]));
  } finally {
    await session.close();
  }
}
const numbersOf = (value: unknown): readonly number[] =>
  typeof value === 'object' ? Array.from((value as { data: ArrayLike<number> }).data) : [Number(value)];

const tolerances: Partial<Record<tf.DType, number>> = { float32: 2e-5, float64: 1e-11 };
/** Are these the numbers of the reference? */
const areClose = (found: readonly number[], wanted: readonly number[], dtype: tf.DType) =>
  found.length === wanted.length &&
  found.every((n, i) => {
    const scale = Math.max(1, Math.abs(wanted[i]));
    return Object.is(n, wanted[i]) || n === wanted[i] || Math.abs(n - wanted[i]) <= (tolerances[dtype] ?? 0) * scale;
  });

describe.each(dtypes)('%s', (dtype) => {
  const taking = () => [...examples].filter(([op]) => takes(op, dtype));
  test.each(backends.filter((name) => name !== 'reference'))('what the rules take, %s computes', async (backend) => {
    const ops = taking().filter((_, i) => i % (oneOf[backend] ?? 1) === 0);
    const found = await run(backend, dtype, ops);
    const reference = await run('reference', dtype, ops);
    const wrong = [...found].flatMap(([op, { fetches, results }]) =>
      results.flatMap((numbers, i) => {
        const wanted = reference.get(op)?.results[i] ?? [];
        return areClose(numbers, wanted, fetches[i].dtype) ? [] : [`${op}: ${numbers}, on reference ${wanted}`];
      }),
    );
    expect(wrong).toEqual([]);
    expect(found.size).toBe(ops.length);
  });
});

/** Why an op does not take a dtype: what stands in brackets in its error, or behind its semicolon. */
function reasonOf({ message }: Error): string {
  const text = message.split('\n')[0];
  return /\(([^()]*)\); use tf\.cast/.exec(text)?.[1] ?? text.slice(text.indexOf('; ') + 2).replace(/\.$/, '');
}

/** A row of the table. */
function rowOf(op: string): string {
  const cells = dtypes.map((dtype) => (takes(op, dtype) ? '✓' : ''));
  const reasons = dtypes.flatMap((dtype) => {
    const error = rules.get(dtype)?.get(op)?.error;
    return error ? [reasonOf(error)] : [];
  });
  const [name, argument] = op.split(': ');
  const shown = argument ? `\`${name}\`: ${argument}` : `\`${name}\``;
  return `| ${shown} | ${cells.join(' | ')} | ${[...new Set(reasons)].join('; ')} |\n`;
}

test('an error of the dtype names the function that was called', () => {
  // Another name for the same op.
  const renamed = ['multiply', 'subtract', 'divide'];
  const wrong = [...rules.values()].flatMap((ops) =>
    [...ops.values()].flatMap(({ op, error }) => {
      const name = op.split(': ')[0].split('.').at(-1) as string;
      return !error || renamed.includes(name) || error.message.startsWith(name) ? [] : [`${op}: ${error.message}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test('docs/ops.md is the table', () => {
  const text = readFileSync(page, 'utf8');
  const sections = text.split(/^(?=## )/m);
  const wanted = sections.map((section) => {
    const prefix = /^## (tf[.\w]*)$/m.exec(section)?.[1];
    if (!prefix) return section;
    const ops = [...examples.keys()].filter((op) => op.split(': ')[0].replace(/\.\w+$/, '') === prefix).sort();
    expect(ops.length).toBeGreaterThan(0);
    const rule = /^\|[-:|]+\|\n/m.exec(section) as RegExpExecArray;
    return `${section.slice(0, rule.index + rule[0].length)}${ops.map(rowOf).join('')}\n`;
  });
  const whole = `${wanted.join('').trimEnd()}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(page, whole);
  expect(readFileSync(page, 'utf8')).toBe(whole);
  // Each op has a row.
  expect(whole.match(/^\| `/gm)?.length).toBe(examples.size);
});
