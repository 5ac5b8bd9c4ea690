// Stacks: the line of the user's program at which something was made, and stacks that begin there. Captured cheaply, made
// readable only when it is needed.

/** The folder of millrace's own code (`…/src` or `…/dist`), from this module's frame of a stack; needs no import.meta. */
const own = folderOf(frames(new Error('here').stack)[0] ?? '');

function frames(stack = ''): string[] {
  return stack.split('\n').filter((line) => /^\s*at |@/.test(line));
}

/** `file:///a/src/` of a frame in `file:///a/src/base/stack.ts`, `file:///a/dist/` of one in a bundle there. */
function folderOf(frame: string): string {
  const file = locationOf(frame)?.replace(/:\d+:\d+$/, '') ?? '';
  return file.replace(/(base[/\\])?[^/\\]+$/, '');
}

/** `file:line:column` of a stack frame. */
function locationOf(frame: string): string | undefined {
  return /\(?((?:[a-z-]+:\/\/|[A-Za-z]:\\|\/|\[eval\d*\]|REPL\d+)[^()]*:\d+:\d+)\)?\s*$/.exec(frame)?.[1];
}

const isUsers = (location: string | undefined): boolean =>
  location !== undefined && !location.startsWith(own) && !location.startsWith('node:');

/** An opaque record of where the program is. */
export type Site = { readonly stack?: string | undefined };

/** So many frames: the user's line lies below what layers and optimizers call inside. */
const depth = 50;

/** Remembers the current stack; cheap, because the text is made only when somebody asks. */
export function captureSite(): Site {
  const before = Error.stackTraceLimit;
  // Where it is frozen, what the engine captures must do.
  Reflect.set(Error, 'stackTraceLimit', depth);
  const site = new Error();
  Reflect.set(Error, 'stackTraceLimit', before);
  return site;
}

/** `examples/mnist.ts:12:9`: the innermost frame outside of millrace, or `an unknown line`. */
export function lineOf(site: Site): string {
  const locations = frames(site.stack)
    .map(locationOf)
    .filter((l) => l !== undefined);
  const found = locations.find(isUsers) ?? locations.at(-1);
  return found?.replace(/^file:\/\//, '') ?? 'an unknown line';
}

/** The frames from the user's line on; all of them where none is the user's. */
export function framesOf(site: Site): string {
  const all = frames(site.stack);
  const first = all.findIndex((frame) => isUsers(locationOf(frame)));
  return all.slice(Math.max(first, 0)).join('\n');
}
