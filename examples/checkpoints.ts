// `npm run mnist -- --checkpoint DIR`: a training goes on from what is in the folder, and leaves there where it is.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from 'millrace';
import type { DataSet } from 'millrace/mnist';
import { options } from './options.ts';
import { status, wasInterrupted } from './run.ts';

/** Steps between two checkpoints. */
const every = 500;

/**
 * Restores the newest checkpoint of a model, if there is one: `from` is the step at which it goes on. `save` is called
 * after each step, and once with `end` after the last. Without --checkpoint both do nothing.
 */
export async function checkpoints(model: string, sess: tf.Session, data: DataSet) {
  if (options.checkpoint === undefined) return { from: 0, save: async () => {} };
  const folder = join(options.checkpoint, model);
  mkdirSync(folder, { recursive: true });
  const saver = new tf.train.Saver();
  const latest = await tf.train.latestCheckpoint(folder);
  const { step: from = 0 } = latest ? await saver.restore(sess, latest, { data }) : {};
  if (latest) console.log(`going on after step ${from}, from ${latest}`);
  let saved = latest && from;
  const save = async (step: number, end = false): Promise<void> => {
    if (step === saved || !(end || step % every === 0)) return;
    if (end) status('saving');
    const path = await saver.save(sess, join(folder, 'model'), { globalStep: step, data });
    saved = step;
    if (end) status();
    if (wasInterrupted()) console.log(`saved ${path}; the same command goes on from there`);
  };
  return { from, save };
}
