// A large graph from its first operation to the end of its second run. Each step is one, in a session of its own.
import { parseArgs } from 'node:util';
import * as tf from '../dist/index.js';
import { large } from './large.mjs';
import { serve, tell } from './serve.mjs';

const { values: options } = parseArgs({
  options: {
    graph: { type: 'string' },
    operations: { type: 'string' },
    threads: { type: 'string' },
    backend: { type: 'string' },
  },
});

await serve(async () => {
  const graph = new tf.Graph();
  const times = [performance.now()];
  const timed = async (task) => {
    const result = await task();
    times.push(performance.now());
    return result;
  };
  const { fetch, feeds, init } = await timed(() =>
    graph.asDefault(() => large(tf, options.graph, Number(options.operations))),
  );
  const session = new tf.Session({ graph, backend: options.backend, threads: Number(options.threads) });
  await session.run(init);
  times.push(performance.now());
  // The second run shows what the first would take if it had been compiled before.
  await timed(() => session.run(fetch, feeds));
  await timed(() => session.run(fetch, feeds));
  const [build, , first, second] = times.slice(1).map((time, i) => time - times[i]);
  tell({ session: session.backend.description, build, first, second });
  await session.close();
});
