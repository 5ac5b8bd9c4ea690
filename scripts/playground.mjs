// `npm run playground`: builds examples/playground into static files and serves them with the headers that a page needs
// for threads; with --build only builds, for any host.
import { createServer } from 'node:http';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildPlayground } from '../examples/playground/build/build.mjs';
import { answer } from '../examples/playground/build/serve.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const standard = join(root, 'examples/build/playground');
const usage = `usage: npm run playground -- [options]
  --port N        the port to serve at (default: 8080; 0: any that is free)
  --build [DIR]   write static files for any host, and serve nothing (default: ${relative(root, standard)})
  --help          this text
`;

/** Says what is wrong and ends with exit code 2. */
function refuse(message) {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

function parse() {
  const taken = ['port', 'build', 'help'].find((name) => process.env[`npm_config_${name}`] !== undefined);
  if (taken) refuse(`npm took --${taken} for itself; write: npm run playground -- --${taken} …`);
  const options = { port: { type: 'string' }, build: { type: 'boolean' }, help: { type: 'boolean' } };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return refuse(error.message);
  }
}

const { values, positionals } = parse();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
if (positionals.length > (values.build ? 1 : 0)) refuse(`there is no argument ${positionals.at(-1)}`);
if (values.build && values.port !== undefined) refuse('--build serves nothing, so it takes no --port');
const port = Number(values.port ?? 8080);
if (!Number.isInteger(port) || port < 0 || port > 65535 || values.port?.trim() === '')
  refuse(`--port must be a whole number from 0 to 65535, not ${values.port}`);

const folder = resolve(positionals[0] ?? standard);
try {
  const { bytes } = await buildPlayground(folder, console.error);
  console.error(`millrace: the page is ${Math.round(bytes / 1000)} KB without the images`);
} catch (error) {
  console.error(`millrace: the playground could not be built: ${error.message}`);
  process.exit(1);
}
if (values.build) {
  console.log(`written to ${folder}`);
} else {
  const server = createServer((request, response) => answer(folder, request, response));
  server.on('error', ({ code, message }) => {
    const why = code === 'EADDRINUSE' ? `the port ${port} is taken: choose another with --port` : message;
    console.error(`millrace: the playground cannot be served: ${why}`);
    process.exit(1);
  });
  server.listen(port, 'localhost', () => console.log(`http://localhost:${server.address().port}/ (Ctrl-C ends it)`));
}
