// The same by names: here TypeScript finds a type only in an entry of the package.
import { add, concat, type Dim, matmul, nn, reduceMean, type Shape, type Tensor, train, variable } from 'millrace';
import type { DataSets } from 'millrace/mnist';

export const product = <A extends Shape, B extends Shape>(a: Tensor<'float32', A>, b: Tensor<'float32', B>) =>
  matmul(a, b);
export const means = <S extends Shape>(x: Tensor<'float32', S>) => reduceMean(x, 0);
export const pool = <S extends Shape>(x: Tensor<'float32', S>, options: Parameters<typeof nn.maxPool>[1]) => ({
  options,
  y: nn.avgPool(x, { ...options, padding: 'VALID' }),
});
export const beside = <B extends Dim, N extends number, M extends number>(
  a: Tensor<'float32', [B, N]>,
  b: Tensor<'float32', [B, M]>,
) => concat([a, b], 1);
export const descent = () => new train.GradientDescentOptimizer(0.5);
export const weight = <const V>(value: V) => variable(value);
export const batch = (data: DataSets<boolean, true>) => data.train.nextBatch(50).labels;
export const sum = add;
