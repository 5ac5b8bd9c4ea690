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

/** What is learned on images: their shape, the optimizer and the network. */
const networks = {
  softmax: { shape: [784], learn: (tf) => new tf.train.GradientDescentOptimizer(0.01), logits: softmax },
  cnn: { shape: [784], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: cnn },
  vgg: { shape: [32, 32, 3], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: vgg },
  mlp: { shape: [784], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: mlp },
  resnet: { shape: [16, 16, 3], learn: (tf) => new tf.train.AdamOptimizer(1e-4), logits: resnet },
};

/** What is learned on words: how many, and the network. */
const languages = {
  lstm: (tf, batch) => lstm(tf, batch, { layers: 2, units: 200, steps: 20, words: 10_000 }),
  transformer: (tf, batch) => transformer(tf, batch, { layers: 2, units: 128, heads: 4, steps: 64, words: 256 }),
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

/** Of words, numbers that differ: only time is measured. */
const numbers = (count, below) => Int32Array.from({ length: count }, (_, i) => (i * 7919 + 13) % below);

/**
 * A language model, unrolled over the steps of a sentence as in TensorFlow's tutorial: so many words, layers of so many
 * units. The loss is the mean over all words.
 */
function lstm(tf, batch, { layers: count, units, steps, words }) {
  const { dense } = layers(tf);
  const uniform = (shape) => tf.variable(tf.randomUniform(shape, { minval: -0.1, maxval: 0.1 }));
  const [x, y_] = [tf.placeholder('int32', [batch, steps]), tf.placeholder('int32', [batch, steps])];
  let inputs = tf.unstack(tf.gather(uniform([words, units]), x), { axis: 1 });
  for (let layer = 0; layer < count; layer++) {
    const [weights, biases] = [uniform([2 * units, 4 * units]), tf.variable(tf.zeros([4 * units]))];
    let [c, h] = [tf.zeros([batch, units]), tf.zeros([batch, units])];
    inputs = inputs.map((input) => {
      const gates = tf.matmul(tf.concat([input, h], 1), weights).add(biases);
      const [i, j, f, o] = [0, 1, 2, 3].map((gate) => tf.slice(gates, [0, gate * units], [batch, units]));
      c = c.mul(tf.sigmoid(f)).add(tf.sigmoid(i).mul(tf.tanh(j)));
      h = tf.tanh(c).mul(tf.sigmoid(o));
      return h;
    });
  }
  const logits = dense(tf.reshape(tf.stack(inputs, 1), [-1, units]), [units, words], 0.1);
  return learned(tf, { x, y_, logits, batch, steps, words });
}

/** Six residual blocks of 32 channels on images of 16 × 16, each convolution normalized by its batch. */
function resnet(tf, x) {
  const normalized = (image, options) =>
    tf.layers.batchNormalization(tf.layers.conv2d(image, 32, 3, { padding: 'same', useBias: false }), {
      training: true,
      ...options,
    });
  let image = tf.nn.relu(normalized(x));
  for (let block = 0; block < 6; block++) {
    image = tf.nn.relu(normalized(tf.nn.relu(normalized(image))).add(image));
  }
  return tf.layers.dense(tf.reduceMean(image, [1, 2]), 10);
}

/** Characters, each predicted from those before: layers that normalize first, heads of attention, gelu. */
function transformer(tf, batch, { layers: count, units, heads, steps, words }) {
  const { dense, layerNormalization: normalized } = tf.layers;
  const [x, y_] = [tf.placeholder('int32', [batch, steps]), tf.placeholder('int32', [batch, steps])];
  const uniform = (shape) => tf.variable(tf.randomNormal(shape, { stddev: 0.02 }));
  const earlier = tf.cast(tf.greaterEqual(tf.expandDims(tf.range(steps), 1), tf.range(steps)), 'float32');
  const mask = tf.sub(1, earlier).mul(-1e9);
  const split = (t) => tf.transpose(tf.reshape(t, [batch, steps, heads, units / heads]), [0, 2, 1, 3]);
  let h = tf.gather(uniform([words, units]), x).add(uniform([steps, units]));
  for (let layer = 0; layer < count; layer++) {
    const [q, k, v] = tf.split(dense(normalized(h), 3 * units), 3, 2).map(split);
    const scores = tf.matmul(q, k, { transposeB: true }).mul(1 / Math.sqrt(units / heads));
    const attended = tf.matmul(tf.nn.softmax(scores.add(mask)), v);
    h = h.add(dense(tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch, steps, units]), units));
    h = h.add(dense(dense(normalized(h), 4 * units, { activation: tf.nn.gelu }), units));
  }
  const logits = tf.reshape(dense(normalized(h), words), [-1, words]);
  return learned(tf, { x, y_, logits, batch, steps, words });
}

/** A step of Adam on the mean loss of all words. */
function learned(tf, { x, y_, logits, batch, steps, words }) {
  const labels = tf.reshape(y_, [-1]);
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  return {
    fetch: new tf.train.AdamOptimizer(1e-4).minimize(loss),
    feeds: [
      [x, tf.array(numbers(batch * steps, words), [batch, steps])],
      [y_, tf.array(numbers(batch * steps, words), [batch, steps])],
    ],
  };
}

/**
 * A model on a batch of its own: `fetch` and `feeds` are what a session runs. Mode `train` is a training step; `infer`
 * gives the probabilities, without dropout; `evaluate` too, but of the graph that was made for training.
 */
export function model(tf, name, mode, batch) {
  if (languages[name]) return languages[name](tf, batch);
  const { shape, learn, logits } = networks[name];
  const x = tf.placeholder('float32', [null, ...shape]);
  const keepProb = name === 'cnn' && mode !== 'infer' ? tf.placeholder('float32') : undefined;
  const y = tf.nn.softmax(logits(tf, x, keepProb));
  const images = tf.array(pixels(shape.reduce((product, size) => product * size, batch)), [batch, ...shape]);
  const feeds = [[x, images]];
  if (keepProb) feeds.push([keepProb, mode === 'train' ? 0.5 : 1]);
  if (mode !== 'train') return { fetch: y, feeds };
  const y_ = tf.placeholder('float32', [null, 10]);
  feeds.push([y_, tf.array(labels(batch), [batch, 10])]);
  const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS);
  const loss = tf.reduceSum(y_.mul(tf.log(y))).neg();
  return { fetch: tf.controlDependencies(updates, () => learn(tf).minimize(loss)), feeds };
}
