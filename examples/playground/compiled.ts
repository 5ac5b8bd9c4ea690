// The dialog that shows how a run is compiled: what `session.explain` says, and the WebAssembly of a kernel.
import type { Commands, Run } from './messages.ts';

const runs: Record<Run, string> = { train: 'training step', evaluate: 'evaluation', predict: 'prediction' };
type Explain = (run: Run) => Promise<Commands['explain']['gives']>;

export class Compiled {
  readonly #dialog: HTMLDialogElement;
  readonly #run: HTMLSelectElement;
  readonly #kernel: HTMLSelectElement;
  readonly #explain: Explain;
  #texts: readonly string[] = [];

  constructor(dialog: HTMLDialogElement, explain: Explain) {
    this.#dialog = dialog;
    this.#explain = explain;
    this.#run = dialog.querySelector('#run')!;
    this.#kernel = dialog.querySelector('#kernel')!;
    this.#run.replaceChildren(...Object.entries(runs).map(([run, text]) => new Option(text, run)));
    this.#run.addEventListener('change', () => void this.#load());
    this.#kernel.addEventListener('change', () => this.#showKernel());
    dialog.querySelector('#close')!.addEventListener('click', () => dialog.close());
  }

  open(): void {
    this.#dialog.showModal();
    void this.#load();
  }

  async #load(): Promise<void> {
    const explained = this.#dialog.querySelector('#explained')!;
    const wat = this.#dialog.querySelector('#wat')!;
    explained.textContent = 'compiling …';
    wat.textContent = '';
    this.#kernel.replaceChildren();
    try {
      const [{ text, code }, { kernelsOf }] = await Promise.all([
        this.#explain(this.#run.value as Run),
        import('./kernels.ts'),
      ]);
      this.#texts = kernelsOf(code);
      const names = [...text.matchAll(/^ *kernel (\d+): ([^,]*)/gm)];
      this.#kernel.replaceChildren(...names.map(([, number, name]) => new Option(`kernel ${number}: ${name}`, number)));
      explained.textContent = text;
      this.#showKernel();
    } catch (error) {
      explained.textContent = (error as Error).message;
    }
  }

  #showKernel(): void {
    this.#dialog.querySelector('#wat')!.textContent = this.#texts[Number(this.#kernel.value)] ?? '';
  }
}
