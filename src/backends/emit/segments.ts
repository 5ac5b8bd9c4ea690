// What emitters of loop nests have in common.
import type { Loop } from '../../loops/ir.ts';

export type { Loop } from '../../loops/ir.ts';

export const iterations = ({ variable }: Loop): number => Math.ceil(variable.extent / variable.step);
