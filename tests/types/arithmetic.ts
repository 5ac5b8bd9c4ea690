// Sums, products and quotients of sizes, with all kinds of carries.
import type { Add, CeilDiv, DivMod, Mul, Sub } from 'millrace/types';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

same<[Add<0, 0>, Add<7, 8>, Add<999, 1>, Add<1, 999>, Add<50176, 4831>], [0, 15, 1000, 1000, 55007]>(true);
same<[Sub<5, 5>, Sub<1000, 1>, Sub<224, 7>, Sub<3, 4>, Sub<99, 100>], [0, 999, 217, never, never]>(true);
same<[Mul<0, 784>, Mul<28, 28>, Mul<999, 999>, Mul<7, 12345>, Mul<64, 50176>], [0, 784, 998001, 86415, 3211264]>(true);
same<[DivMod<0, 7>, DivMod<784, 28>, DivMod<784, 56>], [[0, 0], [28, 0], [14, 0]]>(true);
same<[DivMod<7, 784>, DivMod<100000, 7>, DivMod<1009, 10>], [[0, 7], [14285, 5], [100, 9]]>(true);
same<[CeilDiv<28, 2>, CeilDiv<27, 2>, CeilDiv<1, 3>, CeilDiv<224, 32>], [14, 14, 1, 7]>(true);
same<[Add<number, 1>, Mul<2, number>, DivMod<number, 3>], [number, number, [number, number]]>(true);
