// The page's program: what it trains on is asked for by the test.
import * as tf from 'millrace';
import { train } from './model.ts';

Object.assign(globalThis, { train: (portable, threads) => train(tf, portable, threads) });
