// Node's own modules, loaded only when they are needed, by a name that bundlers for browsers do not follow.

interface NodeProcess {
  readonly versions?: { readonly node?: string };
  readonly getBuiltinModule?: (name: string) => unknown;
  readonly env?: Readonly<Record<string, string | undefined>>;
}
const host = (globalThis as { process?: NodeProcess }).process;

/** Does this run in Node (or something that behaves like it)? */
export const inNode = host?.versions?.node !== undefined;

/** A module of Node, such as `'fs/promises'`. */
export function builtin<M>(name: string): M {
  const module = host?.getBuiltinModule?.(`node:${name}`);
  if (module === undefined) throw new Error(`millrace needs Node 20.16 or newer: the module ${name} cannot be loaded`);
  return module as M;
}

/** A variable of the environment; undefined where it is not set, or may not be read. */
export function environment(name: string): string | undefined {
  try {
    return (globalThis as { process?: NodeProcess }).process?.env?.[name];
  } catch {
    return undefined;
  }
}
