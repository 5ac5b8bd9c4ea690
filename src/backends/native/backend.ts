// The native backend: programs as C, compiled by the system's compiler and called through koffi, once a run.

import { environment } from '../../base/builtin.ts';
import { availableCores } from '../../base/cores.ts';
import { InternalError } from '../../base/errors.ts';
import { inSlices } from '../../base/turns.ts';
import type { Machine } from '../../loops/machine.ts';
import type { VariableState } from '../../primitives/primitives.ts';
import type { TypedArray } from '../../tensor/dtype.ts';
import { type Backend, type BackendOptions, type Compiled, describeMath, type Executable } from '../backend.ts';
import { type ProgramMemory, Residence } from '../run/residence.ts';
import { emitting } from './emit/emit.ts';
import { NativeExecutable, workOf } from './run/executable.ts';
import { HostMemory } from './run/host-memory.ts';
import { loadKoffi, type Runtime, startRuntime } from './run/runtime.ts';
import { userCache } from './toolchain/code-cache.ts';
import { load } from './toolchain/compile.ts';
import { type Compiler, findCompiler } from './toolchain/compiler.ts';
import { machineFor, type Target } from './toolchain/machine.ts';

/** @throws UnavailableError where something that it needs is missing. */
export const createNative = (options: BackendOptions): Backend => new NativeBackend(options);

/** A smaller machine than this one, for tests of what other processors run. */
function targetOf(portable: boolean): Target {
  if (portable) return 'portable';
  const asked = environment('MILLRACE_NATIVE_TARGET');
  return asked === 'avx2' || asked === 'sse' ? asked : 'native';
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
  #residence: Residence | undefined;

  constructor({ threads, portable, fastMath, profile }: BackendOptions) {
    loadKoffi();
    this.#profile = profile;
    this.#threads = threads ?? availableCores();
    const target = targetOf(portable);
    this.#compiler = findCompiler(userCache(), target);
    this.machine = { ...machineFor(this.#compiler.macros, target), fastMath };
    this.#runtime = startRuntime(this.#compiler);
    this.ready = this.#runtime.then(() => {});
    const { vectorBytes, fusedMultiplyAdd } = this.machine;
    const fused = fusedMultiplyAdd ? ' and fused multiply-add' : '';
    this.description =
      `native: compiled by ${this.#compiler.name} with ${vectorBytes * 8}-bit vectors${fused}, ` +
      `${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}${describeMath(this.machine)}`;
  }

  /** There when it is first asked for. */
  #residenceIn(runtime: Runtime): Residence {
    this.#residence ??= new Residence(new HostMemory(runtime, this.machine.memoryLimit), this.#threads);
    return this.#residence;
  }

  async load({ program }: Compiled): Promise<Executable> {
    if (!program) throw new InternalError('the native backend needs a program');
    const { machine } = this;
    const { slots, ...source } = await inSlices(emitting(program, { machine, profile: this.#profile }));
    const work = await inSlices(workOf(program, this.#threads));
    // The runtime may still be compiled meanwhile.
    const opening = load(this.#compiler, source, async (file) => (await this.#runtime).open(file));
    const [runtime, library] = await Promise.all([this.#runtime, opening]);
    let memory: ProgramMemory | undefined;
    try {
      memory = this.#residenceIn(runtime).place(program);
      await inSlices(memory.placing());
      return new NativeExecutable({
        program,
        library,
        runtime,
        memory,
        work,
        profile: this.#profile,
        slots,
      });
    } catch (error) {
      memory?.release();
      library.close();
      throw error;
    }
  }

  async readVariables(variables: readonly VariableState[]): Promise<TypedArray[]> {
    return inSlices(this.#residenceIn(await this.#runtime).reading(variables));
  }

  async writeVariables(values: ReadonlyMap<VariableState, TypedArray>): Promise<void> {
    await inSlices(this.#residenceIn(await this.#runtime).writing(values));
  }

  close(): void {
    this.#residence = undefined;
  }
}
