// Small constant matrices applied to vectors in registers, with what rows or columns have in common computed once.
import type { Body, Buffer, Expression, LoopVariable, Statement } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { loop, variable } from '../../body/nest.ts';
import type { Matrix } from './toom-cook.ts';

const same = (a: number, b: number) => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a));
/** Are the two equal up to signs? */
const alike = (a: readonly number[], b: readonly number[]) => a.every((v, i) => same(Math.abs(v), Math.abs(b[i])));

/** The matrix applied to the inputs. Names of registers begin with the prefix. */
export function applyMatrix(
  matrix: Matrix,
  inputs: readonly Expression[],
  prefix: string,
): { statements: Statement[]; values: Expression[] } {
  const statements: Statement[] = [];
  const keep = (value: Expression): Expression => {
    const local = { name: `${prefix}${statements.length}`, type: value.type };
    statements.push({ kind: 'set', local, value });
    return ir.local(local);
  };
  const paired = pairColumns(matrix, inputs, keep);
  const values: Expression[] = [];
  for (const [r, row] of paired.matrix.entries()) {
    if (values[r]) continue;
    const twin = paired.matrix.findIndex((other, k) => k > r && !values[k] && alike(row, other));
    if (twin < 0) {
      values[r] = keep(combination(row, paired.inputs));
      continue;
    }
    // The twin has some of the products with the other sign.
    const other = paired.matrix[twin];
    const equal = row.map((v, k) => (same(v, other[k]) ? v : 0));
    const opposite = row.map((v, k) => (same(v, other[k]) ? 0 : v));
    if (opposite.every((v) => v === 0)) values[r] = values[twin] = keep(combination(row, paired.inputs));
    else if (equal.every((v) => v === 0)) {
      values[r] = keep(combination(row, paired.inputs));
      values[twin] = keep(ir.unary('neg', values[r]));
    } else {
      const [e, o] = [equal, opposite].map((part) => keep(combination(part, paired.inputs)));
      values[r] = keep(ir.binary('add', e, o));
      values[twin] = keep(ir.binary('sub', e, o));
    }
  }
  return { statements, values };
}

/** Inputs whose columns are equal up to signs become their sum and their difference. */
function pairColumns(
  matrix: Matrix,
  inputs: readonly Expression[],
  keep: (value: Expression) => Expression,
): { matrix: number[][]; inputs: readonly Expression[] } {
  const rows = matrix.map((row) => [...row]);
  const values = [...inputs];
  const columns = inputs.map((_, k) => matrix.map((row) => row[k]));
  const done = new Set<number>();
  for (const a of inputs.keys()) {
    if (done.has(a)) continue;
    const b = inputs.findIndex((_, k) => k > a && !done.has(k) && alike(columns[a], columns[k]));
    if (b < 0 || columns[a].filter((v) => v !== 0).length < 2) continue;
    done.add(a).add(b);
    values[a] = keep(ir.binary('add', inputs[a], inputs[b]));
    values[b] = keep(ir.binary('sub', inputs[a], inputs[b]));
    for (const [r, row] of matrix.entries()) {
      const equal = same(row[a], row[b]);
      rows[r][a] = equal ? row[a] : 0;
      rows[r][b] = equal ? 0 : row[a];
    }
  }
  return { matrix: rows, inputs: values };
}

/** Σ coefficient · input; what needs no multiplication first. */
function combination(coefficients: readonly number[], inputs: readonly Expression[]): Expression {
  const { type } = inputs[0];
  const terms = coefficients
    .map((c, k) => ({ c, x: inputs[k] }))
    .filter(({ c }) => c !== 0)
    .sort((a, b) => rank(a.c) - rank(b.c));
  if (terms.length === 0) return ir.constant(0, type);
  const [first, ...rest] = terms;
  const begin = first.c === 1 ? first.x : ir.binary('mul', first.x, ir.constant(first.c, type));
  return rest.reduce((sum, { c, x }) => {
    if (c === 1) return ir.binary('add', sum, x);
    if (c === -1) return ir.binary('sub', sum, x);
    return ir.multiplyAdd(x, ir.constant(c, type), sum);
  }, begin);
}
const rank = (c: number) => (c === 1 ? 0 : c === -1 ? 1 : 2);

/** out[i, j] = Σ rows[i][y] · columns[j][x] · in[y, x], for a vector of such squares at once. */
export interface SquareTransform {
  readonly prefix: string;
  readonly rows: Matrix;
  readonly columns: Matrix;
  /** Room for rows × inputs along x vectors. */
  readonly between: Buffer;
  readonly lanes: number;
  readonly load: (y: number, x: LoopVariable) => Expression;
  readonly store: (i: LoopVariable, j: number, value: Expression) => Body;
}

/** First along y, then along x, each as a loop: written out, the values would not fit into the registers. */
export function transformSquare(t: SquareTransform): Statement[] {
  const { prefix, between, lanes } = t;
  const [height, width] = [t.rows[0].length, t.columns[0].length];
  const type = ir.valueType(between.dtype, lanes);
  const x = variable(`${prefix}x`, width);
  const i = variable(`${prefix}i`, t.rows.length);
  const kept = (name: string, count: number, value: (k: number) => Expression) => {
    const locals = Array.from({ length: count }, (_, k) => ({ name: `${prefix}${name}${k}`, type }));
    const sets = locals.map((local, k): Statement => ({ kind: 'set', local, value: value(k) }));
    return { sets, values: locals.map(ir.local) };
  };
  const down = kept('d', height, (y) => t.load(y, x));
  const first = applyMatrix(t.rows, down.values, `${prefix}u`);
  const saved = first.values.map((value, r): Statement => {
    return { kind: 'store', buffer: between, index: ir.at(r * width * lanes, [x, lanes]), value };
  });
  const across = kept('e', width, (k) => ir.load(between, ir.at(k * lanes, [i, width * lanes]), type));
  const second = applyMatrix(t.columns, across.values, `${prefix}v`);
  const stored = second.values.flatMap((value, j) => t.store(i, j, value));
  return [
    ...loop(x, [...down.sets, ...first.statements, ...saved]),
    ...loop(i, [...across.sets, ...second.statements, ...stored]),
  ];
}
