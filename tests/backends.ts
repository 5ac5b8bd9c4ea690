// The backends on which the tests of ops and sessions run: all of them that can run here.
import { backends as all, type BackendName } from '../src/backends/registry.ts';

/** Without the one that is another in disguise. */
type Name = Exclude<BackendName, 'auto'>;

/** Why a backend cannot run here; undefined if it can. */
function missing(name: Name): string | undefined {
  try {
    all[name]({ threads: 1, portable: false, fastMath: true, profile: false }).close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
export const nativeMissing = missing('native');

export const backends = (Object.keys(all) as BackendName[]).filter((name): name is Name => {
  if (name === 'auto') return false;
  const reason = missing(name);
  if (reason) console.log(`The tests of the ${name} backend are skipped. ${reason}`);
  return reason === undefined;
});
