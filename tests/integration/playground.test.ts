// `npm run playground` in a real browser: it trains, is asked, saves and loads, offline and without isolation too. One
// page and one trained network serve most of it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readDataSets } from 'millrace/mnist';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Training } from '../../examples/playground/training.ts';
import * as tf from '../../src/index.ts';
import { chromiumMissing, launchChromium } from '../chromium.ts';
import { digits } from '../digits.ts';
import { describeUnless } from '../skipped.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'scripts/playground.mjs');
const dir = mkdtempSync(join(tmpdir(), 'millrace-playground-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('npm run playground: what it is given', () => {
  test.each([
    [['--port', 'x'], '--port must be a whole number from 0 to 65535, not x'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, not 65536'],
    [['--speed'], "Unknown option '--speed'"],
    [['folder'], 'there is no argument folder'],
    [['--build', 'a', 'b'], 'there is no argument b'],
    [['--build', '--port', '1'], '--build serves nothing, so it takes no --port'],
  ])('%j is refused', (args, message) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run playground');
  });
});

/** A file of the softmax model, all of whose weights have one value. */
async function weightsOf(value: number): Promise<Uint8Array> {
  const graph = new tf.Graph();
  const init = graph.asDefault(() => {
    tf.variable(tf.fill([784, 10], value));
    tf.variable(tf.fill([10], value));
    return tf.initializeAllVariables();
  });
  const sess = new tf.Session({ graph });
  await sess.run(init);
  const bytes = await new tf.train.Saver().toBytes(sess);
  await sess.close();
  return bytes;
}

/** The file of a convolutional network that the page's own code has trained here, several times as fast as the page. */
async function trainedNetwork(steps: number): Promise<Uint8Array> {
  vi.stubEnv('MILLRACE_BACKEND', 'auto');
  const training = new Training({ model: 'convolution', optimizer: 'Adam', rate: 0.001, batch: 50, threads: 1 });
  vi.unstubAllEnvs();
  const mnist = await readDataSets('MNIST_data', { oneHot: true, seed: 0, log: () => {} });
  await training.start();
  for (let step = 0; step < steps; step++) await training.train(mnist.train.nextBatch(50));
  const bytes = await training.save(undefined);
  await training.close();
  return bytes;
}

