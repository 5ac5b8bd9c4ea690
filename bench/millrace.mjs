// millrace's side: a process a configuration, driven as pytorch.py is. Feeds and promise are part of a step.
const begin = performance.now();
const tf = await import('../dist/index.js');
const { parseArgs } = await import('node:util');
const { kernel } = await import('./kernels.mjs');
const { model } = await import('./models.mjs');
const { serve, tell } = await import('./serve.mjs');

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    kernel: { type: 'string' },
    mode: { type: 'string' },
    batch: { type: 'string' },
    threads: { type: 'string' },
    backend: { type: 'string' },
    portable: { type: 'boolean' },
  },
});
const graph = new tf.Graph();
const { fetch, feeds, flops, bytes, init } = graph.asDefault(() => ({
  ...(options.kernel ? kernel(tf, options.kernel) : model(tf, options.model, options.mode, Number(options.batch))),
  init: tf.initializeAllVariables(),
}));
const session = new tf.Session({
  graph,
  backend: options.backend,
  threads: Number(options.threads),
  ...(options.portable ? { portable: true } : {}),
});
await session.run(init);

let steps = 0;
await serve(async () => {
  await session.run(fetch, feeds);
  if (steps++ === 0)
    tell({ flops, bytes, session: session.backend.description, importToFirstStep: performance.now() - begin });
});
await session.close();
