// The program's text: the functions that run, from their own files; and which of their lines a run needs.
import type { Run } from './messages.ts';
import { type ModelName, models } from './models/catalog.ts';
import runsFile from './models/runs.ts?raw';

/** What a run fetches, by the names of the listing. */
const fetched: Record<Run, readonly string[]> = {
  train: ['trainStep', 'crossEntropy', 'accuracy'],
  evaluate: ['accuracy', 'y', 'yConv'],
  predict: ['y', 'yConv'],
};

/** The body of the function that builds a model, up to what the page alone needs; then the helpers, and the runs. */
export function listingOf(model: ModelName): string[] {
  const lines = models[model].file.trimEnd().split('\n');
  const begin = lines.findIndex((line) => line.startsWith('export function'));
  const end = lines.indexOf('}');
  const page = lines.findIndex((line) => line.startsWith('  const layers'));
  const body = lines.slice(begin + 1, page).map((line) => line.replace(/^ {2}/, ''));
  const helpers = lines.slice(end + 2);
  const runs = runsFile.trimEnd().split('\n');
  const first = runs.findIndex((line) => line.startsWith('/**'));
  return [...(helpers.length > 0 ? [...helpers, ''] : []), ...body, ...runs.slice(first)];
}

/** A declaration and its lines: what it names, and all names in it. */
interface Declaration {
  readonly name: string;
  readonly lines: readonly number[];
  readonly uses: ReadonlySet<string>;
}

function declarationsOf(lines: readonly string[]): Declaration[] {
  const found: { name: string; lines: number[]; uses: Set<string> }[] = [];
  for (const [i, line] of lines.entries()) {
    const name = /^(?:export )?const (\w+)/.exec(line)?.[1];
    if (name) found.push({ name, lines: [], uses: new Set() });
    // An empty line or a comment ends a declaration.
    const last = line.trim() === '' || line.startsWith('/') ? undefined : found.at(-1);
    if (!last) continue;
    last.lines.push(i);
    // Properties are no names of their own, what is spread is.
    for (const [word] of line.matchAll(/(?<![\w']|(?<!\.\.)\.)[a-zA-Z_]\w*/g)) last.uses.add(word);
  }
  return found;
}

/** The lines that a run needs: those of what it fetches, of what that is made of, and of the run itself. */
export function linesOf(lines: readonly string[], run: Run): ReadonlySet<number> {
  const declarations = declarationsOf(lines);
  const lit = new Set<number>();
  const seen = new Set<string>();
  const waiting: string[] = [...fetched[run], run];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const { lines, uses } of declarations.filter((d) => d.name === name)) {
      for (const line of lines) lit.add(line);
      waiting.push(...uses);
    }
  }
  return lit;
}
