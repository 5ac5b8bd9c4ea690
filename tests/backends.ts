// The backends on which the tests of ops and sessions run: all of them that can run here.
import { createNative } from '../src/backends/native/backend.ts';

/** Why there is no native backend here; undefined if there is one. */
export const nativeMissing = ((): string | undefined => {
  try {
    createNative({ threads: 1, portable: false, profile: false }).close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
})();
if (nativeMissing) console.log(`The tests of the native backend are skipped. ${nativeMissing}`);

export const backends = [
  'reference' as const,
  'wasm' as const,
  ...(nativeMissing === undefined ? (['native'] as const) : []),
];
