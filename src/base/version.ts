// Which millrace this is, and on what it runs.

/** The version in package.json (tests/checkpoint/saver.test.ts). */
export const version = '0.1.0';

interface Host {
  readonly process?: { readonly versions?: Readonly<Record<string, string | undefined>> };
  readonly navigator?: { readonly userAgent?: string };
}

/** Versions of what results may depend on, by name. */
export function versions(): Readonly<Record<string, string>> {
  const { process, navigator } = globalThis as Host;
  const { node, v8 } = process?.versions ?? {};
  if (node !== undefined) return { millrace: version, node, ...(v8 !== undefined && { v8 }) };
  return { millrace: version, browser: navigator?.userAgent ?? 'unknown' };
}
