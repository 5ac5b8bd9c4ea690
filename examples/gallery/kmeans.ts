// k-means on the test images of MNIST, as it is often written in TensorFlow 1: distances by products of matrices, new
// centres by tf.unsortedSegmentSum. `npm run gallery -- kmeans` takes 38 steps; then 60 % of the images are of the digit
// that is the most common one in their cluster.
import * as tf from 'millrace';
import { readDataSets } from 'millrace/mnist';

const steps = Number(process.argv[2] ?? 300);
const { images: X, labels: y } = (await readDataSets('MNIST_data')).test;
const [n, k] = [X.shape[0], 10];
tf.setRandomSeed(1);

// Random points are the first centres.
const startPos = tf.gather(tf.constant(X), tf.randomUniform([k], 0, n, 'int32'));
const centroids = tf.variable(startPos, { name: 'S' });
const points = tf.variable(X, { name: 'X' });
const onesLike = tf.ones([n, 1]);
const prevAssignments = tf.variable(tf.zeros([n], 'int32'));

const p1 = tf.matmul(tf.expandDims(tf.reduceSum(tf.square(points), 1), 1), tf.ones([1, k]));
const centres = tf.reshape(tf.reduceSum(tf.square(centroids), 1), [-1, 1]);
const p2 = tf.transpose(tf.matmul(centres, onesLike, { transposeB: true }));
const squares = p1.add(p2).sub(tf.matmul(points, centroids, { transposeB: true }).mul(2));
const distance = tf.sqrt(tf.maximum(squares, 0));
const assignment = tf.argmin(distance, 1);

// New centres are the means of the points that are nearest to the old ones.
const total = tf.unsortedSegmentSum(points, assignment, k);
const count = tf.unsortedSegmentSum(onesLike, assignment, k);
const means = total.div(count);

const isContinue = tf.reduceAny(tf.notEqual(assignment, prevAssignments));
const loop = tf.controlDependencies([isContinue], () =>
  tf.group(centroids.assign(means), prevAssignments.assign(assignment)),
);
const meanDistance = tf.reduceMean(tf.reduceMin(distance, 1));

const sess = new tf.Session();
await sess.run(tf.globalVariablesInitializer());
const first = await sess.run(meanDistance);
let cnt = 0;
for (let changed = true; changed && cnt < steps; cnt++) [changed] = await sess.run([isContinue, loop]);

const [res, last] = await sess.run([assignment, meanDistance]);
const numsInClusters = Array.from({ length: k }, () => new Array<number>(10).fill(0));
for (const [i, cluster] of res.data.entries()) numsInClusters[cluster][y.data[i]]++;
for (const nums of numsInClusters) {
  const mostCommon = [...nums.keys()].sort((a, b) => nums[b] - nums[a]).slice(0, 3);
  console.log(mostCommon.map((digit) => `${digit}: ${nums[digit]}`).join(', '));
}
const purity = numsInClusters.reduce((sum, nums) => sum + Math.max(...nums), 0) / n;
console.log(`${cnt} steps: mean distance ${first.toFixed(3)}, then ${last.toFixed(3)}; purity ${purity.toFixed(3)}`);
await sess.close();
