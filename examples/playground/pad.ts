// The drawing pad: mouse, finger, pen or keyboard; and what the network sees of it.

import { imageOf, type Point } from './digit.ts';
import { beforeNextFrame } from './frame.ts';

/** Of the pad, whose canvas has 280 × 280. */
const size = 280;
const keyStep = 14;
const moves: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Points that are nearer than this to the last one say nothing new. */
const nearest = 3;

type Changed = (image: Float32Array<ArrayBuffer> | undefined) => void;

export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #seen: HTMLCanvasElement;
  readonly #changed: Changed;
  #strokes: Point[][] = [];
  /** An image that was put there instead of being drawn. */
  #given: Float32Array<ArrayBuffer> | undefined;
  #drawing = false;
  #pen: Point = { x: size / 2, y: size / 2 };
  #keyboard = false;

  constructor(canvas: HTMLCanvasElement, seen: HTMLCanvasElement, changed: Changed) {
    this.#canvas = canvas;
    this.#seen = seen;
    this.#changed = changed;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#begin(this.#at(event));
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.#drawing) for (const e of event.getCoalescedEvents?.() ?? [event]) this.#go(this.#at(e));
    });
    for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => this.#lift());
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => this.#lift());
    this.#draw();
  }

  clear(): void {
    this.#strokes = [];
    this.#given = undefined;
    this.#lift();
    this.redraw();
  }

  /** Puts an image on the pad. */
  put(image: Float32Array<ArrayBuffer>): void {
    this.clear();
    this.#given = image;
  }

  /** Draws everything anew, before the next picture of the screen. */
  readonly redraw = beforeNextFrame(() => {
    this.#draw();
    this.#changed(this.#image());
  });

  #image(): Float32Array<ArrayBuffer> | undefined {
    return this.#given ?? (this.#strokes.length > 0 ? imageOf(this.#strokes) : undefined);
  }

  #at({ clientX, clientY }: MouseEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: ((clientX - left) / width) * size, y: ((clientY - top) / height) * size };
  }

  #begin(point: Point): void {
    this.#given = undefined;
    this.#drawing = true;
    this.#strokes.push([point]);
    this.redraw();
  }

  #go(point: Point): void {
    const stroke = this.#strokes.at(-1);
    const last = stroke?.at(-1);
    if (!stroke || (last && Math.hypot(point.x - last.x, point.y - last.y) < nearest)) return;
    stroke.push(point);
    this.redraw();
  }

  #lift(): void {
    this.#drawing = false;
    this.#keyboard = false;
  }

  #key(event: KeyboardEvent): void {
    const move = moves[event.key];
    if (move) {
      const within = (v: number) => Math.min(size - keyStep, Math.max(keyStep, v));
      this.#pen = { x: within(this.#pen.x + keyStep * move[0]), y: within(this.#pen.y + keyStep * move[1]) };
      if (this.#keyboard) this.#go(this.#pen);
    } else if (event.key === ' ') {
      if (this.#keyboard) this.#lift();
      else {
        this.#begin(this.#pen);
        this.#keyboard = true;
      }
    } else if (event.key === 'Delete' || event.key === 'Backspace') this.clear();
    else return;
    event.preventDefault();
    this.redraw();
  }

  #draw(): void {
    const context = this.#canvas.getContext('2d')!;
    const { color, accentColor } = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, size, size);
    Object.assign(context, { lineWidth: 18, lineCap: 'round', lineJoin: 'round', strokeStyle: color });
    for (const stroke of this.#strokes) {
      context.beginPath();
      for (const [i, { x, y }] of stroke.entries()) i === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
      if (stroke.length === 1) context.lineTo(stroke[0].x, stroke[0].y);
      context.stroke();
    }
    const image = this.#image();
    paint(this.#seen, image ?? new Float32Array(784), color);
    if (this.#given) {
      context.imageSmoothingEnabled = true;
      context.drawImage(this.#seen, 0, 0, size, size);
    }
    if (document.activeElement !== this.#canvas || !this.#canvas.matches(':focus-visible')) return;
    context.beginPath();
    context.arc(this.#pen.x, this.#pen.y, 9, 0, 2 * Math.PI);
    Object.assign(context, { lineWidth: 2, strokeStyle: accentColor === 'auto' ? color : accentColor });
    context.stroke();
  }
}

/** Paints 28 × 28 numbers from 0 to 1 in a colour, on nothing. */
export function paint(canvas: HTMLCanvasElement, image: Float32Array, color: string): void {
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(28, 28);
  const [red, green, blue] = (color.match(/\d+/g) ?? ['0', '0', '0']).map(Number);
  for (const [i, ink] of image.entries()) pixels.data.set([red, green, blue, 255 * ink], 4 * i);
  context.putImageData(pixels, 0, 0);
}
