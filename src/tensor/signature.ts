// The arguments of public functions. A signature is one table: what may come in which place, and under which name. It
// takes the given arguments apart; what it does not know is an error that shows the forms that it knows. The tests read
// the same tables: of what is called (tests/integration/calls.test.ts), of types and of docs/arguments.md.

import { InvalidArgumentError, MillraceError } from '../base/errors.ts';
import { cameAs, describeThrown } from './describe.ts';

/** What an argument must be. */
export interface Kind<T> {
  /** As a noun: `a whole number`. */
  readonly is: string;
  readonly fits: (value: unknown) => boolean;
  /** What to do with a value that does not fit. */
  readonly advice?: (value: unknown) => string | undefined;
  /** Is it a function whose body is written there? It stands last. */
  readonly isCallback?: boolean;
  /** How it reads in a form, if not by its name. */
  readonly example?: string;
  /** Throws the named error of this kind; by default an InvalidArgumentError is thrown. */
  readonly refuse?: (op: string, value: unknown) => never;
  /** The type of what fits; never there. */
  readonly type?: T;
}
/** May stand among the options, and must be given. */
export interface Needed<T> extends Kind<T> {
  readonly isNeeded: true;
}
type Kinds = Readonly<Record<string, Kind<any>>>;
type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** The arguments by name. */
export type Taken<R extends Kinds, O extends Kinds> = { readonly [N in keyof R]: ValueOf<R[N]> } & {
  readonly [N in keyof O]: O[N] extends Needed<infer T> ? T : ValueOf<O[N]> | undefined;
};

/** All signatures there are, by how their function is called. */
export const signatures = new Map<string, Signature<Kinds, Kinds>>();

/**
 * The signature of a function that is called as `call`, such as `tf.oneHot`: what must stand in the first places, in
 * their order; what may come as options; and which of the options may instead stand in the places after, in the order
 * of TensorFlow 1.
 */
export function signature<R extends Kinds, O extends Kinds>(
  call: string,
  required: R,
  optional: O,
  positional?: readonly (string & keyof O)[],
): Signature<R, O> {
  const made = new Signature(call, required, optional, positional);
  signatures.set(call, made as unknown as Signature<Kinds, Kinds>);
  return made;
}

export class Signature<R extends Kinds, O extends Kinds> {
  readonly call: string;
  /** Begins messages: `oneHot`. */
  readonly op: string;
  readonly required: R;
  readonly optional: O;
  readonly positional: readonly string[];
  /** What may stand in places. */
  readonly #places: readonly (readonly [string, Kind<unknown>])[];
  readonly #needed: readonly string[];
  readonly #least: number;
  /** Then the options stand before it. */
  readonly #isCallbackLast: boolean;

  constructor(call: string, required: R, optional: O, positional: readonly string[] = []) {
    this.call = call;
    this.op = call.slice(call.lastIndexOf('.') + 1);
    this.required = required;
    this.optional = optional;
    this.positional = positional;
    this.#places = [...Object.entries(required), ...positional.map((name) => [name, optional[name]] as const)];
    this.#least = Object.keys(required).length;
    this.#isCallbackLast = Object.values(required).at(-1)?.isCallback ?? false;
    const needed = Object.entries(optional).filter(([, kind]) => 'isNeeded' in kind);
    this.#needed = [...Object.keys(required), ...needed.map(([name]) => name)];
  }

  /**
   * The arguments by name.
   *
   * @throws InvalidArgumentError, or the named error of an argument's kind.
   */
  take(all: readonly unknown[]): Taken<R, O> {
    const given = this.#isCallbackLast ? optionsLast(all) : all;
    const places = this.#places;
    const values: Record<string, unknown> = {};
    let count = given.length;
    while (count > 0 && given[count - 1] === undefined) count--;
    const last = given[count - 1];
    const hasOptions = count > this.#least && isOptions(last);
    if (hasOptions) count--;
    if (count > places.length) this.#refuseSurplus(given);
    for (let i = 0; i < count; i++) {
      const value = given[i];
      if (value === undefined) continue;
      const [name, kind] = places[i];
      if (!kind.fits(value)) this.#refuse(name, kind, value);
      values[name] = value;
    }
    if (hasOptions) this.#readOptions(last as object, values);
    for (const name of this.#needed) if (values[name] === undefined) this.#fail(`${this.#nounOf(name)} is missing`);
    return values as Taken<R, O>;
  }

  /** The arguments of a function that takes any number of them: what is no option in the last place, and the options. */
  takeAll(given: readonly unknown[]): { readonly list: readonly unknown[]; readonly options: Taken<R, O> } {
    const hasOptions = given.length > 0 && isOptions(given.at(-1));
    const list = hasOptions ? given.slice(0, -1) : given;
    return { list, options: this.take(hasOptions ? given.slice(-1) : []) };
  }

  /** `depth`, or `a function` for what has no name in a form. */
  #nounOf(name: string): string {
    const kind: Kind<unknown> = this.required[name] ?? this.optional[name];
    return kind.example === undefined ? name : kind.is;
  }

