// What is drawn becomes an image like those of MNIST, however large it is and wherever it stands.
import { expect, test } from 'vitest';
import { centreOf, imageOf } from '../../examples/playground/digit.ts';
import { digits } from '../digits.ts';

const strokes = (digit: number, size: number, shift: number) =>
  digits[digit].map((stroke) => stroke.map(([x, y]) => ({ x: x * size + shift, y: y * size + shift })));

/** The sides of what has ink. */
function boxOf(image: Float32Array) {
  const inked = [...image.entries()].filter(([, ink]) => ink > 0.5).map(([i]) => [i % 28, Math.floor(i / 28)]);
  const side = (axis: 0 | 1) => 1 + Math.max(...inked.map((p) => p[axis])) - Math.min(...inked.map((p) => p[axis]));
  return { width: side(0), height: side(1) };
}

test.each([...digits.keys()])('a %i fills 20 of 28 pixels, and its centre of mass is the middle', (digit) => {
  const image = imageOf(strokes(digit, 280, 0));
  const { width, height } = boxOf(image);
  expect(Math.max(width, height)).toBeGreaterThanOrEqual(19);
  expect(Math.max(width, height)).toBeLessThanOrEqual(21);
  const [x, y] = centreOf(image);
  expect(x).toBeCloseTo(14, 0);
  expect(y).toBeCloseTo(14, 0);
  expect(Math.max(...image)).toBeLessThanOrEqual(1);
});

test('small digits and large ones, here and there, are the same image', () => {
  const large = imageOf(strokes(4, 256, 8));
  for (const [i, ink] of imageOf(strokes(4, 32, -64)).entries()) expect(ink).toBeCloseTo(large[i], 5);
});

test('nothing is nothing, and a dot is a dot in the middle', () => {
  expect(imageOf([]).every((ink) => ink === 0)).toBe(true);
  const dot = imageOf([[{ x: 3, y: 200 }]]);
  expect(boxOf(dot)).toEqual({ width: 2, height: 2 });
  expect(centreOf(dot)).toEqual([14, 14]);
});
