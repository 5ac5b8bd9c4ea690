// Single kernels through the public API: operands and result are variables, so nothing is copied in or out.

/** conv2 of the second model: images, filter, result. */
const [images, filter, result] = [
  [50, 14, 14, 32],
  [5, 5, 32, 64],
  [50, 14, 14, 64],
];
const convolution = 2 * 50 * 14 * 14 * 5 * 5 * 32 * 64;
const pass = (what) => ({ peers: ['oneDNN'], what, sizes: [50, 14, 32, 64, 5] });
const convolve = (tf, x, w) => tf.nn.conv2d(x, w, { strides: [1, 1, 1, 1], padding: 'SAME' });
/** The gradient of Σ conv(x, w) · dy with respect to x or w is the backward pass for dy. */
const backward = (tf, x, w, dy, of) => tf.gradients(tf.reduceSum(convolve(tf, x, w).mul(dy)), [of])[0];

const matmul = (n) => ({
  operands: [
    [n, n],
    [n, n],
  ],
  flops: 2 * n ** 3,
  native: { peers: ['OpenBLAS', 'oneDNN'], what: 'matmul', sizes: [1, n, n, n] },
  compute: (tf, [a, b]) => tf.matmul(a, b),
});

/** The products that Winograd's F(4×4, 5×5) makes of such a pass: 64 of them, over 800 tiles. */
const batched = (m, k, n) => ({
  operands: [
    [64, m, k],
    [64, k, n],
  ],
  flops: 2 * 64 * m * k * n,
  native: { peers: ['oneDNN'], what: 'matmul', sizes: [64, m, k, n] },
  compute: (tf, [a, b]) => tf.matmul(a, b),
});

/** The parameters of the second model, in one array. */
const parameters = 3_274_634;

/** Name → operands' shapes, work (for a convolution: of the direct algorithm), what to compute, and who else does it. */
export const kernels = {
  'matmul 512': matmul(512),
  'matmul 1024': matmul(1024),
  'matmul 2048': matmul(2048),
  'conv2 forward': {
    operands: [images, filter],
    flops: convolution,
    native: pass('forward'),
    compute: (tf, [x, w]) => convolve(tf, x, w),
  },
  'conv2 backward data': {
    operands: [images, filter, result],
    flops: convolution,
    native: pass('backward data'),
    compute: (tf, [x, w, dy]) => backward(tf, x, w, dy, x),
  },
  'conv2 backward filter': {
    operands: [images, filter, result],
    flops: convolution,
    native: pass('backward filter'),
    compute: (tf, [x, w, dy]) => backward(tf, x, w, dy, w),
  },
  'batched 64×800×32×64': batched(800, 32, 64),
  'batched 64×800×64×32': batched(800, 64, 32),
  'batched 64×32×800×64': batched(32, 800, 64),
};

/**
 * An optimizer alone. What it must move: it reads variable, gradient and slots, and writes variable and slots, each of 13
 * MB. `arrays` says how many that are.
 */
const update = (arrays, make) => ({
  operands: [[parameters], [parameters]],
  bytes: arrays * 4 * parameters,
  run: (tf, [variable, gradient]) => make(tf.train, tf).applyGradients([[gradient, variable]]),
});
const regularization = { l1RegularizationStrength: 1e-6, l2RegularizationStrength: 1e-6 };
const named = {
  Adam: update(7, (train) => new train.AdamOptimizer(1e-4)),
  'gradient descent': update(3, (train) => new train.GradientDescentOptimizer(1e-4)),
  momentum: update(5, (train) => new train.MomentumOptimizer(1e-4, 0.9)),
  'Nesterov momentum': update(5, (train) => new train.MomentumOptimizer(1e-4, 0.9, { useNesterov: true })),
  Adagrad: update(5, (train) => new train.AdagradOptimizer(1e-4)),
  // It computes the variable anew, without reading it.
  AdagradDA: update(6, (train, tf) => {
    const globalStep = tf.variable(0, { trainable: false });
    return new train.AdagradDAOptimizer(1e-4, globalStep, regularization);
  }),
  Adadelta: update(7, (train) => new train.AdadeltaOptimizer()),
  RMSProp: update(7, (train) => new train.RMSPropOptimizer(1e-4, { momentum: 0.9 })),
  'centered RMSProp': update(9, (train) => new train.RMSPropOptimizer(1e-4, { momentum: 0.9, centered: true })),
  AdamW: update(7, (train) => new train.AdamWOptimizer(1e-4)),
  Lion: update(5, (train) => new train.LionOptimizer(1e-4, { weightDecay: 0.1 })),
  Ftrl: update(7, (train) => new train.FtrlOptimizer(1e-4, regularization)),
  'proximal descent': update(3, (train) => new train.ProximalGradientDescentOptimizer(1e-4, regularization)),
  'proximal Adagrad': update(5, (train) => new train.ProximalAdagradOptimizer(1e-4, regularization)),
};
export const updates = Object.fromEntries(
  Object.entries(named).map(([name, made]) => [`${name}: update of 3.27 M parameters`, made]),
);

/** 64 MB of numbers. */
const sum = (axes) => ({
  operands: [[4096, 4096]],
  bytes: 4 * 4096 ** 2,
  compute: (tf, [x]) => tf.reduceSum(x, axes),
});

/** Sums of a variable: of all of it, of each row, of each column. What they write is nothing beside what they read. */
export const reductions = {
  'to one number': sum(),
  'along rows': sum([1]),
  'along columns': sum([0]),
};
export const bytesOf = (name) => reductions[name].bytes;

/** A kernel as a session runs it: computed into a variable. */
export function kernel(tf, name) {
  const { operands, flops, bytes, compute, run } = { ...kernels, ...updates, ...reductions }[name];
  const variables = operands.map((shape) => tf.variable(tf.randomUniform(shape)));
  if (run) return { fetch: run(tf, variables), feeds: [], bytes };
  const value = compute(tf, variables);
  const into = tf.variable(tf.zeros(value.shape));
  return { fetch: tf.assign(into, value).operation, feeds: [], flops, bytes };
}
