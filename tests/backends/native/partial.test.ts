// Loads and stores of parts of vectors in C, of every type and every size: what they compute is what the interpreter
// computes, and they touch nothing else, be it the memory of others or none at all.

import { Buffer as Bytes } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emitProgram } from '../../../src/backends/native/emit/emit.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import type { Buffer, Expression, Kernel, Local, Statement, ValueType } from '../../../src/loops/ir.ts';
import * as ir from '../../../src/loops/ir.ts';
import type { Program } from '../../../src/loops/program.ts';
import { touchedBy } from '../../../src/loops/touching.ts';
import { type DType, sizeOf, type TypedArray, viewOf } from '../../../src/tensor/dtype.ts';
import { nativeMissing } from '../../backends.ts';
import { buffer, loop, samples, set, store, variable } from '../../loops/build.ts';
import { interpret } from '../../loops/interpret.ts';
import { skipped } from '../../skipped.ts';
import { type Case, compilersWith, differences, type Tools, toolsFor } from './run.ts';

/** What elements of a type are computed with, in vectors. */
interface Form {
  readonly dtype: DType;
  readonly type: ValueType;
}

function formsOf(vectorBytes: number): Form[] {
  const [many, few] = [vectorBytes / 4, vectorBytes / 8];
  const forms: [DType, number][] = [
    ['float32', many],
    ['float64', few],
    ['int32', many],
    ['uint8', many],
    ['bool', many],
    ['bool', few],
  ];
  return forms.map(([dtype, lanes]) => ({ dtype, type: ir.valueType(dtype, lanes) }));
}

const counts = ({ lanes }: ValueType): number[] => Array.from({ length: lanes - 1 }, (_, k) => k + 1);
const fewCounts = ({ lanes }: ValueType): number[] => [1, lanes / 2 + 1, lanes - 1];
/** Numbers of a type, none of them 0 where there is another: what is written by mistake is seen. */
const some = (dtype: DType, length: number, from = 0): number[] => {
  const pick = samples[dtype].filter((x) => x !== 0 && !Number.isNaN(x));
  return Array.from({ length }, (_, k) => pick[(k + from) % pick.length]);
};

const rows = 4;
/** A case: `body` makes the statements from an array of numbers, and one that is full of others. */
function sample(
  name: string,
  { dtype, type }: Form,
  [from, to]: readonly [number, number],
  body: (a: Buffer, out: Buffer) => Statement[],
  out: DType = dtype,
): Case {
  const [a, target] = [buffer('a', dtype, from), buffer('out', out, to)];
  const data: [Buffer, number[]][] = [
    [a, some(dtype, from)],
    [target, some(out, to, 3)],
  ];
  return { name: `${name}, ${dtype} × ${type.lanes}`, body: body(a, target), data: new Map(data) };
}

function casesOf(form: Form): Case[] {
  const { type: t } = form;
  const { lanes } = t;
  const i = variable('i', rows);
  const wide = rows * lanes;
  return counts(t).flatMap((count): Case[] => {
    const dense = rows * count;
    const place = ir.at(0, [i, count]);
    const part = (a: Buffer) => ir.load(a, place, t, 1, count);
    return [
      sample(`the first ${count} loaded`, form, [dense, wide], (a, out) => [
        loop(i, [store(out, ir.at(0, [i, lanes]), part(a))], 'parallel'),
      ]),
      sample(`the first ${count} stored`, form, [wide, wide], (a, out) => [
        loop(i, [store(out, ir.at(0, [i, lanes]), ir.load(a, ir.at(0, [i, lanes]), t), count)], 'parallel'),
      ]),
      sample(`${count} loaded and stored, rows without gaps`, form, [dense, dense], (a, out) => [
        loop(i, [store(out, place, part(a), count)], 'parallel'),
      ]),
      sample(`${count} in the middle, more of them before and fewer`, form, [3 + lanes, 3 + lanes], (a, out) => [
        store(out, ir.at(2), ir.load(a, ir.at(3), t, 1, count), count),
        store(out, ir.at(1), ir.load(a, ir.at(2), t, 1, Math.max(1, count - 1)), count),
      ]),
      ...(fewCounts(t).includes(count) ? [3, -1, 2] : [3]).map((stride) => {
        const reach = (count - 1) * stride;
        return sample(`${count} by ${stride}`, form, [rows + Math.abs(reach), wide], (a, out) => [
          loop(i, [store(out, ir.at(0, [i, lanes]), ir.load(a, ir.at(Math.max(0, -reach), [i, 1]), t, stride, count))]),
        ]);
      }),
    ];
  });
}

