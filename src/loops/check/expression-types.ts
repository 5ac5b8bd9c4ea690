// The types of the loop IR: which operands and results every kind of expression may have.
import type { BinaryOp, Expression, ValueType } from '../ir.ts';
import { valueType } from '../ir.ts';
import { lanesOf, type Machine } from '../machine.ts';
import { printType } from './print.ts';

const same = (a: ValueType, b: ValueType): boolean => a.dtype === b.dtype && a.lanes === b.lanes;
const isFloat = (t: ValueType): boolean => t.dtype === 'float32' || t.dtype === 'float64';

/** What is wrong with a type by itself, on a machine with such vectors. */
export function typeFault(type: ValueType, machine: Pick<Machine, 'vectorBytes'>): string | undefined {
  const { dtype, lanes } = type;
  const narrow = dtype !== 'float64' && lanes === lanesOf(machine, 'float32');
  const wide = (dtype === 'float64' || dtype === 'bool') && lanes === lanesOf(machine, 'float64');
  if (lanes === 1 || narrow || wide) return undefined;
  return `${printType(type)} is no type of vectors of ${machine.vectorBytes} bytes`;
}

/** What is wrong with an expression, its operands being right; undefined if it is well typed. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a plain switch
export function expressionFault(e: Expression): string | undefined {
  const t = e.type;
  const need = (right: boolean, rule: string) => (right ? undefined : `${e.kind} of type ${printType(t)}: ${rule}`);
  switch (e.kind) {
    case 'constant': {
      const integer = Number.isInteger(e.value) && e.value >= -(2 ** 31) && e.value < 2 ** 31;
      if (t.dtype === 'int32') return need(integer, `the value ${e.value} is not an int32`);
      return need(t.dtype !== 'bool' || e.value === 0 || e.value === 1, `the value ${e.value} is not 0 or 1`);
    }
    case 'index':
      return need(t.dtype === 'int32' && Number.isInteger(e.laneStep), 'an index is int32 and has a whole laneStep');
    case 'load':
      return (
        need(same(t, valueType(e.buffer.dtype, t.lanes)), `the buffer ${e.buffer.name} holds ${e.buffer.dtype}`) ??
        need(Number.isInteger(e.laneStride), `the laneStride ${e.laneStride} is not a whole number`)
      );
    case 'loadAt':
      return (
        need(same(t, valueType(e.buffer.dtype, t.lanes)), `the buffer ${e.buffer.name} holds ${e.buffer.dtype}`) ??
        need(same(e.index.type, valueType('int32', 1)), 'the index must be an int32 scalar') ??
        need(Number.isInteger(e.offset) && e.offset >= 0, `the offset ${e.offset} is not a whole number from 0`)
      );
    case 'local':
      return need(same(t, e.local.type), `the local ${e.local.name} is ${printType(e.local.type)}`);
    case 'unary':
      if (e.op === 'not') return need(t.dtype === 'bool' && same(t, e.a.type), 'not takes and gives bool');
      return need(
        same(t, e.a.type) && (isFloat(t) || (t.dtype === 'int32' && (e.op === 'neg' || e.op === 'abs'))),
        `${e.op} does not take ${printType(e.a.type)}`,
      );
    case 'binary':
      return need(binaryFits(e.op, t, e.a.type, e.b.type), `${e.op} does not take ${pair(e.a.type, e.b.type)}`);
    case 'compare':
      return need(
        same(e.a.type, e.b.type) && t.dtype === 'bool' && t.lanes === e.a.type.lanes,
        `${e.op} does not take ${pair(e.a.type, e.b.type)}`,
      );
    case 'multiplyAdd':
      return need(
        t.dtype !== 'bool' && [e.a, e.b, e.c].every((x) => same(x.type, t)),
        'its three operands must have its type, which is a number',
      );
    case 'select':
      return need(
        same(e.a.type, t) && same(e.b.type, t) && same(e.condition.type, { dtype: 'bool', lanes: t.lanes }),
        `it cannot choose between ${pair(e.a.type, e.b.type)} by ${printType(e.condition.type)}`,
      );
    case 'convert':
      return need(conversionFits(e.a.type, t), `there is no conversion from ${printType(e.a.type)}`);
    case 'bitcast': {
      const other = t.dtype === 'int32' ? 'float32' : 'int32';
      const fits = (t.dtype === 'int32' || t.dtype === 'float32') && same(e.a.type, { dtype: other, lanes: t.lanes });
      return need(fits, `the operand is ${printType(e.a.type)}, not ${other} as wide`);
    }
    case 'half':
      return need(
        same(t, valueType('int32', 1)) && same(e.a.type, valueType('float64', 1)),
        'it gives an int32 scalar for a float64 scalar',
      );
    case 'join':
      return need(
        same(t, valueType('float64', 1)) && [e.low, e.high].every((x) => same(x.type, valueType('int32', 1))),
        'it gives a float64 scalar for two int32 scalars',
      );
    case 'splat':
      return need(
        t.lanes > 1 && same(e.a.type, { dtype: t.dtype, lanes: 1 }),
        `it cannot spread ${printType(e.a.type)}`,
      );
    case 'shuffle': {
      const known =
        e.lanes.length === t.lanes && e.lanes.every((l) => Number.isInteger(l) && l >= 0 && l < 2 * t.lanes);
      const fits = t.lanes > 1 && same(e.a.type, t) && same(e.b.type, t);
      return need(known && fits, `it cannot pick lanes ${e.lanes.join(' ')} of ${pair(e.a.type, e.b.type)}`);
    }
    case 'lane': {
      const inside = Number.isInteger(e.lane) && e.lane >= 0 && e.lane < e.a.type.lanes;
      const fits = inside && e.a.type.lanes > 1 && same(t, { dtype: e.a.type.dtype, lanes: 1 });
      return need(fits, `it cannot take lane ${e.lane} of ${printType(e.a.type)}`);
    }
  }
}

const pair = (a: ValueType, b: ValueType): string => `${printType(a)} and ${printType(b)}`;

function binaryFits(op: BinaryOp, t: ValueType, a: ValueType, b: ValueType): boolean {
  if (!same(a, t)) return false;
  const integer = t.dtype === 'int32';
  if (op === 'shiftLeft' || op === 'shiftRight' || op === 'shiftRightUnsigned') {
    return integer && same(b, { dtype: 'int32', lanes: 1 });
  }
  if (!same(b, t)) return false;
  if (op === 'and' || op === 'or' || op === 'xor') return integer || t.dtype === 'bool';
  if (op === 'mulHigh') return integer;
  if (op === 'remainder') return isFloat(t);
  if (op === 'div') return isFloat(t) || (integer && t.lanes === 1);
  return t.dtype !== 'bool';
}

function conversionFits(from: ValueType, to: ValueType): boolean {
  if (from.lanes !== to.lanes || from.dtype === to.dtype || to.dtype === 'bool') return false;
  const wide = from.dtype === 'float64' || (to.dtype === 'float64' && from.dtype !== 'bool');
  return to.lanes === 1 || !wide;
}
