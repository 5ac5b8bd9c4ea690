// Gather and scatter: elements moved to and from computed places; and the checks that come before a run changes anything.

import type { Expression, Local, LoopVariable, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { Machine } from '../../loops/machine.ts';
import type { View } from '../../primitives/primitives.ts';
import type { Task } from '../../primitives/task.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import { share, Translator } from '../body/expression.ts';
import { loop, variable } from '../body/nest.ts';
import { filling, storeOutputs } from '../body/outputs.ts';
import type { Offer } from '../offer.ts';

const int = { dtype: 'int32', lanes: 1 } as const;

/** A loop variable for each axis. */
const axes = (name: string, shape: readonly number[]): LoopVariable[] =>
  shape.map((size, i) => variable(`${name}${i}`, size));
const nested = (variables: readonly LoopVariable[], body: readonly Statement[]): readonly Statement[] =>
  variables.reduceRight<readonly Statement[]>((inner, v) => loop(v, inner), body);
const terms = (variables: readonly LoopVariable[], strides: readonly number[]) =>
  variables.map((v, i) => [v, strides[i]] as const);

/** out[h, i, t] = x[h, indices[i], t] */
export function gathering(task: Task): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'gather') return undefined;
  const { axis } = root;
  const [x, indices] = task.operands;
  const count = elements(task.shape);
  return {
    name: 'gather',
    cost: count * 4,
    build: (storage) => {
      const all = axes('i', task.shape);
      const rank = indices.shape.length;
      const head = all.slice(0, axis);
      const middle = all.slice(axis, axis + rank);
      const tail = all.slice(axis + rank);
      const at: Local = { name: 'at', type: int };
      const place = ir.load(
        storage.bufferOf(indices.node),
        ir.at(indices.offset, ...terms(middle, indices.strides)),
        int,
      );
      const rest = ir.at(x.offset, ...terms(head, x.strides), ...terms(tail, x.strides.slice(axis + 1)));
      const source = ir.binary('add', scaled(ir.local(at), x.strides[axis]), ir.index(rest, int));
      const buffer = storage.bufferOf(x.node);
      const value = ir.loadAt(buffer, source, ir.valueType(buffer.dtype, 1));
      const stores = storeOutputs(
        task,
        storage,
        {
          lanes: 1,
          at: (k) => accessAt(task, k, all),
          step: () => 0,
          axis: (a) => ir.index(ir.at(0, [all[a], 1]), int),
        },
        value,
      );
      const body = nested([...head, ...middle], [{ kind: 'set', local: at, value: place }, ...nested(tail, stores)]);
      return [{ name: 'gather', body, flops: 0, bytes: count * 12 }];
    },
  };
}

const scaled = (e: Expression, factor: number): Expression =>
  factor === 1 ? e : ir.binary('mul', e, ir.constant(factor, int));

function accessAt(task: Task, access: number, all: readonly LoopVariable[]): ir.Affine {
  const a = [...task.inputs, ...task.outputs][access];
  return ir.at(a.offset, ...terms(all, a.strides));
}

/** out = 0; out[h, indices[i], t] += x[h, i, t], in order. */
export function scattering(task: Task, machine: Machine): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'scatter') return undefined;
  const { axis } = root;
  const [x, indices] = task.operands;
  const count = elements(x.shape);
  return {
    name: 'scatter',
    cost: count * 4 + elements(root.shape),
    build: (storage) => {
      const target = storage.bufferOf(task.outputs[0].node);
      const strides = rowMajor(root.shape);
      const all = axes('i', x.shape);
      const rank = indices.shape.length;
      const middle = all.slice(axis, axis + rank);
      const at: Local = { name: 'at', type: int };
      const place = ir.load(
        storage.bufferOf(indices.node),
        ir.at(indices.offset, ...terms(middle, indices.strides)),
        int,
      );
      const rest = ir.at(
        0,
        ...terms(all.slice(0, axis), strides),
        ...terms(all.slice(axis + rank), strides.slice(axis + 1)),
      );
      const where: Local = { name: 'where', type: int };
      const type = ir.valueType(target.dtype, 1);
      const value = ir.load(storage.bufferOf(x.node), ir.at(x.offset, ...terms(all, x.strides)), type);
      const sum = ir.binary('add', ir.loadAt(target, ir.local(where), type), value);
      const add: Statement[] = [
        {
          kind: 'set',
          local: where,
          value: ir.binary('add', scaled(ir.local(at), strides[axis]), ir.index(rest, int)),
        },
        { kind: 'storeAt', buffer: target, index: ir.local(where), value: sum },
      ];
      const outside = all.slice(0, axis + rank);
      const body = nested(outside, [{ kind: 'set', local: at, value: place }, ...nested(all.slice(axis + rank), add)]);
      const zero = filling(target, 0, machine);
      return [zero, { name: 'scatter', body, flops: count, bytes: count * 16 }];
    },
  };
}

/** Notes the first element for which the condition does not hold. */
export function checking(task: Task): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'check' || !task.operandBody) return undefined;
  const condition = task.operandBody;
  const count = elements(task.shape);
  return {
    name: 'check',
    cost: count * 2,
    build: (storage) => {
      const all = axes('i', task.shape);
      const translator = new Translator(1, {
        input: (i) => loadView(storage.bufferOf(task.operands[i].node), task.operands[i], all),
        index: (a) => ir.index(ir.at(0, [all[a], 1]), int),
      });
      const holds = translator.translate(condition);
      const shown = translator.translate(task.outputs[0].body);
      const status = storage.status();
      const double = { dtype: 'float64', lanes: 1 } as const;
      const store = (index: number, value: Expression): Statement => ({
        kind: 'store',
        buffer: status,
        index: ir.at(index),
        value,
      });
      const element = ir.index(ir.at(0, ...terms(all, rowMajor(task.shape))), int);
      const fresh = ir.compare('equal', ir.load(status, ir.at(0), double), ir.constant(0, double));
      const { statements, values } = share([ir.unary('not', holds), shown]);
      const body: Statement[] = [
        ...statements,
        {
          kind: 'if',
          condition: ir.binary('and', values[0], fresh),
          body: [
            store(0, ir.constant(storage.checkNumber(root), double)),
            store(1, ir.convert(element, 'float64')),
            store(
              2,
              ir.convert(values[1].type.dtype === 'bool' ? ir.convert(values[1], 'int32') : values[1], 'float64'),
            ),
          ],
        },
      ];
      return [{ name: 'check', body: nested(all, body), flops: count, bytes: count * 4 }];
    },
  };
}

const loadView = (buffer: ir.Buffer, v: View, all: readonly LoopVariable[]): Expression =>
  ir.load(buffer, ir.at(v.offset, ...terms(all, v.strides)), ir.valueType(buffer.dtype, 1));
