// Contractions: matmul and convolutions in all their passes. A tile of results is held in registers while the summed
// axes are walked; the operand that lies along the vectors is packed into panels, in blocks that stay in the cache.

import type { Affine, Buffer, Local, LoopVariable, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import type { Machine } from '../loops/machine.ts';
import type { Contract } from '../program/primitives.ts';
import * as s from '../program/scalar.ts';
import type { Task } from '../program/task.ts';
import { sizeOf } from '../tensor/dtype.ts';
import { elements, rowMajor } from '../tensor/shape.ts';
import {
  bestTile,
  blocks,
  cuts,
  packingCost,
  partialSumCost,
  type Split,
  type Tile,
  tileCost,
  whole,
} from './blocking.ts';
import { taskCost } from './cost.ts';
import { lanesFor } from './expression.ts';
import {
  type Block,
  type Bound,
  type BoundSum,
  type Layout,
  layoutsOf,
  mergeSums,
  type OutAxis,
  type Panel,
  type SumAxis,
} from './layout.ts';
import { loop, mergeAxes, nest, type Position, variable } from './nest.ts';
import type { Offer, Storage } from './offer.ts';
import { outputAccesses, outputBytes, outputTypes, storeOutputs } from './outputs.ts';
import { pack } from './pack.ts';
import { reduction } from './reduce.ts';

/** Every result as a sum of products, without tiles: for shapes that have no rows or columns to reuse. */
export function sumOfProducts(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'contract') return undefined;
  const x = s.mul(s.input(0, root.dtype), s.input(1, root.dtype));
  const reduce = { ...root, kind: 'reduce' as const, op: 'sum' as const, x: root.a };
  const offer = reduction({ ...task, root: reduce, operandBody: x }, machine);
  return offer && { ...offer, name: 'sum of products' };
}

/** Register tiles over packed panels, with the vectors along whichever axis costs less. */
export function tiled(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'contract' || elements(root.a.shape) === 0) return undefined;
  const offers = layoutsOf(task).flatMap((layout) => tiledAlong(task, root, layout, machine) ?? []);
  return offers.sort((a, b) => a.cost - b.cost)[0];
}

function tiledAlong(task: Task, root: Contract, layout: Layout, machine: Machine): Offer | undefined {
  const { columns, rows, outer, sums, inner } = layout;
  const size = sizeOf(root.dtype);
  const lanes = machine.vectorBytes / Math.max(4, size);
  const sizes = sums.map((x) => x.size);
  const depth = elements(sizes);
  const reuse = rows.size * elements(outer.filter((x) => x.column === 0).map((x) => x.size));
  const packed = reuse >= 8;
  if (!packed && (columns.column !== 1 || !inner)) return undefined;
  const split = packed ? blocks(sizes, columns.size * size, machine) : whole;
  // Partial sums are kept as vectors.
  if (!inner && split !== whole) return undefined;
  const vectors = Math.max(1, packed ? Math.ceil(columns.size / lanes) : Math.floor(columns.size / lanes));
  const tile = bestTile(rows.size, vectors, machine);
  const batch = elements(outer.filter((x) => x.column !== 0).map((x) => x.size));
  const results = elements(task.shape);
  const cost =
    tileCost(rows.size, vectors, tile) * elements(outer.map((x) => x.size)) * depth +
    (packed ? packingCost(columns.size * depth * batch, columns.column === 1) : 0) +
    (split === whole ? 0 : partialSumCost(results * cuts(sizes, split))) +
    (inner ? 0 : results * (2 + taskCost(task.outputs.map((o) => o.body))));
  const plan = { task, layout, machine, dtype: root.dtype, tile, lanes, packed, split };
  const shape = `${tile.rows}×${tile.vectors * lanes}`;
  return {
    name: `tiles ${shape}${packed ? ', packed' : ''}${inner ? '' : ', across'}`,
    cost,
    build: (storage) => {
      const body = new Tiles(plan, storage).body();
      const flops = 2 * results * depth;
      const bytes = outputBytes(task) + (elements(root.a.node.shape) + elements(root.b.node.shape)) * size;
      return [{ name: `contract ${shape}${inner ? '' : ' across'}`, body, flops, bytes }];
    },
  };
}

