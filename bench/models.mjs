// The benchmark's models in millrace, the same as the peers': what to run, with its feeds.

/** Fixed numbers from 0 to 1: only time is measured. */
const pixels = (count) => Float32Array.from({ length: count }, (_, i) => Math.abs(Math.sin(i * 12.9898)) % 1);
/** Fixed one-hot labels. */
const labels = (count) =>
  Float32Array.from({ length: count * 10 }, (_, i) => Number(i % 10 === (Math.floor(i / 10) * 7) % 10));

/** Layers as in the tutorial; weights of the deeper models are scaled by their fan-in, so that values stay normal. */
function layers(tf) {
  const weight = (shape, stddev) => tf.variable(tf.truncatedNormal(shape, { stddev }));
  const bias = (size, value = 0.1) => tf.variable(tf.constant(value, { shape: [size] }));
  const scale = (shape) => Math.sqrt(2 / shape.slice(0, -1).reduce((product, size) => product * size, 1));
  return {
    dense: (x, shape, stddev = scale(shape)) => tf.matmul(x, weight(shape, stddev)).add(bias(shape[1])),
    conv: (x, shape, stddev = scale(shape)) =>
      tf.nn.relu(
        tf.nn.conv2d(x, weight(shape, stddev), { strides: [1, 1, 1, 1], padding: 'SAME' }).add(bias(shape[3])),
      ),
    pool: (x) => tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }),
  };
}

const models = {
  softmax: { shape: [784], learn: (tf) => new tf.train.GradientDescentOptimizer(0.01), logits: softmax },
  cnn: { shape: [784], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: cnn },
  vgg: { shape: [32, 32, 3], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: vgg },
  mlp: { shape: [784], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: mlp },
};

function softmax(tf, x) {
  return tf.matmul(x, tf.variable(tf.zeros([784, 10]))).add(tf.variable(tf.zeros([10])));
}

/** The tutorial's second model. */
function cnn(tf, x, keepProb) {
  const { dense, conv, pool } = layers(tf);
  const h1 = pool(conv(tf.reshape(x, [-1, 28, 28, 1]), [5, 5, 1, 32], 0.1));
  const h2 = pool(conv(h1, [5, 5, 32, 64], 0.1));
  const h3 = tf.nn.relu(dense(tf.reshape(h2, [-1, 3136]), [3136, 1024], 0.1));
  return dense(keepProb ? tf.nn.dropout(h3, keepProb) : h3, [1024, 10], 0.1);
}

/** 3×3 convolutions 64-64-pool-128-128-pool-256-256-pool, fc 256, fc 10. */
function vgg(tf, x) {
  const { dense, conv, pool } = layers(tf);
  let [image, channels] = [x, 3];
  for (const width of [64, 128, 256]) {
    image = pool(conv(conv(image, [3, 3, channels, width]), [3, 3, width, width]));
    channels = width;
  }
  return dense(tf.nn.relu(dense(tf.reshape(image, [-1, 4096]), [4096, 256])), [256, 10]);
}

/** 784-1024-1024-10. */
function mlp(tf, x) {
  const { dense } = layers(tf);
  const h1 = tf.nn.relu(dense(x, [784, 1024]));
  return dense(tf.nn.relu(dense(h1, [1024, 1024])), [1024, 10]);
}

/**
 * A model on a batch of its own: `fetch` and `feeds` are what a session runs. Mode `train` is a training step; `infer`
 * gives the probabilities, without dropout; `evaluate` too, but of the graph that was made for training.
 */
export function model(tf, name, mode, batch) {
  const { shape, learn, logits } = models[name];
  const x = tf.placeholder('float32', [null, ...shape]);
  const keepProb = name === 'cnn' && mode !== 'infer' ? tf.placeholder('float32') : undefined;
  const y = tf.nn.softmax(logits(tf, x, keepProb));
  const images = tf.array(pixels(shape.reduce((product, size) => product * size, batch)), [batch, ...shape]);
  const feeds = [[x, images]];
  if (keepProb) feeds.push([keepProb, mode === 'train' ? 0.5 : 1]);
  if (mode !== 'train') return { fetch: y, feeds };
  const y_ = tf.placeholder('float32', [null, 10]);
  feeds.push([y_, tf.array(labels(batch), [batch, 10])]);
  return { fetch: learn(tf).minimize(tf.reduceSum(y_.mul(tf.log(y))).neg()), feeds };
}
