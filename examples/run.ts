// What a run of the examples shows while it trains. The examples read like the tutorial because this is here:
// `steps(20000)` counts, shows progress, and ends early on Ctrl-C.
import { options } from './options.ts';
import { cyan, show } from './terminal.ts';

/** When Ctrl-C was pressed. */
let interrupted: number | undefined;
process.on('SIGINT', () => {
  if (interrupted === undefined) {
    interrupted = performance.now();
    process.exitCode = 130;
    status('stopping');
    // A second Ctrl-C does not wait for the evaluation. npm may hand on the first one once more.
  } else if (performance.now() - interrupted > 500) process.exit(130);
});

/** Has Ctrl-C been pressed? */
export const wasInterrupted = (): boolean => interrupted !== undefined;

/** `9s`, `2m05s` or `1h02m`. */
function duration(seconds: number): string {
  const [s, m] = [Math.round(seconds), Math.floor(Math.round(seconds) / 60)];
  const two = (n: number) => String(n % 60).padStart(2, '0');
  if (s < 60) return `${s}s`;
  return m < 60 ? `${m}m${two(s)}s` : `${Math.floor(m / 60)}h${two(m)}m`;
}

/** Says on the last line of a terminal what is being done, and for how long; without words, says nothing more. */
export function status(what?: string): void {
  const begin = performance.now();
  const text = (columns: number) => {
    const seconds = (performance.now() - begin) / 1000;
    const words = `${what} …${seconds < 1 ? '' : ` ${duration(seconds)}`}`;
    const all = interrupted ? `${words} (Ctrl-C again ends at once)` : words;
    return all.length <= columns ? all : words;
  };
  show(what === undefined ? undefined : text);
}

let noted = '';
/** Puts words beside the progress bar. */
export function note(words: string): void {
  noted = words;
}

/** A bar and numbers; where there is no room, numbers alone, and then in fewer words. */
function progress(columns: number, done: number, total: number, rate: number): string {
  const counted = String(done).padStart(String(total).length);
  const speed = rate > 0 && (rate < 100 ? rate.toPrecision(3) : rate.toFixed(0));
  const left = rate > 0 && duration((total - done) / rate);
  const parts = [`${counted}/${total}`, noted, speed && `${speed} steps/s`, left && `ETA ${left}`];
  const text = parts.filter(Boolean).join(' · ');
  const size = Math.min(40, Math.floor(columns / 4));
  const full = Math.floor((size * done) / total);
  if (size + 1 + text.length <= columns) return `${cyan('━'.repeat(full))}${'─'.repeat(size - full)} ${text}`;
  if (text.length <= columns) return text;
  return [`${done}/${total}`, noted, speed && `${speed}/s`, left].filter(Boolean).join(' ');
}

/** Counts the steps of a training, with a progress bar on a terminal; `--steps` overrides the number. */
export function* steps(count: number, from = 0): Generator<number> {
  const total = options.steps ?? count;
  const begin = performance.now();
  const since = (time: number) => (performance.now() - time) / 1000;
  note('');
  let done = from;
  while (done < total && !interrupted) {
    yield done;
    done++;
    // The first step is slow: its programs are compiled.
    if (done === from + 1) {
      const first = performance.now();
      show((columns) => progress(columns, done, total, (done - from - 1) / since(first)));
    }
  }
  show();
  if (interrupted) console.log(`stopped after ${done} of ${total} steps`);
  else {
    const made = Math.max(0, done - from);
    console.log(`${made} steps in ${since(begin).toFixed(1)} s, ${(made / since(begin)).toFixed(1)} steps/s`);
  }
}

/** `0.9172`, as the tutorial prints it. */
export const percent = (accuracy: number): string => accuracy.toPrecision(4).replace(/\.?0+$/, '');
