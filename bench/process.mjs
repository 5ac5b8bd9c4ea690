// A contender's process, driven over stdin: a number of steps goes, a list of their times in ms comes.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Why a process ended, in a line: the error it wrote, else the end of what it wrote. */
function reasonIn(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /^(\w+: |\w*(Error|Exception)\b)/.test(line)) ?? lines.slice(-5).join(' ')).trim();
}

/** What Linux says about a living process; elsewhere, and of a dead one, nothing. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Time that all processes have computed since the machine started, in ms of one core; undefined where Linux is not. */
export function machineTime() {
  // user nice system idle iowait irq softirq steal, in hundredths of a second
  const [user, nice, system, , , irq, softirq, steal] = read('/proc/stat')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user === undefined ? undefined : 10 * (user + nice + system + irq + softirq + steal);
}

/** Starts so many processes that compute until they are ended, by the function that this returns. */
export function neighbours(count) {
  const children = Array.from({ length: count }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  for (const child of children) running.add(child);
  return () => {
    for (const child of children) {
      child.kill('SIGKILL');
      running.delete(child);
    }
  };
}

/** Starts a contender. `patience`: how many seconds it may take to answer; `env`: variables for its environment. */
export function launch(command, args, { patience = 300, env } = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  running.add(child);
  const facts = {};
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-8000);
  });
  // A process that is gone is reported by its end, not by the pipe to it.
  child.stdin.on('error', () => {});

  let settle;
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(`ended with ${signal ?? `status ${code}`}: ${reasonIn(stderr)}`));
  });
  void ended.then((reason) => {
    running.delete(child);
    settle?.reject(new Error(reason));
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const value = /^[[{]/.test(line) ? JSON.parse(line) : undefined;
    if (Array.isArray(value)) settle?.resolve(value);
    else Object.assign(facts, value);
  });

  return {
    /** What the process told about itself. */
    facts,
    /** What it wrote to stderr. */
    warnings: () => stderr.trim(),
    run(steps) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          child.kill('SIGKILL');
          reject(new Error(`no answer in ${patience} s; stopped`));
        }, patience * 1000);
        const finish = (done) => (value) => {
          clearTimeout(timer);
          done(value);
        };
        settle = { resolve: finish(resolve), reject: finish(reject) };
        if (running.has(child)) child.stdin.write(`${steps}\n`);
        else void ended.then((reason) => settle.reject(new Error(reason)));
      });
    },
    /** Time that it has computed, as `machineTime`. */
    time() {
      const fields = read(`/proc/${child.pid}/stat`).split(') ')[1]?.split(' ').map(Number);
      return fields && 10 * (fields[11] + fields[12]);
    },
    /** The most memory that the process has held so far, in MB. */
    peakMegabytes() {
      const found = read(`/proc/${child.pid}/status`).match(/VmHWM:\s+(\d+) kB/);
      return found ? Number(found[1]) / 1024 : undefined;
    },
    /** The libraries it has loaded whose names match. */
    libraries: (pattern) => [
      ...new Set(
        read(`/proc/${child.pid}/maps`)
          .split('\n')
          .map((line) => line.slice(73))
          .filter((path) => pattern.test(path)),
      ),
    ],
    async close() {
      settle = undefined;
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}
