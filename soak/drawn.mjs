// Stryker takes all mutants of a range. This checker of it refuses those that are not drawn.
import { CheckStatus } from '@stryker-mutator/api/check';
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { numberOf } from './draw.mjs';

const drawn = new Set(JSON.parse(process.env.MILLRACE_MUTANTS ?? '[]'));
const checked = (mutant) =>
  drawn.has(numberOf(process.env.MILLRACE_SEED, mutant))
    ? { status: CheckStatus.Passed }
    : { status: CheckStatus.CompileError, reason: 'not drawn' };

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Checker, 'drawn', {
    init: async () => {},
    group: async (mutants) => [mutants.map(({ id }) => id)],
    check: async (mutants) => Object.fromEntries(mutants.map((mutant) => [mutant.id, checked(mutant)])),
  }),
];
