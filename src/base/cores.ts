// How many threads can compute at once.
import { builtin, inNode } from './builtin.ts';

/** How many cores this process may use: its affinity, and the limit of its container. */
export function availableCores(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
  if (!inNode) return navigator?.hardwareConcurrency ?? 1;
  const cores = builtin<typeof import('node:os')>('os').availableParallelism();
  return Math.max(1, Math.min(cores, Math.ceil(containerLimit())));
}

/** Cores' worth of time that the container grants (Linux control groups, version 2 or 1). */
function containerLimit(): number {
  const { readFileSync } = builtin<typeof import('node:fs')>('fs');
  const read = (file: string): string | undefined => {
    try {
      return readFileSync(`/sys/fs/cgroup/${file}`, 'utf8');
    } catch {
      return undefined;
    }
  };
  const [quota, period] = (
    read('cpu.max') ?? `${read('cpu/cpu.cfs_quota_us') ?? 'max'} ${read('cpu/cpu.cfs_period_us') ?? ''}`
  )
    .trim()
    .split(/\s+/)
    .map(Number);
  return quota > 0 && period > 0 ? quota / period : Infinity;
}
