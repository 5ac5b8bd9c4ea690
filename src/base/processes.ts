// Processes that leave files behind: which of them live.
import { builtin } from './builtin.ts';

/** What is not written to for so long, in milliseconds, belongs to a process that has died, wherever it was. */
export const abandonedMs = 24 * 3_600_000;

/** A name for the processes that can see whether each other live: those of one machine, or of one container on it. */
export function processSpace(): string {
  const { readlinkSync } = builtin<typeof import('node:fs')>('fs');
  let space = builtin<typeof import('node:os')>('os').hostname();
  try {
    space += ` ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Other systems have one set of them.
  }
  const { createHash } = builtin<typeof import('node:crypto')>('crypto');
  return createHash('sha256').update(space).digest('hex').slice(0, 8);
}

/** Is there a process of that number, whoever owns it? */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
