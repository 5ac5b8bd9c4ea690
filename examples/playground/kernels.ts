// The WebAssembly of the kernels of a run, as text. Loaded when somebody asks for it.
import { disassemble, type WasmFunction } from './wat.ts';

/** What a kernel takes: arena, own space, first item, thread and threads. The barrier and other helpers take less. */
const kernelParameters = 5;

/** The text of each kernel, in the order in which a run calls them: its function, and the functions that it calls. */
export function kernelsOf(code: Uint8Array): string[] {
  const functions = disassemble(code);
  const run = functions.find(({ exported }) => exported === 'run');
  const kernels = [...new Set(run?.calls)].filter((call) => functions[call].parameters === kernelParameters);
  return kernels.map((kernel) => [...reached(kernel, functions)].map((called) => functions[called].text).join('\n\n'));
}

function reached(from: number, functions: readonly WasmFunction[], found = new Set<number>()): Set<number> {
  if (found.has(from)) return found;
  found.add(from);
  for (const call of functions[from].calls) reached(call, functions, found);
  return found;
}
