// Property tests draw the same examples in every run, unless MILLRACE_TEST_SEED names others: `npm run soak -- seeds`.
import fc from 'fast-check';

const seed = Number(process.env.MILLRACE_TEST_SEED ?? 14);
if (!Number.isInteger(seed)) throw new Error(`MILLRACE_TEST_SEED is ${seed}; it must be a whole number.`);
// One that fails tells its example before the test's time is over, though a smaller one may be left to find.
const interruptAfterTimeLimit = Number(process.env.MILLRACE_TEST_TIMEOUT) - 10_000;
fc.configureGlobal({ seed, interruptAfterTimeLimit, markInterruptAsFailure: true });
