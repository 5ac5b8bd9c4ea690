// What arguments can be, for signatures: the kinds that need nothing of graphs. ops/define.ts adds tensors.

import type { DType } from './dtype.ts';
import { isDType } from './dtype.ts';
import type { Shape } from './shape.ts';
import type { Kind, Needed } from './signature.ts';
import { checkDType } from './values.ts';

export const kind = <T>(is: string, fits: (value: unknown) => boolean): Kind<T> => ({ is, fits });
/** Must be given, in its place or among the options. */
export const needed = <T>(of: Kind<T>): Needed<T> => ({ ...of, isNeeded: true });

/** What the function itself looks at: it knows more to say. */
export const anything = <T>(is: string): Kind<T> => kind(is, () => true);
export const sizes = anything<Shape>('a shape');
export const number = kind<number>('a number', (v) => typeof v === 'number');
export const finite = kind<number>('a finite number', Number.isFinite);
export const wholeNumber = kind<number>('a whole number', Number.isSafeInteger);
export const trueOrFalse = kind<boolean>('true or false', (v) => typeof v === 'boolean');
export const text = kind<string>('a text', (v) => typeof v === 'string' && v !== '');
export const callback: Kind<() => unknown> = {
  ...kind('a function', (v) => typeof v === 'function'),
  isCallback: true,
  example: '() => …',
};
export const dtype: Kind<DType> = {
  ...kind<DType>('a dtype', isDType),
  refuse: (op, value) => checkDType(op, value) as never,
};
export const oneOf = <const V extends readonly string[]>(values: V): Kind<V[number]> =>
  kind(values.map((v) => `'${v}'`).join(' or '), (v) => values.includes(v as string));
