// `npm run docs`: the API site, static files in docs/site/build, by TypeDoc. It has a package of its own, installed when it
// is first wanted: TypeDoc does not install beside TypeScript 7.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const site = fileURLToPath(new URL('../docs/site', import.meta.url));
const changed = (file) => (existsSync(join(site, file)) ? statSync(join(site, file)).mtimeMs : 0);

function run(command, args) {
  const shell = process.platform === 'win32' && command === 'npm';
  const { status } = spawnSync(command, args, { cwd: site, shell, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (changed('node_modules/.package-lock.json') < changed('package-lock.json')) {
  console.log('millrace: installing TypeDoc in docs/site/ …');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
run(process.execPath, ['node_modules/typedoc/bin/typedoc']);
console.log(`millrace: open ${join(site, 'build', 'index.html')}`);
