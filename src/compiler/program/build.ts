// Build: the loop nests of tasks and of chains of tasks. What has the structure of something that was built before gets the
// same statements, for other buffers: a graph of many equal layers is built, and compiled, like one of them.

import type { Sliced } from '../../base/turns.ts';
import type { TaskBuffers } from '../../kernels/offer.ts';
import type { Buffer, Kernel } from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import { buffersOf, withBuffers } from '../../loops/patterns.ts';
import type { Lowered, Primitive } from '../../primitives/primitives.ts';
import type { Task } from '../../primitives/task.ts';
import { type Structure, structureOf } from '../tasks/structure.ts';
import type { Batched, Chain } from './batch.ts';
import type { Buffers, Scratch } from './buffers.ts';
import { mergeKernels } from './merge.ts';
import { readsOf, type Schedule } from './schedule.ts';
import { offersFor } from './select.ts';

/** A task as it was planned; its place in the list is the step at which it runs. */
export interface PlannedTask {
  readonly task: Task;
  readonly offers: Offered;
  /** Its kernels in the program: from the first to before the second number. */
  readonly kernels: readonly [from: number, to: number];
}

/** The kernels of a run in order. */
export interface Built {
  readonly kernels: readonly Kernel[];
  /** So many of them come before any variable may be written. */
  readonly checks: number;
  readonly tasks: readonly PlannedTask[];
}

interface BuildInput {
  readonly lowered: Pick<Lowered, 'checks'>;
  readonly scheduled: Pick<Schedule, 'checks' | 'commits'>;
  readonly batched: Pick<Batched, 'tasks' | 'chains'>;
  readonly buffers: Buffers;
  readonly machine: Machine;
  /** Build what has one structure once? */
  readonly shareStructures: boolean;
}

export function* build({ lowered, scheduled, batched, buffers, machine, shareStructures }: BuildInput): Sliced<Built> {
  const kernels: Kernel[] = [];
  const tasks: PlannedTask[] = [];
  let checks = 0;
  const numbers = new Map<Primitive, number>(lowered.checks.map((c, i) => [c, i + 1]));
  const builder = new Builder(machine, buffers, numbers, shareStructures);
  for (const unit of unitsOf([...batched.tasks, ...scheduled.commits], batched.chains)) {
    const from = kernels.length;
    const built = yield* builder.build(unit);
    kernels.push(...built.kernels);
    const last = unit.tasks.length - 1;
    for (const [i, task] of unit.tasks.entries()) {
      // The kernels of a chain belong to the last of its tasks.
      const range = [from, i === last ? kernels.length : from] as const;
      tasks.push({ task, offers: built.offers[i], kernels: range });
    }
    if (unit.first < scheduled.checks) checks = kernels.length;
    yield;
  }
  if (numbers.size > 0) buffers.status();
  return { kernels, checks, tasks };
}

/** Tasks that become kernels together: one, or a chain whose kernels are merged. */
interface Unit {
  readonly tasks: readonly Task[];
  /** The step of the first one. */
  readonly first: number;
  readonly chain: Chain | undefined;
}

/** The tasks in order, those of a chain together. */
function unitsOf(tasks: readonly Task[], chains: readonly Chain[]): Unit[] {
  const units: Unit[] = [];
  const ordered = [...chains].sort((a, b) => a.first - b.first);
  let next = 0;
  for (let first = 0; first < tasks.length; ) {
    while (next < ordered.length && ordered[next].end <= first) next++;
    const around = next < ordered.length && ordered[next].first <= first ? ordered[next] : undefined;
    const end = around?.parallel ? around.end : first + 1;
    units.push({ tasks: tasks.slice(first, end), first, chain: around });
    first = end;
  }
  return units;
}

/** What a task was offered, the cheapest, which is taken, first. */
type Offered = readonly { readonly name: string; readonly cost: number }[];

/** What was built, as a pattern for others of its structure. */
interface Pattern {
  readonly kernels: readonly Kernel[];
  readonly offers: readonly Offered[];
  /** The arrays of its tasks, each once, then the space that they asked for. */
  readonly buffers: readonly Buffer[];
  /** What each task asked for. */
  readonly asked: readonly (readonly Scratch[])[];
  /** Which buffers became private when it was merged, or are not needed any more. */
  readonly replaced: ReadonlyMap<Buffer, Buffer | undefined>;
}

class Builder {
  readonly #machine: Machine;
  readonly #buffers: Buffers;
  readonly #checkNumbers: ReadonlyMap<Primitive, number>;
  readonly #shareStructures: boolean;
  readonly #patterns = new Map<string, Pattern>();
  /** Structures of tasks get numbers, so that those of chains stay short. */
  readonly #numbers = new Map<string, number>();

  constructor(
    machine: Machine,
    buffers: Buffers,
    checkNumbers: ReadonlyMap<Primitive, number>,
    shareStructures: boolean,
  ) {
    this.#machine = machine;
    this.#buffers = buffers;
    this.#checkNumbers = checkNumbers;
    this.#shareStructures = shareStructures;
  }

