// The backends on which the tests of ops and sessions run: all of them.
export const backends = ['reference', 'wasm', 'native'] as const;
