// What the network has learned, in pictures: its filters, what it confuses, its worst mistakes, and its layers.
import type { Built, Evaluation, Filters, LayerPicture } from './messages.ts';
import { paint } from './pad.ts';

const classes = 10;
export const percent = (value: number, digits = 1): string => `${(100 * value).toFixed(digits)} %`;
const colourOf = (element: Element, name: string) =>
  getComputedStyle(element)
    .getPropertyValue(name)
    .match(/[\da-f]{2}/gi)!
    .map((hex) => Number.parseInt(hex, 16));

function make<K extends keyof HTMLElementTagNameMap>(tag: K, text = '', className = ''): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

/** Filters side by side: where ink speaks for a digit or feature in one colour, where it speaks against it in another. */
export function drawFilters(canvas: HTMLCanvasElement, { shape, values }: Filters): void {
  const count = shape.at(-1)!;
  const side = Math.sqrt(values.length / count);
  const columns = count === classes ? 5 : 8;
  const gap = side > 10 ? 2 : 1;
  const cell = side + gap;
  const [width, height] = [columns * cell - gap, Math.ceil(count / columns) * cell - gap];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(width, height);
  const [plus, minus] = [colourOf(canvas, '--plus'), colourOf(canvas, '--minus')];
  for (let f = 0; f < count; f++) {
    let largest = 1e-6;
    for (let i = f; i < values.length; i += count) largest = Math.max(largest, Math.abs(values[i]));
    for (let i = 0; i < side * side; i++) {
      const value = values[i * count + f] / largest;
      const column = (f % columns) * cell + (i % side);
      const row = Math.floor(f / columns) * cell + Math.floor(i / side);
      pixels.data.set([...(value > 0 ? plus : minus), 255 * Math.abs(value)], 4 * (row * width + column));
    }
  }
  context.putImageData(pixels, 0, 0);
  canvas.setAttribute('aria-label', `${count} filters of ${side} by ${side} pixels`);
}

/** Digits down, answers across. The cells are made once. */
export class Matrix {
  readonly #cells: HTMLTableCellElement[] = [];
  readonly #note: HTMLElement;

  constructor(table: HTMLTableElement, note: HTMLElement) {
    this.#note = note;
    const head = table.createTHead().insertRow();
    head.append(make('td'));
    for (let said = 0; said < classes; said++) head.append(Object.assign(make('th', String(said)), { scope: 'col' }));
    const body = table.createTBody();
    for (let is = 0; is < classes; is++) {
      const row = body.insertRow();
      row.append(Object.assign(make('th', String(is)), { scope: 'row' }));
      for (let said = 0; said < classes; said++) this.#cells.push(row.insertCell());
    }
  }

  show({ confusion, images, accuracy, step }: Evaluation): void {
    for (const [i, cell] of this.#cells.entries()) {
      const row = Math.floor(i / classes) * classes;
      const all = confusion.slice(row, row + classes).reduce((a, b) => a + b, 0) || 1;
      const right = i === row + i / (classes + 1);
      cell.textContent = confusion[i] === 0 ? '' : String(confusion[i]);
      cell.className = right ? 'right' : 'wrong';
      // Few of a hundred are worth seeing where they are mistakes.
      cell.style.setProperty('--share', String(right ? confusion[i] / all : Math.min(1, (6 * confusion[i]) / all)));
    }
    this.#note.textContent = `Rows: what it is; columns: what was said. ${percent(accuracy, 2)} of ${images.toLocaleString('en')} test images are right after step ${step.toLocaleString('en')}.`;
  }
}

/** What was said, how surely, and what is right. */
export function showMistakes(list: HTMLElement, { mistakes, images }: Evaluation): void {
  const items = mistakes.map(({ image, is, said, probability }) => {
    const item = make('li');
    const canvas = Object.assign(make('canvas'), { width: 28, height: 28 });
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `An image of ${is}`);
    const text = make('span');
    text.append('said ', make('b', String(said), 'said'), `, is `, make('b', String(is)));
    text.title = `${percent(probability)} sure`;
    item.append(canvas, text, make('small', percent(probability, 0)));
    paint(canvas, image, getComputedStyle(list).color);
    return item;
  });
  if (items.length === 0) items.push(make('li', `None among ${images} images.`));
  list.replaceChildren(...items);
}

const svg = (tag: string, attributes: Record<string, string | number>, ...children: Element[]): SVGElement => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
};

/** A box in proportion: images as high as they are, with as many sheets as they have channels; rows as a bar. */
function boxOf(shape: LayerPicture['shape']): SVGElement {
  const [, height = 1, , channels = 1] = shape.map((size) => size ?? 1);
  const isImage = shape.length === 4;
  const side = isImage ? 12 + height * 1.2 : 0;
  const sheets = isImage ? 1 + Math.round(Math.log2(channels)) : 1;
  const picture = svg('svg', { viewBox: '0 0 76 76', 'aria-hidden': 'true' });
  for (let i = sheets - 1; i >= 0; i--) {
    const at = 38 + (i - (sheets - 1) / 2) * 4;
    const size = isImage ? [side, side] : [10, Math.min(70, 12 + 5.6 * Math.log2(height))];
    const place = { x: at - size[0] / 2, y: (isImage ? 76 - at : 38) - size[1] / 2 };
    picture.append(svg('rect', { ...place, width: size[0], height: size[1], rx: 2 }));
  }
  return picture;
}

/** The layers in order, each with the shape of what comes out, and how many numbers it learns. */
export function showNetwork(list: HTMLElement, total: HTMLElement, { layers }: Built): void {
  const all = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  const items = layers.map(({ name, what, shape, parameters }) => {
    const item = make('li');
    // Without the number of images.
    const sizes = shape.slice(1).join(' × ');
    const learned = parameters > 0 ? `${parameters.toLocaleString('en')} parameters` : '';
    item.append(boxOf(shape), make('code', name), make('span', what), make('small', sizes), make('small', learned));
    return item;
  });
  list.replaceChildren(...items);
  total.textContent = `${all.toLocaleString('en')} parameters in all. Below each layer: what comes out for one image.`;
}

/** Ten bars. */
export class Probabilities {
  readonly #rows: { item: HTMLElement; value: HTMLElement }[];

  constructor(list: HTMLElement) {
    this.#rows = Array.from({ length: classes }, (_, digit) => {
      const item = make('li');
      const value = make('span', '', 'value');
      item.append(make('b', String(digit)), make('span', '', 'bar'), value);
      list.append(item);
      return { item, value };
    });
  }

  /** @returns the most probable digit. */
  show(values: Float32Array | undefined): number {
    const best = values ? values.indexOf(Math.max(...values)) : -1;
    for (const [digit, { item, value }] of this.#rows.entries()) {
      const probability = values?.[digit] ?? 0;
      item.style.setProperty('--share', String(probability));
      item.classList.toggle('best', digit === best);
      value.textContent = values ? percent(probability) : '';
    }
    return best;
  }
}
