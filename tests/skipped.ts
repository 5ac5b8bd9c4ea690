// Tests that cannot run here: they count as skipped, and the reason is printed.
import { describe, test } from 'vitest';

/** A test that is skipped, with the reason in its name and in the output. */
export function skipped(what: string, reason: string): void {
  console.log(`millrace: skipped: ${what}: ${reason}`);
  test.skip(`${what} (skipped: ${reason})`, () => {});
}

/** `describe`, or, where there is a reason against it, one skipped test. */
export function describeUnless(reason: string | undefined, what: string, body: () => void): void {
  if (reason) skipped(what, reason);
  else describe(what, body);
}
