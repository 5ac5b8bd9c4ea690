// A program in a pseudo-terminal, and what its screen shows: for tests of what people look at.
import xterm from '@xterm/headless';

/** What runs a program in a pseudo-terminal; prebuilt for some systems only. */
const pty = await import('@lydell/node-pty').catch((error: Error) => error);

/** Why there are no pseudo-terminals here. */
export const emulatorMissing = pty instanceof Error ? pty.message.split('\n')[0] : undefined;

/** How a program is started. */
export interface Start {
  columns?: number;
  rows?: number;
  cwd: string;
  env?: Record<string, string>;
  /** Whether a narrower terminal wraps the line of the cursor, as most do, or cuts it off. Default false. */
  reflow?: boolean;
}

/** The environment of somebody at a terminal: what CI sets, as `CI` itself, is about pipes and switches colours off. */
const person = {
  TERM: 'xterm-256color',
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(PATH|HOME|TMPDIR|CC|MILLRACE_.*)$/.test(name)),
  ),
};

/** A shell command on a terminal of its own; when it ends, its exit code and a prompt are printed: `0$ `. */
export class Emulator {
  /** All that came, as it came. */
  raw = '';
  cursorVisible = true;
  readonly #terminal: xterm.Terminal;
  readonly #process: import('@lydell/node-pty').IPty;
  #ended = false;
  #changed = () => {};

  constructor(command: string, { columns = 80, rows = 24, cwd, env = {}, reflow = false }: Start) {
    if (pty instanceof Error) throw pty;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, reflowCursorLine: reflow, allowProposedApi: true });
    for (const final of ['h', 'l'])
      this.#terminal.parser.registerCsiHandler({ prefix: '?', final }, (numbers) => {
        if (numbers.includes(25)) this.cursorVisible = final === 'h';
        return false;
      });
    this.#process = pty.spawn('/bin/sh', ['-c', `trap : INT; ${command}; printf '%s$ ' $?`], {
      cols: columns,
      rows,
      cwd,
      env: { ...person, ...env },
    });
    this.#process.onData((text) => {
      this.raw += text;
      this.#terminal.write(text, () => this.#changed());
    });
    this.#process.onExit(() => {
      this.#terminal.write('', () => {
        this.#ended = true;
        this.#changed();
      });
    });
  }

  /** The rows of the screen, down to the last that is not empty. */
  get rows(): string[] {
    const { active } = this.#terminal.buffer;
    const all = Array.from({ length: this.#terminal.rows }, (_, y) => active.getLine(active.baseY + y));
    return cut(all.map((line) => line?.translateToString(true) ?? ''));
  }

  /** All lines, those that have left the screen too; what the terminal wrapped is one. */
  get lines(): string[] {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let y = 0; y < active.length; y++) {
      const line = active.getLine(y);
      const wraps = active.getLine(y + 1)?.isWrapped ?? false;
      const text = line?.translateToString(!wraps) ?? '';
      if (line?.isWrapped) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return cut(lines);
  }

  /** Where the cursor is on the screen. */
  get cursor(): { x: number; y: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { x: cursorX, y: cursorY };
  }

  /** Presses keys. */
  press(keys: string): void {
    this.#process.write(keys);
  }

  /** Makes the terminal narrower or wider while the cursor is in the first column. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    // This emulator leaves the cursor in the last row of what it wraps, terminals leave it on its character: the first.
    const { active } = this.#terminal.buffer;
    let up = 0;
    while (active.getLine(active.baseY + active.cursorY - up)?.isWrapped) up++;
    if (up > 0) this.#terminal.write(`\x1b[${up}A`);
    this.#process.resize(columns, rows);
  }

  /** Waits until something is so; fails, with the screen, if the program ends without it. */
  until(what: () => boolean): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`${what} never was so; the screen:\n${this.lines.join('\n')}`));
      const deadline = setTimeout(fail, 50_000);
      this.#changed = () => {
        if (!what() && !this.#ended) return;
        clearTimeout(deadline);
        if (what()) resolve();
        else fail();
      };
      this.#changed();
    });
  }

  /** Waits for the last line to be like this. */
  last(pattern: RegExp): Promise<void> {
    return this.until(() => pattern.test(this.rows.at(-1) ?? ''));
  }

  /** Waits for the end of the command. */
  end(): Promise<void> {
    return this.until(() => this.#ended);
  }

  /** Ends what still runs. */
  kill(): void {
    if (!this.#ended) this.#process.kill('SIGKILL');
    this.#terminal.dispose();
  }
}

/** Without the empty ones at the end. */
function cut(lines: string[]): string[] {
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
