// The tests that judge mutants: mutants.mjs names them. The first failure decides, so those that take long come last.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { common, placeOf } from '../vitest.config.ts';

const { include, exclude } = JSON.parse(process.env.MILLRACE_MUTANTS_TESTS ?? '{}');

class ShortestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    return (await super.sort(files)).sort((a, b) => placeOf(b) - placeOf(a));
  }
}

export default defineConfig({
  test: { ...common, include, exclude, sequence: { sequencer: ShortestFirst } },
});
