// Prune: the operations that a run needs, cut at what is fed.

import type { Sliced } from '../../base/turns.ts';
import type { Operation } from '../../graph/operation.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { CompileRequest } from './request.ts';

/** The needed operations in the order in which they were made, which is one in which inputs come before their uses. */
export function* prune({ fetches, targets, feeds }: CompileRequest): Sliced<Operation[]> {
  const fed = new Set<Tensor>(feeds.map((f) => f.tensor));
  const needed = new Set<Operation>();
  const open: Operation[] = [];
  const need = (operation: Operation) => {
    if (needed.has(operation)) return;
    needed.add(operation);
    open.push(operation);
  };
  for (const t of fetches) if (!fed.has(t)) need(t.operation);
  for (const operation of targets) need(operation);
  for (let operation = open.pop(); operation; operation = open.pop()) {
    for (const t of operation.inputs) if (!fed.has(t)) need(t.operation);
    for (const control of operation.controlInputs) need(control);
    yield;
  }
  return [...needed].sort((a, b) => a.id - b.id);
}
