// The archives of NumPy's .npz: files that are stored or deflated. No encryption, no parts, no 4 GiB.
//
// Reference: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
import { DataError } from '../base/errors.ts';

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 };
/** A field of 32 bits that says: the number stands elsewhere, in 64. */
const elsewhere = 0xffffffff;
const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** A file in an archive. */
interface Member {
  readonly name: string;
  readonly deflated: boolean;
  readonly crc: number;
  /** Bytes in the archive, and unpacked. */
  readonly packedSize: number;
  readonly size: number;
  /** Where its own header is. */
  readonly offset: number;
}

/** What is wrong with an archive, and at which byte. */
type Fail = (at: number, what: string) => DataError;

/**
 * The files of an archive, by name. None is unpacked beyond the size that the directory gives, and all of them together
 * not beyond `mostBytes`.
 *
 * @throws DataError that names file and byte.
 */
export async function unzip(bytes: Uint8Array, file: string, mostBytes = 2 ** 31): Promise<Map<string, Uint8Array>> {
  const fail: Fail = (at, what) => new DataError(`${file} is not a whole .npz file: at byte ${at}, ${what}.`);
  const members = readDirectory(bytes, fail);
  const total = members.reduce((sum, { size }) => sum + size, 0);
  if (total > mostBytes) throw fail(0, `${total} bytes are announced unpacked; there may be ${mostBytes}`);
  const files = new Map<string, Uint8Array>();
  for (const member of members) {
    if (files.has(member.name)) throw fail(member.offset, `${member.name} is there for the second time`);
    files.set(member.name, await unpack(bytes, member, fail));
  }
  return files;
}

function readDirectory(bytes: Uint8Array, fail: Fail): Member[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A comment of 64 KiB may follow the end record.
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 22 - 2 ** 16 && view.getUint32(end, true) !== signatures.end) end--;
  if (end < 0 || view.getUint32(end, true) !== signatures.end)
    throw fail(bytes.length, 'the record of its end is missing');
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === elsewhere) throw fail(end, 'it is a Zip64 archive, which cannot be read');
  const members: Member[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== signatures.central)
      throw fail(at, `entry ${i} of its directory is missing`);
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    if (flags & 1) throw fail(at + 8, 'a file is encrypted');
    if (method !== 0 && method !== 8)
      throw fail(at + 10, `a file is packed by method ${method}; 0 and 8 (deflate) can be read`);
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const [packedSize, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
    const offset = view.getUint32(at + 42, true);
    if ([packedSize, size, offset].includes(elsewhere))
      throw fail(at, 'a file has 4 GiB or more, which cannot be read');
    members.push({
      name: utf8.decoder.decode(bytes.subarray(at + 46, Math.min(nameEnd, end))),
      deflated: method === 8,
      crc: view.getUint32(at + 16, true),
      packedSize,
      size,
      offset,
    });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return members;
}

async function unpack(bytes: Uint8Array, member: Member, fail: Fail): Promise<Uint8Array> {
  const { name, offset, packedSize, size } = member;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== signatures.local)
    throw fail(offset, `${name} has no header there`);
  const begin = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (begin + packedSize > bytes.length)
    throw fail(begin, `${name} has ${packedSize} bytes, but ${bytes.length - begin} follow`);
  const packed = bytes.subarray(begin, begin + packedSize);
  const data = member.deflated ? await inflate(packed, size).catch(() => undefined) : packed;
  if (data?.length !== size) throw fail(begin, `${name} does not unpack to the ${size} bytes that the directory tells`);
  if (crc32(data) !== member.crc) throw fail(begin, `${name} is damaged: its checksum is another one`);
  return data;
}

/** At most `size` bytes and a block are unpacked. */
async function inflate(packed: Uint8Array, size: number): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  const out = new Uint8Array(size);
  let at = 0;
  for await (const block of stream as unknown as AsyncIterable<Uint8Array>) {
    if (at + block.length > size) throw new RangeError('more than announced');
    out.set(block, at);
    at += block.length;
  }
  return out.subarray(0, at);
}

/** An archive in which files are stored as they are, as numpy.savez does it. */
export function zip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const names = [...files.keys()].map((name) => utf8.encoder.encode(name));
  const bodies = [...files.values()];
  const size = bodies.reduce((sum, body, i) => sum + 30 + 46 + 2 * names[i].length + body.length, 22);
  if (size >= elsewhere || bodies.length >= 0xffff)
    throw new DataError(`An .npz file of ${size} bytes would be too large.`);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  const put = (numbers: readonly (readonly [bytes: 2 | 4, value: number])[]) => {
    for (const [width, value] of numbers) {
      if (width === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += width;
    }
  };
  const append = (bytes: Uint8Array) => {
    out.set(bytes, at);
    at += bytes.length;
  };
  /** What both headers of a file tell: version, flags (the name is UTF-8), method, 1980-01-01, checksum, sizes, name. */
  const facts = bodies.map(
    (body, i) =>
      [
        [2, 20],
        [2, 0x800],
        [2, 0],
        [2, 0],
        [2, 0x21],
        [4, crc32(body)],
        [4, body.length],
        [4, body.length],
        [2, names[i].length],
        [2, 0],
      ] as const,
  );
  const offsets = bodies.map((body, i) => {
    const offset = at;
    put([[4, signatures.local], ...facts[i]]);
    append(names[i]);
    append(body);
    return offset;
  });
  const directory = at;
  for (const [i, offset] of offsets.entries()) {
    put([[4, signatures.central], [2, 20], ...facts[i], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]);
    append(names[i]);
  }
  const { length } = bodies;
  put([
    [4, signatures.end],
    [2, 0],
    [2, 0],
    [2, length],
    [2, length],
    [4, at - directory],
    [4, directory],
    [2, 0],
  ]);
  return out;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The checksum of zip and gzip. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}
