// The table of signatures is the one of docs/arguments.md and of tests/types/positional.ts. To write it anew:
// UPDATE_GOLDEN=1 npx vitest run tests/integration/arguments.test.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import '../../src/data/mnist.ts';
import '../../src/index.ts';
import { signatures } from '../../src/tensor/signature.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** Those of which more than the name may stand in its place. */
const positional = [...signatures.values()]
  .filter((s) => s.call.includes('tf.') && s.positional.some((name) => name !== 'name'))
  .sort((a, b) => (a.call < b.call ? -1 : 1));

test('docs/arguments.md shows each function that takes an order of TensorFlow', () => {
  const rows = positional.map((s) => {
    const [options, places] = s.forms.split(' or ');
    return `| \`${places}\` | \`${options}\` |\n`;
  });
  const text = read('docs/arguments.md');
  const wanted = text.slice(0, text.indexOf('|---|---|\n') + 10) + rows.join('');
  if (process.env.UPDATE_GOLDEN) writeFileSync(new URL('../../docs/arguments.md', import.meta.url), wanted);
  expect(rows.length).toBeGreaterThan(25);
  expect(read('docs/arguments.md')).toBe(wanted);
});

test('tests/types/positional.ts calls each of them, with an option in its place', () => {
  const text = read('tests/types/positional.ts');
  // tf.randomNormal([2, 3], 0: what follows the required arguments is no object.
  const missing = positional.filter((s) => !text.includes(`${s.call}(`)).map((s) => s.call);
  expect(missing).toEqual([]);
});

test('the name is an option of every op', () => {
  const none = [...signatures.values()]
    .filter((s) => /^tf\.(nn\.)?\w+$/.test(s.call) && !('name' in s.optional))
    .map((s) => s.op)
    .sort();
  // What makes no operation, or many.
  expect(none).toEqual(
    [
      ...['addToCollection', 'addToCollections', 'array', 'controlDependencies', 'getCollection', 'getDefaultGraph'],
      ...['getVariable', 'getVariableScope', 'globalVariables', 'localVariables', 'nameScope', 'resetDefaultGraph'],
      ...['setRandomSeed', 'trainableVariables', 'variableScope'],
    ].sort(),
  );
});
