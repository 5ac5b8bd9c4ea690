// Checks, which come before a run changes anything: the first element that is not as it must be is noted.

import type { Expression, Statement } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import type { Task } from '../../primitives/task.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import { share, Translator } from '../body/expression.ts';
import { int32, termsAlong } from '../body/indices.ts';
import { fromBegin, nested, positionAt, spaceOver, variables } from '../body/nest.ts';
import { loadFor } from '../body/outputs.ts';
import type { Offer } from '../offer.ts';

const float64 = ir.valueType('float64', 1);

/** Notes the first element for which the condition does not hold: its check's number, its place and its value. */
export function checking(task: Task): Offer | undefined {
  const root = task.root;
  if (root?.kind !== 'check' || !task.operandBody) return undefined;
  const condition = task.operandBody;
  const count = elements(task.shape);
  return {
    name: 'check',
    cost: count * 2,
    build: (buffers) => {
      const all = variables('i', task.shape);
      const here = positionAt(spaceOver(task.shape, task.operands), all.map(fromBegin));
      const translator = new Translator(1, {
        input: (i) => loadFor(buffers.of(task.operands[i].node), here, i),
        index: here.axis,
      });
      const holds = translator.translate(condition);
      const shown = translator.translate(task.outputs[0].body);
      const { statements, values } = share([ir.unary('not', holds), shown]);
      const element = ir.index(ir.at(0, ...termsAlong(all, rowMajor(task.shape))), int32);
      const noted = noting(buffers.status(), values[0], [
        ir.constant(buffers.checkNumber(root), float64),
        ir.convert(element, 'float64'),
        asNumber(values[1]),
      ]);
      return [{ name: 'check', body: nested(all, [...statements, noted]), flops: count, bytes: count * 4 }];
    },
  };
}

/** The values go to the status where something fails, and nothing failed before: only the first failure is told. */
function noting(status: ir.Buffer, fails: Expression, values: readonly Expression[]): Statement {
  const fresh = ir.compare('equal', ir.load(status, ir.at(0), float64), ir.constant(0, float64));
  return {
    kind: 'if',
    condition: ir.binary('and', fails, fresh),
    body: values.map((value, i) => ir.store(status, ir.at(i), value)),
  };
}

/** A value of any type as the float64 that the status holds. */
const asNumber = (value: Expression): Expression =>
  ir.convert(value.type.dtype === 'bool' ? ir.convert(value, 'int32') : value, 'float64');
