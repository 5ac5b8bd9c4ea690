// docs/followed.md shows what each stage of the compiler makes of a product with relu: here it is made again.
// To write the texts anew: UPDATE_GOLDEN=1 npx vitest run tests/integration/followed.test.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { emitProgram } from '../../src/backends/native/emit/emit.ts';
import { machineFor } from '../../src/backends/native/toolchain/machine.ts';
import { explain } from '../../src/compiler/explain.ts';
import * as tf from '../../src/index.ts';
import { printKernel } from '../../src/loops/check/print.ts';
import { printLowered, printTask } from '../../src/primitives/print.ts';
import { compile } from '../compiler/compile.ts';

const page = fileURLToPath(new URL('../../docs/followed.md', import.meta.url));

/** A text for each stage. */
function followed(): Record<string, string> {
  const graph = new tf.Graph();
  const { x, y } = graph.asDefault(() => {
    const x = tf.placeholder('float32', [null, 64], { name: 'x' });
    const W = tf.variable(tf.zeros([64, 8]), { name: 'W' });
    const b = tf.variable(tf.zeros([8]), { name: 'b' });
    return { x, y: tf.nn.relu(tf.matmul(x, W).add(b)) };
  });
  const machine = { ...machineFor(new Set(['__AVX2__', '__FMA__']), 'avx2'), cache: [2 ** 15, 2 ** 20] as const };
  const { lowered, tasks, program } = compile({ fetches: [y], feeds: [[x, [4, 64]]] }, machine);
  const { source } = emitProgram(program, { machine, profile: false });
  const explained = explain({ lowered, plan: program, inline: true, measured: undefined });
  const between = (text: string, from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
  return {
    operations: graph.operations
      .map((o) => `${o.name}: ${o.type}(${o.inputs.map((t) => t.name).join(', ')})`)
      .join('\n'),
    primitives: printLowered(lowered),
    tasks: tasks.map(printTask).join('\n'),
    offers: between(explained, '  offers', 'arena').replace(/^ {2}/gm, ''),
    kernel: program.kernels.map(printKernel).join('\n'),
    memory: explained.slice(explained.indexOf('arena')),
    c: between(source, 'static KERNEL', 'static STEPS'),
  };
}

test('docs/followed.md shows the texts that the stages make', () => {
  const texts = followed();
  const before = readFileSync(page, 'utf8');
  const seen: string[] = [];
  const after = before.replace(/<!-- (\w+) -->\n```\n[\s\S]*?```/g, (_, stage: string) => {
    seen.push(stage);
    return `<!-- ${stage} -->\n\`\`\`\n${texts[stage].trimEnd()}\n\`\`\``;
  });
  expect(seen).toEqual(Object.keys(texts));
  if (process.env.UPDATE_GOLDEN) writeFileSync(page, after);
  else expect(before).toBe(after);
});
