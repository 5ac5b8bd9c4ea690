// The reference backend: the oracle behind the interface of a session.

import { InternalError } from '../../base/errors.ts';
import { sliceMs } from '../../base/turns.ts';
import { evaluate } from '../../primitives/evaluate/evaluate.ts';
import { allocate, type TypedArray } from '../../tensor/dtype.ts';
import { elements } from '../../tensor/shape.ts';
import { checkLength } from '../../tensor/typed-array.ts';
import { type Backend, type Compiled, checkValue, type Executable } from '../backend.ts';

export function createReference(): Backend {
  const variables = new Map<number, TypedArray>();
  return {
    name: 'reference',
    description: 'reference: evaluated in float64, slow',
    machine: undefined,
    ready: Promise.resolve(),
    load: async ({ lowered }: Compiled): Promise<Executable> => {
      const counters = lowered.nodes.flatMap((n) => (n.kind === 'counter' ? [n.name] : []));
      const names = [...new Set(counters)];
      const milliseconds = elementsOf(lowered) / 5000;
      return {
        inlineMs: milliseconds < sliceMs ? milliseconds : undefined,
        run: (feeds, counts) => {
          for (const n of lowered.nodes) if (n.kind === 'feed') checkLength(feeds[n.feed], elements(n.shape));
          const { fetches, updates } = evaluate(lowered, {
            feeds,
            variable: (key) => variables.get(key) ?? allocate('float64', 0),
            counter: (name) => counts[names.indexOf(name)],
          });
          for (const { key, data } of updates) variables.set(key, data);
          return fetches;
        },
        dispose: () => {},
      };
    },
    readVariables: async (states) =>
      states.map(({ key, name }) => {
        const value = variables.get(key);
        if (!value) throw new InternalError(`The variable ${name} is read, but nothing has given it a value.`);
        return value.slice();
      }),
    writeVariables: async (values) => {
      for (const [state, value] of values) checkValue(state, value);
      for (const [{ key }, value] of values) variables.set(key, value.slice());
    },
    close: () => variables.clear(),
  };
}

/** How many numbers are computed: a measure of time. */
const elementsOf = (lowered: Compiled['lowered']): number =>
  lowered.nodes.reduce((sum, n) => sum + elements(n.shape), 0);
