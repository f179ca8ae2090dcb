// A registry inside a service worker: what the page asks of /v2/ never leaves the browser.
import { createRegistry, memoryDriver, wasmHasher } from '/dist/registry/public.js';

const registry = fetch('/dist/wasm/core.wasm')
  .then((answer) => answer.arrayBuffer())
  .then((bytes) => wasmHasher(new Uint8Array(bytes)))
  .then((createHasher) => createRegistry({ driver: memoryDriver(), createHasher }));

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname.startsWith('/v2/')) event.respondWith(registry.then((opened) => opened.fetch(event.request)));
});
