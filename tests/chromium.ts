// The Chromium of this machine, driven by playwright-core: for tests in a real browser.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** The variable CHROMIUM, Debian's place, or a usual name on PATH. */
function findChromium(): string | undefined {
  const named = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].flatMap((name) =>
    (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)),
  );
  return process.env.CHROMIUM || ['/usr/bin/chromium', ...named].find((path) => existsSync(path));
}
const executablePath = findChromium();

/** Why no test can use it; undefined where it is there. */
export const chromiumMissing = executablePath
  ? undefined
  : 'no Chromium in $CHROMIUM, /usr/bin or on PATH; Debian has it: apt-get install chromium';

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: executablePath as string,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
