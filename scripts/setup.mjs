// Installs the development dependencies when they are missing or out of date; with --build, also compiles dist/.
// Says in one line what it does; does nothing, silently, when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const mtime = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);

// What is interrupted is waited for: npm undoes what it has done, and who starts again must not meet it.
process.on('SIGINT', () => {});

function run(what, command, args) {
  console.error(`millrace: ${what}`);
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (result.signal === 'SIGINT' || result.status === 130) process.exit(130);
  if (result.status !== 0) {
    console.error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
    console.error(`millrace: failed: ${command} ${args.join(' ')}`);
    process.exit(1);
  }
}

if (mtime('node_modules/.package-lock.json') < mtime('package-lock.json')) {
  run('installing the development dependencies (npm ci) …', 'npm', ['ci', '--no-audit', '--no-fund']);
}

/** `parentPath`, which early Nodes 20 call `path`. */
const folderOf = (entry) => entry.parentPath ?? entry.path;

/** The newest modification time of the files under a folder. */
const newest = (folder) =>
  Math.max(
    0,
    ...readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !folderOf(entry).includes(join('examples', 'build')))
      .map((entry) => statSync(join(folderOf(entry), entry.name)).mtimeMs),
  );

if (process.argv.includes('--build')) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const sources = Math.max(newest('src'), mtime('scripts/build.mjs'), mtime('tsconfig.build.json'));
  if (sources > mtime('dist/browser/index.js')) {
    run('compiling src/ to dist/ …', process.execPath, ['scripts/build.mjs']);
  }
  if (Math.max(newest('examples'), mtime('dist/index.js')) > mtime('examples/build/mnist.js')) {
    run('compiling examples/ …', process.execPath, [tsc, '-p', 'examples/tsconfig.json']);
  }
}
