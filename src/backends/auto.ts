// Which backend a session gets that does not ask for one: the fastest that can run here.
import { inNode } from '../base/builtin.ts';
import { UnavailableError } from '../base/errors.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { createNative } from './native/backend.ts';
import { createWasm } from './wasm/backend.ts';

/** Native code where a C compiler and koffi are found, else WebAssembly, which then says why. */
export function createAuto(options: BackendOptions): Backend {
  if (!inNode) return createWasm(options);
  const instead = ({ message }: UnavailableError) => but(createWasm(options), { why: ` (not native: ${message})` });
  try {
    return but(createNative(options), { instead });
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return instead(error);
  }
}

/** The same backend, whose description ends with the reason for it, or which another one may stand in for. */
const but = (backend: Backend, { why = '', instead }: { why?: string; instead?: Backend['instead'] }): Backend => ({
  name: backend.name,
  get description() {
    return `${backend.description}${why}`;
  },
  machine: backend.machine,
  // What keeps it from starting is found again by the first program, for which the other one stands in.
  ready: instead ? backend.ready.catch(() => {}) : backend.ready,
  instead,
  load: (compiled) => backend.load(compiled),
  readVariables: (variables) => backend.readVariables(variables),
  writeVariables: (values) => backend.writeVariables(values),
  close: () => backend.close(),
});
