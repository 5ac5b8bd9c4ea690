// docs/from-tensorflow.md: each public name of TensorFlow 1.15 is here, under its name or another, or is not, for a reason.
// To write its lists anew: UPDATE_GOLDEN=1 npx vitest run tests/integration/tensorflow.test.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { evaluate } from '../evaluate.ts';
import { type Fate, fateOf, groups, idle, ours, theirs, written } from './tensorflow.ts';

const page = new URL('../../docs/from-tensorflow.md', import.meta.url);
const fates = new Map(theirs.map((name) => [name, fateOf(name)]));
const ofKind = <K extends Fate['kind']>(kind: K) =>
  [...fates].filter((entry): entry is [string, Extract<Fate, { kind: K }>] => entry[1].kind === kind);

test('each name of TensorFlow has a place, and nothing is said of names that it does not have', () => {
  expect(theirs.length).toBeGreaterThan(1100);
  expect(new Set(theirs).size).toBe(theirs.length);
  expect(ofKind('unknown').map(([name]) => name)).toEqual([]);
  expect(idle()).toEqual([]);
});

const list = (names: readonly string[]) => `${names.map((name) => `\`${name}\``).join(', ')}\n\n`;
const isAlias = (name: string) => /^tf\.(math|linalg|random)\./.test(name);

/** The names that are here, module by module. */
function hereList(): string {
  const modules = new Map<string, Set<string>>();
  for (const [, { name }] of ofKind('here')) {
    const module = name.slice(0, name.lastIndexOf('.'));
    modules.set(module, (modules.get(module) ?? new Set()).add(name));
  }
  return [...modules.values()].map((names) => list([...names].sort())).join('');
}
/** What no name of TensorFlow leads to: values, not types. */
function onlyHere(): string {
  const reached = new Set([...fates.values()].flatMap((fate) => ('name' in fate ? [fate.name] : [])));
  const valueOf = (name: string) => name.split('.').reduce<any>((module, part) => module?.[part], { tf });
  const names = [...ours].filter((name) => typeof valueOf(name) === 'function' && !reached.has(name));
  return list(names.sort());
}

const sections: Readonly<Record<string, () => string>> = {
  'Other names': () =>
    ofKind('renamed')
      .filter(([name]) => !isAlias(name) || name === 'tf.random.categorical')
      .map(([name, { name: here, note }]) => `| \`${name}\` | \`${here}\` | ${note} |\n`)
      .join(''),
  'Short forms': () =>
    ofKind('written')
      .filter(([name]) => name in written)
      .map(([name, { as }]) => `| \`${name}\` | \`${as}\` |\n`)
      .join(''),
  'Not here': () =>
    groups
      .map(([title, why]) => {
        const names = ofKind('absent').flatMap(([name, { group }]) => (group === title ? [name] : []));
        return names.length === 0 ? '' : `### ${title}\n\n${why}\n\n${list(names)}`;
      })
      .join(''),
  'Here, under its own name': hereList,
  'Only here': onlyHere,
};

test('docs/from-tensorflow.md has these lists', () => {
  const text = readFileSync(page, 'utf8');
  const wanted = text
    .split(/^(?=## )/m)
    .map((section) => {
      const title = /^## (.*)/.exec(section)?.[1] ?? '';
      if (!(title in sections)) return section;
      const rule = /^\|[-|]+\|\n/m.exec(section);
      const head = rule ? section.slice(0, rule.index + rule[0].length) : `## ${title}\n\n`;
      return `${head}${sections[title]().trimEnd()}\n\n`;
    })
    .join('');
  const whole = `${wanted.trimEnd()}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(page, whole);
  expect(readFileSync(page, 'utf8')).toBe(whole);
  for (const title of Object.keys(sections)) expect(whole).toContain(`## ${title}\n`);
});

/** Of the short forms, what is easily known otherwise: of x, a number. */
const known: Readonly<Partial<Record<string, (x: number, y: number) => number>>> = {
  'tf.cosh': Math.cosh,
  'tf.sinh': Math.sinh,
  'tf.tan': Math.tan,
  'tf.reciprocal': (x) => 1 / x,
  'tf.div_no_nan': (x, y) => (y === 0 ? 0 : x / y),
  'tf.is_nan': (x) => Number(Number.isNaN(x)),
  'tf.is_inf': (x) => Number(Math.abs(x) === Infinity),
  'tf.is_finite': (x) => Number(Number.isFinite(x)),
  'tf.log_sigmoid': (x) => -Math.log1p(Math.exp(-x)),
  'tf.math.xlogy': (x, y) => (x === 0 ? 0 : x * Math.log(y)),
  'tf.nn.relu6': (x) => Math.min(Math.max(x, 0), 6),
  'tf.nn.softsign': (x) => x / (1 + Math.abs(x)),
  'tf.nn.swish': (x) => x / (1 + Math.exp(-x)),
};

test.each(Object.entries(written))('%s is %s', (name, as) => {
  const [numbers, others] = [
    [0.5, -1.5, 2, 0, 1, 3, -0.25, 0.75, 0.125],
    [1, 0, 2, 3, 0, 0.5, 4, 5, 6],
  ];
  new Function('tf', 'check', `const [x, y, w, b, ids] = check.given(); check.found(${as});`)(tf, {
    given: () => [
      ...[numbers, others, others].map((data) => tf.constant(data, { dtype: 'float32', shape: [3, 3] })),
      tf.constant([1, 2, 3]),
      tf.constant([0, 2, 1], 'int32'),
    ],
    found: (result: tf.Tensor) => {
      const found = Array.from(evaluate(result).data as ArrayLike<number>);
      expect(found.length).toBeGreaterThan(0);
      const wanted = known[name];
      if (!wanted) return;
      for (const [i, x] of numbers.entries()) expect(found[i]).toBeCloseTo(wanted(x, others[i]), 4);
    },
  });
});
