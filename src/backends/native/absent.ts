// What stands in for the native backend in bundles for browsers, which cannot run it: see scripts/build.mjs.
import { UnavailableError } from '../../base/errors.ts';
import type { Backend, BackendOptions } from '../backend.ts';

/** @throws UnavailableError always. */
export function createNative(_options: BackendOptions): Backend {
  throw new UnavailableError(
    'The native backend needs Node; this is the build of millrace for browsers, which is without it.',
  );
}
