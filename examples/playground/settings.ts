// The form: what may be chosen, and what is.
import type { Settings } from './messages.ts';
import { type ModelName, modelNames, models, type OptimizerName, optimizerTitles } from './models/catalog.ts';

const rates = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001];
const batches = [10, 25, 50, 100, 200, 500];

export class SettingsForm {
  readonly #form: HTMLFormElement;

  /** `threads`: how many can compute here; 1 where the page is not isolated. */
  constructor(form: HTMLFormElement, threads: number, changed: (settings: Settings) => void) {
    this.#form = form;
    const cores = `WebAssembly, ${threads} threads`;
    this.#fill(
      'model',
      modelNames.map((name) => [name, models[name].title] as const),
    );
    this.#fill('threads', [...(threads > 1 ? [[threads, cores] as const] : []), [1, 'WebAssembly, one thread']]);
    this.#fill('optimizer', Object.entries(optimizerTitles));
    this.#fill(
      'rate',
      rates.map((rate) => [rate, String(rate)] as const),
    );
    this.#fill(
      'batch',
      batches.map((size) => [size, `${size} images`] as const),
    );
    this.#select('batch').value = '50';
    this.#toModel('softmax');
    form.addEventListener('submit', (event) => event.preventDefault());
    // The model stands elsewhere on the page: what changes there does not pass through the form.
    const selects = [...form.elements].filter((element) => element instanceof HTMLSelectElement);
    const change = ({ target }: Event) => {
      const { model } = this.settings;
      if (target === this.#select('model')) this.#toModel(model);
      changed(this.settings);
    };
    for (const select of selects) select.addEventListener('change', change);
  }

  get settings(): Settings {
    const of = (name: string) => this.#select(name).value;
    return {
      model: of('model') as ModelName,
      optimizer: of('optimizer') as OptimizerName,
      rate: Number(of('rate')),
      batch: Number(of('batch')),
      threads: Number(of('threads')),
    };
  }

  /** Shows what has been built. */
  show({ model, optimizer, rate }: Settings): void {
    this.#select('model').value = model;
    this.#select('optimizer').value = optimizer;
    this.#select('rate').value = String(rate);
  }

  /** A model comes with the optimizer and rate that suit it. */
  #toModel(model: ModelName): void {
    this.show({ ...this.settings, model, optimizer: models[model].optimizer, rate: models[model].rate });
  }

  #select(name: string): HTMLSelectElement {
    return this.#form.elements.namedItem(name) as HTMLSelectElement;
  }

  #fill(name: string, choices: readonly (readonly [value: string | number, text: string])[]): void {
    this.#select(name).replaceChildren(...choices.map(([value, text]) => new Option(text, String(value))));
  }
}
