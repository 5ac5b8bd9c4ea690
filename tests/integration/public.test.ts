// The public surface: all names of the package, as tests/golden/public.txt has them, so that a change of it is seen in
// review. To write that anew: UPDATE_GOLDEN=1 npx vitest run tests/integration/public.test.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'ts59';
import { expect, test } from 'vitest';

const folder = new URL('../../', import.meta.url);
// As TypeScript writes file names.
const root = fileURLToPath(folder).replaceAll('\\', '/');
const golden = `${root}tests/golden/public.txt`;
type Entry = { readonly types?: string; readonly default?: string };
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { exports: Record<string, Entry> };
const entries = Object.entries(exports).filter(([, entry]) => entry.types !== undefined);
const fileOf = (entry: Entry) => `${root}${entry.types?.slice(2)}`;

const program = ts.createProgram(
  entries.map(([, entry]) => fileOf(entry)),
  { strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, lib: ['lib.es2022.d.ts'], types: [] },
);
const checker = program.getTypeChecker();
const { SymbolFlags } = ts;
const resolved = (s: ts.Symbol) => (s.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(s) : s);
const byName = (a: ts.Symbol, b: ts.Symbol) => (a.name < b.name ? -1 : 1);
const exportsOf = (module: ts.Symbol) => checker.getExportsOfModule(module).sort(byName);
const moduleOf = (entry: Entry) => checker.getSymbolAtLocation(program.getSourceFile(fileOf(entry))!)!;

/** What a name is; several things where a class has an interface of the same name. */
const kinds = [
  ['namespace', SymbolFlags.ValueModule],
  ['class', SymbolFlags.Class],
  ['function', SymbolFlags.Function],
  ['const', SymbolFlags.Variable],
  ['interface', SymbolFlags.Interface],
  ['type', SymbolFlags.TypeAlias],
] as const;
const kindOf = (s: ts.Symbol) => kinds.find(([, flag]) => s.flags & flag)?.[0] ?? 'unknown';
/** Is the name there at run time? What is exported as a type is not. */
function isValue(s: ts.Symbol): boolean {
  const asType = s.declarations?.some(
    (d) =>
      (ts.isExportSpecifier(d) && (d.isTypeOnly || d.parent.parent.isTypeOnly)) ||
      (ts.isNamespaceExport(d) && d.parent.isTypeOnly),
  );
  return !asType && (resolved(s).flags & SymbolFlags.Value) !== 0;
}
const ours = (d: ts.Declaration | undefined) => d?.getSourceFile().fileName.startsWith(`${root}dist/`) ?? false;

/** The public members that a class or an interface adds to the public classes above it. */
function membersOf(s: ts.Symbol): readonly string[] {
  if (!(s.flags & (SymbolFlags.Class | SymbolFlags.Interface))) return [];
  const type = checker.getDeclaredTypeOfSymbol(s) as ts.InterfaceType;
  const above = (checker.getBaseTypes(type) as ts.Type[])
    .filter((t) => (t.symbol.flags & SymbolFlags.Class) !== 0)
    .flatMap((t) => t.getProperties().map((p) => p.name));
  return type
    .getProperties()
    .filter((p) => /^[a-z]/.test(p.name) && p.declarations?.some(ours) && !above.includes(p.name))
    .sort(byName)
    .map((p) => `${p.name}${p.flags & SymbolFlags.Method ? '()' : ''}`);
}

/** The names of a module and of the namespaces in it, each with a line for each of its members, values and types apart. */
function namesOf(module: ts.Symbol, prefix = ''): { values: string[]; types: string[] } {
  const values: string[] = [];
  const types: string[] = [];
  for (const s of exportsOf(module)) {
    const r = resolved(s);
    const kind = kindOf(r);
    (isValue(s) ? values : types).push(`${kind} ${prefix}${s.name}`, ...membersOf(r).map((m) => `  ${m}`));
    // The names of a namespace of types are those of the entry of its name.
    if (kind === 'namespace' && isValue(s)) {
      const inner = namesOf(r, `${prefix}${s.name}.`);
      values.push(...inner.values);
      types.push(...inner.types);
    }
  }
  return { values, types };
}

test('the names are those of tests/golden/public.txt', () => {
  const sections = entries.flatMap(([path, entry]) => {
    const { values, types } = namesOf(moduleOf(entry));
    const name = `millrace${path.slice(1)}`;
    return [
      [`# ${name}: values`, ...values],
      [`# ${name}: types`, ...types],
    ].filter((lines) => lines.length > 1);
  });
  const text = sections.map((lines) => `${lines.join('\n')}\n`).join('\n');
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
  // If this is a change that was meant, write the file anew (see above) and look at the diff.
  expect(text).toBe(readFileSync(golden, 'utf8'));
  const namespaces = exportsOf(moduleOf(exports['.'])).filter(
    (s) => kindOf(resolved(s)) === 'namespace' && !isValue(s),
  );
  expect(namespaces.map((s) => [s.name, resolved(s)])).toEqual([['types', moduleOf(exports['./types'])]]);
});

