// The program's text on the page, line by line, so that what runs can light up.
import type { Run } from './messages.ts';
import type { ModelName } from './models/catalog.ts';
import { linesOf, listingOf } from './program.ts';

const tokens =
  /(\/\/.*|\/?\*\*?.*$)|('[^']*')|\b(const|export|import|function|return|new|extends|as|type)\b|(\b\d[\d_.e-]*\b)/g;
const kinds = ['comment', 'string', 'keyword', 'number'];

/** A line with its words coloured. */
function coloured(line: string): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  for (const match of line.matchAll(tokens)) {
    nodes.push(new Text(line.slice(at, match.index)));
    const span = document.createElement('span');
    span.className = kinds[match.slice(1).findIndex((group) => group !== undefined)];
    span.textContent = match[0];
    nodes.push(span);
    at = match.index + match[0].length;
  }
  return [...nodes, new Text(line.slice(at))];
}

const said: Record<Run, string> = {
  train: 'a training step, and its gradients',
  evaluate: 'an evaluation on test images',
  predict: 'the prediction for your digit',
};

/** What has run stays lit for so long, in milliseconds: a prediction takes one or two. */
const afterglow = 500;

/** The listing on the page. */
export class Listing {
  readonly #pre: HTMLElement;
  readonly #now: HTMLElement;
  #rows: HTMLElement[] = [];
  #goingOut: ReturnType<typeof setTimeout> | undefined;
  #lit: Record<Run, ReadonlySet<number>> | undefined;

  constructor(pre: HTMLElement, now: HTMLElement) {
    this.#pre = pre;
    this.#now = now;
  }

  show(model: ModelName): void {
    const lines = listingOf(model);
    this.#rows = lines.map((line) => {
      const row = document.createElement('span');
      row.className = 'line';
      row.append(...coloured(line), '\n');
      return row;
    });
    this.#pre.replaceChildren(...this.#rows);
    const lit = (run: Run) => linesOf(lines, run);
    this.#lit = { train: lit('train'), evaluate: lit('evaluate'), predict: lit('predict') };
  }

  /** Lights up what a run needs; with nothing, lets the light go out after a while. */
  light(run: Run | undefined): void {
    clearTimeout(this.#goingOut);
    if (run) this.#set(run);
    else this.#goingOut = setTimeout(() => this.#set(undefined), afterglow);
  }

  #set(run: Run | undefined): void {
    const lines = run && this.#lit?.[run];
    for (const [i, row] of this.#rows.entries()) row.classList.toggle('lit', lines?.has(i) ?? false);
    this.#now.textContent = run ? said[run] : 'nothing runs';
  }
}
