// What the parts of Winograd's algorithm share: loops over tiles and images, and matrices for all points.

import type { Affine, Body, Buffer, LoopKind, LoopVariable } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { added, type IndexTerm, times } from '../../body/indices.ts';
import { loop, variable } from '../../body/nest.ts';
import type { TaskBuffers } from '../../offer.ts';
import type { TiledAxis, WinogradPlan } from './plan.ts';

/** Some tiles along one axis that have the same number of results (or taps). */
export interface TileRange {
  readonly begin: number;
  readonly v: LoopVariable;
  readonly size: number;
}

/** A tile as the loops reach it, of an image, for a vector of channels. */
export interface TileAt {
  readonly image: LoopVariable;
  readonly y: TileRange;
  readonly x: TileRange;
  readonly c: LoopVariable;
}

/** Some images that are done together. */
export interface ImageBlock {
  readonly count: number;
  /** The number of the first of them among all: how outer loops move it. */
  readonly outside: readonly IndexTerm[];
}

/** The number of an image among all. */
export const imageAt = ({ outside }: ImageBlock, image: LoopVariable): Affine => ir.at(0, [image, 1], ...outside);

/** A matrix for each point, each in a plane of its own. */
export interface PointMatrices {
  readonly buffer: Buffer;
  readonly rows: number;
  readonly columns: number;
  /** Elements from a plane to the next. */
  readonly plane: number;
}

const line = 16;
/** A length that puts the same element of different planes into different lines of a cache. */
const planeOf = (length: number): number => (Math.ceil(length / line) | 1) * line;

/** The loops of a plan, and the names that its parts need. */
export class WinogradTiles {
  readonly plan: WinogradPlan;
  readonly buffers: TaskBuffers;
  readonly pointsX: number;
  #names = 0;

  constructor(plan: WinogradPlan, buffers: TaskBuffers) {
    this.plan = plan;
    this.buffers = buffers;
    this.pointsX = plan.axes[1].points;
  }

  /** A number that no other part of the kernels has. */
  nextName(): number {
    return this.#names++;
  }

  /** Matrices for all points, or some for each, in a buffer of the task's or of each thread's own. */
  matrices(kind: 'scratch' | 'own', name: string, rows: number, columns: number, each = 1): PointMatrices {
    const plane = planeOf(rows * columns);
    return { buffer: this.buffers[kind](name, 'float32', each * this.plan.points * plane), rows, columns, plane };
  }

  /** The tiles, full ones and rests apart. */
  #forTiles(body: (y: TileRange, x: TileRange) => Body): Body {
    const [y, x] = this.plan.axes;
    return this.#ranges(y, 'ty').flatMap((ty) =>
      loop(
        ty.v,
        this.#ranges(x, 'tx').flatMap((tx) => loop(tx.v, body(ty, tx))),
      ),
    );
  }

  #ranges({ full, rest }: TiledAxis, name: string): TileRange[] {
    return [
      ...(full > 0 ? [{ begin: 0, v: variable(name, full), size: this.plan.step }] : []),
      ...(rest > 0 ? [{ begin: full, v: variable(`${name}rest`, 1), size: rest }] : []),
    ];
  }

  /** The number of a tile among those of some images: the row of a matrix. */
  rowOf({ image, y, x }: TileAt): Affine {
    const [, { full, rest }] = this.plan.axes;
    const across = full + Math.sign(rest);
    return ir.at(y.begin * across + x.begin, [image, this.plan.tiles], [y.v, across], [x.v, 1]);
  }

  /** The first result (or tap) of a tile along an axis. */
  first({ begin, v }: TileRange): Affine {
    const { step } = this.plan;
    return ir.at(begin * step, [v, step]);
  }

  /** The first element of a tile where the arrays have such strides. */
  corner({ y, x }: TileAt, strides: readonly [number, number]): Affine {
    return added(times(this.first(y), strides[0]), times(this.first(x), strides[1]));
  }

  /** Something for every tile of some images and every vector of channels; the loop of the images or of the vectors is outermost. */
  forSquares(images: ImageBlock, channels: number, kind: LoopKind, body: (at: TileAt) => Body): Body {
    const image = variable('image', images.count);
    const c = variable('c', channels, this.plan.lanes);
    const few = images.count < 8 && kind === 'parallel';
    if (few) {
      const tiles = this.#forTiles((y, x) => body({ image, y, x, c }));
      return loop(c, loop(image, tiles), kind);
    }
    const tiles = this.#forTiles((y, x) => loop(c, body({ image, y, x, c })));
    return loop(image, tiles, kind);
  }

  /** Panels of the columns: full ones, and a narrower one. */
  panels(): { begin: number; count: number; vectors: number }[] {
    const { lanes, correlation, registerTile } = this.plan;
    const width = registerTile.vectors * lanes;
    const full = Math.floor(correlation.out.size / width);
    const rest = correlation.out.size - full * width;
    return [
      ...(full > 0 ? [{ begin: 0, count: full, vectors: registerTile.vectors }] : []),
      ...(rest > 0 ? [{ begin: full * width, count: 1, vectors: rest / lanes }] : []),
    ];
  }
}
