// The backends that there are, by the names under which sessions ask for them.
import { createAuto } from './auto.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { createNative } from './native/backend.ts';
import { createReference } from './reference/backend.ts';
import { createWasm } from './wasm/backend.ts';

/** Each makes the part of a backend that belongs to one session. @throws UnavailableError where it cannot run here. */
export const backends = {
  auto: createAuto,
  native: createNative,
  wasm: createWasm,
  reference: createReference,
} satisfies Record<string, (options: BackendOptions) => Backend>;

/** The backends that exist. */
export type BackendName = keyof typeof backends;
