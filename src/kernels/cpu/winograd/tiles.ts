// What the parts of Winograd's algorithm share: the plan, its sizes, and loops over tiles.

import type { Buffer, LoopKind, LoopVariable } from '../../../loops/ir.ts';
import type { Machine } from '../../../loops/machine.ts';
import type { Task } from '../../../primitives/task.ts';
import { elements } from '../../../tensor/shape.ts';
import type { IndexTerm } from '../../body/indices.ts';
import { type Body, loop, variable } from '../../body/nest.ts';
import type { TaskBuffers } from '../../offer.ts';
import type { TileShape } from '../tile/blocking.ts';
import type { Correlation, SlidAxis } from './correlation.ts';
import type { ToomCook } from './toom-cook.ts';

/** One of the two axes along which tiles lie. */
export interface TiledAxis {
  readonly algorithm: ToomCook;
  readonly points: number;
  /** Tiles that are full, and how many results (or taps) the last one has, if that is not. */
  readonly full: number;
  readonly rest: number;
}

/** How a correlation is computed. */
export interface WinogradPlan {
  readonly task: Task;
  readonly machine: Machine;
  readonly correlation: Correlation;
  /**
   * Are the tiles those of the taps, added up, and not those of the results? So it is for the gradient of a filter, of
   * which all results fit in a tile.
   */
  readonly tilesOfTaps: boolean;
  readonly axes: readonly [TiledAxis, TiledAxis];
  readonly lanes: number;
  /** Images whose tiles are transformed and multiplied together, and whether images are in parallel, not points. */
  readonly together: number;
  readonly byImage: boolean;
  /** Into how many parts, with sums of their own, the images are cut where taps are added up by image. */
  readonly chunks: number;
}

/** Some tiles along one axis that have the same number of results (or taps). */
export interface TileRange {
  readonly begin: number;
  readonly v: LoopVariable;
  readonly size: number;
}
/** A tile as the loops reach it. */
export interface TileAt {
  readonly y: TileRange;
  readonly x: TileRange;
}

/** A loop over some of the images, from `begin` on; it knows how the outer loops move the first of them. */
export interface ImageBlock {
  readonly count: number;
  /** The number of an image among all. */
  readonly outside: readonly IndexTerm[];
}

const line = 16;
/** A length that puts the same element of different planes into different lines of a cache. */
export const plane = (length: number): number => (Math.ceil(length / line) | 1) * line;

export const imageTerms = ({ outside }: ImageBlock, image: LoopVariable, stride: number): IndexTerm[] => [
  [image, stride],
  ...outside.map(([v, n]): IndexTerm => [v, n * stride]),
];

/** The sizes of a plan, and the names and loops that its parts need. */
export class WinogradTiles {
  readonly plan: WinogradPlan;
  readonly buffers: TaskBuffers;
  readonly tile: TileShape;
  readonly points: number;
  readonly pointsX: number;
  /** Tiles of an image. */
  readonly tiles: number;
  readonly images: SlidAxis;
  readonly channels: SlidAxis;
  /** Elements of channels × outputs: of the filter, and of the sums of products of taps, for each point. */
  readonly planeOfMatrix: number;
  #names = 0;

  constructor(plan: WinogradPlan, buffers: TaskBuffers, tile: TileShape) {
    this.plan = plan;
    this.buffers = buffers;
    this.tile = tile;
    const [y, x] = plan.axes;
    this.points = y.points * x.points;
    this.pointsX = x.points;
    this.tiles = elements(plan.axes.map((a) => a.full + Math.sign(a.rest)));
    const { keptOther, summedOther } = plan.correlation;
    [this.images, this.channels] = plan.tilesOfTaps ? [summedOther, keptOther] : [keptOther, summedOther];
    this.planeOfMatrix = plane(this.channels.size * plan.correlation.out.size);
  }

  /** A number that no other part of the kernels has. */
  nextName(): number {
    return this.#names++;
  }

  /** The tiles, full ones and rests apart. */
  forTiles(body: (tile: TileAt) => Body): Body {
    const [y, x] = this.plan.axes;
    return ranges(y, 'ty').flatMap((ty) =>
      loop(
        ty.v,
        ranges(x, 'tx').flatMap((tx) => loop(tx.v, body({ y: ty, x: tx }))),
      ),
    );
  }

  /** The number of a tile among those of some images: the row of a matrix. */
  rowOf(image: LoopVariable, { y, x }: TileAt, stride: number): { constant: number; terms: IndexTerm[] } {
    const [, axis] = this.plan.axes;
    const across = axis.full + Math.sign(axis.rest);
    return {
      constant: (y.begin * across + x.begin) * stride,
      terms: [
        [image, this.tiles * stride],
        [y.v, across * stride],
        [x.v, stride],
      ],
    };
  }

  /** Something for every tile of some images and every vector of channels; the loop of the images or of the vectors is outermost. */
  forSquares(
    images: ImageBlock,
    channels: number,
    kind: LoopKind,
    body: (image: LoopVariable, tile: TileAt, c: LoopVariable) => Body,
  ): Body {
    const image = variable('image', images.count);
    const c = variable('c', channels, this.plan.lanes);
    const few = images.count < 8 && kind === 'parallel';
    if (few)
      return loop(
        c,
        loop(
          image,
          this.forTiles((tile) => body(image, tile, c)),
        ),
        kind,
      );
    return loop(
      image,
      this.forTiles((tile) => loop(c, body(image, tile, c))),
      kind,
    );
  }

  between(): Buffer {
    return this.buffers.own('square', 'float32', this.points * this.plan.lanes);
  }

  prefix(): string {
    return `t${this.nextName()}_`;
  }

  /** Panels of the columns: full ones, and a narrower one. */
  panels(): { begin: number; count: number; vectors: number }[] {
    const { lanes, correlation } = this.plan;
    const width = this.tile.vectors * lanes;
    const full = Math.floor(correlation.out.size / width);
    const rest = correlation.out.size - full * width;
    return [
      ...(full > 0 ? [{ begin: 0, count: full, vectors: this.tile.vectors }] : []),
      ...(rest > 0 ? [{ begin: full * width, count: 1, vectors: rest / lanes }] : []),
    ];
  }
}

function ranges({ full, rest }: TiledAxis, name: string): TileRange[] {
  return [
    ...(full > 0 ? [{ begin: 0, v: variable(name, full), size: 4 }] : []),
    ...(rest > 0 ? [{ begin: full, v: variable(`${name}rest`, 1), size: rest }] : []),
  ];
}
