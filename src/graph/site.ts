// The line of the user's program at which a node was made. Captured cheaply, made readable only when it is needed.

/** The folder of millrace's own code (`…/src` or `…/dist`), from this module's frame of a stack; needs no import.meta. */
const own = folderOf(frames(new Error('here').stack)[0] ?? '');

function frames(stack = ''): string[] {
  return stack.split('\n').filter((line) => /^\s*at |@/.test(line));
}

/** `file:///a/src/` of a frame in `file:///a/src/graph/site.ts`, `file:///a/dist/` of one in a bundle there. */
function folderOf(frame: string): string {
  const file = locationOf(frame)?.replace(/:\d+:\d+$/, '') ?? '';
  return file.replace(/(graph[/\\])?[^/\\]+$/, '');
}

/** `file:line:column` of a stack frame. */
function locationOf(frame: string): string | undefined {
  return /\(?((?:[a-z-]+:\/\/|[A-Za-z]:\\|\/)[^()]*:\d+:\d+)\)?\s*$/.exec(frame)?.[1];
}

/** An opaque record of where the program is. */
export type Site = { readonly stack?: string | undefined };

/** Remembers the current stack; cheap, because the text is made only by `lineOf`. */
export function captureSite(): Site {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 24;
  const site = new Error();
  Error.stackTraceLimit = before;
  return site;
}

/** `examples/mnist.ts:12:9`: the innermost frame outside of millrace, or `an unknown line`. */
export function lineOf(site: Site): string {
  const locations = frames(site.stack)
    .map(locationOf)
    .filter((l) => l !== undefined);
  const found = locations.find((l) => !l.startsWith(own) && !l.startsWith('node:')) ?? locations.at(-1);
  return found?.replace(/^file:\/\//, '') ?? 'an unknown line';
}