/** Vectors of one type beside those of another: masks of every width, conversions, lanes taken out. */
function mixed(form: Form, vectorBytes: number): Case[] {
  const { dtype, type: t } = form;
  const i = variable('i', rows);
  const float = t.lanes * 8 === vectorBytes ? 'float64' : 'float32';
  const twice: Local = { name: 'twice', type: t };
  const lower = (a: Expression, b: Expression) => ir.select(ir.compare('less', a, b), a, b);
  return fewCounts(t).flatMap((count): Case[] => {
    const [dense, place] = [rows * count, ir.at(0, [i, count])];
    const to = (name: string, out: DType, value: (part: Expression) => Expression) =>
      sample(
        `${count} ${name}`,
        form,
        [dense, dense],
        (a, b) => [loop(i, [store(b, place, value(ir.load(a, place, t, 1, count)), count)], 'parallel')],
        out,
      );
    return [
      sample(`${count} in a register that is used twice`, form, [dense, rows * t.lanes], (a, out) => [
        loop(i, [
          set(twice, ir.load(a, place, t, 1, count)),
          store(out, ir.at(0, [i, t.lanes]), lower(ir.local(twice), ir.load(a, ir.at(0), t, 1, count))),
          store(out, ir.at(0, [i, t.lanes]), ir.local(twice), count),
        ]),
      ]),
      to('and the last of them', dtype, (x) =>
        ir.binary(dtype === 'bool' ? 'xor' : 'add', x, ir.splat(ir.lane(x, count - 1), t.lanes)),
      ),
      to('compared', 'bool', (x) => ir.compare('lessEqual', x, ir.constant(1, t))),
      ...(dtype === 'float32' ? [to('to int32', 'int32', (x) => ir.convert(x, 'int32'))] : []),
      ...(t.dtype === 'int32' ? [to('to float32', 'float32', (x) => ir.convert(x, 'float32'))] : []),
      ...(dtype === 'int32' ? [to('to uint8', 'uint8', (x) => x)] : []),
      ...(dtype === 'bool' ? [to(`to ${float}`, float, (x) => ir.convert(x, float))] : []),
    ];
  });
}

/** The machines that have parts of vectors. */
const machines: [string, Tools][] = [];
for (const [cc, target] of compilersWith(['native', 'avx2'])) {
  const tools = await toolsFor(cc, target);
  if (tools.machine.partialVectors) machines.push([`${cc}, ${tools.machine.name}`, tools]);
}
if (machines.length === 0) skipped('parts of vectors in C', nativeMissing ?? 'no machine here has them');

test.each(machines)('%s: parts of every type and size, on one thread and on three', async (_, tools) => {
  const { vectorBytes } = tools.machine;
  const cases = formsOf(vectorBytes).flatMap((form) => [...casesOf(form), ...mixed(form, vectorBytes)]);
  expect(await differences(cases, tools, [1, 3])).toEqual([]);
});

/** A program of kernels with all their buffers in memory of their own. */
function programOf(bodies: readonly (readonly Statement[])[]): { program: Program; buffers: Buffer[] } {
  const kernels = bodies.map((body, k): Kernel => ({ name: `part${k}`, body, flops: 0, bytes: 0 }));
  const buffers = [...new Set(bodies.flatMap((body) => Object.values(touchedBy(body)).flatMap((s) => [...s])))];
  const program: Program = {
    ...{ kernels, checks: 0, arenaBytes: 0, threadBytes: 0, repeats: [], feeds: [], fetches: [], counters: [] },
    ...{ status: undefined, messages: [] },
    places: new Map(buffers.map((b, key) => [b, { kind: 'variable', key }])),
    variables: buffers.map((b, key) => ({ key, dtype: b.dtype, length: b.length })),
  };
  return { program, buffers };
}

/**
 * The program as a process: what is in its buffers comes from its input and goes to its output. They end, or begin,
 * where there is no memory; or each is taken from the heap.
 */
