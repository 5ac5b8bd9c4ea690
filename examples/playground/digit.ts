// What is drawn, as the images of MNIST are made: the digit fills 20 × 20 pixels, and its centre of mass is the middle of
// 28 × 28. Strokes are lines, so that small digits and large ones come out equally thick.

export interface Point {
  readonly x: number;
  readonly y: number;
}
export type Strokes = readonly (readonly Point[])[];

const size = 28;
const box = 20;
/** Half the thickness of a stroke, and of the soft edge around it, in pixels. */
const radius = 1.15;
const edge = 0.6;

/** 784 numbers from 0 (paper) to 1 (ink), row by row. Strokes may be in any unit. */
export function imageOf(strokes: Strokes): Float32Array<ArrayBuffer> {
  const points = strokes.flat();
  const image = new Float32Array(size * size);
  if (points.length === 0) return image;
  const [left, right] = extent(points.map(({ x }) => x));
  const [top, bottom] = extent(points.map(({ y }) => y));
  // A dot has no size: it is not blown up.
  const scale = (box - 2 * radius) / Math.max(right - left, bottom - top, 1e-6);
  const place = (dx: number, dy: number) =>
    strokes.map((stroke) =>
      stroke.map(({ x, y }) => ({
        x: (x - (left + right) / 2) * Math.min(scale, 1e3) + size / 2 + dx,
        y: (y - (top + bottom) / 2) * Math.min(scale, 1e3) + size / 2 + dy,
      })),
    );
  const centred = drawn(place(0, 0));
  const [x, y] = centreOf(centred);
  return drawn(place(size / 2 - x, size / 2 - y));
}

const extent = (values: readonly number[]) => [
  values.reduce((a, b) => Math.min(a, b)),
  values.reduce((a, b) => Math.max(a, b)),
];

function drawn(strokes: Strokes): Float32Array<ArrayBuffer> {
  const image = new Float32Array(size * size);
  for (const stroke of strokes) {
    for (const [i, to] of stroke.entries()) drawLine(image, stroke[Math.max(0, i - 1)], to);
  }
  return image;
}

/** Inks the pixels near a line, and looks at no others. */
function drawLine(image: Float32Array, a: Point, b: Point): void {
  const reach = radius + edge + 1;
  const range = (p: number, q: number) => [
    Math.max(0, Math.floor(Math.min(p, q) - reach)),
    Math.min(size - 1, Math.ceil(Math.max(p, q) + reach)),
  ];
  const [left, right] = range(a.x, b.x);
  const [top, bottom] = range(a.y, b.y);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const distance = distanceTo({ x: column + 0.5, y: row + 0.5 }, a, b);
      const ink = Math.min(1, Math.max(0, (radius + edge - distance) / (2 * edge)));
      image[row * size + column] = Math.max(image[row * size + column], ink);
    }
  }
}

/** How far a point is from the line between two others. */
function distanceTo(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/** The centre of mass, in pixels. */
export function centreOf(image: Float32Array): [x: number, y: number] {
  let [mass, x, y] = [0, 0, 0];
  for (const [i, ink] of image.entries()) {
    mass += ink;
    x += ink * ((i % size) + 0.5);
    y += ink * (Math.floor(i / size) + 0.5);
  }
  return [x / mass, y / mass];
}
