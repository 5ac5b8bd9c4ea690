// The last line of a terminal: what a program is doing now, below everything that it prints. Files and pipes get
// nothing of it.
//
// After it is drawn the cursor waits at its beginning. So the cursor need not be hidden, and whatever a terminal does
// to a line for which it has become too narrow, all that follows the cursor is this line.

/** Makes the line for so many columns. */
type Line = (columns: number) => string;

const streams = [process.stdout, process.stderr];
const screen = process.env.TERM === 'dumb' ? undefined : streams.find((stream) => stream.isTTY);
/** What goes through a pipe may come to the same terminal, as from tee, but a little later. */
const atOnce = screen === process.stdout;
const write = screen?.write.bind(screen);
let line: Line | undefined;
let drawn = false;
/** Is the cursor where a line begins? */
let atStart = true;
let redrawing: NodeJS.Timeout | undefined;

function draw(): void {
  if (!screen || !line || !atStart) return;
  // Some terminals say that they have no columns. Lines do not wrap meanwhile: it may be narrower than it was.
  const columns = (screen.columns || 80) - 1;
  write?.(`\r\x1b[?7l${line(columns)}\x1b[J\x1b[?7h\r`);
  drawn = true;
}

function erase(): void {
  if (drawn) write?.('\r\x1b[J');
  drawn = false;
}

/** Shows a line, which is drawn anew ten times a second; without one, removes what is shown. */
export function show(next?: Line): void {
  if (!screen) return;
  line = next;
  clearInterval(redrawing);
  if (line) {
    redrawing = setInterval(draw, 100).unref();
    if (atOnce) draw();
  } else erase();
}

/** `text` in cyan, where the terminal has colours and its user likes them. */
export const cyan = (text: string): string => (screen?.hasColors() ? `\x1b[36m${text}\x1b[39m` : text);

// Whoever prints, and wherever the words come from: they stand above the line.
for (const stream of screen ? streams : []) {
  const print = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = (...args: unknown[]): boolean => {
    erase();
    const done = print(...args);
    const text = String(args[0]);
    if (stream.isTTY && text) atStart = text.endsWith('\n');
    if (atOnce) draw();
    return done;
  };
}
if (screen) {
  screen.on('resize', draw);
  // An error that nobody catches is written after this.
  process.once('exit', () => show());
  process.once('SIGTERM', () => {
    show();
    process.kill(process.pid, 'SIGTERM');
  });
}
