// The innermost kernel of every contraction: a tile of sums in registers, one step along the summed axes an iteration.
import type { Affine, Body, Expression, Local, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { DType } from '../../../tensor/dtype.ts';
import { addAt, clearAt, roundAt, type SumsAt } from '../../body/long-sums.ts';

/** How a tile reads its operands, at one step along the summed axes after the other. */
export interface TileReader {
  /** The loops over the summed axes, around one step. */
  readonly loops: (step: Body) => Body;
  /** One element for each row at each step, in all lanes. */
  readonly row: (r: number) => Expression;
  /** A vector for each of the tile's vectors at each step. */
  readonly column: (u: number) => Expression;
}

/** The runs in which a tile sums: around a tile for each, which reads its operands so. Of a single run there is nothing around. */
export interface TileRuns {
  readonly around: (one: (reader: TileReader) => Body) => Body;
  /** How many there are, at most. */
  readonly count: number;
}

/** What a tile of `height` rows × `vectors` vectors sums, and what becomes of it. */
export interface RegisterTile extends TileReader {
  /** Makes the names of its registers different from those of other tiles in the kernel. */
  readonly id: number;
  readonly dtype: DType;
  readonly height: number;
  readonly vectors: number;
  readonly lanes: number;
  /** What a sum begins with. */
  readonly begin: (r: number, u: number) => Expression;
  /** What is done with it at last. */
  readonly end: (r: number, u: number, sum: Expression) => Body;
}

/** The runs' sums of a tile, added up in memory: of each row and vector at a place of its own. */
export function tileInMemory(
  tile: Pick<RegisterTile, 'id' | 'dtype' | 'height' | 'vectors' | 'lanes'>,
  runs: TileRuns,
  sums: SumsAt,
  at: (r: number, u: number) => Affine,
): Body {
  const { id, dtype, height, vectors, lanes } = tile;
  const type = ir.valueType(dtype, lanes);
  const zero = ir.constant(0, type);
  const places = Array.from({ length: height * vectors }, (_, i) => at(Math.floor(i / vectors), i % vectors));
  const end = (r: number, u: number, sum: Expression) => addAt(sums, at(r, u), sum, `p${id}_${r}_${u}`);
  return [
    ...places.flatMap((place) => clearAt(sums, place, zero)),
    ...runs.around((reader) => registerTile({ ...tile, ...reader, begin: () => zero, end })),
    ...places.flatMap((place) => roundAt(sums, place, type)),
  ];
}

/** So many results can wait in registers, more or less. */
const mostWaiting = 32;

/**
 * Where parts of vectors are stored, all is computed before: a load would wait for the store of the row before it,
 * because the left out part of that vector is where it reads.
 */
export function storesLast(ends: Body, id: number): Body {
  const parts = ends.filter((s) => s.kind === 'store' && s.count !== undefined).length;
  if (parts === 0 || parts > mostWaiting) return ends;
  const computed: Statement[] = [];
  const stores: Statement[] = [];
  for (const [i, s] of ends.entries()) {
    if (s.kind !== 'store') computed.push(s);
    else if (s.value.kind === 'local' || s.value.kind === 'constant') stores.push(s);
    else {
      const local: Local = { name: `stored${id}_${i}`, type: s.value.type };
      computed.push({ kind: 'set', local, value: s.value });
      stores.push({ ...s, value: ir.local(local) });
    }
  }
  return [...computed, ...stores];
}

/**
 * Σ over the steps of row[r] · column[u], for all r and u at once. One step is one iteration: engines load all that a
 * block of code will need at its beginning, so two steps together would not leave enough registers.
 */
export function registerTile(t: RegisterTile): Statement[] {
  const type = ir.valueType(t.dtype, t.lanes);
  const register = (kind: string, i: number): Local => ({ name: `${kind}${t.id}_${i}`, type });
  const sums = Array.from({ length: t.height * t.vectors }, (_, i) => register('c', i));
  const vectors = Array.from({ length: t.vectors }, (_, u) => register('b', u));
  const value = register('a', 0);
  const steps: Statement[] = vectors.map((local, u) => ({ kind: 'set', local, value: t.column(u) }));
  const begins: Statement[] = [];
  const ends: Statement[] = [];
  for (let r = 0; r < t.height; r++) {
    steps.push({ kind: 'set', local: value, value: t.row(r) });
    for (const [u, b] of vectors.entries()) {
      const local = sums[r * t.vectors + u];
      steps.push({ kind: 'set', local, value: ir.multiplyAdd(ir.local(value), ir.local(b), ir.local(local)) });
      begins.push({ kind: 'set', local, value: t.begin(r, u) });
      ends.push(...t.end(r, u, ir.local(local)));
    }
  }
  return [...begins, ...t.loops(steps), ...storesLast(ends, t.id)];
}
