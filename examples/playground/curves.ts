// Curves on a canvas: steps to the right, values up.
import { beforeNextFrame } from './frame.ts';

interface Scale {
  /** The values at the bottom and at the top; undefined: those that there are. */
  readonly range: readonly [bottom: number, top: number] | undefined;
  /** Are equal factors equally high? */
  readonly logarithmic: boolean;
  readonly label: (value: number) => string;
}
interface Line {
  /** A property of the style sheet that holds its colour. */
  readonly colour: string;
  readonly dots: boolean;
}
type Sample = readonly [step: number, value: number];

/** So many points are kept; with more, two neighbours become one. */
const most = 800;
const margin = { left: 44, right: 10, top: 8, bottom: 20 };

export class Curves {
  readonly #canvas: HTMLCanvasElement;
  readonly #scale: Scale;
  readonly #lines: readonly (Line & { samples: Sample[] })[];

  constructor(canvas: HTMLCanvasElement, scale: Scale, lines: readonly Line[]) {
    this.#canvas = canvas;
    this.#scale = scale;
    this.#lines = lines.map((line) => ({ ...line, samples: [] }));
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  add(line: number, step: number, value: number): void {
    if (!Number.isFinite(value)) return;
    const of = this.#lines[line];
    of.samples.push([step, value]);
    if (of.samples.length > most) of.samples = halved(of.samples);
    this.redraw();
  }

  clear(): void {
    for (const line of this.#lines) line.samples = [];
    this.redraw();
  }

  readonly redraw = beforeNextFrame(() => this.#draw());

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = devicePixelRatio;
    if (this.#canvas.width !== width * ratio || this.#canvas.height !== height * ratio)
      Object.assign(this.#canvas, { width: width * ratio, height: height * ratio });
    const context = this.#canvas.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const all = this.#lines.flatMap(({ samples }) => samples);
    const last = all.reduce((most, [step]) => Math.max(most, step), 0) || 100;
    const [bottom, top] = this.#range(all.map(([, value]) => value));
    const up = (v: number) => (this.#scale.logarithmic ? Math.log(Math.max(v, bottom)) : v);
    const x = (step: number) => margin.left + (step / last) * (width - margin.left - margin.right);
    const y = (value: number) => {
      const part = (up(Math.min(Math.max(value, bottom), top)) - up(bottom)) / (up(top) - up(bottom));
      return height - margin.bottom - part * (height - margin.bottom - margin.top);
    };
    this.#axes(context, { x, y, last, bottom, top, width });
    for (const { colour, dots, samples } of this.#lines) {
      const style = getComputedStyle(this.#canvas).getPropertyValue(colour);
      Object.assign(context, { strokeStyle: style, fillStyle: style, lineWidth: 1.5, lineJoin: 'round' });
      context.beginPath();
      for (const [step, value] of samples) context.lineTo(x(step), y(value));
      context.stroke();
      for (const [step, value] of dots ? samples.slice(-200) : samples.slice(-1)) {
        context.beginPath();
        context.arc(x(step), y(value), 2.5, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  #range(values: readonly number[]): readonly [number, number] {
    if (this.#scale.range) return this.#scale.range;
    if (values.length === 0) return [0.01, 10];
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return [10 ** Math.floor(Math.log10(Math.max(least, 1e-4))), 10 ** Math.ceil(Math.log10(Math.max(most, 1e-3)))];
  }

  #axes(context: CanvasRenderingContext2D, of: Axes): void {
    const { x, y, last, bottom, top, width } = of;
    const style = getComputedStyle(this.#canvas);
    Object.assign(context, { font: `11px ${style.fontFamily}`, fillStyle: style.color, lineWidth: 1 });
    context.strokeStyle = style.getPropertyValue('--line');
    Object.assign(context, { textAlign: 'right', textBaseline: 'middle' });
    for (const value of this.#scale.logarithmic ? powers(bottom, top) : fifths(bottom, top)) {
      context.beginPath();
      context.moveTo(margin.left, y(value));
      context.lineTo(width - margin.right, y(value));
      context.stroke();
      context.fillText(this.#scale.label(value), margin.left - 6, y(value));
    }
    Object.assign(context, { textAlign: 'center', textBaseline: 'top' });
    const step =
      [1, 2, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10(last / 4))).find((n) => last / n <= 5) ?? last;
    for (let at = 0; at <= last; at += Math.max(1, step)) {
      context.textAlign = x(at) > width - 30 ? 'right' : 'center';
      context.fillText(at.toLocaleString('en'), Math.min(x(at), width - 2), y(bottom) + 5);
    }
  }
}

interface Axes {
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
  readonly last: number;
  readonly bottom: number;
  readonly top: number;
  readonly width: number;
}

/** Powers of ten, of many some: there is room for six lines or so. */
function powers(bottom: number, top: number): number[] {
  const [first, last] = [Math.round(Math.log10(bottom)), Math.round(Math.log10(top))];
  const step = Math.ceil((last - first) / 6);
  const values: number[] = [];
  for (let power = first; power <= last; power += step) values.push(10 ** power);
  return values;
}
const fifths = (bottom: number, top: number): number[] =>
  Array.from({ length: 6 }, (_, i) => bottom + (i * (top - bottom)) / 5);

function halved(samples: readonly Sample[]): Sample[] {
  const half: Sample[] = [];
  for (let i = 0; i + 1 < samples.length; i += 2) {
    const [[, a], [step, b]] = [samples[i], samples[i + 1]];
    half.push([step, (a + b) / 2]);
  }
  return half;
}
