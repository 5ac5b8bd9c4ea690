// Compilers as processes: they may hang, be interrupted, or print without end.
import { builtin } from '../../../base/builtin.ts';
import { UnavailableError } from '../../../base/errors.ts';

const childProcess = () => builtin<typeof import('node:child_process')>('child_process');

/** How long a compiler may take to say what it is, in milliseconds: the calling thread waits. */
export const probePatience = 10_000;
/** How long it may take for a program. */
const compilePatience = 600_000;
/** How long after its end is waited for the end of its streams, which a process in another group may hold. */
const lastWords = 1000;
/** So much of what it prints is kept. */
const mostText = 2 ** 16;

/** How a compiler ended. */
export interface Ended {
  /** Null if it was stopped. */
  readonly status: number | null;
  /** What stopped it: a signal, `timeout`, or what kept it from starting. */
  readonly stopped?: string | undefined;
  readonly stderr: string;
}

/** `says: …`, `was stopped by SIGINT`, `did not end within 10 s`: what follows the name of the compiler. */
export function whatHappened({ stopped, stderr }: Omit<Ended, 'status'>, patience = compilePatience): string {
  if (stopped === 'timeout') return `did not end within ${patience / 1000} s`;
  if (stopped?.startsWith('SIG')) return `was stopped by ${stopped}`;
  return `says: ${stderr.trim() || stopped}`;
}

/** Ends a compiler with all that it has started: they are a group of their own. */
function end(pid: number | undefined): void {
  try {
    if (pid) process.kill(-pid, 'SIGKILL');
  } catch {
    // They have ended.
  }
}

/** Asks a compiler, and waits for it. */
export function askCompiler(
  command: string,
  args: readonly string[],
  input: string,
  timeout = probePatience,
): Ended & { stdout: string } {
  try {
    const { pid, status, signal, stdout, stderr, error } = childProcess().spawnSync(command, args, {
      encoding: 'utf8',
      input,
      timeout,
      killSignal: 'SIGKILL',
      // What a terminal sends to the program is for the program.
      ...{ detached: true },
    });
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (code === 'ETIMEDOUT') end(pid);
    const stopped = code === 'ETIMEDOUT' ? 'timeout' : (error?.message ?? signal ?? undefined);
    return { status, stopped, stdout: stdout ?? '', stderr: stderr ?? '' };
  } catch (error) {
    // Where the process may start no other.
    throw new UnavailableError(`The C compiler ${command} cannot be started: ${(error as Error).message}`);
  }
}

const running = new Set<number>();
let watching = false;

/** Runs a compiler in a folder, while the event loop goes on. It ends with the process. */
export function runCompiler(
  command: string,
  args: readonly string[],
  cwd: string,
  timeout = compilePatience,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = childProcess().spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const { pid } = child;
    if (!watching) process.on('exit', () => running.forEach(end));
    watching = true;
    if (pid) running.add(pid);
    let text = '';
    let stopped: string | undefined;
    for (const stream of [child.stderr, child.stdout]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        if (text.length < mostText) text += part.slice(0, mostText);
      });
    }
    const timer = setTimeout(() => {
      stopped = 'timeout';
      end(pid);
    }, timeout);
    const finish = (status: number | null, how: string | undefined) => {
      clearTimeout(timer);
      if (pid) running.delete(pid);
      resolve({ status, stopped: stopped ?? how, stderr: text });
    };
    child.once('error', (error) => finish(null, error.message));
    child.once('exit', (status, signal) => {
      // What it has started may hold its streams open; what it has said itself is still read.
      end(pid);
      const done = () => finish(status, signal ?? undefined);
      const patience = setTimeout(done, lastWords);
      child.once('close', () => {
        clearTimeout(patience);
        done();
      });
    });
  });
}
