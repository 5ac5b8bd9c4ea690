// The ten digits as a person draws them: strokes of points in a square from 0 to 1, x to the right and y down.

type Point = readonly [x: number, y: number];
type Stroke = readonly Point[];

/** Points on an ellipse, by degrees: 0 is right of the centre, 90 below it. */
function arc([x, y]: Point, [width, height]: Point, from: number, to: number): Point[] {
  const count = Math.ceil(Math.abs(to - from) / 15);
  return Array.from({ length: count + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / count) * Math.PI) / 180;
    return [x + width * Math.cos(angle), y + height * Math.sin(angle)];
  });
}

export const digits: readonly (readonly Stroke[])[] = [
  [arc([0.5, 0.5], [0.2, 0.3], -80, 280)],
  [
    [
      [0.55, 0.18],
      [0.52, 0.5],
      [0.49, 0.82],
    ],
  ],
  [[...arc([0.48, 0.36], [0.19, 0.17], -170, 30), [0.5, 0.6], [0.3, 0.8], [0.42, 0.77], [0.56, 0.8], [0.72, 0.79]]],
  [[...arc([0.47, 0.34], [0.18, 0.15], -150, 80), ...arc([0.47, 0.65], [0.2, 0.17], -85, 150)]],
  [
    [
      [0.36, 0.2],
      [0.32, 0.4],
      [0.3, 0.52],
      [0.5, 0.53],
      [0.68, 0.51],
    ],
    [
      [0.64, 0.22],
      [0.61, 0.5],
      [0.58, 0.84],
    ],
  ],
  [
    [[0.39, 0.22], [0.37, 0.35], [0.35, 0.47], ...arc([0.47, 0.63], [0.19, 0.18], -125, 145)],
    [
      [0.4, 0.21],
      [0.55, 0.21],
      [0.68, 0.19],
    ],
  ],
  [[[0.6, 0.17], [0.47, 0.3], [0.38, 0.46], [0.34, 0.62], ...arc([0.5, 0.66], [0.16, 0.15], 180, -180)]],
  [
    [
      [0.28, 0.24],
      [0.5, 0.23],
      [0.7, 0.22],
      [0.62, 0.38],
      [0.53, 0.6],
      [0.46, 0.82],
    ],
  ],
  [[...arc([0.5, 0.33], [0.15, 0.14], 20, -265), ...arc([0.49, 0.65], [0.17, 0.17], -85, 275)]],
  [[...arc([0.49, 0.36], [0.15, 0.15], -20, -380), [0.63, 0.5], [0.6, 0.66], [0.55, 0.83]]],
];
