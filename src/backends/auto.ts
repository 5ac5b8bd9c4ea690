// Which backend a session gets that does not ask for one: the fastest that can run here.
import { inNode } from '../base/builtin.ts';
import { UnavailableError } from '../base/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { createNative } from './native/backend.ts';
import { createWasm } from './wasm/backend.ts';

/** Native code where a C compiler and koffi are found, else WebAssembly, which then says why. */
export function createAuto(options: BackendOptions): Backend {
  if (!inNode) return createWasm(options);
  try {
    return createNative(options);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return because(createWasm(options), error.message);
  }
}

/** The same backend, whose description ends with the reason for it. */
const because = (backend: Backend, reason: string): Backend => ({
  name: backend.name,
  get description() {
    return `${backend.description} (not native: ${reason})`;
  },
  machine: backend.machine,
  ready: backend.ready,
  load: (compiled) => backend.load(compiled),
  readVariables: (variables) => backend.readVariables(variables),
  writeVariables: (values) => backend.writeVariables(values),
  close: () => backend.close(),
});
