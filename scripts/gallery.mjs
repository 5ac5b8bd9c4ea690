// `npm run gallery -- NAME [STEPS]`: runs a program of examples/gallery; without a name it says which there are.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'examples/gallery');
const name = process.argv[2];
/** What each program says of itself in its first lines. */
const programs = new Map();
for (const file of readdirSync(sources).sort()) {
  const comment = /^(\/\/ .*\n)+/.exec(readFileSync(join(sources, file), 'utf8'))?.[0] ?? '';
  if (comment.includes('`npm run gallery'))
    programs.set(file.replace(/\.ts$/, ''), comment.replaceAll(/^\/\/ /gm, '  '));
}
if (programs.has(name)) {
  process.argv.splice(2, 1);
  await import(pathToFileURL(join(root, `examples/build/gallery/${name}.js`)).href);
} else {
  if (name !== undefined) console.error(`There is no program ${name} in examples/gallery, but these:`);
  for (const [program, comment] of programs) console.log(`${program}\n${comment}`);
  process.exitCode = name === undefined ? 0 : 2;
}
