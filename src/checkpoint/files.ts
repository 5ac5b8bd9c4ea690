// The half of checkpoints that reads and writes files, loaded when it is used.
import { dtypeFor, elementsFrom } from './elements.ts';
import { CheckpointReader, ours } from './reader.ts';
import { dataOffset, parseHeader, prefixBytes } from './safetensors.ts';
import type { Source } from './source.ts';

export { writeDurably } from './durable.ts';
export { checkpointFile, fileNamed, latestIn, settle } from './folder.ts';
export { bytesSource, openFile } from './source.ts';
export { checkpointOf, resume } from './state.ts';
export { elementsFrom };

/** Reads the header of a file, which stays open. */
export async function readerOf(source: Source): Promise<CheckpointReader> {
  const { name, size } = source;
  try {
    const begin = dataOffset(await source.read(0, Math.min(size, prefixBytes)), size, name);
    const header = parseHeader(await source.read(0, begin), size, name);
    const variables = header.tensors.map(({ name, type, shape }) => ({ name, dtype: dtypeFor(type), shape }));
    return new CheckpointReader(ours, source, header, variables);
  } catch (error) {
    await source.close();
    throw error;
  }
}
