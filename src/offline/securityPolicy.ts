/**
 * What the built page may load and run. Its scripts are its own files: no inline script, no eval but WebAssembly's compiler. It reads from
 * its own host, and from any `https:` address, because models and pictures come from where their user says; `http:` only from this computer.
 * The build writes it into the page, hosts and the service worker send it, so that it holds in workers too.
 */
const DIRECTIVES = {
  'default-src': "'self'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'img-src': "'self' blob: data:",
  'connect-src': "'self' blob: https: http://localhost:* http://127.0.0.1:*",
  'worker-src': "'self'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'trusted-types': 'default',
  'require-trusted-types-for': "'script'",
} as const;

/** The value of `Content-Security-Policy`. */
export const CONTENT_SECURITY_POLICY = Object.entries(DIRECTIVES)
  .map(([name, value]) => `${name} ${value}`)
  .join('; ');
