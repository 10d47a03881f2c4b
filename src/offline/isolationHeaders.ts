/** What a host, or the service worker in its place, must send for WebAssembly to have threads (HTML, "cross-origin isolation"). */
export const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const;