test('what is declared is there at run time, methods too, and nothing else is', async () => {
  for (const [, entry] of entries) {
    if (!entry.default) continue;
    const module = await import(/* @vite-ignore */ new URL(entry.default, folder).href);
    const compare = (declared: ts.Symbol, actual: Record<string, any>) => {
      const values = exportsOf(declared).filter(isValue);
      expect(Object.keys(actual).sort()).toEqual(values.map((s) => s.name));
      for (const s of values) {
        const r = resolved(s);
        if (kindOf(r) === 'namespace') compare(r, actual[s.name]);
        if (kindOf(r) !== 'class') continue;
        const methods = membersOf(r).filter((m) => m.endsWith('()'));
        const missing = methods.filter((m) => typeof actual[s.name].prototype[m.slice(0, -2)] !== 'function');
        expect([s.name, ...missing]).toEqual([s.name]);
      }
    };
    compare(moduleOf(entry), module);
  }
});

test('what a public declaration mentions has a name in an entry of the package, or no export at all', () => {
  // Names inside of namespaces are not enough: see src/types.ts.
  const direct = new Set(entries.flatMap(([, entry]) => exportsOf(moduleOf(entry)).map(resolved)));
  const nameless = new Set<string>();
  const seen = new Set<ts.Symbol>();
  const typed = SymbolFlags.Class | SymbolFlags.Interface | SymbolFlags.TypeAlias | SymbolFlags.Enum;
  const visit = (s: ts.Symbol) => {
    if (seen.has(s)) return;
    seen.add(s);
    for (const d of s.declarations ?? []) if (ours(d)) walk(d);
  };
  const walk = (node: ts.Node): void => {
    const found = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    const s = found && resolved(found);
    const d = s?.declarations?.[0];
    if (s && d && ours(d) && s.flags & typed) {
      const exported = ts.getCombinedModifierFlags(d) & ts.ModifierFlags.Export;
      if (exported && !direct.has(s)) nameless.add(`${s.name} of ${d.getSourceFile().fileName.slice(root.length)}`);
      visit(s);
    }
    ts.forEachChild(node, walk);
  };
  const all = (module: ts.Symbol): readonly ts.Symbol[] =>
    exportsOf(module)
      .map(resolved)
      .flatMap((s) => (kindOf(s) === 'namespace' ? all(s) : [s]));
  for (const [, entry] of entries) for (const s of all(moduleOf(entry))) visit(s);
  expect(seen.size).toBeGreaterThan(150);
  expect([...nameless]).toEqual([]);
});

/** What all entries export, by how it is called; and what classes and interfaces have. */
function documented(): [name: string, symbol: ts.Symbol][] {
  const all = new Map<ts.Symbol, string>();
  const visit = (module: ts.Symbol, prefix: string) => {
    for (const s of exportsOf(module)) {
      const r = resolved(s);
      // Types for declarations (src/types.ts) are read in hovers, not looked up.
      if (kindOf(r) === 'namespace') visit(r, `${prefix}${s.name}.`);
      else if (isValue(s) && !all.has(r)) all.set(r, `${prefix}${s.name}`);
    }
  };
  for (const [path, entry] of entries) if (path !== './types') visit(moduleOf(entry), '');
  return [...all].flatMap(([s, name]) => {
    const type = checker.getDeclaredTypeOfSymbol(s);
    const own = s.flags & SymbolFlags.Class ? type.getProperties().filter((p) => p.declarations?.some(ours)) : [];
    return [[name, s] as [string, ts.Symbol], ...own.map((p) => [`${name}.${p.name}`, p] as [string, ts.Symbol])];
  });
}

test('what is public has a docstring, whose parameters and links exist', () => {
  const all = documented().filter(([, s]) => /^\w/.test(s.name) && !/^__@|^toString$/.test(s.name));
  const names = new Set(all.map(([name]) => name));
  const problems = all.flatMap(([name, s]) => {
    const tags = s.getJsDocTags(checker).map((tag) => ({ ...tag, text: ts.displayPartsToString(tag.text) }));
    const text = ts.displayPartsToString(s.getDocumentationComment(checker));
    const links = [...`${text}${tags.map((tag) => tag.text)}`.matchAll(/\{@link (?:tf\.)?([\w.]+)/g)];
    const calls = checker
      .getTypeOfSymbol(s)
      .getCallSignatures()
      .map((call) => call.declaration);
    const source = [...(s.declarations ?? []), ...calls].map((d) => d?.getText()).join('');
    const params = tags.filter((tag) => tag.name === 'param').map(({ text }) => text.split(/[\s.]/)[0]);
    return [
      ...(text.trim() === '' ? [`${name} has none`] : []),
      ...links.filter(([, to]) => !names.has(to)).map(([link]) => `${name} has ${link}`),
      ...params.filter((param) => !new RegExp(`\\b${param}\\b\\??:`).test(source)).map((p) => `${name} has no ${p}`),
    ];
  });
  expect(all.length).toBeGreaterThan(250);
  expect(problems).toEqual([]);
});
