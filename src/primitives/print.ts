// Primitives and runs as text, for dumps, golden tests and the messages of the verifier.
import type { DType } from '../tensor/dtype.ts';
import { elements } from '../tensor/shape.ts';
import type { Constant, Lowered, Primitive, VariableState, View } from './primitives.ts';
import { operands } from './primitives.ts';
import { printScalar } from './scalar.ts';
import type { Task } from './task.ts';

/** The name of a primitive in the text. */
export type NameOf = (node: Primitive) => string;

/**
 * One line a primitive, then what is fetched and updated; `%n` is the primitive in line n, counted from 0.
 *
 * @example
 * %0 = feed float32[50,10] number 0
 * %1 = map float32[50,10] max(in0, 0.) (%0[50,10]:(10,1)+0)
 * fetch %1[50,10]:(10,1)+0
 */
export function printLowered({ nodes, fetches, updates }: Lowered): string {
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  const name: NameOf = (node) => (numbers.has(node) ? `%${numbers.get(node)}` : nameById(node));
  return [
    ...nodes.map((node) => printPrimitive(node, name)),
    ...fetches.map((v) => `fetch ${printView(v, name)}`),
    ...updates.map(({ variable, value }) => `update ${printVariable(variable)} to ${printView(value, name)}`),
  ].join('\n');
}

/**
 * What a task begins with and what it stores, a line each.
 *
 * @example
 * contract [50,10] of %id4[50,10,784]:(784,0,1)+0, %id5[50,10,784]:(0,1,10)+0
 *   with in0 = %id6[50,10]:(0,1)+0
 *   %id9:(10,1)+0 = max(add(in-1, in0), 0.)
 */
export function printTask(task: Task): string {
  const operandList = task.operands.map((v) => printView(v));
  const body = task.operandBody ? ` ${printScalar(task.operandBody)}` : '';
  const head = `${task.root?.kind ?? 'map'} [${task.shape}]${body}${operandList.length > 0 ? ` of ${operandList.join(', ')}` : ''}`;
  const inputs = task.inputs.map((v, i) => `in${i} = ${printView(v)}`);
  const outputs = task.outputs.map((o) => {
    return `  ${nameById(o.node)}:(${o.strides})+${o.offset} = ${printScalar(o.body)}`;
  });
  return [head, ...inputs.map((line) => `  with ${line}`), ...outputs].join('\n');
}

const nameById: NameOf = ({ id }) => `%id${id}`;

/** `%5 = map float32[50,10] max(in0, 0.) (%4[50,10]:(10,1)+0)`. */
export function printPrimitive(node: Primitive, name: NameOf = nameById): string {
  const views = operands(node).map((v) => printView(v, name));
  const head = [`${name(node)} = ${node.kind} ${printType(node.dtype, node.shape)}`];
  const detail = printDetail(node);
  if (detail) head.push(detail);
  if (views.length > 0) head.push(`(${views.join(', ')})`);
  return head.join(' ');
}

/** `%4[50,10]:(10,1)+0`: the node, then the shape, strides and offset with which it is read. */
export const printView = ({ node, shape, strides, offset }: View, name: NameOf = nameById): string =>
  `${name(node)}[${shape}]:(${strides})+${offset}`;

const printType = (dtype: DType, shape: readonly number[]): string => `${dtype}[${shape}]`;
const printVariable = ({ name, key }: VariableState): string => `${JSON.stringify(name)} (key ${key})`;

/** What a kind of primitive has besides its operands. */
function printDetail(node: Primitive): string {
  switch (node.kind) {
    case 'feed':
      return `number ${node.feed}`;
    case 'constant':
      return printData(node);
    case 'read':
      return printVariable(node.variable);
    case 'counter':
      return JSON.stringify(node.name);
    case 'map':
      return printScalar(node.body);
    case 'check':
      return `${printScalar(node.body)} else ${JSON.stringify(node.message)}`;
    case 'reduce':
    case 'argReduce':
      return node.op;
    case 'pad':
      return `low ${node.low} step ${node.step} value ${node.value}`;
    case 'concat':
    case 'gather':
    case 'scatter':
      return `axis ${node.axis}`;
    case 'contract':
      return '';
  }
}

/** The first few elements of a constant. */
function printData({ data, shape }: Constant): string {
  if (data.length === 1 && elements(shape) !== 1) return `all ${data[0]}`;
  const shown = 8;
  const more = data.length > shown ? `, … ${data.length - shown} more` : '';
  return `${[...data.subarray(0, shown)].join(', ')}${more}`;
}
