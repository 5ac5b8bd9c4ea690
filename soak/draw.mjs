// A draw among mutants, which needs no list of them: each has a number by seed, and the lowest are taken.
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where a mutant is, and what it puts there. */
export function describe({ fileName, location: { start, end }, replacement }) {
  const place = `${start.line + 1}:${start.column}-${end.line + 1}:${end.column}`;
  return { file: relative(root, fileName), place, line: start.line + 1, replacement };
}

/** The number of a mutant. */
export function numberOf(seed, mutant) {
  const { file, place, replacement } = describe(mutant);
  return createHash('sha256')
    .update(JSON.stringify([seed, file, place, replacement]))
    .digest('hex');
}
