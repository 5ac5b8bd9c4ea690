// Kernels that differ in nothing but their buffers: they share statements, which backends may compile once.

import type { Buffer, Kernel, Statement } from './ir.ts';
import { isParallel } from './ir.ts';
import { rewriter, rewriteStatements } from './substitute.ts';
import { touchedBy } from './touching.ts';

/** The kernel with other buffers in the place of its own. */
export const withBuffers = (kernel: Kernel, buffers: ReadonlyMap<Buffer, Buffer>): Kernel =>
  new SharedKernel(kernel, buffers);

class SharedKernel implements Kernel {
  readonly name: string;
  readonly flops: number;
  readonly bytes: number;
  readonly shared: NonNullable<Kernel['shared']>;
  #body: readonly Statement[] | undefined;

  constructor(pattern: Kernel, buffers: ReadonlyMap<Buffer, Buffer>) {
    this.name = pattern.name;
    this.flops = pattern.flops;
    this.bytes = pattern.bytes;
    this.shared = { pattern, buffers };
  }

  /** Made when somebody asks: most kernels are never looked at by themselves. */
  get body(): readonly Statement[] {
    this.#body ??= substituted(this.shared.pattern.body, this.shared.buffers);
    return this.#body;
  }

  get buffers(): readonly Buffer[] {
    return buffersOf(this.shared.pattern).map((b) => ownBuffer(this, b));
  }
}

function substituted(body: readonly Statement[], buffers: ReadonlyMap<Buffer, Buffer>): readonly Statement[] {
  const own = (b: Buffer): Buffer => buffers.get(b) ?? b;
  const expression = rewriter((e) => (e.kind === 'load' || e.kind === 'loadAt' ? { ...e, buffer: own(e.buffer) } : e));
  return rewriteStatements(body, {
    expression,
    target: (buffer, index) => ({ buffer: own(buffer), index }),
    computedTarget: own,
  });
}

/** The kernel that was built, of which others of its structure differ in their buffers: the same for all of them. */
export const patternOf = (kernel: Kernel): Kernel => kernel.shared?.pattern ?? kernel;

/** The statements that all kernels of the structure have: the same object for all of them. */
export const sharedBody = (kernel: Kernel): readonly Statement[] => patternOf(kernel).body;

/** All buffers that a kernel touches. */
export function buffersOf({ body, buffers }: Pick<Kernel, 'body' | 'buffers'>): readonly Buffer[] {
  if (buffers) return buffers;
  const { read, written } = touchedBy(body);
  return [...new Set([...read, ...written])];
}

/** The buffer of this kernel for one in the shared statements. */
export const ownBuffer = ({ shared }: Kernel, buffer: Buffer): Buffer => shared?.buffers.get(buffer) ?? buffer;

/** Do threads divide the kernel's work among them? */
export const isDivided = (kernel: Kernel): boolean => sharedBody(kernel).some(isParallel);
