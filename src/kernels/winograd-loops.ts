// The loop nests of Winograd's algorithm: transforms of tiles, a product of matrices for each point, and back.

import type { Affine, Buffer, Expression, Kernel, LoopKind, LoopVariable, Statement } from '../loops/ir.ts';
import * as ir from '../loops/ir.ts';
import { elements } from '../tensor/shape.ts';
import type { Tile } from './blocking.ts';
import type { SlidAxis } from './correlation.ts';
import { transformSquare } from './linear.ts';
import { loop, type Position, variable } from './nest.ts';
import type { Storage } from './offer.ts';
import { outputAccesses, storeOutputs } from './outputs.ts';
import { registerTile } from './tile.ts';
import type { Matrix } from './toom-cook.ts';
import type { TiledAxis, WinogradPlan } from './winograd.ts';

type Body = readonly Statement[];
/** Part of an index: a loop variable with its coefficient. */
type Term = readonly [LoopVariable, number];

/** Some tiles along one axis that have the same number of results (or taps). */
interface TileRange {
  readonly begin: number;
  readonly v: LoopVariable;
  readonly size: number;
}
/** A tile as the loops reach it. */
interface TileAt {
  readonly y: TileRange;
  readonly x: TileRange;
}

/** A loop over some of the images, from `begin` on; it knows how the outer loops move the first of them. */
interface Images {
  readonly count: number;
  /** The number of an image among all. */
  readonly outside: readonly Term[];
}

const line = 16;
/** A length that puts the same element of different planes into different lines of a cache. */
const plane = (length: number): number => (Math.ceil(length / line) | 1) * line;
const columnsOf = (matrix: Matrix, count: number): Matrix => matrix.map((row) => row.slice(0, count));

export class Winograd {
  readonly #plan: WinogradPlan;
  readonly #storage: Storage;
  readonly #tile: Tile;
  readonly #points: number;
  readonly #pointsX: number;
  readonly #tiles: number;
  readonly #images: SlidAxis;
  readonly #channels: SlidAxis;
  #names = 0;

