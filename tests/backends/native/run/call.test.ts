// What a run is called with lies where the C of the program looks for it.
import { expect, test } from 'vitest';
import { callStruct } from '../../../../src/backends/native/emit/prelude.ts';
import { Call } from '../../../../src/backends/native/run/call.ts';

function start(slots: readonly number[]) {
  const pieces: BigInt64Array[] = [];
  const call = new Call(
    {
      allocate: (bytes) => {
        const buffer = new ArrayBuffer(bytes + 8);
        pieces.push(new BigInt64Array(buffer, 8));
        return { buffer, offset: 8, address: 1000 * pieces.length, bytes };
      },
    },
    slots,
  );
  const [struct, table] = pieces;
  return { call, struct, table };
}

/** The fields of the struct in order: `own_bytes` is ownBytes. */
const fields = [
  ...callStruct.slice(callStruct.indexOf('struct call {')).matchAll(/^ {2}[^/]*?\b(\w+)\)?(?:\([^)]*\))?;$/gm),
].map(([, name]) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));

test('each field is at its place in the struct', () => {
  const { call, struct } = start([]);
  expect(fields).toContain('timesOfThread');
  expect(struct.length).toBe(fields.length);
  for (const [i, name] of fields.entries()) {
    call.set({ [name]: 7 + i });
    expect([name, struct[i]]).toEqual([name, BigInt(7 + i)]);
  }
  expect(call.threads).toBe(7 + fields.indexOf('threads'));
});

test('the table holds the addresses of the slots, and the struct that of the table', () => {
  const { call, struct, table } = start([2 ** 40, 5]);
  expect([...table]).toEqual([BigInt(2 ** 40), 5n]);
  expect(call.address).toBe(1000);
  expect(struct[fields.indexOf('table')]).toBe(2000n);
  call.point(1, 2 ** 52);
  expect([...table]).toEqual([BigInt(2 ** 40), BigInt(2 ** 52)]);
});
