// The built package, for programs in processes of their own.
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What they import. */
export const built = pathToFileURL(fileURLToPath(new URL('../dist/index.js', import.meta.url))).href;
