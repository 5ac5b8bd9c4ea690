// The timeline of a session as a file in the trace event format, which chrome://tracing and ui.perfetto.dev open:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
import { builtin, inNode } from '../base/builtin.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import { atOnce, inSlices, type Sliced } from '../base/turns.ts';
import { mainTrack, type Span } from './timeline.ts';

/** About 15 MB of text. */
const mostEvents = 100_000;
/** Events that are written before others get a turn. */
const eventsAtOnce = 1000;

const fileSystem = () => builtin<typeof import('node:fs')>('fs');
const nodeProcess = () => builtin<typeof import('node:process')>('process');

/** The traces that are being made, by their paths: what is not closed is written when the process ends. */
const open = new Map<string, Trace>();
const writeAll = () => {
  for (const trace of open.values()) trace.writeNow();
};

/** Collects the spans of a session, and writes them when it is closed. */
export class Trace {
  readonly #path: string;
  readonly #title: string;
  readonly #spans: Span[] = [];
  readonly #tracks = new Set<number>();
  #dropped = 0;

  /**
   * `title` is the name of the process in the file.
   *
   * @throws InvalidArgumentError when the file cannot be written.
   */
  constructor(file: string, title: string) {
    if (!inNode) {
      throw new InvalidArgumentError(
        'Session: trace writes a file, which a page in a browser cannot do. Leave the option out here, and trace the same program in Node.',
      );
    }
    this.#path = builtin<typeof import('node:path')>('path').resolve(file);
    this.#title = title;
    if (open.has(this.#path)) {
      throw new InvalidArgumentError(
        `Session: the trace file ${this.#path} belongs to a session that is still open. Close that one first, or give each a file of its own.`,
      );
    }
    // Better refused now than after hours of training.
    this.#attempt(() => fileSystem().writeFileSync(this.#path, '{"traceEvents":[]}\n'));
    if (open.size === 0) nodeProcess().on('exit', writeAll);
    open.set(this.#path, this);
  }

  /** Adds spans that belong together: all of them, or none once the trace is full. */
  add(spans: readonly Span[]): void {
    if (this.#dropped === 0 && this.#spans.length + spans.length <= mostEvents) {
      for (const span of spans) {
        this.#spans.push(span);
        this.#tracks.add(span.track);
      }
      return;
    }
    if (this.#dropped === 0) {
      console.warn(
        `millrace: the trace ${this.#path} is full: its first ${this.#spans.length} events are kept, later ones are left out. ` +
          'Close the session sooner, or trace a shorter part of the work.',
      );
    }
    this.#dropped += spans.length;
  }

  /** Writes the file. @throws InvalidArgumentError when it cannot be written any more. */
  async close(): Promise<void> {
    try {
      await inSlices(this.#writing());
    } finally {
      open.delete(this.#path);
      if (open.size === 0) nodeProcess().off('exit', writeAll);
    }
  }

  /** Writes the file while the process ends. */
  writeNow(): void {
    try {
      atOnce(this.#writing());
    } catch (error) {
      console.error(`millrace: ${(error as Error).message}`);
    }
  }

  *#writing(): Sliced<void> {
    const { openSync, closeSync, writeFileSync } = fileSystem();
    const file = this.#attempt(() => openSync(this.#path, 'w'));
    const write = (text: string) => this.#attempt(() => writeFileSync(file, text));
    try {
      const dropped = this.#dropped > 0 ? `"otherData":{"droppedEvents":${this.#dropped}},` : '';
      write(`{"displayTimeUnit":"ms",${dropped}"traceEvents":[\n${this.#about().map(textOf).join(',\n')}`);
      for (let i = 0; i < this.#spans.length; i += eventsAtOnce) {
        yield;
        const spans = this.#spans.slice(i, i + eventsAtOnce);
        write(`,\n${spans.map((span) => textOf(completeEvent(span))).join(',\n')}`);
      }
      write('\n]}\n');
    } finally {
      closeSync(file);
    }
  }

  /** The names of the process and of its tracks, and a mark where events were left out. */
  #about(): object[] {
    const name = (what: string, tid: number, args: object) => ({ name: what, ph: 'M', pid, tid, args });
    const about: object[] = [name('process_name', mainTrack, { name: `millrace, ${this.#title}` })];
    for (const track of [...this.#tracks].sort((a, b) => a - b)) {
      about.push(name('thread_name', track, { name: track === mainTrack ? 'calling thread' : `thread ${track - 1}` }));
      about.push(name('thread_sort_index', track, { sort_index: track }));
    }
    const last = this.#spans.reduce((end, span) => Math.max(end, span.end), 0);
    const mark = `${this.#dropped} later events were left out`;
    if (this.#dropped > 0) about.push({ name: mark, ph: 'i', s: 'g', ts: 1000 * last, pid, tid: mainTrack });
    return about;
  }

  /** @throws InvalidArgumentError in place of what the system says. */
  #attempt<R>(action: () => R): R {
    try {
      return action();
    } catch (error) {
      throw new InvalidArgumentError(
        `Session: the trace file ${this.#path} cannot be written (${(error as Error).message}). ` +
          'Give trace the path of a file in a folder that exists and where this process may write.',
      );
    }
  }
}

const textOf = (event: object): string => JSON.stringify(event);

/** A trace has one process. */
const pid = 1;

/** Microseconds, cut to nanoseconds so that what lies within a span stays within it. */
function completeEvent({ name, track, begin, end, args }: Span): object {
  const from = Math.round(begin * 1e6);
  const duration = Math.round(end * 1e6) - from;
  return { name, ph: 'X', ts: from / 1000, dur: duration / 1000, pid, tid: track, ...(args && { args }) };
}
