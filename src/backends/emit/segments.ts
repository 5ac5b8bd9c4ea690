// What emitters of loop nests have in common.
import type { Statement } from '../../loops/ir.ts';

export type Loop = Statement & { kind: 'loop' };

export const iterations = ({ variable }: Loop): number => Math.ceil(variable.extent / variable.step);
