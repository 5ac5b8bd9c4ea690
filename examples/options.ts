// What `npm run mnist` is given on the command line.
import { parseArgs } from 'node:util';

/** What each option takes, and what it means. */
const meanings = {
  model: ['softmax|cnn', 'which of the two models (default: both)'],
  steps: ['N', "training steps (default: the tutorial's, 1000 and 20000)"],
  batch: ['N', 'images in a step (default: 50)'],
  seed: ['N', 'start of the random numbers (default: 0)'],
  backend: ['NAME', 'auto, native, wasm or reference (default: auto)'],
  threads: ['N', 'threads that compute (default: all cores of the process)'],
  data: ['DIR', 'folder of the MNIST files (default: MNIST_data)'],
  checkpoint: ['DIR', 'folder of checkpoints: the training goes on from there'],
  help: ['', 'this text'],
} as const;
type Name = keyof typeof meanings;
const all = Object.keys(meanings) as Name[];

/** In a narrow terminal, what an option means stands below it. */
function usage({ columns }: NodeJS.WriteStream): string {
  const wide = !columns || columns >= 80;
  const lines = all.map((name) => {
    const [value, meaning] = meanings[name];
    const option = `  --${name} ${value}`;
    if (wide) return `${option.padEnd(24)}${meaning}\n`;
    const words = new RegExp(`(.{1,${Math.max(20, columns - 6)}})( |$)`, 'g');
    return `${option}\n${meaning.replace(words, '      $1\n')}`;
  });
  return `usage: npm run mnist -- [options]\n${lines.join('')}`;
}

/** Says what is wrong and ends with exit code 2. */
function refuse(message: string): never {
  process.stderr.write(`${message}\n${usage(process.stderr)}`);
  process.exit(2);
}

function parse(): Partial<Record<Name, string>> {
  const taken = all.find((name) => process.env[`npm_config_${name}`] !== undefined);
  if (taken) refuse(`npm took --${taken} for itself; write: npm run mnist -- --${taken} …`);
  try {
    const options = all.map((name) => [name, { type: name === 'help' ? 'boolean' : 'string' }] as const);
    return parseArgs({ options: Object.fromEntries(options) }).values as Partial<Record<Name, string>>;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function whole(name: Name, least: number): number | undefined {
  const text = given[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || text.trim() === '')
    refuse(`--${name} must be a whole number of at least ${least}, not ${text}`);
  return value;
}

const given = parse();
if (given.help) {
  process.stdout.write(usage(process.stdout));
  process.exit(0);
}
const backends = ['auto', 'native', 'wasm', 'reference'] as const;
const { backend, model } = given;
if (model !== undefined && model !== 'softmax' && model !== 'cnn')
  refuse(`--model must be softmax or cnn, not ${model}`);
if (backend !== undefined && !backends.some((name) => name === backend))
  refuse(`--backend must be one of ${backends.join(', ')}, not ${backend}`);

/** The options of this run. */
export const options = {
  model,
  backend: backend as (typeof backends)[number] | undefined,
  threads: whole('threads', 1),
  steps: whole('steps', 1),
  batch: whole('batch', 1) ?? 50,
  seed: whole('seed', 0) ?? 0,
  data: given.data ?? 'MNIST_data',
  checkpoint: given.checkpoint,
};
