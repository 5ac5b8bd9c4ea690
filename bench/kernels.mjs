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

/** Adam alone. What it must move: it reads parameters, gradients and both means, and writes all but the gradients. */
export const updates = {
  "Adam's update of 3.27 M parameters": {
    operands: [[parameters], [parameters]],
    bytes: 7 * 4 * parameters,
    run: (tf, [variable, gradient]) => new tf.train.AdamOptimizer(1e-4).applyGradients([[gradient, variable]]),
  },
};

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
