// Random programs over variables: after each run every variable and every fetch is the same on both backends.
import fc from 'fast-check';
import { test } from 'vitest';
import * as tf from '../../src/index.ts';
import { buildUpdates, updateRecipes } from './random-updates.ts';

test('updates and reads in random order agree on both backends', async () => {
  await fc.assert(
    fc.asyncProperty(updateRecipes, async (recipe) => {
      const { graph, variables, values, init } = buildUpdates(recipe);
      const sessions = (['reference', 'wasm'] as const).map((backend) => new tf.Session({ graph, backend }));
      const seen: number[][][] = [];
      for (const session of sessions) {
        await session.run(init);
        const all: number[][] = [];
        for (const wanted of recipe.runs) {
          const fetched = (await session.run(wanted.map((n) => values[n % values.length]))) as any[];
          const state = (await session.run(variables)) as any[];
          all.push(...[...fetched, ...state].map((v) => Array.from(v.data as Float32Array)));
        }
        seen.push(all);
        await session.close();
      }
      const [reference, wasm] = seen;
      for (const [k, row] of reference.entries()) {
        // What cancels leaves the rounding of what it was made of.
        const scale = Math.max(1e-2, ...row.map(Math.abs));
        for (const [i, v] of row.entries()) {
          const found = wasm[k][i];
          if (!(Math.abs(found - v) <= 1e-4 * scale))
            throw new Error(`value ${k}, element ${i}: ${found}, expected ${v}`);
        }
      }
    }),
    { numRuns: 400 },
  );
});
