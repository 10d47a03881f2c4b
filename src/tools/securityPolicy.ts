/** Vite plugin: the built page carries its Content-Security-Policy, for hosts that cannot send headers. */
import type { Plugin } from 'vite';
import { CONTENT_SECURITY_POLICY } from '../offline/securityPolicy.ts';

export function securityPolicy(): Plugin {
  const attrs = { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY };
  return {
    name: 'neti-security-policy',
    // The development server's own scripts are inline.
    apply: 'build',
    transformIndexHtml: () => [{ tag: 'meta', attrs, injectTo: 'head-prepend' }],
  };
}
