// The built package in a real browser: the tutorial's second model, trained from a bundle, gives the bits that Node gives.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumMissing, launchChromium } from '../chromium.ts';
import { describeUnless } from '../skipped.ts';
import type { train as Train, Training } from './training.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const thread = readFileSync(fileURLToPath(import.meta.resolve('millrace/thread')), 'utf8');
const steps = 12;
const fused = / and fused multiply-add,/;

const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

/**
 * Serves the bundle from four kinds of pages: all but those below /plain/ with the headers that give a page
 * SharedArrayBuffer; below /strict/ also with a content security policy without `blob:`, below /closed/ with one under
 * which nothing may be compiled.
 */
function serve(bundle: string): Promise<Server> {
  const server = createServer((request, response) => {
    const [, kind, file] = (request.url ?? '').split('/');
    if (kind === 'strict') response.setHeader('Content-Security-Policy', policy);
    if (kind === 'closed') response.setHeader('Content-Security-Policy', "default-src 'self'");
    if (kind !== 'plain') {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (file === 'training.js') response.setHeader('Content-Type', 'text/javascript').end(bundle);
    else if (file === 'thread.js') response.setHeader('Content-Type', 'text/javascript').end(thread);
    else if (file === '') response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>millrace</title>');
    else response.writeHead(request.url === '/favicon.ico' ? 204 : 404).end();
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

describeUnless(chromiumMissing, 'Chromium trains like Node', () => {
  let folder: string;
  let bundle: string;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    const built = await build({
      stdin: {
        contents: `import * as tf from 'millrace'; import { train as training } from './training.ts';
          export const train = (options) => training(tf, options);`,
        resolveDir: here,
      },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      metafile: true,
    });
    // What is tested is what users get, not the sources.
    const inputs = Object.keys(built.metafile.inputs);
    expect(inputs).toContain('dist/browser/index.js');
    expect(inputs.filter((file) => file.startsWith('src/'))).toEqual([]);
    bundle = built.outputFiles[0].text;
    folder = mkdtempSync(join(tmpdir(), 'millrace-browser-'));
    writeFileSync(join(folder, 'training.mjs'), bundle);
    server = await serve(bundle);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** In a process of its own, as engine flags are set before the first module is compiled. */
  function inNode(portable: boolean): Training {
    const program = `const { train } = await import(${JSON.stringify(pathToFileURL(join(folder, 'training.mjs')))});
      console.log(JSON.stringify(await train({ steps: ${steps}, threads: 2, portable: ${portable} })));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  /** In a page of its own, which must log no error. */
  async function inPage(
    kind: 'isolated' | 'plain' | 'strict' | 'closed',
    options: { threads?: number; portable: boolean; workerUrl?: string },
    expected?: RegExp,
  ) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    const warnings: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('crash', () => errors.push('the page crashed'));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
      if (message.type() === 'warning') warnings.push(message.text());
    });
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://localhost:${port}/${kind}/`);
    const call = `import('./training.js').then(({ train }) => train(${JSON.stringify({ steps, ...options })}))`;
    const training = await page.evaluate<Awaited<ReturnType<typeof Train>>>(call);
    const isolated = await page.evaluate<boolean>('crossOriginIsolated');
    const workers = page.workers().length;
    await context.close();
    expect(errors.filter((text) => !expected?.test(text))).toEqual([]);
    return { training, isolated, workers, warnings };
  }

  test('a page that forbids blob: workers trains with threads from a file, and without one alone, and says what to do', async () => {
    const options = { threads: 2, portable: true, workerUrl: './thread.js' };
    const strict = await inPage('strict', options);
    expect(strict).toMatchObject({ isolated: true, workers: 2, warnings: [] });
    expect(strict.training.losses).toEqual((await inPage('isolated', { threads: 2, portable: true })).training.losses);

    // The page's thread computes; what the browser says of it itself is an error of the console.
    const refused = await inPage('strict', { threads: 2, portable: true }, /Content Security Policy directive/);
    expect(refused.training.losses).toEqual(strict.training.losses);
    expect(refused.warnings).toEqual([
      expect.stringMatching(/no threads .*content security policy .* new tf\.Session\(\{ workerUrl: '…' \}\)/),
    ]);
    const closed = inPage('closed', { portable: false });
    await expect(closed).rejects.toThrow(/UnavailableError: .*add 'wasm-unsafe-eval' to script-src/);
    const absent = await inPage('isolated', { ...options, workerUrl: './absent.js' }, /404/);
    expect(absent.training.losses).toEqual(strict.training.losses);
    expect(absent.warnings).toEqual([expect.stringMatching(/absent\.js must be a copy of millrace\/thread/)]);
  });

  for (const portable of [true, false]) {
    const instructions = portable ? 'plain SIMD' : 'the best instructions of the engine';
    test(`${steps} steps, bit by bit, with ${instructions}`, async (context) => {
      const node = inNode(portable);
      const isolated = await inPage('isolated', { threads: 2, portable });
      const plain = await inPage('plain', { portable });

      expect(isolated).toMatchObject({ isolated: true, workers: 2, warnings: [] });
      expect(isolated.training.description).toMatch(/, 2 threads, fast math$/);
      expect(plain).toMatchObject({ isolated: false, workers: 0 });
      expect(plain.training.description).toMatch(/, 1 thread, this one: SharedArrayBuffer is missing here, fast math$/);
      expect(plain.warnings).toEqual([expect.stringMatching(/^millrace: SharedArrayBuffer is missing here/)]);
      expect(plain.training.losses).toEqual(isolated.training.losses);

      const losses = [...new Float32Array(Uint32Array.from(node.losses).buffer)];
      const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
      expect(losses).toHaveLength(steps);
      expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));

      const fuses = [node, isolated.training].map(({ description }) => fused.test(description));
      if (portable) expect(fuses).toEqual([false, false]);
      if (fuses[0] !== fuses[1]) {
        const [has, lacks] = fuses[0] ? ['Node', 'Chromium'] : ['Chromium', 'Node'];
        console.log(`millrace: not compared with Node: ${has} has a fused multiply-add, and ${lacks} has none`);
        context.skip();
      }
      expect(isolated.training.losses).toEqual(node.losses);
    });
  }
});
