// The error function, from polynomials: the same bits on every backend.
// float32: Juffa's minimax polynomials; float64: fdlibm (Sun). Accuracy is asserted in tests/numbers.

import type { Expression } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';
import { exp, like, polynomial } from './math.ts';

const { binary: op, compare, select, unary } = ir;

/** 2/√π · ∫ e^(−t²) dt from 0 to x. */
export const erf = (x: Expression): Expression => (x.type.dtype === 'float32' ? erfSingle(x) : erfDouble(x));

const withSign = (of: Expression, size: Expression): Expression =>
  select(compare('less', of, like(of, 0)), unary('neg', size), size);

function erfSingle(x: Expression): Expression {
  const size = unary('abs', x);
  const square = op('mul', x, x);
  const near = polynomial(
    square,
    [1.28379166e-1, -3.76125336e-1, 1.12819925e-1, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4],
  );
  // 1 − e^(x·(polynomial − 1)): beyond 4 it is 1.
  const t = op('min', size, like(x, 4));
  const far = polynomial(
    t,
    [-1.28717512e-1, -6.34846687e-1, -1.06777877e-1, 2.42546219e-2, -3.88396438e-3, 3.83197126e-4, -1.7285347e-5],
  );
  const rest = exp(ir.multiplyAdd(far, t, unary('neg', t)));
  const large = withSign(x, op('sub', like(x, 1), rest));
  return select(compare('less', like(x, 0.927734375), size), large, ir.multiplyAdd(near, x, x));
}

const nearZero = [
  [
    1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3,
    -2.37630166566501626084e-5,
  ],
  [
    1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4,
    -3.9602282787753681232e-6,
  ],
];
const nearOne = [
  [
    -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1,
    -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.166375594868790843e-3,
  ],
  [
    1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1,
    1.36370839120290507362e-2, 1.1984499846799107417e-2,
  ],
];
const beyondOne = [
  [
    -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1,
    -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592,
  ],
  [
    1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2, 6.45387271733267880336e2,
    4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2,
  ],
];
const beyondThree = [
  [
    -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2,
    -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2,
  ],
  [
    1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3,
    2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1,
  ],
];

function erfDouble(x: Expression): Expression {
  const size = unary('abs', x);
  const below = (limit: number) => compare('less', size, like(x, limit));
  const square = op('mul', x, x);
  const bounded = op('min', size, like(x, 6));
  const inverse = op('div', like(x, 1), op('mul', bounded, bounded));
  const shifted = op('sub', size, like(x, 1));
  // One quotient of polynomials for all ranges.
  const part = (k: 0 | 1): Expression => {
    const large = select(below(1 / 0.35), polynomial(inverse, beyondOne[k]), polynomial(inverse, beyondThree[k]));
    const middle = select(below(1.25), polynomial(shifted, nearOne[k]), large);
    return select(below(0.84375), polynomial(square, nearZero[k]), middle);
  };
  const quotient = op('div', part(0), part(1));
  const near = op('add', x, op('mul', x, quotient));
  const middle = op('add', like(x, 8.45062911510467529297e-1), quotient);
  const power = op('add', op('sub', like(x, -0.5625), op('mul', bounded, bounded)), quotient);
  const large = op('sub', like(x, 1), op('div', exp(power), bounded));
  return select(below(0.84375), near, withSign(x, select(below(1.25), middle, large)));
}
