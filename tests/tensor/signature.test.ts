// Signatures: how arguments are taken apart, and what is said of those that do not fit.
import { expect, test } from 'vitest';
import { DTypeError, InvalidArgumentError } from '../../src/base/errors.ts';
import { dtype, finite, needed, number, text, wholeNumber } from '../../src/tensor/kinds.ts';
import { Signature } from '../../src/tensor/signature.ts';

const form = new Signature('tf.shoot', { target: text, count: wholeNumber }, { speed: finite, dtype, name: text }, [
  'speed',
  'dtype',
]);

test('arguments are taken by place and by name', () => {
  expect(form.take(['a', 1])).toEqual({ target: 'a', count: 1 });
  expect(form.take(['a', 1, 0.5])).toEqual({ target: 'a', count: 1, speed: 0.5 });
  expect(form.take(['a', 1, 0.5, 'int32'])).toEqual({ target: 'a', count: 1, speed: 0.5, dtype: 'int32' });
  expect(form.take(['a', 1, { speed: 2, name: 'n' }])).toEqual({ target: 'a', count: 1, speed: 2, name: 'n' });
  expect(form.take(['a', 1, 2, { name: 'n' }])).toEqual({ target: 'a', count: 1, speed: 2, name: 'n' });
  expect(form.take(['a', 1, undefined, 'bool', undefined])).toEqual({ target: 'a', count: 1, dtype: 'bool' });
  expect(form.take(['a', 1, { speed: undefined }])).toEqual({ target: 'a', count: 1 });
  expect(form.take(['a', 1, Object.assign(Object.create(null), { speed: 3 })])).toMatchObject({ speed: 3 });
});

const forms = 'Write tf.shoot(target, count, { speed, dtype, name }) or tf.shoot(target, count, speed, dtype).';
test.each<[string, unknown[], string]>([
  ['nothing', [], 'target is missing.'],
  ['one too few', ['a'], 'count is missing.'],
  ['options in place of an argument', ['a', { speed: 1 }], 'count must be a whole number, but an object came.'],
  ['null', ['a', null], 'count must be a whole number, but null came.'],
  ['NaN', ['a', 1, Number.NaN], 'speed must be a finite number, but NaN came.'],
  ['a symbol', ['a', Symbol('s')], 'count must be a whole number, but the symbol Symbol(s) came.'],
  ['a bigint', ['a', 1n], 'count must be a whole number, but the bigint 1 came.'],
  ['options that are null', ['a', 1, 1, 'bool', null], 'the options must be a plain object, but null came.'],
  ['an instance as options', ['a', 1, new Map()], 'speed must be a finite number, but an object of class Map came.'],
  ['a number as a name', ['a', 1, { name: 1 }], 'name must be a text, but 1 came.'],
  ['too many', ['a', 1, 1, 'bool', 'n'], '5 arguments came, but it takes at most 4 and the options.'],
  ['another option', ['a', 1, { shape: 2 }], 'there is no option shape.'],
  ['an option in the style of Python', ['a', 1, { d_type: 'bool' }], 'there is no option d_type; did you mean dtype?'],
  ['an option that is cut', ['a', 1, { spe: 2 }], 'there is no option spe; did you mean speed?'],
  ['a slip', ['a', 1, { sped: 2 }], 'there is no option sped; did you mean speed?'],
  ['an argument as an option', ['a', 1, { count: 2 }], 'there is no option count: it is argument number 2.'],
  ['an option of Object', ['a', 1, { toString: 2 }], 'there is no option toString.'],
  ['a symbol as an option', ['a', 1, { [Symbol('k')]: 2 }], 'there is no option Symbol(k).'],
  ['twice', ['a', 1, 2, { speed: 2 }], 'speed came twice, in its place and among the options.'],
  [
    'a getter that throws',
    [
      'a',
      1,
      {
        get speed() {
          throw new Error('no');
        },
      },
    ],
    'the options cannot be read (Error: no).',
  ],
])('%s', (_, given, message) => {
  const attempt = () => form.take(given);
  expect(attempt).toThrow(InvalidArgumentError);
  // After a question there is no full stop.
  expect(attempt).toThrow(`shoot: ${message} ${forms}`);
});

test('a kind may bring an error of its own', () => {
  expect(() => form.take(['a', 1, 1, 'float'])).toThrow(DTypeError);
  expect(() => form.take(['a', 1, { dtype: null }])).toThrow(/^shoot: there is no dtype null/);
});

test('what must be given may stand among the options, or in its place', () => {
  const pool = new Signature('tf.pool', {}, { size: needed(number), name: text }, ['size']);
  expect(pool.take([{ size: 2 }])).toEqual({ size: 2 });
  expect(pool.take([2])).toEqual({ size: 2 });
  expect(() => pool.take([{ name: 'n' }])).toThrow(
    'pool: size is missing. Write tf.pool({ size, name }) or tf.pool(size).',
  );
});

test('a function without arguments takes none', () => {
  const none = new Signature('graph.finalize', {}, {});
  expect(() => none.take([1])).toThrow('finalize: 1 argument came, but it takes none. Write graph.finalize().');
  expect(none.take([])).toEqual({});
  expect(none.take([undefined])).toEqual({});
});

test('any number of arguments, and options', () => {
  const group = new Signature('tf.group', {}, { name: text });
  expect(group.takeAll([1, 2, { name: 'n' }])).toEqual({ list: [1, 2], options: { name: 'n' } });
  expect(group.takeAll([1, 2])).toEqual({ list: [1, 2], options: {} });
  expect(() => group.takeAll([1, { nam: 'n' }])).toThrow(/no option nam; did you mean name\?/);
});
