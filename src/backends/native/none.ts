// What bundles for browsers get in place of backend.ts (see "browser" in package.json): nothing of it runs there.
import { UnavailableError } from '../../tensor/errors.ts';
import type { Backend } from '../backend.ts';

export function createNative(): Backend {
  throw new UnavailableError("The native backend needs Node, a C compiler and the package koffi; use backend: 'wasm'.");
}
