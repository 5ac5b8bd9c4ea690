// The loops of a contraction around its register tiles: packing, blocks of the summed axes, and what is parallel.

import type { Affine, Buffer, Expression, LoopKind, LoopVariable, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import type { Contract } from '../program/primitives.ts';
import type { Task } from '../program/task.ts';
import { sizeOf } from '../tensor/dtype.ts';
import { elements, rowMajor } from '../tensor/shape.ts';
import { blocks, divisorNear, groupOf, parts, type Split, type Tile, whole } from './blocking.ts';
import { lanesFor } from './expression.ts';
import { type Block, type Bound, type Layout, mergeSums, type OutAxis, type Panel, type SumAxis } from './layout.ts';
import { loop, nest, type Position, variable } from './nest.ts';
import type { Storage } from './offer.ts';
import { outputAccesses, outputTypes, spaceOf, storeOutputs } from './outputs.ts';
import { pack } from './pack.ts';
import { registerTile } from './tile.ts';

/** How a contraction is computed. */
export interface TilePlan {
  readonly task: Task;
  readonly layout: Layout;
  readonly machine: Machine;
  readonly dtype: Contract['dtype'];
  readonly tile: Tile;
  readonly lanes: number;
  /** Is the column operand copied into panels? */
  readonly packed: boolean;
  /** Is the row operand copied as well, tile by tile? */
  readonly packedRows: boolean;
  /** Is the column operand packed in parts, because the whole of it does not fit into the cache? */
  readonly inParts: boolean;
  readonly split: Split;
}

/** Where sums are kept between blocks: in the order of the task's shape, from `offset` + `terms` on. */
interface Sums {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly terms: readonly (readonly [LoopVariable, number])[];
}

type Body = readonly Statement[];

/** The body of one kernel, and what it does. */
export interface Part {
  readonly part: 'pack' | 'clear' | 'compute' | 'finish';
  readonly body: Body;
}

const bound = <A>(axis: A, name: string, extent: number, step = 1, begin = 0): Bound<A> => ({
  axis,
  v: variable(name, extent, step),
  begin,
});
const around = (bounds: readonly Bound<unknown>[], body: Body, kind: LoopKind = 'serial'): Body =>
  bounds.reduceRight<Body>((inside, { v }, i) => loop(v, inside, i === 0 ? kind : 'serial'), body);
/** The index terms of some bounds, and the constant that they add up to. */
const termsOf = <A>(bounds: readonly Bound<A>[], stride: (axis: A) => number) =>
  bounds.map(({ axis, v }) => [v, stride(axis)] as const);
const offsetOf = <A>(bounds: readonly Bound<A>[], stride: (axis: A) => number) =>
  bounds.reduce((sum, { axis, begin }) => sum + begin * stride(axis), 0);

/** Builds the loop nests of a plan. */
export class Tiles {
  readonly #plan: TilePlan;
  readonly #storage: Storage;
  readonly #batch: readonly Bound<OutAxis>[];
  readonly #shared: readonly Bound<OutAxis>[];
  readonly #width: number;
  #names = 0;

  constructor(plan: TilePlan, storage: Storage) {
    this.#plan = plan;
    this.#storage = storage;
    const { outer } = plan.layout;
    this.#batch = outer.filter((x) => x.column !== 0).map((x, i) => bound(x, `b${i}`, x.size));
    this.#shared = outer.filter((x) => x.column === 0).map((x, i) => bound(x, `o${i}`, x.size));
    this.#width = plan.tile.vectors * plan.lanes;
  }

  /** The bodies of the kernels, in order. */
  parts(): Part[] {
    const { packed, inParts, layout } = this.#plan;
    const panels = Math.floor(layout.columns.size / this.#width);
    if (inParts) {
      const few = this.#batch.length === 0 && panels < parts && layout.sums[0].size > 1;
      return few ? this.#inChunks() : this.#inBlocks();
    }
    const all = { groups: this.#batch, outside: [], inner: layout.sums, sum: undefined, count: layout.columns.size };
    if (this.#batch.length > 0 || !packed) {
      const body = this.#block(all, this.#batch.length === 0);
      return [{ part: 'compute', body: around(this.#batch, body, 'parallel') }];
    }
    const block = this.#packedBlock(all, this.#storage.scratch);
    return [
      { part: 'pack', body: this.#packing(block, 'parallel') },
      { part: 'compute', body: this.#computing(block, true) },
    ];
  }

  // ---- sums that are kept in memory between blocks
  /** Block after block of the summed axes; parallel over the batch, or over groups of panels. */
  #inBlocks(): Part[] {
    const { split, dtype, task } = this.#plan;
    const [first] = task.outputs;
    // Sums that are never cut need no place.
    if (split === whole) return [{ part: 'compute', body: this.#inGroups(undefined) }];
    const plain = task.outputs.length === 1 && first.body.op === 'input' && first.body.value === -1;
    const elementCount = elements(task.shape);
    const buffer = plain ? this.#storage.bufferOf(first.node) : this.#storage.scratch('sums', dtype, elementCount);
    const sum: Sums = { buffer, offset: 0, terms: [] };
    const inOrder = (body: Body): Part[] => [
      { part: 'clear', body: this.#clear(sum, 'parallel') },
      { part: 'compute', body },
      ...(plain ? [] : [this.#finish(buffer, 1)]),
    ];
    return inOrder(this.#inGroups(sum));
  }

  /** The blocks, for each item of the batch or for each group of panels in parallel. */
  #inGroups(sum: Sums | undefined): Body {
    const { layout, split } = this.#plan;
    const { columns } = layout;
    if (this.#batch.length > 0) {
      const body = this.#blocks(this.#batch, [], layout.sums, split, sum, columns.size);
      return around(this.#batch, body, 'parallel');
    }
    const group = groupOf(columns.size, this.#width);
    const grouped = Math.floor(columns.size / group) * group;
    const some = (begin: number, extent: number, count: number): Body => {
      const g = bound({ ...columns, row: 0 }, `g${begin}`, extent, count, begin);
      return around([g], this.#blocks([g], [], layout.sums, split, sum, count), 'parallel');
    };
    const rest = columns.size - grouped;
    return [...(grouped > 0 ? some(0, grouped, group) : []), ...(rest > 0 ? some(grouped, rest, rest) : [])];
  }

  /** The outermost summed axis in chunks, each with sums of its own: for few results of long sums. */
  #inChunks(): Part[] {
    const { layout, machine, dtype, task } = this.#plan;
    const { columns } = layout;
    const [first, ...others] = layout.sums;
    const size = divisorNear(first.size, Math.ceil(first.size / parts));
    const full = Math.floor(first.size / size);
    const rest = first.size - full * size;
    const chunks = full + (rest > 0 ? 1 : 0);
    const results = elements(task.shape);
    const buffer = this.#storage.scratch('sums', dtype, chunks * results);
    const some = (begin: number, count: number, chunkSize: number): Body => {
      const scaled = { size: first.size, row: first.row * size, column: first.column * size };
      const chunk = bound(scaled, `chunk${begin}`, count, 1, begin);
      const inner = [{ ...first, size: chunkSize }, ...others];
      const bytes = columns.size * sizeOf(dtype);
      const split = blocks(
        inner.map((x) => x.size),
        bytes,
        machine,
      );
      const sum: Sums = { buffer, offset: begin * results, terms: [[chunk.v, results]] };
      const body = this.#blocks([], [chunk], inner, split, sum, columns.size);
      return around([chunk], [...this.#clear(sum, 'serial'), ...body], 'parallel');
    };
    const body = [...(full > 0 ? some(0, full, size) : []), ...(rest > 0 ? some(full, 1, rest) : [])];
    return [{ part: 'compute', body }, this.#finish(buffer, chunks)];
  }

  #clear({ buffer, offset, terms }: Sums, kind: LoopKind): Body {
    const space = { shape: [elements(this.#plan.task.shape)], strides: [[1]] };
    const store = (p: Position): Statement => {
      const { constant, terms: own } = p.at(0);
      const value = ir.constant(0, ir.valueType(this.#plan.dtype, p.lanes));
      return { kind: 'store', buffer, index: ir.at(constant + offset, ...own, ...terms), value };
    };
    return nest(space, [0], this.#plan.lanes, (p) => [store(p)], kind === 'parallel');
  }

  /** The outputs, when all blocks have been summed: the sums of the chunks in order. */
  #finish(buffer: Buffer, chunks: number): Part {
    const task = this.#plan.task;
    const accesses = outputAccesses(task);
    const results = elements(task.shape);
    const dense = { strides: rowMajor(task.shape), offset: 0 };
    const space = spaceOf(task, [...accesses, dense]);
    const offsets = [...accesses.map((x) => x.offset), 0];
    const body = nest(
      space,
      offsets,
      this.#outputLanes(),
      (p) => {
        const type = ir.valueType(this.#plan.dtype, p.lanes);
        const part = (c: number): Expression => ir.load(buffer, ir.plus(p.at(accesses.length), c * results), type);
        let total = part(0);
        for (let c = 1; c < chunks; c++) total = ir.binary('add', total, part(c));
        return storeOutputs(task, this.#storage, p, total);
      },
      true,
    );
    return { part: 'finish', body };
  }

  /** The summed axes cut into blocks, for `count` columns: each block is packed and added to the sums. */
  #blocks(
    groups: readonly Bound<OutAxis>[],
    outside: readonly Bound<SumAxis>[],
    sums: readonly SumAxis[],
    split: Split,
    sum: Sums | undefined,
    count: number,
  ): Body {
    if (split === whole) return this.#block({ groups, outside, inner: sums, sum, count }, false);
    const axis = sums[split.axis];
    const before = sums.slice(0, split.axis).map((x, i) => bound(x, `s${i}`, x.size));
    const after = sums.slice(split.axis + 1);
    const rest = axis.size % split.size;
    const piece = (begin: number, extent: number, size: number): Body => {
      const block = bound(axis, `block${begin}`, extent, size, begin);
      const inner = [{ ...axis, size }, ...after].filter((x) => x.size !== 1);
      const inside = this.#block({ groups, outside: [...outside, ...before, block], inner, sum, count }, false);
      return around([block], inside);
    };
    const steps = [
      ...(axis.size >= split.size ? piece(0, axis.size - rest, split.size) : []),
      ...(rest > 0 ? piece(axis.size - rest, rest, rest) : []),
    ];
    return around(before, steps);
  }

  // ---- one block of the summed axes
  /** Packs a block for this thread and computes with it. */
  #block(b: Omit<TileBlock, 'panels' | 'depth'>, parallel: boolean): Body {
    const block = this.#packedBlock(b, this.#storage.own);
    return [...this.#packing(block, 'serial'), ...this.#computing(block, parallel)];
  }

  #packedBlock(b: Omit<TileBlock, 'panels' | 'depth'>, scratch: Storage['scratch']): TileBlock {
    const depth = elements(b.inner.map((x) => x.size));
    const width = Math.ceil(b.count / this.#plan.lanes) * this.#plan.lanes;
    const panels = this.#plan.packed ? scratch('panels', this.#plan.dtype, width * depth) : undefined;
    return { ...b, depth, panels };
  }

  #packing(block: TileBlock, kind: LoopKind): Body {
    const { panels } = block;
    if (!panels) return [];
    const source = this.#storage.bufferOf(this.#plan.layout.column.node);
    return this.#panels(block.count).flatMap((p) => [...pack(this.#plan.layout, p, source, panels, block, kind)]);
  }

  #computing(block: TileBlock, parallel: boolean): Body {
    // The axes around the panels: images, so that one image stays in the cache while all panels pass over it.
    const shared = this.#shared;
    const outer = shared.slice(0, Math.max(0, shared.length - 1));
    const within = shared.slice(outer.length);
    const kind = parallel && outer.length === 0 ? 'parallel' : 'serial';
    const computing = this.#rowBlocks(block, within.length === 0, kind, (rowsOf, panelKind) =>
      this.#panels(block.count).flatMap((panel) => {
        const width = panel.vectors * panel.lanes;
        const p = variable(`p${panel.begin}`, Math.ceil(panel.size / width) * width, width);
        return loop(p, around(within, rowsOf(panel, p)), panelKind);
      }),
    );
    return around(outer, computing, parallel ? 'parallel' : 'serial');
  }

  /** Rows in parts that stay in the cache while all panels pass over them, where there are more. */
  #rowBlocks(
    block: TileBlock,
    alone: boolean,
    kind: LoopKind,
    body: (rowsOf: (panel: Panel, p: LoopVariable) => Body, panelKind: LoopKind) => Body,
  ): Body {
    const { rows } = this.#plan.layout;
    const { cache } = this.#plan.machine;
    const tile = this.#plan.tile.rows;
    // Rows of the operand in half of the second-level cache; the lines of results that a panel only begins, in the first.
    const arrays = block.sum ? 1 : this.#plan.task.inputs.length + this.#plan.task.outputs.length;
    const fits = Math.floor(
      Math.min(cache[1] / 2 / (block.depth * sizeOf(this.#plan.dtype)), cache[0] / (64 * arrays)),
    );
    const divided = kind === 'parallel' && rows.size >= parts * tile;
    const wanted = divided ? Math.min(fits, Math.ceil(rows.size / parts)) : fits;
    const size = Math.max(1, Math.floor(wanted / tile)) * tile;
    const packed = this.#plan.packedRows;
    if (!packed && (!alone || rows.size <= size)) {
      return body((panel, p) => this.#rowTiles(panel, p, block, [], rows.size), kind);
    }
    const some = (begin: number, extent: number, count: number): Body => {
      const b = bound({ ...rows, column: 0 }, `rows${begin}`, extent, count, begin);
      if (!packed)
        return around(
          [b],
          body((panel, p) => this.#rowTiles(panel, p, block, [b], count), 'serial'),
          kind,
        );
      const own = this.#storage.own('rows', this.#plan.dtype, count * block.depth);
      const copied = { ...block, packedRows: own };
      const computing = body((panel, p) => this.#rowTiles(panel, p, copied, [b], count), 'serial');
      return around([b], [...this.#packRows(copied, own, b, count), ...computing], kind);
    };
    const rest = rows.size % size;
    return [...some(0, rows.size - rest, size), ...(rest > 0 ? some(rows.size - rest, rest, rest) : [])];
  }

  /** Copies some rows of the row operand, tile after tile, in each a step along the summed axes after the other. */
  #packRows(block: TileBlock, target: Buffer, b: Bound<OutAxis>, count: number): Body {
    const { layout, dtype, lanes } = this.#plan;
    const { row, rows } = layout;
    const source = this.#storage.bufferOf(row.node);
    const ks = block.inner.map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
    const steps = rowMajor(ks.map((k) => k.size));
    const bounds = [...block.groups, b];
    const offset = row.offset + offsetOf(bounds, (x) => x.row) + offsetOf(block.outside, (x) => x.row);
    return this.#inTiles(count, (m, height) => {
      const from = (r: number) =>
        ir.at(
          offset + (m.begin + r) * rows.row,
          [m.v, rows.row],
          ...termsOf(bounds, (x) => x.row),
          ...termsOf(block.outside, (x) => x.row),
          ...ks.map((k) => [k.v, k.row] as const),
        );
      const to = (r: number) =>
        ir.at(m.begin * block.depth + r, [m.v, block.depth], ...ks.map((k, i) => [k.v, steps[i] * height] as const));
      const wide = rows.row === 1 && height % lanes === 0 ? lanes : 1;
      const copies = Array.from({ length: height / wide }, (_, i): Statement => {
        const value = ir.load(source, from(i * wide), ir.valueType(dtype, wide));
        return { kind: 'store', buffer: target, index: to(i * wide), value };
      });
      return around(
        ks.map((k) => ({ axis: k, v: k.v, begin: 0 })),
        copies,
      );
    });
  }

  /** Full panels, then a narrower one; unpacked columns that fill no vector are done one by one. */
  #panels(count: number): Panel[] {
    const lanes = this.#plan.lanes;
    const full = Math.floor(count / this.#width) * this.#width;
    const rest = count - full;
    const vectors = this.#plan.packed ? Math.ceil(rest / lanes) : Math.floor(rest / lanes);
    const narrow = Math.min(rest, vectors * lanes);
    const panels: Panel[] = [];
    if (full > 0) panels.push({ begin: 0, size: full, vectors: this.#plan.tile.vectors, lanes });
    if (narrow > 0) panels.push({ begin: full, size: narrow, vectors, lanes });
    if (rest > narrow) panels.push({ begin: full + narrow, size: rest - narrow, vectors: 1, lanes: 1 });
    return panels;
  }

  /** Some of the rows, tile after tile, and those that do not fill a tile. */
  #rowTiles(panel: Panel, p: LoopVariable, block: TileBlock, within: readonly Bound<OutAxis>[], count: number): Body {
    return this.#inTiles(count, (m, height) => this.#oneTile(block, panel, p, [...within, m], height));
  }

  /** A loop over full tiles of rows, and the rows that do not fill a tile. */
  #inTiles(count: number, body: (m: Bound<OutAxis>, height: number) => Body): Body {
    const { rows } = this.#plan.layout;
    const tile = this.#plan.tile.rows;
    const whole = Math.floor(count / tile) * tile;
    const part = (begin: number, extent: number, height: number): Body => {
      const m = bound({ ...rows, column: 0 }, `m${begin}`, extent, height, begin);
      return around([m], body(m, height));
    };
    return [
      ...(whole > 0 ? part(0, whole, tile) : []),
      ...(count > whole ? part(whole, count - whole, count - whole) : []),
    ];
  }

  #oneTile(block: TileBlock, panel: Panel, p: LoopVariable, within: readonly Bound<OutAxis>[], height: number): Body {
    const { dtype, layout, task } = this.#plan;
    const { row, column, rows, columns } = layout;
    const { outside, panels, packedRows, sum } = block;
    const { vectors, lanes } = panel;
    const type = ir.valueType(dtype, lanes);
    const bounds = [...block.groups, ...this.#shared, ...within];
    const m = within.at(-1) as Bound<OutAxis>;
    const ks = mergeSums(block.inner, panels === undefined).map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
    const packedSteps = rowMajor(ks.map((k) => k.size));
    const kTerms = (stride: (k: SumAxis, i: number) => number) => ks.map((k, i) => [k.v, stride(k, i)] as const);
    const rowTerms = [...termsOf(bounds, (x) => x.row), ...termsOf(outside, (x) => x.row), ...kTerms((k) => k.row)];
    const rowOffset = row.offset + offsetOf(bounds, (x) => x.row) + offsetOf(outside, (x) => x.row);
    const columnTerms = [
      [p, columns.column] as const,
      ...termsOf(bounds, (x) => x.column),
      ...termsOf(outside, (x) => x.column),
      ...kTerms((k) => k.column),
    ];
    const columnOffset = column.offset + offsetOf(bounds, (x) => x.column) + offsetOf(outside, (x) => x.column);
    const columnIndex = (u: number): Affine =>
      panels
        ? ir.at(
            panel.begin * block.depth + u * lanes,
            [p, block.depth],
            ...kTerms((_, i) => packedSteps[i] * vectors * lanes),
          )
        : ir.at(columnOffset + (panel.begin + u * lanes) * columns.column, ...columnTerms);
    const at = (r: number, c: number, access: number, offset: number): Affine =>
      ir.at(
        offset +
          offsetOf(bounds, (x) => x.outputs[access]) +
          r * rows.outputs[access] +
          (panel.begin + c) * columns.outputs[access],
        [p, columns.outputs[access]],
        ...termsOf(bounds, (x) => x.outputs[access]),
      );
    // The first output has the order of the task's shape, which is that of the sums.
    const first = task.inputs.length;
    const sumIndex = (r: number, c: number): Affine => {
      const index = at(r, c, first, 0);
      return ir.at(index.constant + (sum?.offset ?? 0), ...index.terms, ...(sum?.terms ?? []));
    };
    const id = this.#names++;
    const accesses = outputAccesses(task);
    const coordinate = (number: number, r: number, c: number, width: number): Expression => {
      const along = bounds.filter(({ axis }) => axis.number === number);
      const inColumns = columns.number === number;
      const begin = offsetOf(along, () => 1) + (rows.number === number ? r : 0) + (inColumns ? panel.begin + c : 0);
      const index = ir.at(begin, ...termsOf(along, () => 1), [p, inColumns ? 1 : 0]);
      return ir.index(index, { dtype: 'int32', lanes: width }, inColumns ? 1 : 0);
    };
    const result = (r: number, c: number, width: number, root: Expression): Statement[] => {
      if (sum) return [{ kind: 'store', buffer: sum.buffer, index: sumIndex(r, c), value: root }];
      const position: Position = {
        lanes: width,
        at: (k) => at(r, c, k, accesses[k].offset),
        step: (k) => columns.outputs[k],
        axis: (number) => coordinate(number, r, c, width),
      };
      return storeOutputs(task, this.#storage, position, root, `e${id}_${r}_${c}_`);
    };
    // A narrow panel may reach beyond the columns: its last vector is stored only as far as there are columns.
    const columnsHere = Math.min(panel.size, vectors * lanes);
    const inVectors = layout.inner && (sum !== undefined || this.#outputLanes() === this.#plan.lanes);
    const stored = (u: number) => inVectors && (u + 1) * lanes <= columnsHere;
    return registerTile({
      id,
      dtype,
      height,
      vectors,
      lanes,
      sums: ks.map((k) => k.v),
      rows: packedRows ?? this.#storage.bufferOf(row.node),
      row: (r) =>
        packedRows
          ? ir.at(m.begin * block.depth + r, [m.v, block.depth], ...kTerms((_, i) => packedSteps[i] * height))
          : ir.at(rowOffset + r * rows.row, ...rowTerms),
      columns: panels ?? this.#storage.bufferOf(column.node),
      column: columnIndex,
      begin: (r, u) => (sum && stored(u) ? ir.load(sum.buffer, sumIndex(r, u * lanes), type) : ir.constant(0, type)),
      end: (r, u, value) => {
        if (stored(u)) return result(r, u * lanes, lanes, value);
        const left = Math.min(lanes, columnsHere - u * lanes);
        return Array.from({ length: Math.max(0, left) }, (_, l) => {
          const c = u * lanes + l;
          const partial = lanes === 1 ? value : ir.lane(value, l);
          const scalar = ir.valueType(dtype, 1);
          const total = sum ? ir.binary('add', ir.load(sum.buffer, sumIndex(r, c), scalar), partial) : partial;
          return result(r, c, 1, total);
        }).flat();
      },
    });
  }

  /** How many elements the outputs' bodies can be computed for at once. */
  #outputLanes(): number {
    const bodies = this.#plan.task.outputs.map((o) => o.body);
    return lanesFor(this.#plan.machine, bodies, [this.#plan.dtype, ...outputTypes(this.#plan.task)]);
  }
}

/** A block of the summed axes with the place of its sums, and how many columns it is for. */
interface TileBlock extends Block {
  readonly sum: Sums | undefined;
  readonly count: number;
  /** The copied rows. */
  readonly packedRows?: Buffer;
}
