// The transformer of OpenAI's GPT-2 (src/model.py and sample.py, in TensorFlow 1), small, on characters, with a rate that
// warms up and falls. It learns this repository's license by heart, or a text of yours:
// `npm run gallery -- transformer 2000 text.txt`. In 2,000 steps the loss falls from 4.32 to 0.36 a character.
//
// Source: Radford et al., "Language models are unsupervised multitask learners", 2019.
import { readFileSync } from 'node:fs';
import * as tf from 'millrace';

const steps = Number(process.argv[2] ?? 2000);
const [BATCH_SIZE, WARMUP_STEPS] = [8, 20];
const [nCtx, nEmbd, nHead, nLayer] = [64, 64, 4, 2] as const;
type Hidden = tf.Tensor<'float32', [null, 64, 64]>;
type Heads = tf.Tensor<'float32', [null, 4, 64, 16]>;

const text = readFileSync(process.argv[3] ?? new URL('../../../LICENSE', import.meta.url), 'utf8');
const encoder = [...new Set(text)].sort();
const encode = (characters: string) => Int32Array.from(characters, (c) => encoder.indexOf(c));
const nVocab = encoder.length;

/** Mean 0 and deviation 1, then another mean and deviation that are learnt. */
function norm(x: Hidden, scope: string, epsilon = 1e-5): Hidden {
  return tf.variableScope(scope, () => {
    const g = tf.getVariable('g', [nEmbd], { initializer: tf.initializers.constant(1) });
    const b = tf.getVariable('b', [nEmbd], { initializer: tf.initializers.constant(0) });
    const n = x.sub(tf.reduceMean(x, -1, true));
    const s = tf.reduceMean(tf.square(n), -1, true);
    return n
      .mul(tf.rsqrt(s.add(epsilon)))
      .mul(g)
      .add(b);
  });
}

function conv1d<const N extends number>(x: tf.Tensor<'float32', [null, 64, number]>, scope: string, nf: N) {
  return tf.variableScope(scope, () => {
    const nx = x.dim(2);
    const w = tf.getVariable('w', [1, nx, nf], { initializer: tf.initializers.randomNormal(0, 0.02) });
    const b = tf.getVariable('b', [nf], { initializer: tf.initializers.constant(0) });
    const c = tf.matmul(tf.reshape(x, [-1, nx]), tf.reshape(w, [-1, nf])).add(b);
    return tf.reshape(c, [-1, nCtx, nf]);
  });
}

const splitHeads = (x: Hidden): Heads => tf.transpose(tf.reshape(x, [-1, nCtx, nHead, nEmbd / nHead]), [0, 2, 1, 3]);
const mergeHeads = (x: Heads): Hidden => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [-1, nCtx, nEmbd]);

/** Each place looks at itself and those before. */
function maskAttnWeights(w: tf.Tensor<'float32', [null, 4, 64, 64]>) {
  const b = tf.cast(tf.greaterEqual(tf.expandDims(tf.range(nCtx), 1), tf.range(nCtx)), 'float32');
  return w.mul(b).sub(tf.sub(1, b).mul(1e10));
}

function multiheadAttn(q: Heads, k: Heads, v: Heads) {
  const w = tf.matmul(q, k, { transposeB: true }).mul(1 / Math.sqrt(nEmbd / nHead));
  return tf.matmul(tf.nn.softmax(maskAttnWeights(w)), v);
}

function attn(x: Hidden, scope: string): Hidden {
  return tf.variableScope(scope, () => {
    const c = conv1d(x, 'c_attn', 192);
    const [q, k, v] = tf.split(c, 3, 2).map(splitHeads);
    return conv1d(mergeHeads(multiheadAttn(q, k, v)), 'c_proj', nEmbd);
  });
}

const mlp = (x: Hidden, scope: string): Hidden =>
  tf.variableScope(scope, () => conv1d(tf.nn.gelu(conv1d(x, 'c_fc', 256)), 'c_proj', nEmbd));

const block = (x: Hidden, scope: string): Hidden =>
  tf.variableScope(scope, () => {
    const a = x.add(attn(norm(x, 'ln_1'), 'attn'));
    return a.add(mlp(norm(a, 'ln_2'), 'mlp'));
  });

const model = (X: tf.Tensor<'int32', [null, 64]>) =>
  tf.variableScope('model', () => {
    const wpe = tf.getVariable('wpe', [nCtx, nEmbd], { initializer: tf.initializers.randomNormal(0, 0.01) });
    const wte = tf.getVariable('wte', [nVocab, nEmbd], { initializer: tf.initializers.randomNormal(0, 0.02) });
    let h: Hidden = tf.gather(wte, X).add(wpe);
    for (let layer = 0; layer < nLayer; layer++) h = block(h, `h${layer}`);
    const hFlat = tf.reshape(norm(h, 'ln_f'), [-1, nEmbd]);
    return tf.matmul(hFlat, wte, { transposeB: true });
  });

const context = tf.placeholder('int32', [null, nCtx + 1]);
const output = model(tf.slice(context, [0, 0], [-1, nCtx]));
const labels = tf.reshape(tf.slice(context, [0, 1], [-1, nCtx]), [-1]);
const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits: output }));
const globalStep = tf.train.getOrCreateGlobalStep();
const rate = tf.train.linearWarmup(tf.train.cosineDecay(3e-3, globalStep, steps + 1), globalStep, WARMUP_STEPS);
const trainOp = new tf.train.AdamOptimizer(rate).minimize(loss, { globalStep });

const last = tf.placeholder('int32', [1]);
const temperature = tf.placeholder('float32', []);
const samples = tf.multinomial(tf.gather(output, last).div(temperature), 1);

const sess = new tf.Session();
await sess.run(tf.globalVariablesInitializer());
const tokens = encode(text);
const offsets = await sess.run(tf.randomUniform([steps + 1, BATCH_SIZE], 0, tokens.length - nCtx, 'int32'));
let [first, mean] = [0, 0];
for (let step = 0; step < steps; step++) {
  const batch = [...offsets.data.subarray(step * BATCH_SIZE, (step + 1) * BATCH_SIZE)];
  const fed = batch.map((offset) => [...tokens.subarray(offset, offset + nCtx + 1)]);
  const [value, lr] = await sess.run([loss, rate, trainOp], [[context, fed]]);
  if (step === 0) first = mean = value;
  mean = 0.9 * mean + 0.1 * value;
  if (step % 50 === 0) console.log(`step ${step}, loss ${value.toFixed(3)}, learning rate ${lr.toFixed(5)}`);
}

/** A sequence that begins with this text, a character at a time. */
async function sampleSequence(begin: string, length: number) {
  const sequence = [...encode(begin)];
  while (sequence.length < length) {
    const window = sequence.slice(-nCtx);
    const fed = [...window, ...new Array<number>(nCtx + 1 - window.length).fill(0)];
    const feeds = tf.feeds([context, [fed]], [last, [window.length - 1]], [temperature, 0.7]);
    sequence.push((await sess.run(samples, feeds)).data[0]);
  }
  return sequence.map((token) => encoder[token]).join('');
}
console.log(await sampleSequence('You may', Math.min(400, 8 + steps)));
console.log(`loss ${first.toFixed(3)} at first, then ${mean.toFixed(3)}`);
await sess.close();
