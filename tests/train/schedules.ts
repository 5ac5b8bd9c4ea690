// What tests/fixtures/make-schedules.py has computed, in float64.
import { readFileSync } from 'node:fs';

export const fixture: {
  readonly steps: readonly number[];
  readonly schedules: readonly {
    readonly call: string;
    readonly args: readonly number[];
    readonly options: Record<string, number | boolean>;
    readonly rates: readonly number[];
  }[];
  readonly piecewise: {
    readonly boundaries: readonly number[];
    readonly values: readonly number[];
    readonly rates: readonly number[];
  };
  readonly clipped: Record<string, any>;
  readonly averages: Record<string, readonly (readonly number[])[]>;
} = JSON.parse(readFileSync(new URL('../fixtures/schedules.json', import.meta.url), 'utf8'));
