// File systems that a test mounts for a process of its own, which `unshare --mount` lets it do.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';

const mounts = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0;
/** Why that cannot be done here, if it cannot. */
export const mountsMissing = mounts ? undefined : 'this user may not mount a file system';
