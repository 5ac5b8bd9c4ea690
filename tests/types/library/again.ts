// What was made of these, in a file that imports nothing of millrace.
import { descent, product, weight } from './names.js';
import { layerNorm, lookup, Nesterov, optimizer, training, x } from './network.js';

export const adam = optimizer(1);
export const nesterov = new Nesterov(1);
export const sgd = descent();
export const trained = (loss: Parameters<typeof training>[0]) => training(loss);
export const normed = layerNorm(x);
export const squared = <A extends readonly (number | null)[]>(a: A) => [a, product<A, A>, weight(a)] as const;
export { lookup };
