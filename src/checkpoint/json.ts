// JSON read by hand, where JSON.parse would not do: of names that stand twice it keeps the last, it gives `__proto__` a
// meaning, it rounds numbers, and it cannot say which byte is wrong.

/** What is wrong, and at which byte. */
export type Fail = (at: number, what: string) => Error;

/** Values in each other, as serde_json allows. */
const deepest = 128;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const shown = (byte: number | undefined): string =>
  byte === undefined ? 'the end' : byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`;

/** Reads values one after another. */
export class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #fail: Fail;
  #at: number;

  /** Reads from the byte `at` on, to the end of `bytes`. */
  constructor(bytes: Uint8Array, at: number, fail: Fail) {
    this.#bytes = bytes;
    this.#at = at;
    this.#fail = fail;
  }

  /** An object: `member` is called at each value, which it reads. */
  object(member: (name: string, at: number) => void): void {
    const names = new Set<string>();
    this.#sequence('{', '}', () => {
      const at = this.#next();
      const name = this.string();
      if (names.has(name)) throw this.#fail(at, `the name ${JSON.stringify(name)} stands there for the second time`);
      names.add(name);
      this.#expect(':');
      member(name, this.#next());
    });
  }

  /** An array: `element` is called at each value, which it reads. */
  array(element: () => void): void {
    this.#sequence('[', ']', element);
  }

  string(): string {
    const begin = this.#next();
    this.#expect('"');
    const bytes = this.#bytes;
    while (bytes[this.#at] !== 0x22) {
      if (this.#at >= bytes.length) throw this.#fail(begin, 'a text has no end');
      this.#at += bytes[this.#at] === 0x5c ? 2 : 1;
    }
    this.#at++;
    try {
      const text = JSON.parse(utf8.decode(bytes.subarray(begin, this.#at))) as string;
      if (!/\p{Surrogate}/u.test(text)) return text;
    } catch {
      // Not UTF-8, or not JSON.
    }
    throw this.#fail(begin, 'a text is not UTF-8, or has an escape that does not exist');
  }

  /** A whole number that JavaScript has exactly, from 0. */
  count(): number {
    const begin = this.#next();
    while (this.#bytes[this.#at] >= 0x30 && this.#bytes[this.#at] <= 0x39) this.#at++;
    const digits = String.fromCharCode(...this.#bytes.subarray(begin, Math.min(this.#at, begin + 20)));
    if (!/^(0|[1-9][0-9]*)$/.test(digits) || /[.eE]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0)))
      throw this.#fail(begin, 'expected a whole number from 0');
    if (!Number.isSafeInteger(Number(digits)) || this.#at - begin > 16)
      throw this.#fail(begin, 'a number is larger than 2⁵³');
    return Number(digits);
  }

  /** Passes over a value of any kind. */
  skip(depth = 0): void {
    const begin = this.#next();
    if (depth > deepest) throw this.#fail(begin, `values are nested more than ${deepest} deep`);
    const first = String.fromCharCode(this.#bytes[begin] ?? 0);
    if (first === '{') this.object(() => this.skip(depth + 1));
    else if (first === '[') this.array(() => this.skip(depth + 1));
    else if (first === '"') this.string();
    else this.#word(begin);
  }

  /** A number, or true, false or null. */
  #word(begin: number): void {
    while (/[-+.\w]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0))) this.#at++;
    const word = String.fromCharCode(...this.#bytes.subarray(begin, Math.min(this.#at, begin + 400)));
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)$/.test(word))
      throw this.#fail(begin, `expected a value, found ${shown(this.#bytes[begin])}`);
  }

  /** Nothing but spaces may follow. */
  end(): void {
    if (this.#next() < this.#bytes.length)
      throw this.#fail(this.#at, `expected the end, found ${shown(this.#bytes[this.#at])}`);
  }

  #sequence(open: string, close: string, item: () => void): void {
    this.#expect(open);
    if (this.#bytes[this.#next()] !== close.charCodeAt(0)) {
      do item();
      while (this.#bytes[this.#next()] === 0x2c && ++this.#at);
    }
    this.#expect(close);
  }

  #expect(character: string): void {
    const at = this.#next();
    if (this.#bytes[at] !== character.charCodeAt(0))
      throw this.#fail(at, `expected '${character}', found ${shown(this.#bytes[at])}`);
    this.#at++;
  }

  /** Where the next value or sign is. */
  #next(): number {
    while ([0x20, 0x09, 0x0a, 0x0d].includes(this.#bytes[this.#at])) this.#at++;
    return this.#at;
  }
}
