// A deep Q-network with a replay memory and a target network, as Morvan Zhou's TensorFlow 1 tutorial has it
// (Reinforcement-learning-with-tensorflow, 5_Deep_Q_Network): it finds its way through a maze of 4 × 4 fields, from the
// corner S to the goal G around the pit P. `npm run gallery -- dqn 300`: so many episodes, of which the last 50 all reach
// the goal, in 8.8 steps.
//
// Source: Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015.
import * as tf from 'millrace';

// Pseudorandom numbers from 0 to 1, the same in each run.
let state = 1;
const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
tf.setRandomSeed(state);

const [N_ACTIONS, N_FEATURES] = [4, 2] as const;
interface Transition {
  readonly s: number[];
  readonly a: number;
  readonly r: number;
  readonly s_: number[];
  readonly done: boolean;
}

//   S . . .
//   . . P .
//   . . G .
//   . . . .
class Maze {
  #at = [0, 0];
  /** How far the goal is. */
  #observe = () => this.#at.map((v) => (v - 2) / 4);

  reset(): number[] {
    this.#at = [0, 0];
    return this.#observe();
  }

  /** Up, down, right or left; at the border nowhere. */
  step(action: number) {
    const [dx, dy] = [
      [0, -1],
      [0, 1],
      [1, 0],
      [-1, 0],
    ][action];
    const [x, y] = [this.#at[0] + dx, this.#at[1] + dy].map((v) => Math.min(3, Math.max(0, v)));
    this.#at = [x, y];
    const reward = x === 2 && y === 2 ? 1 : x === 2 && y === 1 ? -1 : 0;
    return { observation: this.#observe(), reward, done: reward !== 0 };
  }
}

/** Two layers, whose variables are in a collection of their own. */
function buildNet(scope: string, s: tf.Tensor<'float32', [null, 2]>) {
  const wInitializer = tf.initializers.randomNormal(0, 0.3);
  const bInitializer = tf.initializers.constant(0.1);
  const [collections, nL1] = [[`${scope}_params`, tf.GraphKeys.GLOBAL_VARIABLES], 10];
  return tf.variableScope(scope, () => {
    const l1 = tf.variableScope('l1', () => {
      const w1 = tf.getVariable('w1', [N_FEATURES, nL1], { initializer: wInitializer, collections });
      const b1 = tf.getVariable('b1', [1, nL1], { initializer: bInitializer, collections });
      return tf.nn.relu(tf.matmul(s, w1).add(b1));
    });
    return tf.variableScope('l2', () => {
      const w2 = tf.getVariable('w2', [nL1, N_ACTIONS], { initializer: wInitializer, collections });
      const b2 = tf.getVariable('b2', [1, N_ACTIONS], { initializer: bInitializer, collections });
      return tf.matmul(l1, w2).add(b2);
    });
  });
}
const paramsOf = (scope: string) => tf.getCollection<tf.Variable<'float32', any>>(`${scope}_params`);

class DeepQNetwork {
  readonly gamma = 0.9;
  readonly epsilon = 0.9;
  readonly replaceTargetIter = 200;
  readonly memorySize = 2000;
  readonly batchSize = 32;
  readonly memory: Transition[] = [];
  memoryCounter = 0;
  learnStepCounter = 0;

  readonly s = tf.placeholder('float32', [null, N_FEATURES], { name: 's' });
  readonly qTarget = tf.placeholder('float32', [null, N_ACTIONS], { name: 'Q_target' });
  readonly qEval = buildNet('eval_net', this.s);
  readonly loss = tf.variableScope('loss', () => tf.reduceMean(tf.squaredDifference(this.qTarget, this.qEval)));
  readonly trainOp = tf.variableScope('train', () => new tf.train.RMSPropOptimizer(0.01).minimize(this.loss));
  readonly s_ = tf.placeholder('float32', [null, N_FEATURES], { name: 's_' });
  readonly qNext = buildNet('target_net', this.s_);
  readonly replaceTargetOp = tf.group(...paramsOf('target_net').map((t, i) => tf.assign(t, paramsOf('eval_net')[i])));
  readonly sess = new tf.Session();

  storeTransition(transition: Transition): void {
    this.memory[this.memoryCounter % this.memorySize] = transition;
    this.memoryCounter++;
  }

  async chooseAction(observation: number[]): Promise<number> {
    if (random() >= this.epsilon) return Math.floor(random() * N_ACTIONS);
    const { data } = await this.sess.run(this.qEval, [[this.s, [observation]]]);
    return data.indexOf(Math.max(...data));
  }

  async learn(): Promise<void> {
    if (this.learnStepCounter % this.replaceTargetIter === 0) await this.sess.run(this.replaceTargetOp);
    const size = Math.min(this.memoryCounter, this.memorySize);
    const batch = Array.from({ length: this.batchSize }, () => this.memory[Math.floor(random() * size)]);
    const s = batch.map((transition) => transition.s);
    const s_ = batch.map((transition) => transition.s_);
    const [qNext, qEval] = await this.sess.run([this.qNext, this.qEval], tf.feeds([this.s_, s_], [this.s, s]));

    // Of the actions that were not chosen the target is what is there.
    const [next, qTarget] = [qNext.toArray(), qEval.toArray().map((row) => [...row])];
    for (const [i, { a, r, done }] of batch.entries())
      qTarget[i][a] = r + (done ? 0 : this.gamma * Math.max(...next[i]));
    await this.sess.run(this.trainOp, tf.feeds([this.s, s], [this.qTarget, qTarget]));
    this.learnStepCounter++;
  }
}

const episodes = Number(process.argv[2] ?? 300);
const env = new Maze();
const RL = new DeepQNetwork();
await RL.sess.run(tf.globalVariablesInitializer());

/** What each episode was worth, and how long it took. */
const history: { reward: number; steps: number }[] = [];
for (let episode = 0; episode < episodes; episode++) {
  let observation = env.reset();
  for (let steps = 1; ; steps++) {
    const action = await RL.chooseAction(observation);
    const { observation: observation_, reward, done } = env.step(action);
    RL.storeTransition({ s: observation, a: action, r: reward, s_: observation_, done });
    if (RL.memoryCounter > 200 && RL.memoryCounter % 5 === 0) await RL.learn();
    observation = observation_;
    if (!done) continue;
    history.push({ reward, steps });
    break;
  }
  if ((episode + 1) % 50 > 0) continue;
  const last = history.slice(-50);
  const [reward, steps] = [last.reduce((sum, e) => sum + e.reward, 0), last.reduce((sum, e) => sum + e.steps, 0)];
  console.log(`episodes to ${episode + 1}: mean reward ${reward / 50}, ${steps / 50} steps`);
}
await RL.sess.close();
