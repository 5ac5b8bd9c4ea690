// How values that should not have come read in messages. They may be anything, also objects that throw when looked at.
import { kindOf } from './typed-array.ts';

/** `the text "2"`, `null`, `the number 0.5`, `an array`, `an object of class Promise`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `the text ${JSON.stringify(cut(value))}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return `the ${typeof value} ${cut(String(value))}`;
  try {
    if (Array.isArray(value)) return 'an array';
    const name = className(value);
    return name === 'Object' ? 'an object' : `an object of class ${name}`;
  } catch {
    return 'an object that throws when it is looked at';
  }
}

/** Messages are read by people. */
const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** `0.5`, `true`, or as `describe` has it. */
export const cameAs = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : describe(value);

function className(value: object): string {
  const kind = kindOf(value);
  if (kind !== undefined) return kind;
  const { name } = ((value as { constructor?: unknown }).constructor ?? {}) as { name?: unknown };
  return typeof name === 'string' && name !== '' ? name : 'Object';
}

/** What was thrown, as text: it need not be an error. */
export const describeThrown = (thrown: unknown): string => {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `${describe(thrown)} was thrown`;
  } catch {
    return 'something that cannot be read was thrown';
  }
};
