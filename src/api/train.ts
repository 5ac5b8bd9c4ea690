// tf.train: optimizers, and checkpoints, which need a session.

export {
  CheckpointReader,
  type CheckpointVariable,
  latestCheckpoint,
  listVariables,
  loadCheckpoint,
} from '../checkpoint/reader.ts';
export { type RestoreOptions, type SaveOptions, Saver, type SaverOptions } from '../checkpoint/saver.ts';
export type { Restored, Resumable } from '../checkpoint/state.ts';
export * from '../train/index.ts';
