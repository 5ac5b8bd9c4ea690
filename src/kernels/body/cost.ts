// What scalar expressions cost, in units of one addition.
import { type Scalar, walk } from '../../primitives/scalar.ts';

const costs: Partial<Record<Scalar['op'], number>> = {
  input: 0,
  constant: 0,
  index: 0,
  exp: 20,
  expm1: 50,
  log: 25,
  log1p: 35,
  erf: 60,
  tanh: 45,
  sin: 80,
  cos: 80,
  pow: 120,
  philox: 120,
  div: 4,
  sqrt: 4,
  floorDiv: 40,
  mod: 30,
};

/** The operations that some expressions take together, shared parts counted once. */
export function taskCost(bodies: readonly Scalar[]): number {
  let cost = 0;
  const seen = new Set<Scalar>();
  for (const body of bodies) walk(body, ({ op }) => (cost += costs[op] ?? 1), seen);
  return cost;
}
