// What a session did, as spans of time on tracks.
import type { RunProfile } from '../backends/backend.ts';

/** Something that took time on a track; milliseconds of `performance.now()`. */
export interface Span {
  readonly name: string;
  readonly track: number;
  readonly begin: number;
  readonly end: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A kernel as the timeline shows it. */
export interface TracedKernel {
  readonly name: string;
  readonly parallel: boolean;
  readonly args: Readonly<Record<string, number>>;
}

/** The track of the calling thread; thread t of the pool has number t + 1. */
export const mainTrack = 0;

/** Compiling, and its parts. */
export function compileSpans(
  label: string,
  [begin, lowered, planned, end]: readonly [number, number, number, number],
): Span[] {
  const track = mainTrack;
  return [
    { name: 'compile', track, begin, end, args: { fetches: label } },
    { name: 'lower', track, begin, end: lowered },
    { name: 'plan', track, begin: lowered, end: planned },
    { name: 'load', track, begin: planned, end },
  ];
}

/** A run as the timeline shows it. */
export interface TracedRun {
  readonly label: string;
  readonly begin: number;
  readonly end: number;
  /** Was the calling thread the first of those that ran the kernels? */
  readonly inline: boolean;
  readonly profile: RunProfile | undefined;
  readonly kernels: readonly TracedKernel[];
}

/** A run, its parts, and the kernels on each thread; a kernel that is not divided only where it did something. */
export function runSpans({ label, begin, end, inline, profile, kernels }: TracedRun): Span[] {
  const track = mainTrack;
  const spans: Span[] = [{ name: 'run', track, begin, end, args: { fetches: label } }];
  if (!profile) return spans;
  const { started, computed, calls, threads } = profile;
  spans.push({ name: 'copy in', track, begin, end: started });
  spans.push({ name: 'kernels', track, begin: started, end: computed });
  for (const [thread, times] of threads.entries()) {
    for (const [i, k] of calls.entries()) {
      const { name, parallel, args } = kernels[k];
      if (thread > 0 && !parallel) continue;
      spans.push({
        name,
        track: inline && thread === 0 ? mainTrack : thread + 1,
        begin: times[2 * i],
        end: times[2 * i + 1],
        args,
      });
    }
  }
  spans.push({ name: 'copy out', track, begin: computed, end });
  return spans;
}
