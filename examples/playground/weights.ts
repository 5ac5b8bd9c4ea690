// Weights of files in which the variables have other names than here: those of `npm run mnist`, which trains two models
// in one graph, count on. What is alike is the order of the shapes.

/** Shapes by names, in the order in which the variables were made. */
type Shapes = ReadonlyMap<string, readonly number[]>;

/** The shapes in a safetensors file. @throws Error for what is none. */
export function shapesIn(bytes: Uint8Array): Shapes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : 0;
  if (length === 0 || length > bytes.length - 8) throw new Error('This is no safetensors file.');
  let header: Record<string, { shape: number[] }>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw new Error('This is no safetensors file: its header cannot be read.');
  }
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return new Map(names.map((name) => [name, header[name].shape]));
}

/** Names of what an optimizer keeps: of a variable, whose name is a part of them, or one number, such as beta1_power. */
const slotsOf = (shapes: Shapes) => [...shapes.keys()].filter((name) => isSlot(name, shapes));
const weightsOf = (shapes: Shapes) => [...shapes.keys()].filter((name) => !isSlot(name, shapes));
const isSlot = (name: string, shapes: Shapes) => name.includes('/') || shapes.get(name)?.length === 0;

/**
 * The names that variables have in a file: those that follow one another there with the shapes that they have here, and
 * the slots of optimizers. Undefined where the file has no such variables.
 */
export function namesIn(file: Shapes, own: Shapes): ReadonlyMap<string, string> | undefined {
  const theirs = weightsOf(file);
  const ours = weightsOf(own);
  const alike = (at: number) => ours.every((name, i) => same(own.get(name), file.get(theirs[at + i])));
  const begin = theirs.findIndex((_, at) => alike(at));
  if (begin < 0) return undefined;
  const names = new Map(ours.map((name, i) => [name, theirs[begin + i]]));
  for (const name of slotsOf(own)) {
    const theirSlot = name
      .split('/')
      .map((part) => names.get(part) ?? part)
      .join('/');
    if (same(own.get(name), file.get(theirSlot))) names.set(name, theirSlot);
  }
  return names;
}

const same = (a: readonly number[] | undefined, b: readonly number[] | undefined): boolean =>
  a !== undefined && b !== undefined && String(a) === String(b);
