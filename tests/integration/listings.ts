// The listings of a page.

/** All of them, in order. */
export const listingsOf = (page: string): string[] => [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((m) => m[1]);

/** Those that begin with the name of a file, by it. */
export const filesOf = (page: string): Map<string, string> =>
  new Map(
    listingsOf(page).flatMap((text) => {
      const name = /^\/\/ ([\w-]+\.mts)\n/.exec(text)?.[1];
      return name ? [[name, text] as const] : [];
    }),
  );
