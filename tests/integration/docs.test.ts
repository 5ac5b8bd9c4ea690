// Every listing of the README and of docs/ runs: the ones of a page, in order, are one program, or each is a file. Loops are cut short.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesOf, listingsOf } from './listings.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
];
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-docs-'));
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(root, join(dir, 'node_modules/millrace'), 'junction');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const listings = listingsOf(text);

  // Pages about the inside have no listings: followed.test.ts makes the texts of one of them. Those of another are several
  // programs, with which training.test.ts walks.
  if (listings.length > 0 && filesOf(text).size < 2)
    test('its listings type-check and run', async () => {
      const name = page.replace(/\W/g, '_');
      const source = listings.join('\n').replaceAll('20000', '20').replaceAll('mnist.test.', 'mnist.validation.');
      writeFileSync(join(dir, `${name}.mts`), source);
      const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'es2022' });
      writeFileSync(join(dir, `${name}.mjs`), code);
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022'];
      const types = spawnSync(
        process.execPath,
        [tsc, ...options, '--types', join(root, 'node_modules/@types/node'), `${name}.mts`],
        { cwd: dir, encoding: 'utf8' },
      );
      expect(types.stdout).toBe('');
      const { status, stderr, stdout } = spawnSync(process.execPath, [`${name}.mjs`], {
        cwd: dir,
        encoding: 'utf8',
        timeout: 180_000,
      });
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/0\.9\d/);
    });

  test('its links lead to files that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((m) => join(root, page, '..', m[1]));
    for (const link of links) expect(() => readFileSync(link)).not.toThrow();
  });
});