function processOf(program: Program, { machine, compiler }: Tools, where: 'end' | 'begin' | 'heap', flags: string[]) {
  const { source, slots } = emitProgram(program, { machine, profile: false });
  const sizes = slots.map((place) => {
    const { dtype, length } = program.variables[(place as { key: number }).key];
    return length * sizeOf(dtype);
  });
  const take = {
    heap: 'table[i] = malloc(sizes[i]);',
    begin: 'table[i] = p + page;',
    end: 'table[i] = p + 2 * page - sizes[i];',
  }[where];
  const text = `#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
${source}
static const i64 sizes[] = {${sizes.join(', ')}};
static char *table[${sizes.length}];
int main(int count, char **words) {
  i64 page = sysconf(_SC_PAGESIZE);
  for (int i = 0; i < ${sizes.length}; i++) {
    char *p = mmap(0, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, page, PROT_READ | PROT_WRITE) != 0) return 2;
    ${take}
    if (fread(table[i], 1, sizes[i], stdin) != sizes[i]) return 3;
  }
  struct call call = {.table = table, .threads = 1};
  int one = count > 1 ? atoi(words[1]) : -1;
  if (one < 0) millrace_run(&call, 0);
${program.kernels.map((_, k) => `  if (one == ${k}) k${k}(&call, 0, 0, 0, 1, 0);`).join('\n')}
  for (int i = 0; i < ${sizes.length}; i++) fwrite(table[i], 1, sizes[i], stdout);
  return 0;
}
`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-partial-'));
  const [from, to] = [join(folder, 'program.c'), join(folder, 'program')];
  writeFileSync(from, text);
  const own = compiler.flags.filter((flag) => flag !== '-shared');
  const made = spawnSync(compiler.command, [...own, ...flags, from, '-o', to, '-lm'], { encoding: 'utf8' });
  return {
    /** What the compiler said, if it made nothing. */
    failed: made.status === 0 ? undefined : made.stderr,
    keys: slots.map((place) => (place as { key: number }).key),
    run: (input: Uint8Array, ...args: string[]) => spawnSync(to, args, { input, maxBuffer: 2 ** 26 }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

test.each(machines)('%s: where a buffer ends or begins there need be no memory', (_, tools) => {
  const bodies = (where: 'end' | 'begin') =>
    formsOf(tools.machine.vectorBytes).flatMap(({ dtype, type: t }) =>
      counts(t).flatMap((count) => {
        const [a, b, c] = ['a', 'b', 'c'].map((name) => buffer(name, dtype, count + 1));
        const place = ir.at(where === 'end' ? 1 : 0);
        const some = buffer('some', dtype, 1 + (count - 1) * 2);
        const strided =
          where === 'end' ? ir.load(some, ir.at(0), t, 2, count) : ir.load(some, ir.at(some.length - 1), t, -2, count);
        return [[store(b, place, ir.load(a, place, t, 1, count), count)], [store(c, place, strided, count)]];
      }),
    );
  for (const where of ['end', 'begin'] as const) {
    const { program, buffers } = programOf(bodies(where));
    verifyProgram(program, tools.machine);
    const memory = new Map<Buffer, TypedArray>(
      buffers.map((b, k) => {
        const array = viewOf(b.dtype, new ArrayBuffer(b.length * sizeOf(b.dtype)), 0, b.length);
        array.set(some(b.dtype, b.length, k));
        return [b, array];
      }),
    );
    const native = processOf(program, tools, where, []);
    const bytes = () =>
      Bytes.concat(
        native.keys.map((key) => new Uint8Array((memory.get(buffers[key]) as TypedArray).buffer as ArrayBuffer)),
      );
    const { status, signal, stdout } = native.run(bytes());
    native.remove();
    expect({ failed: native.failed, status, signal }).toEqual({ failed: undefined, status: 0, signal: null });
    for (const kernel of program.kernels) interpret(kernel, memory);
    expect(bytes().equals(stdout)).toBe(true);
  }
});

// One of each compiler: elements are loaded and stored one by one there, whatever the machine.
const ofCompilers = machines.filter(
  ([, { compiler }], i) => compiler.command !== machines[i - 1]?.[1].compiler.command,
);
test.each(ofCompilers)('%s: AddressSanitizer sees one element too many', (name, tools) => {
  const kinds = formsOf(tools.machine.vectorBytes).map((form) => ({
    ...form,
    count: Math.max(2, form.type.lanes - 2),
  }));
  const bodies = (more: number) =>
    kinds.flatMap(({ dtype, type: t, count }) => {
      const [short, long] = [buffer('short', dtype, count), buffer('long', dtype, count + 1)];
      const [from, to] = [short, long].map((b) => ir.load(b, ir.at(0), t, 1, count + more));
      return [[store(long, ir.at(0), from, count + more)], [store(short, ir.at(0), to, count + more)]];
    });
  const [right, wrong] = [bodies(0), bodies(1)];
  const native = processOf(programOf([...right, ...wrong]).program, tools, 'heap', ['-g', '-fsanitize=address']);
  if (native.failed === undefined) {
    const input = new Uint8Array(2 ** 14);
    const found = [...right, ...wrong].map((_, k) => {
      const { status, stderr } = native.run(input, String(k));
      return status === 0 ? 'nothing' : /heap-buffer-overflow|$/.exec(String(stderr))?.[0];
    });
    expect(found).toEqual([...right.map(() => 'nothing'), ...wrong.map(() => 'heap-buffer-overflow')]);
  } else console.log(`Not with AddressSanitizer: ${name} says: ${native.failed.slice(0, 300)}`);
  native.remove();
});