  *build(unit: Unit): Sliced<{ readonly kernels: readonly Kernel[]; readonly offers: readonly Offered[] }> {
    const structures = this.#shareStructures ? unit.tasks.map((task) => structureOf(task)) : [];
    yield;
    if (!this.#shareStructures || !structures.every((s) => s !== undefined)) return yield* this.#first(unit, []);
    const { key, buffers } = this.#keyOf(unit, structures);
    const pattern = this.#patterns.get(key);
    if (pattern) return { kernels: this.#again(unit, pattern, buffers), offers: pattern.offers };
    const made = yield* this.#first(unit, buffers);
    this.#patterns.set(key, made);
    return made;
  }

  /** The structures of the tasks, and which of their arrays are the same one, or blocks of the same one. */
  #keyOf(unit: Unit, structures: readonly Structure[]): { key: string; buffers: Buffer[] } {
    const { chain } = unit;
    const found = new Map<Buffer, number>();
    let key = chain?.parallel ? `${chain.items / chain.block} blocks` : '';
    const add = (buffer: Buffer, role: () => string) => {
      const known = found.get(buffer);
      key += ` ${known ?? found.size}`;
      if (known !== undefined) return;
      found.set(buffer, found.size);
      key += role();
    };
    for (const { text, nodes } of structures) {
      const number = this.#numbers.get(text) ?? this.#numbers.size;
      this.#numbers.set(text, number);
      key += `;${number}`;
      for (const node of nodes) {
        const buffer = this.#buffers.of(node);
        const { window, within } = this.#buffers.role(node);
        add(buffer, () => (within ? ` within ${buffer.length}` : ` ${buffer.length}`));
        if (window) add(window, () => ' whole');
      }
    }
    return { key, buffers: [...found.keys()] };
  }

  *#first(unit: Unit, arrays: readonly Buffer[]): Sliced<Pattern> {
    const buffers = [...arrays];
    const kernels: Kernel[] = [];
    const asked: Scratch[][] = [];
    const offered: Offered[] = [];
    for (const [i, task] of unit.tasks.entries()) {
      const own: Scratch[] = [];
      const ask = (scratch: Scratch): Buffer => {
        own.push(scratch);
        const buffer = this.#buffers.scratch(scratch, unit.first + i, unit.chain);
        buffers.push(buffer);
        return buffer;
      };
      const given: TaskBuffers = {
        of: (node) => this.#buffers.of(node),
        scratch: (name, dtype, length) => ask({ name, dtype, length, own: false }),
        own: (name, dtype, length) => ask({ name, dtype, length, own: true }),
        status: () => this.#buffers.status(),
        checkNumber: (node) => this.#checkNumbers.get(node) as number,
      };
      this.#use(unit, i);
      const offers = yield* offersFor(task, this.#machine);
      kernels.push(...offers[0].build(given));
      offered.push(offers.map(({ name, cost }) => ({ name, cost })));
      asked.push(own);
      yield;
    }
    const { chain } = unit;
    if (!chain?.parallel)
      return { kernels: yield* listed(kernels), offers: offered, buffers, asked, replaced: new Map() };
    // Only where loops are alike has it any use to look for those that may be one.
    const alike = unit.tasks.some((t) => t.byItem);
    const merged = yield* mergeKernels(kernels, chain.items / chain.block, this.#buffers.chain(), alike);
    this.#buffers.replace(merged.replaced);
    return { ...merged, kernels: yield* listed(merged.kernels), offers: offered, buffers, asked };
  }

  /** The pattern's kernels for these arrays, and for space as the pattern's tasks asked for. */
  #again(unit: Unit, pattern: Pattern, arrays: readonly Buffer[]): Kernel[] {
    const own = [...arrays];
    for (const [i, asked] of pattern.asked.entries()) {
      this.#use(unit, i);
      for (const scratch of asked) own.push(this.#buffers.scratch(scratch, unit.first + i, unit.chain));
    }
    const buffers = new Map(pattern.buffers.map((b, i) => [b, own[i]]));
    const replaced = new Map<Buffer, Buffer | undefined>();
    for (const [old, fresh] of pattern.replaced) {
      const mine = buffers.get(old) as Buffer;
      const replacement = fresh && { ...mine, private: true };
      replaced.set(mine, replacement);
      if (fresh) buffers.set(fresh, replacement as Buffer);
    }
    this.#buffers.replace(replaced);
    return pattern.kernels.map((k) => withBuffers(k, buffers));
  }

  #use({ tasks, first, chain }: Unit, i: number): void {
    for (const v of readsOf(tasks[i])) this.#buffers.use(v.node, first + i, chain);
    for (const o of tasks[i].outputs) if (o.node.kind !== 'check') this.#buffers.use(o.node, first + i, chain);
  }
}

/** The kernels with their buffers listed: passes on loops move statements, and the order stays as it was built. */
function* listed(kernels: readonly Kernel[]): Sliced<Kernel[]> {
  const result: Kernel[] = [];
  for (const kernel of kernels) {
    result.push({ ...kernel, buffers: buffersOf(kernel) });
    yield;
  }
  return result;
}
