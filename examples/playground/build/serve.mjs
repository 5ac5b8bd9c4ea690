// A static server with the headers of the page. Hosts that cannot set headers do without: the service worker isolates the
// page there, and the policy stands in index.html as well.
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.gz': 'application/gzip',
};
const page = readFileSync(fileURLToPath(new URL('../index.html', import.meta.url)), 'utf8');
/** The policy of index.html: workers take theirs from a header. */
const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(page)[1];
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy': `${policy}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
};

/** Answers a request with a file of the folder. */
export function answer(folder, request, response) {
  const path = pathOf(folder, request.url);
  const file = path && statSync(path, { throwIfNoEntry: false });
  if (!file?.isFile()) {
    response.writeHead(404, headers).end('not found');
    return;
  }
  const type = types[extname(path)] ?? 'application/octet-stream';
  response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': file.size });
  if (request.method === 'HEAD') response.end();
  else createReadStream(path).pipe(response);
}

/** The file of an address; undefined for what is no address, and for what is outside of the folder. */
function pathOf(folder, url) {
  try {
    const { pathname } = new URL(url, 'http://localhost');
    const path = join(folder, normalize(decodeURIComponent(pathname)));
    if (path.includes('\0') || !path.startsWith(folder)) return undefined;
    return pathname.endsWith('/') ? join(path, 'index.html') : path;
  } catch {
    return undefined;
  }
}