  constructor(plan: WinogradPlan, storage: Storage, tile: Tile) {
    this.#plan = plan;
    this.#storage = storage;
    this.#tile = tile;
    const [y, x] = plan.axes;
    this.#points = y.points * x.points;
    this.#pointsX = x.points;
    this.#tiles = elements(plan.axes.map((a) => a.full + Math.sign(a.rest)));
    const { keptOther, summedOther } = plan.correlation;
    [this.#images, this.#channels] = plan.tilesOfTaps ? [summedOther, keptOther] : [keptOther, summedOther];
  }

  kernels(name: string, flops: number, bytes: number): Kernel[] {
    const { tilesOfTaps, byImage } = this.#plan;
    const parts = tilesOfTaps
      ? byImage
        ? this.#tapsInChunks()
        : this.#tapsByPoint()
      : byImage
        ? this.#resultsByImage()
        : this.#resultsByPoint();
    return parts.map(({ what, body }) => ({
      name: what === 'products' ? name : `${what} of ${name}`,
      body,
      flops: what === 'products' ? flops : 0,
      bytes: what === 'products' ? bytes : 0,
    }));
  }

  // ---- tiles of results: a convolution, or the gradient of its images
  /** Some images at a time, from transform to result: what lies between stays in the cache. */
  #resultsByImage() {
    const { together, correlation } = this.#plan;
    const rows = together * this.#tiles;
    const filter = this.#storage.scratch('filter', 'float32', this.#points * this.#planeOfFilter());
    const inputs = this.#storage.own('inputs', 'float32', this.#points * plane(rows * this.#channels.size));
    const products = this.#storage.own('products', 'float32', this.#points * plane(rows * correlation.out.size));
    const block = variable('block', this.#images.size / together);
    const images: Images = { count: together, outside: [[block, together]] };
    const body = loop(
      block,
      [
        ...this.#transformInputs(images, inputs, rows, 'serial'),
        ...this.#multiplyByFilter(inputs, filter, products, rows, 'serial'),
        ...this.#transformResults(images, products, rows, 'serial'),
      ],
      'parallel',
    );
    return [
      { what: 'filter', body: this.#transformFilter(filter) },
      { what: 'products', body },
    ];
  }

  /** All images at once, step by step: a large filter is read once. */
  #resultsByPoint() {
    const { correlation } = this.#plan;
    const rows = this.#images.size * this.#tiles;
    const filter = this.#storage.scratch('filter', 'float32', this.#points * this.#planeOfFilter());
    const inputs = this.#storage.scratch('inputs', 'float32', this.#points * plane(rows * this.#channels.size));
    const products = this.#storage.scratch('products', 'float32', this.#points * plane(rows * correlation.out.size));
    const images: Images = { count: this.#images.size, outside: [] };
    return [
      { what: 'filter', body: this.#transformFilter(filter) },
      { what: 'inputs', body: this.#transformInputs(images, inputs, rows, 'parallel') },
      { what: 'products', body: this.#multiplyByFilter(inputs, filter, products, rows, 'parallel') },
      { what: 'results', body: this.#transformResults(images, products, rows, 'parallel') },
    ];
  }

  // ---- tiles of taps: the gradient of a filter
  /** Chunks of images, each with sums of its own, so that threads need not wait for each other. */
  #tapsInChunks() {
    const { together, correlation } = this.#plan;
    const { chunk, chunks } = this.#chunks();
    const rows = together * this.#tiles;
    const sums = this.#storage.scratch('sums', 'float32', chunks * this.#points * this.#planeOfSums());
    const inputs = this.#storage.own('inputs', 'float32', this.#points * plane(rows * this.#channels.size));
    const taps = this.#storage.own('taps', 'float32', this.#points * plane(rows * correlation.out.size));
    const c = variable('chunk', chunks);
    const block = variable('block', chunk / together);
    const images: Images = {
      count: together,
      outside: [
        [c, chunk],
        [block, together],
      ],
    };
    const place: Term = [c, this.#points * this.#planeOfSums()];
    const inside = loop(block, [
      ...this.#transformInputs(images, inputs, rows, 'serial'),
      ...this.#transformTaps(images, taps, rows, 'serial'),
      ...this.#multiplyByTaps(inputs, taps, sums, rows, [place], 'serial'),
    ]);
    const body = loop(c, [...this.#clear(sums, place), ...inside], 'parallel');
    return [
      { what: 'products', body },
      { what: 'results', body: this.#transformSums(sums, chunks) },
    ];
  }

  #tapsByPoint() {
    const { correlation } = this.#plan;
    const rows = this.#images.size * this.#tiles;
    const inputs = this.#storage.scratch('inputs', 'float32', this.#points * plane(rows * this.#channels.size));
    const taps = this.#storage.scratch('taps', 'float32', this.#points * plane(rows * correlation.out.size));
    const sums = this.#storage.scratch('sums', 'float32', this.#points * this.#planeOfSums());
    const images: Images = { count: this.#images.size, outside: [] };
    return [
      { what: 'inputs', body: this.#transformInputs(images, inputs, rows, 'parallel') },
      { what: 'taps', body: this.#transformTaps(images, taps, rows, 'parallel') },
      { what: 'products', body: this.#multiplyByTaps(inputs, taps, sums, rows, undefined, 'parallel') },
      { what: 'results', body: this.#transformSums(sums, 1) },
    ];
  }

  /** Images in each chunk: a multiple of those that are together. */
  #chunks(): { chunk: number; chunks: number } {
    const blocks = this.#images.size / this.#plan.together;
    let chunks = Math.min(blocks, 10);
    while (blocks % chunks !== 0) chunks--;
    return { chunk: this.#images.size / chunks, chunks };
  }

  #planeOfFilter(): number {
    return plane(this.#channels.size * this.#plan.correlation.out.size);
  }
  #planeOfSums(): number {
    return plane(this.#channels.size * this.#plan.correlation.out.size);
  }

  // ---- loops
  /** The tiles, full ones and rests apart. */
  #forTiles(body: (tile: TileAt) => Body): Body {
    const [y, x] = this.#plan.axes;
    return ranges(y, 'ty').flatMap((ty) =>
      loop(
        ty.v,
        ranges(x, 'tx').flatMap((tx) => loop(tx.v, body({ y: ty, x: tx }))),
      ),
    );
  }

  /** The number of a tile among those of some images: the row of a matrix. */
  #rowOf(image: LoopVariable, { y, x }: TileAt, stride: number): { constant: number; terms: Term[] } {
    const [, axis] = this.#plan.axes;
    const across = axis.full + Math.sign(axis.rest);
    return {
      constant: (y.begin * across + x.begin) * stride,
      terms: [
        [image, this.#tiles * stride],
        [y.v, across * stride],
        [x.v, stride],
      ],
    };
  }

  /** Something for every tile of some images and every vector of channels; the loop of the images or of the vectors is outermost. */
  #forSquares(
    images: Images,
    channels: number,
    kind: LoopKind,
    body: (image: LoopVariable, tile: TileAt, c: LoopVariable) => Body,
  ): Body {
    const image = variable('image', images.count);
    const c = variable('c', channels, this.#plan.lanes);
    const few = images.count < 8 && kind === 'parallel';
    if (few)
      return loop(
        c,
        loop(
          image,
          this.#forTiles((tile) => body(image, tile, c)),
        ),
        kind,
      );
    return loop(
      image,
      this.#forTiles((tile) => loop(c, body(image, tile, c))),
      kind,
    );
  }

  #between(): Buffer {
    return this.#storage.own('square', 'float32', this.#points * this.#plan.lanes);
  }

  #prefix(): string {
    return `t${this.#names++}_`;
  }

  /** Bᵀ x B, of the squares that each tile needs. */
  #transformInputs(images: Images, target: Buffer, rows: number, kind: LoopKind): Body {
    const { correlation, axes, lanes, tilesOfTaps } = this.#plan;
    const { x, kept, summed } = correlation;
    const other = (d: number) => (tilesOfTaps ? kept[d].size : summed[d].size);
    const size = plane(rows * this.#channels.size);
    const buffer = this.#storage.bufferOf(x.node);
    const type = ir.valueType('float32', lanes);
    return this.#forSquares(images, this.#channels.size, kind, (image, tile, c) => {
      const spans = [tile.y, tile.x].map((range, d) => ({ range, inputs: range.size + other(d) - 1 }));
      const row = this.#rowOf(image, tile, this.#channels.size);
      return transformSquare({
        prefix: this.#prefix(),
        rows: columnsOf(axes[0].algorithm.input, spans[0].inputs),
        columns: columnsOf(axes[1].algorithm.input, spans[1].inputs),
        between: this.#between(),
        lanes,
        load: (y, v) => {
          const begins = spans.map(({ range }, d) => range.begin * 4 * kept[d].x);
          const at = ir.at(
            x.offset + begins[0] + begins[1] + y * kept[0].x,
            [v, kept[1].x],
            ...imageTerms(images, image, this.#images.x),
            ...spans.map(({ range }, d): Term => [range.v, 4 * kept[d].x]),
            [c, this.#channels.x],
          );
          return ir.load(buffer, at, type);
        },
        store: (i, j, value) => [
          {
            kind: 'store',
            buffer: target,
            index: ir.at(row.constant + j * size, [i, this.#pointsX * size], ...row.terms, [c, 1]),
            value,
          },
        ],
      });
    });
  }

  /** G w Gᵀ of the tiles of the taps. */
  #transformTaps(images: Images, target: Buffer, rows: number, kind: LoopKind): Body {
    const { correlation, axes, lanes } = this.#plan;
    const { w, summed, out } = correlation;
    const size = plane(rows * out.size);
    const buffer = this.#storage.bufferOf(w.node);
    const type = ir.valueType('float32', lanes);
    return this.#forSquares(images, out.size, kind, (image, tile, c) => {
      const ranges = [tile.y, tile.x];
      const row = this.#rowOf(image, tile, out.size);
      const begin = ranges.reduce((sum, r, d) => sum + r.begin * 4 * summed[d].w, w.offset);
      return transformSquare({
        prefix: this.#prefix(),
        rows: columnsOf(axes[0].algorithm.filter, tile.y.size),
        columns: columnsOf(axes[1].algorithm.filter, tile.x.size),
        between: this.#between(),
        lanes,
        load: (y, v) => {
          const at = ir.at(
            begin + y * summed[0].w,
            [v, summed[1].w],
            ...imageTerms(images, image, this.#images.w),
            ...ranges.map((r, d): Term => [r.v, 4 * summed[d].w]),
            [c, out.w],
          );
          return ir.load(buffer, at, type, out.w);
        },
        store: (i, j, value) => [
          {
            kind: 'store',
            buffer: target,
            index: ir.at(row.constant + j * size, [i, this.#pointsX * size], ...row.terms, [c, 1]),
            value,
          },
        ],
      });
    });
  }

  /** Panels of the columns: full ones, and a narrower one. */
  #panels(): { begin: number; count: number; vectors: number }[] {
    const { lanes, correlation } = this.#plan;
    const width = this.#tile.vectors * lanes;
    const full = Math.floor(correlation.out.size / width);
    const rest = correlation.out.size - full * width;
    return [
      ...(full > 0 ? [{ begin: 0, count: full, vectors: this.#tile.vectors }] : []),
      ...(rest > 0 ? [{ begin: full * width, count: 1, vectors: rest / lanes }] : []),
    ];
  }

  /** G w Gᵀ of a filter, laid out as the products read it: for each point panel after panel, in each all channels. */
  #transformFilter(target: Buffer): Body {
    const { correlation, axes, lanes } = this.#plan;
    const { w, summed, out } = correlation;
    const size = this.#planeOfFilter();
    const buffer = this.#storage.bufferOf(w.node);
    const type = ir.valueType('float32', lanes);
    const channel = variable('channel', this.#channels.size);
    const body = this.#panels().flatMap(({ begin, count, vectors }) => {
      const width = vectors * lanes;
      const panel = variable(`panel${begin}`, count);
      const u = variable(`vector${begin}`, vectors);
      const square = transformSquare({
        prefix: this.#prefix(),
        rows: axes[0].algorithm.filter,
        columns: axes[1].algorithm.filter,
        between: this.#between(),
        lanes,
        load: (y, v) => {
          const at = ir.at(
            w.offset + y * summed[0].w + begin * out.w,
            [v, summed[1].w],
            [channel, this.#channels.w],
            [panel, width * out.w],
            [u, lanes * out.w],
          );
          return ir.load(buffer, at, type, out.w);
        },
        store: (i, j, value) => {
          const inPlane: Term[] = [
            [panel, width * this.#channels.size],
            [channel, width],
            [u, lanes],
          ];
          const constant = begin * this.#channels.size + j * size;
          const index = ir.at(constant, [i, this.#pointsX * size], ...inPlane);
          return [{ kind: 'store', buffer: target, index, value }];
        },
      });
      return loop(panel, loop(u, square));
    });
    return loop(channel, body, 'parallel');
  }

  /** For each point, rows × channels by channels × outputs. */
  #multiplyByFilter(inputs: Buffer, filter: Buffer, products: Buffer, rows: number, kind: LoopKind): Body {
    const { lanes, correlation } = this.#plan;
    const channels = this.#channels.size;
    const out = correlation.out.size;
    const sizes = { row: plane(rows * channels), filter: this.#planeOfFilter(), product: plane(rows * out) };
    const point = variable('point', this.#points);
    const k = variable('k', channels);
    return loop(
      point,
      this.#products(rows, (panel, p, m, begin, height) => {
        const width = panel.vectors * lanes;
        return {
          sums: [k],
          rows: inputs,
          row: (r) => ir.at((begin + r) * channels, [point, sizes.row], [m, channels], [k, 1]),
          columns: filter,
          column: (u) =>
            ir.at(panel.begin * channels + u * lanes, [point, sizes.filter], [p, width * channels], [k, width]),
          target: products,
          place: (r, u) =>
            ir.at((begin + r) * out + panel.begin + u * lanes, [point, sizes.product], [m, out], [p, width]),
          add: false,
          height,
        };
      }),
      kind,
    );
  }

  /** For each point, channels × rows by rows × outputs, added to the sums if those have a place. */
  #multiplyByTaps(
    inputs: Buffer,
    taps: Buffer,
    sums: Buffer,
    rows: number,
    place: readonly Term[] | undefined,
    kind: LoopKind,
  ): Body {
    const { lanes, correlation } = this.#plan;
    const channels = this.#channels.size;
    const out = correlation.out.size;
    const sizes = { row: plane(rows * channels), taps: plane(rows * out), sums: this.#planeOfSums() };
    const point = variable('point', this.#points);
    const k = variable('k', rows);
    return loop(
      point,
      this.#products(channels, (panel, p, m, begin, height) => {
        const width = panel.vectors * lanes;
        return {
          sums: [k],
          rows: inputs,
          row: (r) => ir.at(begin + r, [point, sizes.row], [m, 1], [k, channels]),
          columns: taps,
          column: (u) => ir.at(panel.begin + u * lanes, [point, sizes.taps], [p, width], [k, out]),
          target: sums,
          place: (r, u) =>
            ir.at(
              (begin + r) * out + panel.begin + u * lanes,
              [point, sizes.sums],
              [m, out],
              [p, width],
              ...(place ?? []),
            ),
          add: place !== undefined,
          height,
        };
      }),
      kind,
    );
  }

  /** Register tiles over that many rows and all columns. */
  #products(
    rows: number,
    product: (
      panel: { begin: number; vectors: number },
      p: LoopVariable,
      m: LoopVariable,
      begin: number,
      height: number,
    ) => Product,
  ): Body {
    const { lanes } = this.#plan;
    const type = ir.valueType('float32', lanes);
    const high = this.#tile.rows;
    const whole = Math.floor(rows / high) * high;
    return this.#panels().flatMap((panel) => {
      const p = variable(`panel${panel.begin}`, panel.count);
      const some = (begin: number, extent: number, height: number): Body => {
        const m = variable(`m${begin}`, extent, height);
        const { target, place, add, ...operands } = product(panel, p, m, begin, height);
        const tile = registerTile({
          id: this.#names++,
          dtype: 'float32',
          vectors: panel.vectors,
          lanes,
          ...operands,
          begin: (r, u) => (add ? ir.load(target, place(r, u), type) : ir.constant(0, type)),
          end: (r, u, value) => [{ kind: 'store', buffer: target, index: place(r, u), value }],
        });
        return loop(m, tile);
      };
      return loop(p, [
        ...(whole > 0 ? some(0, whole, high) : []),
        ...(rows > whole ? some(whole, rows - whole, rows - whole) : []),
      ]);
    });
  }

  /** Aᵀ m A, and the outputs of the task. */
  #transformResults(images: Images, products: Buffer, rows: number, kind: LoopKind): Body {
    const { correlation, axes, lanes } = this.#plan;
    const { kept, out } = correlation;
    const size = plane(rows * out.size);
    const type = ir.valueType('float32', lanes);
    return this.#forSquares(images, out.size, kind, (image, tile, c) => {
      const row = this.#rowOf(image, tile, out.size);
      return transformSquare({
        prefix: this.#prefix(),
        rows: axes[0].algorithm.output.slice(0, tile.y.size),
        columns: axes[1].algorithm.output.slice(0, tile.x.size),
        between: this.#between(),
        lanes,
        load: (i, j) => {
          const at = ir.at(row.constant + i * this.#pointsX * size, [j, size], ...row.terms, [c, 1]);
          return ir.load(products, at, type);
        },
        store: (a, b, value) =>
          this.#outputs(value, [
            [kept[0], ir.at(tile.y.begin * 4, [tile.y.v, 4], [a, 1])],
            [kept[1], ir.at(tile.x.begin * 4 + b, [tile.x.v, 4])],
            [this.#images, ir.at(0, ...imageTerms(images, image, 1))],
            [out, ir.at(0, [c, 1])],
          ]),
      });
    });
  }

  /** Aᵀ m A of the sums of the chunks, and the outputs of the task. */
  #transformSums(sums: Buffer, chunks: number): Body {
    const { correlation, axes, lanes } = this.#plan;
    const { kept, out } = correlation;
    const size = this.#planeOfSums();
    const type = ir.valueType('float32', lanes);
    const channel = variable('channel', this.#channels.size);
    const c = variable('c', out.size, lanes);
    const square = transformSquare({
      prefix: this.#prefix(),
      rows: axes[0].algorithm.output,
      columns: axes[1].algorithm.output,
      between: this.#between(),
      lanes,
      load: (i, j) => {
        const part = (n: number): Expression =>
          ir.load(
            sums,
            ir.at((n * this.#points + i * this.#pointsX) * size, [j, size], [channel, out.size], [c, 1]),
            type,
          );
        let total = part(0);
        for (let n = 1; n < chunks; n++) total = ir.binary('add', total, part(n));
        return total;
      },
      store: (a, b, value) =>
        this.#outputs(value, [
          [kept[0], ir.at(0, [a, 1])],
          [kept[1], ir.at(b)],
          [this.#channels, ir.at(0, [channel, 1])],
          [out, ir.at(0, [c, 1])],
        ]),
    });
    return loop(channel, loop(c, square), 'parallel');
  }

  /** The outputs of the task for a vector at some place, given by its position along each axis that is kept. */
  #outputs(value: Expression, place: readonly (readonly [SlidAxis, Affine])[]): Statement[] {
    const { task, lanes, correlation } = this.#plan;
    const accesses = outputAccesses(task);
    const index = (k: number): Affine => {
      const scaled = place.map(([axis, at]) => ({ at, n: axis.outputs[k] }));
      const constant = scaled.reduce((sum, { at, n }) => sum + at.constant * n, accesses[k].offset);
      return ir.at(constant, ...scaled.flatMap(({ at, n }) => at.terms.map(([v, m]): Term => [v, m * n])));
    };
    const position: Position = {
      lanes,
      at: index,
      step: (k) => correlation.out.outputs[k],
      axis: (number) => {
        const [axis, at] = place.find(([{ number: n }]) => n === number) ?? [undefined, ir.at(0)];
        return ir.index(at, { dtype: 'int32', lanes }, axis === correlation.out ? 1 : 0);
      },
    };
    return storeOutputs(task, this.#storage, position, value, this.#prefix());
  }

  #clear(sums: Buffer, place: Term): Body {
    const { lanes } = this.#plan;
    const v = variable('clear', place[1], lanes);
    const value = ir.constant(0, ir.valueType('float32', lanes));
    return loop(v, [{ kind: 'store', buffer: sums, index: ir.at(0, place, [v, 1]), value }]);
  }
}

/** A product of matrices: its operands as a register tile reads them, and where its results go. */
interface Product {
  readonly sums: readonly LoopVariable[];
  readonly rows: Buffer;
  readonly row: (r: number) => Affine;
  readonly columns: Buffer;
  readonly column: (u: number) => Affine;
  readonly target: Buffer;
  readonly place: (r: number, u: number) => Affine;
  /** Are the products added to what is there? */
  readonly add: boolean;
  readonly height: number;
}

const imageTerms = ({ outside }: Images, image: LoopVariable, stride: number): Term[] => [
  [image, stride],
  ...outside.map(([v, n]): Term => [v, n * stride]),
];

function ranges({ full, rest }: TiledAxis, name: string): TileRange[] {
  return [
    ...(full > 0 ? [{ begin: 0, v: variable(name, full), size: 4 }] : []),
    ...(rest > 0 ? [{ begin: full, v: variable(`${name}rest`, 1), size: rest }] : []),
  ];
}
