// MNIST from the page's own files. What has come once stays in the browser's cache, also for when there is no network.
import { type DataSets, dataSetsFromFiles } from 'millrace/mnist';

const cacheName = 'millrace-mnist';
const files = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};

/** The four files from `data/`, beside the page; `seed` orders the batches. Tells how many bytes have come. */
export async function loadMnist(seed: number, came: (bytes: number) => void): Promise<DataSets<true, true>> {
  let total = 0;
  const load = async (name: string): Promise<Uint8Array> => unpacked(await cached(name, (n) => came((total += n))));
  return dataSetsFromFiles(
    {
      testImages: await load(files.testImages),
      testLabels: await load(files.testLabels),
      trainLabels: await load(files.trainLabels),
      trainImages: await load(files.trainImages),
    },
    { oneHot: true, seed },
  );
}

async function cached(name: string, came: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`data/${name}.gz`, location.href).href;
  // There is none where the page has no secure origin, and it may be full: then the file is fetched each time.
  const cache = await globalThis.caches?.open(cacheName).catch(() => undefined);
  const kept = await cache?.match(url);
  const failed = (why: string) => new Error(`The images could not be loaded: ${url} ${why}.`);
  const response = kept ?? (await fetch(url).catch(() => undefined));
  if (!response) throw failed('cannot be reached');
  if (!response.ok) throw failed(`answered ${response.status}`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  // Not every browser can iterate over a stream.
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    came(part.value.length);
  }
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (!kept) await cache?.put(url, new Response(bytes)).catch(() => undefined);
  return bytes;
}

/** Some hosts unpack what ends in .gz on its way. */
async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!packed) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