  /** Each option is read once. */
  #readOptions(options: object, values: Record<string, unknown>): void {
    try {
      for (const name of Reflect.ownKeys(options)) {
        if (typeof name === 'symbol' || !Object.hasOwn(this.optional, name)) this.#refuseOption(name);
        const value = (options as Record<string, unknown>)[name];
        if (value === undefined) continue;
        if (values[name] !== undefined) this.#fail(`${name} came twice, in its place and among the options`);
        const kind = this.optional[name];
        if (!kind.fits(value)) this.#refuse(name, kind, value);
        values[name] = value;
      }
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      this.#fail(`the options cannot be read (${describeThrown(error)})`);
    }
  }

  #refuse(name: string, { is, advice, refuse }: Kind<unknown>, value: unknown): never {
    refuse?.(this.op, value);
    const todo = advice?.(value);
    return this.#fail(`${name} must be ${is}, but ${cameAs(value)} came${todo ? `: ${todo}` : ''}`);
  }

  #refuseSurplus(given: readonly unknown[]): never {
    const places = this.#places.length;
    const extra = given[places];
    const inPlaceOfOptions = given.length === places + 1 && Object.keys(this.optional).length > 0;
    if (inPlaceOfOptions && typeof extra === 'object')
      this.#fail(`the options must be a plain object, but ${cameAs(extra)} came`);
    const most = Object.keys(this.optional).length > 0 ? 'only options' : 'none';
    const wanted =
      places === 0 ? `takes ${most}` : `takes at most ${places}${most === 'none' ? '' : ' and the options'}`;
    return this.#fail(`${given.length} argument${given.length === 1 ? '' : 's'} came, but it ${wanted}`);
  }

  #refuseOption(name: string | symbol): never {
    const near = nearest(String(name), Object.keys(this.optional));
    const index = Object.keys(this.required).indexOf(String(name));
    const hint = index >= 0 ? `: it is argument number ${index + 1}` : near ? `; did you mean ${near}?` : '';
    return this.#fail(`there is no option ${String(name)}${hint}`);
  }

  #fail(what: string): never {
    throw new InvalidArgumentError(`${this.op}: ${what}${what.endsWith('?') ? '' : '.'} Write ${this.forms}.`);
  }

  /** `tf.oneHot(indices, depth, { onValue, offValue, dtype, name }) or tf.oneHot(indices, depth, onValue, offValue)` */
  get forms(): string {
    const first = Object.entries(this.required).map(([name, { example }]) => example ?? name);
    const options = Object.keys(this.optional);
    const braces = options.length > 0 ? [`{ ${options.join(', ')} }`] : [];
    const order = this.#isCallbackLast ? [...first.slice(0, -1), ...braces, ...first.slice(-1)] : [...first, ...braces];
    const forms = [`${this.call}(${order.join(', ')})`];
    if (this.positional.some((name) => name !== 'name')) {
      forms.push(`${this.call}(${[...first, ...this.positional].join(', ')})`);
    }
    return forms.join(' or ');
  }
}

/** The options that stand before the callback, after it. */
function optionsLast(given: readonly unknown[]): readonly unknown[] {
  const [options, callback] = given.slice(-2);
  if (typeof callback !== 'function' || !isOptions(options)) return given;
  return [...given.slice(0, -2), callback, options];
}

/** Reads what a user's object has; whatever that throws becomes an error of ours. */
export function reading<R>(op: string, what: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new InvalidArgumentError(`${op}: ${what} cannot be read (${describeThrown(error)}).`, { cause: error });
  }
}

/** `{ name: 'x' }`, of any realm, or without a prototype; not an instance of a class, whose options would be inherited. */
function isOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  } catch {
    return false;
  }
}

/** The name that was probably meant: other case or underscores, the begin or the whole of a word, or two wrong letters. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replaceAll('_', '').toLowerCase();
  const wanted = plain(name).slice(0, 40);
  const starts = (a: string, b: string) => b.length > 2 && a.startsWith(b);
  return (
    known.find((k) => plain(k) === wanted) ??
    known.find((k) => starts(plain(k), wanted) || starts(wanted, plain(k))) ??
    known.find((k) => k.length > 3 && distance(plain(k), wanted) <= 2)
  );
}

/** How many letters differ, are missing or are too many (Levenshtein, 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
