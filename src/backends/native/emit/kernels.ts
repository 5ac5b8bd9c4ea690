// The kernels of a program as functions, and how each is called. Compilers take long: what is alike is one function, and
// no function is long.

import { addTo } from '../../../base/multimap.ts';
import type { Sliced } from '../../../base/turns.ts';
import { at, type Kernel } from '../../../loops/ir.ts';
import { ownBuffer, patternOf } from '../../../loops/patterns.ts';
import { groupsOf, type KernelGroup, type Sharing } from '../../emit/kernel-groups.ts';
import { functionText, type KernelTarget, writeKernel } from './kernel.ts';
import { sizeOf, writeLongKernel } from './long-kernel.ts';
import { Functions, givenText, type Part, partOf } from './part.ts';

/** Addresses in registers cost nothing: two kernels are enough. */
const sharing: Sharing = { fewest: 2, mostGiven: Infinity };
/** A kernel of more statements and operations is cut: some 60,000 characters. */
const longKernel = 4000;
/** Kernels that were built apart, but have the same text, are one function where so much less is to be compiled. */
const worthSharing = 2 ** 15;

interface Written {
  readonly functions: readonly string[];
  /** How each kernel is called, in order. */
  readonly calls: readonly string[];
}

export function* kernelsOf(kernels: readonly Kernel[], target: KernelTarget): Sliced<Written> {
  const { originOf } = target;
  const groups = yield* groupsOf(kernels, originOf, sharing);
  const forms = yield* formsOf(kernels, target);
  const shared = new Functions();
  const names = new Map<KernelGroup, string>();
  const functions: string[] = [];
  const calls: string[] = [];
  for (const [number, kernel] of kernels.entries()) {
    yield;
    const call = (name: string, given: string) => calls.push(`${name}(call, own, start, thread, threads, ${given});`);
    const form = forms.get(patternOf(kernel)) as Form;
    const group = groups.get(kernel);
    if (typeof form === 'object') {
      const given = form.given.map(({ buffer, index }) => ({ buffer: ownBuffer(kernel, buffer), index }));
      call(shared.of(form.text), givenText(given, originOf));
      continue;
    }
    let name = group && names.get(group);
    if (!name) {
      name = `k${number}`;
      const pattern = group?.pattern ?? kernel;
      const own = { ...target, ...group };
      functions.push(
        functionText(
          name,
          yield* form === 'long' ? writeLongKernel(pattern.body, own, shared) : writeKernel(pattern, own),
        ),
      );
      if (group) names.set(group, name);
    }
    const given = (group?.given ?? []).map((b) => ({ buffer: ownBuffer(kernel, b), index: first }));
    call(name, givenText(given, originOf));
  }
  return { functions: [...shared.texts, ...functions], calls };
}

const first = at(0);

/** How a kernel is written: as it is, in parts, or as the part that is compiled for others too. */
type Form = 'plain' | 'long' | Part;

/** The forms of the patterns of all kernels. */
function* formsOf(kernels: readonly Kernel[], { machine }: KernelTarget): Sliced<ReadonlyMap<Kernel, Form>> {
  const forms = new Map<Kernel, Form>();
  const alike = new Map<string, [Kernel, Part][]>();
  for (const pattern of new Set(kernels.map(patternOf))) {
    if ((yield* sizeOf(pattern.body)) > longKernel) forms.set(pattern, 'long');
    else {
      const part = yield* partOf(pattern.body, machine);
      addTo(alike, part.text, [pattern, part]);
    }
    yield;
  }
  for (const [{ length }, members] of alike) {
    const isWorth = (members.length - 1) * length >= worthSharing;
    for (const [pattern, part] of members) forms.set(pattern, isWorth ? part : 'plain');
    yield;
  }
  return forms;
}
