// What PIL and matplotlib are to the originals: it writes pictures, as PNG files.
import { writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import type * as tf from 'millrace';

/** Writes values from 0 to 255: [height, width] of grey, or [height, width, 3] of red, green and blue. */
export function savePicture(path: string, { shape, data }: tf.NDArray<'uint8', readonly number[]>): void {
  const [height, width, channels = 1] = shape;
  const chunk = (type: string, content: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, channels === 3 ? 2 : 0, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // A 0 before each row: it is not filtered.
  const rows = Buffer.alloc(height * (1 + width * channels));
  for (let y = 0; y < height; y++)
    rows.set(data.subarray(y * width * channels, (y + 1) * width * channels), y * (1 + width * channels) + 1);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array())];
  writeFileSync(path, Buffer.concat([signature, ...chunks]));
  console.log(`${path} is written`);
}