/** How a contraction is computed. */
interface TilePlan {
  readonly task: Task;
  readonly layout: Layout;
  readonly machine: Machine;
  readonly dtype: Contract['dtype'];
  readonly tile: Tile;
  readonly lanes: number;
  /** Is the column operand copied into panels? */
  readonly packed: boolean;
  readonly split: Split;
}

/** Builds the loop nests of a plan. */
class Tiles {
  readonly #plan: TilePlan;
  readonly #storage: Storage;
  #names = 0;

  constructor(plan: TilePlan, storage: Storage) {
    this.#plan = plan;
    this.#storage = storage;
  }

  body(): Statement[] {
    const { outer, sums } = this.#plan.layout;
    const split = this.#plan.split;
    const batch = outer.filter((x) => x.column !== 0).map((x, i) => ({ axis: x, v: variable(`b${i}`, x.size) }));
    const shared = outer.filter((x) => x.column === 0).map((x, i) => ({ axis: x, v: variable(`o${i}`, x.size) }));
    const sum = split === whole ? undefined : this.#sumBuffer();
    const before = sums.slice(0, split.axis).map((x, i) => ({ axis: x, v: variable(`s${i}`, x.size) }));
    const inside: Statement[] = [];
    if (split === whole) inside.push(...this.#block(batch, shared, [], sums, undefined));
    else {
      const axis = sums[split.axis];
      const rest = axis.size % split.size;
      const after = sums.slice(split.axis + 1);
      const piece = (begin: number, count: number, extent: number) => {
        const v = variable(`block${begin}`, extent, count);
        const outside = [...before, { axis, v }];
        const inner = [{ ...axis, size: count }, ...after].filter((x) => x.size !== 1);
        return loop(v, this.#block(batch, shared, outside, inner, sum, begin));
      };
      const steps = [
        ...(axis.size >= split.size ? piece(0, split.size, axis.size - rest) : []),
        ...(rest > 0 ? piece(axis.size - rest, rest, rest) : []),
      ];
      inside.push(...before.reduceRight<readonly Statement[]>((body, { v }) => loop(v, body), steps));
    }
    const all = batch.reduceRight<readonly Statement[]>((body, { v }) => loop(v, body), inside);
    return sum ? [...this.#clear(sum), ...all, ...this.#finish(sum)] : [...all];
  }

  // ---- sums kept in memory between blocks
  /** Where partial sums lie, in the order of the task's shape: the result itself if nothing else is done to it. */
  #sumBuffer(): Buffer {
    const task = this.#plan.task;
    const [first] = task.outputs;
    const plain = task.outputs.length === 1 && first.body.op === 'input' && first.body.value === -1;
    return plain
      ? this.#storage.bufferOf(first.node)
      : this.#storage.scratch('sums', this.#plan.dtype, elements(task.shape));
  }

  #sumIsResult(sum: Buffer): boolean {
    return this.#storage.bufferOf(this.#plan.task.outputs[0].node) === sum;
  }

  #clear(sum: Buffer): Statement[] {
    const space = { shape: [sum.length], strides: [[1]] };
    return [
      ...nest(space, [0], this.#plan.lanes, (p) => [
        { kind: 'store', buffer: sum, index: p.at(0), value: ir.constant(0, ir.valueType(this.#plan.dtype, p.lanes)) },
      ]),
    ];
  }

  /** The outputs, when all blocks have been summed. */
  #finish(sum: Buffer): readonly Statement[] {
    if (this.#sumIsResult(sum)) return [];
    const task = this.#plan.task;
    const accesses = outputAccesses(task);
    const dense = { strides: rowMajor(task.shape), offset: 0 };
    const space = mergeAxes(task.shape, [...accesses, dense]);
    const offsets = [...accesses.map((x) => x.offset), 0];
    return nest(space, offsets, this.#outputLanes(), (p) => {
      const root = ir.load(sum, p.at(accesses.length), ir.valueType(this.#plan.dtype, p.lanes));
      return storeOutputs(task, this.#storage, p, root);
    });
  }

  // ---- one block of the summed axes
  #block(
    batch: readonly Bound[],
    shared: readonly Bound[],
    outside: readonly BoundSum[],
    inner: readonly SumAxis[],
    sum: Buffer | undefined,
    begin = 0,
  ): Statement[] {
    const depth = elements(inner.map((x) => x.size));
    const panels = this.#panels();
    const target = this.#plan.packed
      ? this.#storage.scratch('panels', this.#plan.dtype, this.#packedColumns() * depth)
      : undefined;
    const axis = outside.at(-1)?.axis;
    const offsets = { rowOffset: begin * (axis?.row ?? 0), columnOffset: begin * (axis?.column ?? 0) };
    const block: Block = {
      batch,
      loops: [...batch, ...shared],
      outside,
      inner,
      depth,
      panels: target,
      sum,
      ...offsets,
    };
    const source = this.#storage.bufferOf(this.#plan.layout.column.node);
    const packing = target ? panels.flatMap((p) => [...pack(this.#plan.layout, p, source, target, block)]) : [];
    // The axes around the panels: images, so that one image stays in the cache while all panels pass over it.
    const around = shared.slice(0, Math.max(0, shared.length - 1));
    const within = shared.slice(around.length);
    const computing = this.#rowBlocks(block, within.length === 0, (rowsOf) =>
      panels.flatMap((panel) => {
        const width = panel.vectors * panel.lanes;
        const p = variable(`p${panel.begin}`, Math.ceil(panel.size / width) * width, width);
        const rows = rowsOf(panel, p);
        return loop(
          p,
          within.reduceRight<readonly Statement[]>((body, { v }) => loop(v, body), rows),
        );
      }),
    );
    const tiles = around.reduceRight<readonly Statement[]>(
      (body, { v }, i) => loop(v, body, i === 0 && batch.length === 0 && !sum ? 'parallel' : 'serial'),
      computing,
    );
    return [...packing, ...tiles];
  }

  /** Rows in parts that stay in the cache while all panels pass over them, where there are more. */
  #rowBlocks(
    block: Block,
    alone: boolean,
    body: (rowsOf: (panel: Panel, p: LoopVariable) => Statement[]) => readonly Statement[],
  ): readonly Statement[] {
    const { rows } = this.#plan.layout;
    const { cache } = this.#plan.machine;
    // Rows of the operand in half of the second-level cache; the lines of results that a panel only begins, in the first.
    const arrays = block.sum ? 1 : this.#plan.task.inputs.length + this.#plan.task.outputs.length;
    const fits = Math.floor(
      Math.min(cache[1] / 2 / (block.depth * sizeOf(this.#plan.dtype)), cache[0] / (64 * arrays)),
    );
    const size = Math.max(1, Math.floor(fits / this.#plan.tile.rows)) * this.#plan.tile.rows;
    if (!alone || rows.size <= size) return body((panel, p) => this.#rowTiles(panel, p, block, 0, rows.size));
    const rest = rows.size % size;
    const v = variable('rows', rows.size - rest, size);
    const inside = { ...block, loops: [...block.loops, { axis: { ...rows, column: 0 }, v }] };
    return [
      ...loop(
        v,
        body((panel, p) => this.#rowTiles(panel, p, inside, 0, size)),
      ),
      ...(rest > 0 ? body((panel, p) => this.#rowTiles(panel, p, block, rows.size - rest, rest)) : []),
    ];
  }

  #packedColumns(): number {
    return Math.ceil(this.#plan.layout.columns.size / this.#plan.lanes) * this.#plan.lanes;
  }

  /** Full panels, then a narrower one; unpacked columns that fill no vector are done one by one. */
  #panels(): Panel[] {
    const { size } = this.#plan.layout.columns;
    const lanes = this.#plan.lanes;
    const width = this.#plan.tile.vectors * lanes;
    const full = Math.floor(size / width) * width;
    const rest = size - full;
    const vectors = this.#plan.packed ? Math.ceil(rest / lanes) : Math.floor(rest / lanes);
    const narrow = Math.min(rest, vectors * lanes);
    const panels: Panel[] = [];
    if (full > 0) panels.push({ begin: 0, size: full, vectors: this.#plan.tile.vectors, lanes });
    if (narrow > 0) panels.push({ begin: full, size: narrow, vectors, lanes });
    if (rest > narrow) panels.push({ begin: full + narrow, size: rest - narrow, vectors: 1, lanes: 1 });
    return panels;
  }

  /** Some of the rows, tile after tile, and those that do not fill a tile. */
  #rowTiles(panel: Panel, p: LoopVariable, block: Block, first: number, count: number): Statement[] {
    const whole = Math.floor(count / this.#plan.tile.rows) * this.#plan.tile.rows;
    const part = (begin: number, extent: number, height: number) => {
      const m = variable(`m${begin}`, extent, height);
      return loop(m, this.#oneTile({ ...block, panel, p, m, begin: first + begin, height }));
    };
    return [
      ...(whole > 0 ? part(0, whole, this.#plan.tile.rows) : []),
      ...(count > whole ? part(whole, count - whole, count - whole) : []),
    ];
  }

  #oneTile(t: TileAt): Statement[] {
    const { row, column, rows, columns } = this.#plan.layout;
    const { panel, p, m, begin, height, sum } = t;
    const width = panel.vectors * panel.lanes;
    const type = ir.valueType(this.#plan.dtype, panel.lanes);
    const rowBuffer = this.#storage.bufferOf(row.node);
    const columnBuffer = t.panels ?? this.#storage.bufferOf(column.node);
    const ks = mergeSums(t.inner, t.panels === undefined).map((x, i) => ({ ...x, v: variable(`k${i}`, x.size) }));
    const packedStrides = rowMajor(ks.map((k) => k.size)).map((n) => n * width);
    const loopTerms = (get: (axis: { row: number; column: number }) => number) =>
      [...t.loops, ...t.outside].map(({ axis, v }) => [v, get(axis)] as const);
    const rowIndex = (r: number) =>
      ir.at(
        row.offset + t.rowOffset + (begin + r) * rows.row,
        [m, rows.row],
        ...loopTerms((x) => x.row),
        ...ks.map((k) => [k.v, k.row] as const),
      );
    const columnIndex = (u: number) =>
      t.panels
        ? ir.at(
            panel.begin * t.depth + u * panel.lanes,
            [p, t.depth],
            ...ks.map((k, i) => [k.v, packedStrides[i]] as const),
          )
        : ir.at(
            column.offset + t.columnOffset + (panel.begin + u * panel.lanes) * columns.column,
            [p, columns.column],
            ...loopTerms((x) => x.column),
            ...ks.map((k) => [k.v, k.column] as const),
          );
    const id = this.#names++;
    const register = (kind: string, i: number): Local => ({ name: `${kind}${id}_${i}`, type });
    const sums = Array.from({ length: height * panel.vectors }, (_, i) => register('c', i));
    const loaded = Array.from({ length: panel.vectors }, (_, u) => register('b', u));
    const value = register('a', 0);
    const steps: Statement[] = loaded.map((local, u) => ({
      kind: 'set',
      local,
      value: ir.load(columnBuffer, columnIndex(u), type),
    }));
    for (let r = 0; r < height; r++) {
      steps.push({
        kind: 'set',
        local: value,
        value: ir.load(rowBuffer, rowIndex(r), type, panel.lanes === 1 ? 1 : 0),
      });
      for (const [u, b] of loaded.entries()) {
        const c = sums[r * panel.vectors + u];
        steps.push({ kind: 'set', local: c, value: ir.multiplyAdd(ir.local(value), ir.local(b), ir.local(c)) });
      }
    }
    // A narrow panel may reach beyond the columns: its last vector is stored only as far as there are columns.
    const columnsHere = Math.min(panel.size, width);
    const at = (r: number, c: number, k: number, offset: number): Affine =>
      ir.at(
        offset + (begin + r) * this.#strideOf(rows, k) + (panel.begin + c) * this.#strideOf(columns, k),
        [m, this.#strideOf(rows, k)],
        [p, this.#strideOf(columns, k)],
        ...t.loops.map(({ axis, v }) => [v, this.#strideOf(axis, k)] as const),
      );
    const result = (r: number, c: number, lanes: number, root: ir.Expression): Statement[] => {
      if (sum) return [{ kind: 'store', buffer: sum, index: at(r, c, this.#denseAccess(), 0), value: root }];
      const accesses = outputAccesses(this.#plan.task);
      const position: Position = {
        lanes,
        at: (k) => at(r, c, k, accesses[k].offset),
        step: (k) => this.#strideOf(columns, k),
        axis: () => {
          throw new Error('a contraction has no outputs that depend on the position');
        },
      };
      return storeOutputs(this.#plan.task, this.#storage, position, root, `e${id}_${r}_${c}_`);
    };
    const begins: Statement[] = [];
    const ends: Statement[] = [];
    for (let r = 0; r < height; r++) {
      for (let u = 0; u < panel.vectors; u++) {
        const local = sums[r * panel.vectors + u];
        const c = u * panel.lanes;
        if (this.#storesVectors(sum) && c + panel.lanes <= columnsHere) {
          const start = sum ? ir.load(sum, at(r, c, this.#denseAccess(), 0), type) : ir.constant(0, type);
          begins.push({ kind: 'set', local, value: start });
          ends.push(...result(r, c, panel.lanes, ir.local(local)));
        } else {
          begins.push({ kind: 'set', local, value: ir.constant(0, type) });
          for (let l = 0; l < panel.lanes && c + l < columnsHere; l++) {
            const partial = ir.lane(ir.local(local), l);
            const index = at(r, c + l, this.#denseAccess(), 0);
            const scalar = ir.valueType(this.#plan.dtype, 1);
            const total = sum ? ir.binary('add', ir.load(sum, index, scalar), partial) : partial;
            ends.push(...result(r, c + l, 1, total));
          }
        }
      }
    }
    return [...begins, ...ks.reduceRight<readonly Statement[]>((body, { v }) => loop(v, body), steps), ...ends];
  }

  /** Are the results of a tile stored as vectors, or one by one? */
  #storesVectors(sum: Buffer | undefined): boolean {
    return this.#plan.layout.inner && (sum !== undefined || this.#outputLanes() === this.#plan.lanes);
  }

  /** How many elements the outputs' bodies can be computed for at once. */
  #outputLanes(): number {
    const bodies = this.#plan.task.outputs.map((o) => o.body);
    return lanesFor(this.#plan.machine, bodies, [this.#plan.dtype, ...outputTypes(this.#plan.task)]);
  }

  /** The access that stands for the dense array of partial sums: the first output, which has the task's own layout. */
  #denseAccess(): number {
    return this.#plan.task.inputs.length;
  }

  #strideOf(axis: OutAxis, access: number): number {
    return axis.outputs[access];
  }
}

interface TileAt extends Block {
  readonly panel: Panel;
  readonly p: LoopVariable;
  readonly m: LoopVariable;
  /** The first row and the number of rows of a tile. */
  readonly begin: number;
  readonly height: number;
}
