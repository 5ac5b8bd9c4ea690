// Which tests judge the mutants of a folder: its own, and those that hold what it gives to what another way gives. Left
// out is what takes long beside what it would notice: browsers, packages, terminals, whole trainings, and the native
// backend, which would compile C again for each mutant.
const programs = ['tests/compiler/{golden,compile,random-graphs,random-updates}.test.ts'];

const judges = {
  'src/session': ['tests/session/*.test.ts', 'tests/errors.test.ts', 'tests/tensor/values.test.ts'],
  'src/data': ['tests/data/*.test.ts'],
  'src/autodiff': ['tests/autodiff/*.test.ts', 'tests/gradients.test.ts', 'tests/errors.test.ts'],
  'src/train': ['tests/train.test.ts', 'tests/train/*.test.ts', 'tests/fixtures.test.ts', 'tests/errors.test.ts'],
  'src/ops': ['tests/ops/*.test.ts', 'tests/fixtures/*.test.ts', 'tests/gradients.test.ts', 'tests/errors.test.ts'],
  'src/compiler': ['tests/compiler/{graph,tasks,program}/*.test.ts', 'tests/session/explain.test.ts', ...programs],
  'src/loops': ['tests/loops/**/*.test.ts', 'tests/kernels/body/*.test.ts', 'tests/compiler/golden.test.ts'],
};

/** Those of all other folders. */
const all = ['tests/{tensor,primitives,kernels,loops,compiler,checkpoint,session,ops}/**/*.test.ts', 'tests/*.test.ts'];

/** The tests that judge a path. */
export const judgesOf = (path) =>
  Object.entries(judges).find(([folder]) => path === folder || path.startsWith(`${folder}/`))?.[1] ?? all;

/** These measure time or memory, count on threads, or take as long as all others of their folder. */
export const never = [
  'tests/session/{event-loop,flat-memory,threads}.test.ts',
  'tests/compiler/program/{build,memory}.test.ts',
  'tests/compiler/random-programs.test.ts',
  'tests/graph.test.ts',
];
