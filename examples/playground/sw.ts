// The service worker: keeps the page for when there is no network, and isolates it where the host sets no headers, so
// that there are threads. Every build has its own cache; FILES and VERSION come from it.
declare const FILES: readonly string[];
declare const VERSION: string;

/** The part of a service worker's scope that is used here. */
interface Scope {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Waiting) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
}
interface Waiting {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetching {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
const scope = self as unknown as Scope;
const prefix = 'millrace-page-';
const own = `${prefix}${VERSION}`;

async function install(): Promise<void> {
  const cache = await caches.open(own);
  // Not from the browser's own cache: the files of one build belong together.
  await cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })));
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(prefix) && name !== own).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function respond(request: Request): Promise<Response> {
  const cache = await caches.open(own);
  // The page may be asked for as the folder or as index.html.
  const kept = await cache.match(request.mode === 'navigate' ? './' : request, { ignoreSearch: true });
  return isolated(kept ?? (await fetch(request)));
}

function isolated(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(location.origin)) event.respondWith(respond(event.request));
});
