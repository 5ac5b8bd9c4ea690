// The typing rules of scalar expressions.
import { type DType, isFloat } from '../tensor/dtype.ts';
import { printScalar, type Scalar, walk } from './scalar.ts';

/** Where an expression stands: the element types of its inputs, and the rank of the map. */
export interface Surroundings {
  readonly inputs: readonly DType[];
  readonly rank: number;
}

/** What is wrong with the first part that breaks a rule, with the text of that part; undefined for a sound expression. */
export function scalarFault(root: Scalar, surroundings: Surroundings): string | undefined {
  let fault: string | undefined;
  walk(root, (s) => {
    if (fault) return;
    const found = partFault(s, surroundings);
    if (found) fault = `in ${printScalar(s)} ${found}`;
  });
  return fault;
}

const numeric = (t: DType): boolean => t !== 'bool';
const bits = (t: DType): boolean => t === 'bool' || t === 'int32';

function partFault(s: Scalar, { inputs, rank }: Surroundings): string | undefined {
  const { dtype, value } = s;
  const types = s.args.map((a) => a.dtype);
  /** So many operands, of the type of the result and one that the operation works on. */
  const same = (count: number, works: (t: DType) => boolean) =>
    operandsFault(types, count) ?? typeFault(types, works) ?? resultFault(dtype, types[0]);
  switch (s.op) {
    case 'constant':
      return operandsFault(types, 0) ?? (holds(dtype, value) ? undefined : `${value} is not a number of ${dtype}`);
    case 'input':
      if (inputs[value] === undefined) return `there are ${inputs.length} inputs, and no number ${value}`;
      return operandsFault(types, 0) ?? resultFault(dtype, inputs[value]);
    case 'index':
      if (!(Number.isInteger(value) && value >= 0 && value < rank))
        return `there are ${rank} axes, and no axis ${value}`;
      return operandsFault(types, 0) ?? resultFault(dtype, 'int32');
    case 'neg':
    case 'abs':
    case 'sign':
      return same(1, numeric);
    case 'not':
      return same(1, bits);
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'floorDiv':
    case 'mod':
    case 'pow':
    case 'min':
    case 'max':
      return same(2, numeric);
    case 'and':
    case 'or':
    case 'xor':
      return same(2, bits);
    case 'shiftRight':
      return same(2, (t) => t === 'int32');
    case 'equal':
      return operandsFault(types, 2) ?? typeFault(types, () => true) ?? resultFault(dtype, 'bool');
    case 'less':
    case 'lessEqual':
      return operandsFault(types, 2) ?? typeFault(types, numeric) ?? resultFault(dtype, 'bool');
    case 'select':
      if (types[0] !== 'bool') return `the condition is ${types[0]}, not bool`;
      return operandsFault(types, 3) ?? typeFault(types.slice(1), () => true) ?? resultFault(dtype, types[1]);
    case 'cast':
      return operandsFault(types, 1);
    case 'philox':
      if (!s.key) return 'there is no key';
      return same(3, (t) => t === 'int32');
    default:
      // Functions of real numbers.
      return same(1, isFloat);
  }
}

const operandsFault = (types: readonly DType[], count: number): string | undefined =>
  types.length === count ? undefined : `there are ${types.length} operands, not ${count}`;

function typeFault(types: readonly DType[], works: (t: DType) => boolean): string | undefined {
  if (types.some((t) => t !== types[0])) return `the operands are ${types.join(' and ')}`;
  return works(types[0]) ? undefined : `the operands are ${types[0]}, for which it is not defined`;
}

const resultFault = (found: DType, wanted: DType): string | undefined =>
  found === wanted ? undefined : `the result is ${found}, not ${wanted}`;

/** Can a constant of that type have the value? */
function holds(dtype: DType, value: number): boolean {
  if (isFloat(dtype)) return true;
  if (dtype === 'bool') return value === 0 || value === 1;
  return dtype === 'uint8' ? value === (value & 255) : value === (value | 0);
}
