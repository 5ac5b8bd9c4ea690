// The API site: TypeDoc builds it without a warning, and its pages ask nothing of other hosts. TypeDoc is installed in
// docs/site, so this is `npm run soak -- docs`; the suite checks the docstrings themselves (public.test.ts).
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { chromiumMissing, launchChromium } from '../chromium.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = join(root, 'docs/site/build');

test('TypeDoc builds it without a warning', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/docs.mjs'], { cwd: root, encoding: 'utf8' });
  expect({ status, warnings: `${stdout}${stderr}`.match(/.*(warning|error).*/gi) }).toEqual({
    status: 0,
    warnings: null,
  });
});

/** Serves the site, as a host would. */
function serve(): Promise<Server> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
  const server = createServer((request, response) => {
    const file = join(build, decodeURIComponent(new URL(request.url ?? '', 'http://localhost').pathname));
    response.writeHead(existsSync(file) ? 200 : 404, { 'content-type': types[extname(file)] ?? 'image/svg+xml' });
    response.end(existsSync(file) ? readFileSync(file) : '');
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

if (chromiumMissing) console.log(`The pages are not opened: ${chromiumMissing}`);
test.skipIf(chromiumMissing)('its pages open, and ask nothing of other hosts', async () => {
  const files = readdirSync(build, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
  expect(files.length).toBeGreaterThan(300);
  const documents = files.filter((name) => name.startsWith('documents'));
  expect(documents.length).toBeGreaterThan(10);
  const server = await serve();
  const browser = await launchChromium();
  const origin = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const problems: string[] = [];
  try {
    const page = await browser.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) problems.push(`asks for ${request.url()}`);
    });
    page.on('response', (response) => {
      if (response.status() !== 200) problems.push(`has no ${response.url()}`);
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    for (const file of ['index.html', ...documents, ...files.filter((_, i) => i % 40 === 0)]) {
      await page.goto(origin + encodeURI(file));
      if ((await page.locator('h1').count()) === 0) problems.push(`${file} has no heading`);
    }
  } finally {
    await browser.close();
    server.close();
  }
  expect(problems).toEqual([]);
});
