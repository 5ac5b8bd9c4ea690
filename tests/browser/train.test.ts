// Headless Chromium trains from a bundle, with threads and without, and gets the losses that Node gets.
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { type Trained, train } from './model.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const folders = (process.env.PATH ?? '').split(delimiter);
const found = [process.env.CHROMIUM ?? '', ...folders.flatMap((f) => names.map((name) => join(f, name)))].find(
  (file) => file !== '' && existsSync(file),
);
if (!found) {
  console.warn('skipped: the tests in a browser, because no Chromium is installed (set CHROMIUM to one).');
}
const isolating = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
/** What Chromium does not need for this, some of which it would look for on the network. */
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

describe.skipIf(!found)('in Chromium', () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    const entryPoints = [fileURLToPath(new URL('page.mjs', import.meta.url))];
    const { outputFiles } = await build({ entryPoints, bundle: true, format: 'esm', minify: true, write: false });
    server = createServer(({ url }, response) => {
      const headers = url?.startsWith('/isolated') ? isolating : {};
      if (url?.endsWith('.js')) response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript' });
      else response.writeHead(200, { ...headers, 'Content-Type': 'text/html' });
      const page = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';
      response.end(url?.endsWith('.js') ? outputFiles[0].text : page);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    browser = await chromium.launch({ executablePath: found as string, args: flags.split(' ') });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test.each([
    ['isolated', 3, '3 threads'],
    ['alone', undefined, '1 thread, this one'],
  ] as const)('twenty steps on a page that is %s: the losses of Node', async (folder, threads, threadsSaid) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/${folder}/`);
    await page.waitForFunction('globalThis.train');
    expect(await page.evaluate('crossOriginIsolated')).toBe(folder === 'isolated');
    for (const portable of [true, false]) {
      const there = (await page.evaluate(`train(${portable}, ${threads})`)) as Trained;
      expect(there.backend).toContain(threadsSaid);
      const here = await train(tf, portable, 2);
      // An engine without the fused multiply-add rounds differently.
      const alike = there.backend.includes('fused') === here.backend.includes('fused');
      if (alike) expect(there.losses).toEqual(here.losses);
      else expect(portable).toBe(false);
      expect(there.losses).toHaveLength(20);
      expect(Math.min(...there.losses.slice(10))).toBeLessThan(there.losses[0]);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });
});
