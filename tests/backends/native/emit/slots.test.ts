// What a program finds in the arena, and what by its table.
import { expect, test } from 'vitest';
import { Slots } from '../../../../src/backends/native/emit/slots.ts';
import { InternalError } from '../../../../src/base/errors.ts';
import type { Buffer } from '../../../../src/loops/ir.ts';
import type { ArenaPlace, LastingPlace, Place, Program } from '../../../../src/loops/program.ts';
import { buffer } from '../../../loops/build.ts';

const programOf = (places: ReadonlyMap<Buffer, Place>, feeds: readonly Buffer[]): Program => ({
  ...{ kernels: [], checks: 0, repeats: [], places, arenaBytes: 0, threadBytes: 0, fetches: [], counters: [] },
  ...{ status: undefined, messages: [], variables: [] },
  feeds: [undefined, ...feeds.map((b) => ({ buffer: b, dtype: b.dtype, shape: [b.length] }))],
});
const named = (...names: string[]) => names.map((name) => buffer(name, 'float32', 8));

test('variables share a slot by their key; feeds and constants have one each; the rest is in the arena', () => {
  const [v, again, constant, fed, inside, own] = named('v', 'again', 'constant', 'fed', 'inside', 'own');
  const lasting: LastingPlace = { kind: 'constant', data: new Float32Array(8) };
  const feed: ArenaPlace = { kind: 'arena', offset: 64 };
  const places = new Map<Buffer, Place>([
    [v, { kind: 'variable', key: 3 }],
    [again, { kind: 'variable', key: 3 }],
    [constant, lasting],
    [fed, feed],
    [inside, { kind: 'arena', offset: 128 }],
    [own, { kind: 'thread', offset: 192 }],
  ]);
  const slots = new Slots(programOf(places, [fed]));
  expect(slots.originOf(inside)).toEqual({ base: 'arena', offset: 128 });
  expect(slots.originOf(own)).toEqual({ base: 'thread', offset: 192 });
  // Numbers are given as they are asked for, so the text does not depend on what a program does not use.
  expect(slots.all).toEqual([]);
  expect([fed, v, again, constant, fed].map((b) => slots.originOf(b).base)).toEqual(
    ['slot0', 'slot1', 'slot1', 'slot2', 'slot0'], // biome-ignore format: a line each
  );
  expect(slots.all).toEqual([feed, { kind: 'variable', key: 3 }, lasting]);
});

test('a window moves with the block from where its whole begins', () => {
  const [whole, a, b] = named('whole', 'a', 'b');
  const of: ArenaPlace = { kind: 'arena', offset: 640 };
  const places = new Map<Buffer, Place>([
    [whole, of],
    [a, { kind: 'window', of, itemBytes: 12 }],
    [b, { kind: 'window', of: { kind: 'variable', key: 1 }, itemBytes: 20 }],
  ]);
  const inArena = new Slots(programOf(places, []));
  expect(inArena.originOf(a)).toEqual({ base: 'arena 12', offset: 640 });
  expect(inArena.originOf(b)).toEqual({ base: 'slot0 20', offset: 0 });
  // Of a feed, that may lie anywhere.
  const fed = new Slots(programOf(places, [whole]));
  expect(fed.originOf(a)).toEqual({ base: 'slot0 12', offset: 0 });
});

test('a buffer without a place is named', () => {
  const [a] = named('lost');
  expect(() => new Slots(programOf(new Map(), [])).originOf(a)).toThrow(InternalError);
  expect(() => new Slots(programOf(new Map(), [])).originOf(a)).toThrow(/lost/);
});
