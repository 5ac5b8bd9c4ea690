// The native backend: programs as C, compiled by the system's compiler and called through koffi, once a run.

import { availableCores } from '../../base/cores.ts';
import { InternalError } from '../../base/errors.ts';
import { inSlices } from '../../base/turns.ts';
import type { Machine } from '../../loops/machine.ts';
import type { Backend, BackendOptions, Compiled, Executable } from '../backend.ts';
import { type Allocator, Residence } from '../run/residence.ts';
import { emitting } from './emit/emit.ts';
import { NativeExecutable } from './run/executable.ts';
import { HostMemory } from './run/host-memory.ts';
import { loadKoffi, type Runtime, startRuntime } from './run/runtime.ts';
import { userCache } from './toolchain/code-cache.ts';
import { type Compiler, compile, findCompiler } from './toolchain/compiler.ts';
import { machineFor, type Target } from './toolchain/machine.ts';

/** @throws UnavailableError where something that it needs is missing. */
export const createNative = (options: BackendOptions): Backend => new NativeBackend(options);

/** A smaller machine than this one, for tests of what other processors run. */
function targetOf(portable: boolean): Target {
  if (portable) return 'portable';
  const asked = process.env.MILLRACE_NATIVE_TARGET;
  return asked === 'avx2' || asked === 'sse' ? asked : 'native';
}

/** The memory of a session. */
interface Memory {
  readonly allocator: Allocator;
  readonly residence: Residence;
}

class NativeBackend implements Backend {
  readonly name = 'native';
  readonly machine: Machine;
  readonly ready: Promise<void>;
  readonly description: string;
  readonly #threads: number;
  readonly #profile: boolean;
  readonly #compiler: Compiler;
  readonly #runtime: Promise<Runtime>;
  #memory: Memory | undefined;

  constructor({ threads, portable, profile }: BackendOptions) {
    loadKoffi();
    this.#profile = profile;
    this.#threads = threads ?? availableCores();
    const target = targetOf(portable);
    this.#compiler = findCompiler(userCache(), target);
    this.machine = machineFor(this.#compiler.macros, target);
    this.#runtime = startRuntime(this.#compiler, userCache());
    this.ready = this.#runtime.then(() => {});
    const { vectorBytes, fusedMultiplyAdd } = this.machine;
    const fused = fusedMultiplyAdd ? ' and fused multiply-add' : '';
    this.description =
      `native: compiled by ${this.#compiler.name} with ${vectorBytes * 8}-bit vectors${fused}, ` +
      `${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}`;
  }

  /** There from the first program on. */
  #memoryOf(runtime: Runtime): Memory {
    if (!this.#memory) {
      const allocator = new HostMemory(runtime, this.machine.memoryLimit);
      this.#memory = { allocator, residence: new Residence(allocator, this.#threads) };
    }
    return this.#memory;
  }

  async load({ program }: Compiled): Promise<Executable> {
    if (!program) throw new InternalError('the native backend needs a program');
    const { machine } = this;
    const { source, slots } = await inSlices(emitting(program, { machine, profile: this.#profile }));
    const [runtime, file] = await Promise.all([this.#runtime, compile(this.#compiler, userCache(), source)]);
    const { allocator, residence } = this.#memoryOf(runtime);
    const memory = residence.place(program);
    const library = runtime.open(file);
    try {
      return new NativeExecutable({
        program,
        library,
        runtime,
        allocator,
        memory,
        threads: this.#threads,
        profile: this.#profile,
        slots,
      });
    } catch (error) {
      memory.release();
      library.close();
      throw error;
    }
  }

  close(): void {
    this.#memory = undefined;
  }
}
