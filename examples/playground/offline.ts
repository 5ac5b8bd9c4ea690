// The service worker, where there can be one: it isolates the page if the host does not, and keeps its files.

const reloaded = 'millrace-reloaded';

/**
 * Where the host sets no headers: loads the page once more, through the service worker, which sets them. At most once:
 * where that does not help there is one thread.
 */
export async function isolate(): Promise<void> {
  if (crossOriginIsolated || sessionStorage.getItem(reloaded) || !(await registered())) return;
  sessionStorage.setItem(reloaded, 'yes');
  location.reload();
  await new Promise(() => {});
}

/** From now on the page works without a network, where it can. */
export async function keepFiles(): Promise<void> {
  if (await registered()) document.documentElement.dataset.offline = 'ready';
}

/** Is there a service worker that has all files? Without one the page works all the same. */
async function registered(): Promise<boolean> {
  const registration = await navigator.serviceWorker
    ?.register(new URL('./sw.js', import.meta.url))
    .catch(() => undefined);
  if (registration) await navigator.serviceWorker.ready;
  return registration !== undefined;
}