/** A host that can set no headers. */
function plainHost(folder: string): Promise<Server> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
  const server = createServer(({ url = '' }, response) => {
    const name = url === '/' ? 'index.html' : url.slice(1);
    try {
      const bytes = readFileSync(join(folder, name));
      response.setHeader('Content-Type', types[extname(name)] ?? 'application/octet-stream').end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

describeUnless(chromiumMissing, 'the playground in Chromium', () => {
  let browser: Browser;
  let served: ChildProcess;
  let url: string;
  let size: number;
  const built = join(dir, 'page');
  beforeAll(async () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--build', built], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: `written to ${built}\n` });
    size = Number(/the page is (\d+) KB/.exec(stderr)?.[1]);
    served = spawn(process.execPath, [script, '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
    url = await new Promise((resolve) => {
      served.stdout?.on('data', (data) => resolve(/http\S+/.exec(String(data))?.[0] as string));
    });
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    served?.kill();
  });

  /** A page of its own; what it must not do is collected. */
  async function open(address: string, before = ''): Promise<{ page: Page; wrong: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await context.addInitScript(before);
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => wrong.push(`error: ${error}`));
    page.on('crash', () => wrong.push('the page crashed'));
    page.on('request', (request) => {
      if (!request.url().startsWith(address)) wrong.push(`request: ${request.url()}`);
    });
    await page.goto(address);
    await enabled(page);
    return { page, wrong };
  }
  const enabled = (page: Page) => page.waitForSelector('#train:enabled', { timeout: 30_000 });
  const text = async (page: Page, id: string) => (await page.textContent(`#${id}`)) ?? '';

  /** Waits until an expression is true. (waitForFunction would need 'unsafe-eval', which the page forbids.) */
  const until = (page: Page, expression: string, timeout = 60_000) =>
    expect.poll(() => page.evaluate<boolean>(expression), { timeout, interval: 50, message: expression }).toBe(true);

  /** Trains until so many steps are done, pauses, and gives the accuracy on all test images. */
  async function train(page: Page, steps: number): Promise<number> {
    await step(page, steps);
    return accuracy(page, /^Paused after/);
  }
  async function step(page: Page, steps: number): Promise<void> {
    await page.click('#train');
    const done = `Number(document.getElementById('n-step').textContent.replaceAll(',', '')) >= ${steps}`;
    await until(page, done, 120_000);
    await page.click('#train');
  }
  /** Waits for what the page says of all test images. */
  async function accuracy(page: Page, begin: RegExp): Promise<number> {
    const all = new RegExp(`${begin.source}.* ([\\d.]+) % of the test images are right`);
    await expect.poll(() => text(page, 'state'), { timeout: 120_000, interval: 50 }).toMatch(all);
    return Number(all.exec(await text(page, 'state'))?.[1]) / 100;
  }

  test('is small, and refers to nothing but its own files', () => {
    expect(size).toBeGreaterThan(100);
    expect(size).toBeLessThan(400);
    expect(readFileSync(join(built, 'index.html'), 'utf8')).not.toMatch(
      /https?:\/\/|<style|style=|onclick|unsafe-inline/,
    );
  });

  test('softmax: reaches 0.90, and its weights go out and in', {
    timeout: 120_000,
  }, async () => {
    const { page, wrong } = await open(url);
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    const reached = await train(page, 1000);
    expect(reached).toBeGreaterThan(0.9);

    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    expect(download.suggestedFilename()).toMatch(/^softmax-\d+\.safetensors$/);
    const file = join(dir, 'softmax.safetensors');
    await download.saveAs(file);
    await page.click('#reset');
    expect(await accuracy(page, /^Ready\./)).toBeLessThan(0.2);
    await page.setInputFiles('#file', file);
    expect(await accuracy(page, /^Paused after/)).toBe(reached);

    await page.setInputFiles('#file', { name: 'a.safetensors', mimeType: '', buffer: Buffer.from('no weights') });
    await until(page, `/no safetensors file/.test(document.getElementById('state').textContent)`);
    await page.selectOption('[name=rate]', '0.0001');
    const optimizers = await page.locator('[name=optimizer] option').allTextContents();
    expect(optimizers.length).toBeGreaterThan(2);
    for (const label of optimizers) {
      const next = Number((await text(page, 'n-step')).replaceAll(',', '')) + 1;
      await page.selectOption('[name=optimizer]', { label });
      await page.click('#step');
      await until(page, `document.getElementById('n-step').textContent === (${next}).toLocaleString('en')`);
    }
    expect(await accuracy(page, /^Paused after/)).toBeGreaterThan(0.85);

    // Weights that no training gets over: it stops, and says why.
    const buffer = Buffer.from(await weightsOf(Number.NaN));
    await page.setInputFiles('#file', { name: 'nan.safetensors', mimeType: '', buffer });
    await until(page, `document.getElementById('n-step').textContent === '0'`);
    await page.click('#train');
    await until(page, `/^The loss is NaN/.test(document.getElementById('state').textContent)`);
    expect(await page.textContent('#train')).toBe('Train');
    expect(wrong).toEqual([]);
  });

  test('the convolutional network: reads ten digits that are drawn, shows what runs, and loads what npm run mnist wrote', {
    timeout: 300_000,
  }, async () => {
    const { page, wrong } = await open(url);
    await page.selectOption('[name=model]', 'convolution');
    await until(page, `document.querySelectorAll('#layers li').length === 8`);
    expect(await text(page, 'parameters')).toContain('3,274,634 parameters');
    // A thread that computes leaves a core for the page.
    await page.selectOption('[name=threads]', { label: 'WebAssembly, one thread' });
    await page.click('#train');
    await page.waitForSelector('#listing .lit');
    await noLongTask(page);
    await page.click('#train');
    await page.selectOption('[name=threads]', { index: 0 });
    const trained = join(dir, 'convolution-200.safetensors');
    writeFileSync(trained, await trainedNetwork(200));
    await page.setInputFiles('#file', trained);
    expect(await accuracy(page, /^Paused after 200 steps/)).toBeGreaterThan(0.95);

    const read: string[] = [];
    for (const strokes of digits) {
      await page.click('#clear');
      await draw(page, strokes);
      await until(page, `document.getElementById('answer').textContent !== ''`);
      // The last image that was drawn has been answered when nothing runs.
      await page.waitForTimeout(150);
      read.push(/\d/.exec(await text(page, 'answer'))?.[0] as string);
    }
    const right = read.filter((said, digit) => said === String(digit));
    expect(right.length, `0 to 9 were read as ${read}`).toBeGreaterThanOrEqual(9);

    await page.click('#compiled');
    await until(page, `document.getElementById('wat').textContent.includes('local.get')`);
    expect(await text(page, 'explained')).toContain('contract');
    await page.click('#close');

    const options = ['--model', 'softmax', '--steps', '300', '--checkpoint', dir];
    const { stdout } = spawnSync(process.execPath, [join(root, 'examples/build/mnist.js'), ...options], {
      encoding: 'utf8',
    });
    await page.setInputFiles('#file', join(dir, 'softmax/model-300.safetensors'));
    const there = Number(/test accuracy (\S+)/.exec(stdout)?.[1]);
    expect(await accuracy(page, /^Paused after 300 steps/)).toBeCloseTo(there, 3);
    expect(await page.inputValue('[name=model]')).toBe('softmax');
    expect(wrong).toEqual([]);
  });

  /**
   * While it trains, nothing on the page's own thread lasts longer than 50 ms. A machine that has other things to do keeps
   * any page waiting now and then: of some seconds, one without a long task shows that the page makes none.
   */
  async function noLongTask(page: Page): Promise<void> {
    await page.evaluate(`new PerformanceObserver((list) => {
      window.tasks = [...(window.tasks ?? []), ...list.getEntries().map(({ duration }) => duration)];
    }).observe({ type: 'longtask' })`);
    const seen: unknown[] = [];
    for (let time = 0; time < 30; time++) {
      await page.evaluate('window.tasks = []');
      const before = await text(page, 'n-loss');
      await page.waitForTimeout(750);
      const tasks = await page.evaluate<number[]>('window.tasks');
      if (tasks.length === 0 && (await text(page, 'n-loss')) !== before) return;
      seen.push(tasks);
    }
    expect.fail(`each 750 ms of training had tasks of more than 50 ms: ${JSON.stringify(seen)}`);
  }

  /** With the mouse, in as many moves as there are points. */
  async function draw(page: Page, strokes: (typeof digits)[number]): Promise<void> {
    const box = (await page.locator('#pad').boundingBox())!;
    for (const stroke of strokes) {
      for (const [i, [x, y]] of stroke.entries()) {
        await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
        if (i === 0) await page.mouse.down();
      }
      await page.mouse.up();
    }
  }

  test('a host without headers: the service worker isolates the page, which then needs no host', {
    timeout: 120_000,
  }, async () => {
    const host = await plainHost(built);
    const address = `http://localhost:${(host.address() as AddressInfo).port}/`;
    const { page, wrong } = await open(address);
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    await until(page, `document.documentElement.dataset.offline === 'ready'`);
    host.closeAllConnections();
    await new Promise((resolve) => host.close(resolve));
    await page.goto(`${address}index.html`);
    await enabled(page);
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    expect(await train(page, 100)).toBeGreaterThan(0.8);
    expect(wrong).toEqual([]);
  });

  test('without isolation it learns on one thread, and says so', { timeout: 120_000 }, async () => {
    const host = await plainHost(built);
    const address = `http://localhost:${(host.address() as AddressInfo).port}/`;
    const { page, wrong } = await open(address, `sessionStorage.setItem('millrace-reloaded', 'yes')`);
    expect(await page.evaluate('crossOriginIsolated')).toBe(false);
    expect(await text(page, 'backend')).toMatch(/1 thread.* not cross-origin isolated/);
    expect(await train(page, 100)).toBeGreaterThan(0.8);
    await page.selectOption('[name=model]', 'convolution');
    await until(page, `document.querySelectorAll('#layers li').length === 8`);
    await step(page, 30);
    expect(Number(await text(page, 'n-loss'))).toBeLessThan(2);
    host.closeAllConnections();
    host.close();
    expect(wrong).toEqual([]);
  });
});
