// Removes the cache of compiled programs that the tests of one run share.
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const teardown = () =>
  rmSync(join(tmpdir(), `millrace-test-cache-${process.pid}`), { recursive: true, force: true });
