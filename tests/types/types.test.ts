// The types as users meet them: through the published declarations, under both current TypeScript compilers.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const base = JSON.parse(readFileSync(`${here}tsconfig.json`, 'utf8'));
const projects = { mistakes: ['mistakes.ts'], tutorial: ['mnist.ts'], layers: ['layers.ts'] };

beforeAll(() => {
  for (const [name, files] of Object.entries(projects)) {
    const config = { compilerOptions: { ...base.compilerOptions, skipLibCheck: true }, files };
    writeFileSync(`${here}tsconfig.${name}.tmp.json`, JSON.stringify(config));
  }
});
afterAll(() => {
  for (const name of Object.keys(projects)) rmSync(`${here}tsconfig.${name}.tmp.json`, { force: true });
});

const compile = (compiler: string, project: string, ...options: string[]) =>
  spawnSync(
    process.execPath,
    [`${root}node_modules/${compiler}/bin/tsc`, '-p', `${here}${project}`, '--pretty', 'false', ...options],
    {
      encoding: 'utf8',
    },
  ).stdout;

describe.each(['typescript', 'ts59'])('%s', (compiler) => {
  test('declarations, the tutorial and correct programs check with skipLibCheck off and lib es2022', () => {
    expect(compile(compiler, 'tsconfig.json')).toBe('');
  });

  test('every mistake is refused with its text, and nothing else is', () => {
    const errors = new Map<number, string>();
    let at = 0;
    for (const line of compile(compiler, 'tsconfig.mistakes.tmp.json').split('\n')) {
      const start = /mistakes\.ts\((\d+),\d+\): error/.exec(line);
      if (start) at = Number(start[1]);
      if (at > 0) errors.set(at, `${errors.get(at) ?? ''}${line}\n`);
    }
    const problems: string[] = [];
    readFileSync(`${here}mistakes.ts`, 'utf8')
      .split('\n')
      .forEach((line, i) => {
        const wanted = /^\s*\/\/! (.*)$/.exec(line)?.[1];
        if (wanted === undefined) return;
        const found = errors.get(i + 2);
        if (!found?.includes(wanted)) problems.push(`line ${i + 2}: expected "${wanted}", got ${found ?? 'no error'}`);
        errors.delete(i + 2);
      });
    for (const [line, text] of errors) problems.push(`unexpected error on line ${line}: ${text}`);
    expect(problems).toEqual([]);
  });

  // What types cost grows with the programs, not faster: each call gives a shape, digit by digit.
  test.each(['tutorial', 'layers'] as const)(
    'the program %s takes at most 600 type instantiations a call',
    (project) => {
      const [file] = projects[project];
      const calls = readFileSync(`${here}${file}`, 'utf8').match(/\btf\.[\w.]+\(/g)?.length;
      const count = /Instantiations:\s+(\d+)/.exec(
        compile(compiler, `tsconfig.${project}.tmp.json`, '--extendedDiagnostics'),
      )?.[1];
      expect(Number(count)).toBeGreaterThan(1000);
      expect(Number(count)).toBeLessThan(600 * Number(calls));
    },
  );
});
