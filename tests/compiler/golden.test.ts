// The compiled programs of both tutorial models as text, so that a change of the compiler shows in a diff what it did to
// the kernels. To write them anew: UPDATE_GOLDEN=1 npx vitest run tests/compiler/golden.test.ts
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import type { Plan, PlannedTask } from '../../src/compiler/compile.ts';
import type { Tensor } from '../../src/index.ts';
import { type Buffer, isParallel, type Kernel, type Statement } from '../../src/loops/ir.ts';
import { printTask } from '../../src/primitives/print.ts';
import { deepModel, type Model, softmaxModel } from '../models.ts';
import { compile } from './compile.ts';

const folder = fileURLToPath(new URL('../golden/', import.meta.url));

/** How loops lie in each other: `channel 32 { i 5, j 5 }`, with what is done innermost left out. */
function loops(statements: readonly Statement[]): string {
  const inner = statements.flatMap((s): string[] => {
    if (s.kind === 'if') return [loops(s.body)];
    if (s.kind !== 'loop') return [];
    const { name, extent, step } = s.variable;
    const head = `${s.loop === 'serial' ? '' : `${s.loop} `}${name} ${extent}${step === 1 ? '' : `/${step}`}`;
    const body = loops(s.body);
    return [body ? `${head} { ${body} }` : head];
  });
  // Equal neighbours, as unrolled code has many, are counted.
  const texts = inner.filter((t) => t !== '');
  const parts: string[] = [];
  let count = 0;
  for (const [i, text] of texts.entries()) {
    count++;
    if (texts[i + 1] === text) continue;
    parts.push(count > 1 ? `${count} × (${text})` : text);
    count = 0;
  }
  return parts.join('; ');
}

const printBuffer = ({ name, dtype, length }: Buffer) => `${name} ${dtype}[${length}]`;
const printKernel = (k: Kernel) => {
  const shape = loops(k.body);
  const text = `${k.name}${k.body.some(isParallel) ? '' : ', one thread'}, ${k.flops} flops, ${k.bytes} bytes`;
  return `  kernel ${text}\n    ${shape || 'no loops'}`;
};

/** Numbers of nodes depend on how many were made before in this process: they become those of their first mention. */
function renumbered(text: string): string {
  const numbers = new Map<string, number>();
  return text.replace(
    /(%id|\b(?:feed|read|map|reduce|argReduce|contract|pad|concat|gather|scatter|counter|constant))(\d+)\b(?=[[: ,]|$)/gm,
    (_, kind, id) => {
      if (!numbers.has(id)) numbers.set(id, numbers.size);
      return `${kind}${numbers.get(id)}`;
    },
  );
}

function print(p: Plan): string {
  const printPlanned = ({ task, offers, kernels: [from, to] }: PlannedTask, i: number) =>
    [`task ${i}: ${printTask(task)}`, `  taken: ${offers[0].name}`, ...p.kernels.slice(from, to).map(printKernel)].join(
      '\n',
    );
  const repeats = p.repeats.map((r) => `kernels ${r.first} to ${r.end - 1} for each ${r.block} of ${r.items} items`);
  const places = [...p.places].map(([b, place]) => {
    const where = 'offset' in place ? `${place.kind} + ${place.offset}` : place.kind;
    return `${printBuffer(b)}: ${where}`;
  });
  const head = `arena ${p.arenaBytes} bytes, each thread ${p.threadBytes} bytes, ${p.kernels.length} kernels`;
  return renumbered(`${[head, ...repeats, '', ...p.tasks.map(printPlanned), '', ...places].join('\n')}\n`);
}

type Fed = readonly (readonly [Tensor<any, any>, ArrayLike<number> | number])[];
function programOf(model: Model, size: number, what: 'step' | 'accuracy', fused: boolean): Plan {
  const feeds = (model.batch(size) as Fed).map(
    ([tensor, value]) => [tensor, typeof value === 'number' ? [] : [size, value.length / size]] as const,
  );
  const wanted = what === 'step' ? { targets: [model.step] } : { fetches: [model.accuracy] };
  return compile({ ...wanted, feeds }, machineFor(fused)).program;
}

test.each<[string, () => Model, number, 'step' | 'accuracy']>([
  ['softmax-step-50', softmaxModel, 50, 'step'],
  ['softmax-accuracy-100', softmaxModel, 100, 'accuracy'],
  ['deep-step-50', deepModel, 50, 'step'],
  ['deep-accuracy-100', deepModel, 100, 'accuracy'],
])('%s: the compiled program is that of tests/golden', (name, build, size, what) => {
  const text = print(programOf(build(), size, what, true));
  // It depends on nothing but the model: the text of a second compilation, with other nodes before it, is the same.
  expect(print(programOf(build(), size, what, true))).toBe(text);
  const file = `${folder}${name}.txt`;
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  if (!existsSync(file)) {
    throw new Error(`${file} is missing: write it with UPDATE_GOLDEN=1 npx vitest run tests/compiler/golden.test.ts`);
  }
  // If this is a change that was meant, write the files anew (see above) and look at the diff.
  expect(text).toBe(readFileSync(file, 'utf8'));
});
