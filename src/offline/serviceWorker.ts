/**
 * The service worker: keeps the page's own files, so that it opens without a network, and answers with the headers of
 * cross-origin isolation and of the page's policy, so that hosts need not send them: WebAssembly has its threads. The base model and the engine are
 * kept by their hash elsewhere (storage/modelCache.ts). A new version waits until the page asks for it.
 */
import type { WorkboxPlugin } from 'workbox-core/types.js';
import { addPlugins, cleanupOutdatedCaches, precacheAndRoute, type PrecacheEntry } from 'workbox-precaching';
import { ISOLATION_HEADERS } from './isolationHeaders.ts';
import { CONTENT_SECURITY_POLICY } from './securityPolicy.ts';

/** What this file uses of ServiceWorkerGlobalScope, whose types exclude the page's. */
interface ServiceWorkerScope {
  /** Filled in by the build: every file of the page with its revision. */
  readonly __WB_MANIFEST: (PrecacheEntry | string)[];
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'activate' | 'install', listen: (event: LifeEvent) => void): void;
  addEventListener(type: 'message', listen: (event: MessageEvent<{ type?: string } | null>) => void): void;
}

interface LifeEvent {
  waitUntil(work: Promise<unknown>): void;
}

declare const self: ServiceWorkerScope;

function isolated(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION_HEADERS)) headers.set(name, value);
  headers.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

const isolation: WorkboxPlugin = {
  handlerWillRespond: ({ response }) => Promise.resolve(isolated(response)),
};

addPlugins([isolation]);
cleanupOutdatedCaches();
precacheAndRoute(self.__WB_MANIFEST);

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', ({ data }) => {
  if (data?.type === 'SKIP_WAITING') void self.skipWaiting();
});
