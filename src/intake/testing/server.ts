/**
 * For tests: a server of model files on localhost that misbehaves on request, as servers and networks do. It also lists its
 * files as the Hugging Face Hub does. Answers may be read by a cross-origin isolated page.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with one answer. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** The body breaks off, or nothing more comes, after so many of its bytes. */
  | { readonly kind: 'cut' | 'stall'; readonly after: number }
  /** A page is sent for the file, as servers of single pages do. */
  | { readonly kind: 'page' }
  /** A byte of the body is another. */
  | { readonly kind: 'corrupt' }
  /** The whole file is sent whatever was asked for. */
  | { readonly kind: 'wholeFile'; readonly cutAfter?: number }
  /** A range of the file is refused, from whichever byte. */
  | { readonly kind: 'rangeRefused' };

export interface TestServer {
  /** Address of the files' folder, with a slash at its end. */
  readonly url: string;
  /** Contents by path; may be changed at any time. */
  readonly files: Map<string, Uint8Array>;
  /** Faults by path, used up one a request; the last of `lasting` stays for ever. */
  readonly faults: Map<string, Fault[]>;
  readonly lasting: Map<string, Fault>;
  /** Files asked for so far, with the first byte that was wanted. */
  readonly requests: { readonly path: string; readonly from: number; readonly method: string }[];
  /** Milliseconds between pieces of 16 KiB. */
  delay: number;
  /** Whether answers carry an ETag. */
  tagged: boolean;
  /** Sent in place of the Hub's answers. */
  strange: unknown;
  /** Whether the Hub's listing comes one file a page. */
  paged: boolean;
  close(): Promise<void>;
}

export const hubCommit = 'c0ffee'.padEnd(40, '0');
export const HUB_REPO = 'someone/tiny-diffusion';
const PIECE_BYTES = 16 * 2 ** 10;

export async function startTestServer(files: ReadonlyMap<string, Uint8Array>): Promise<TestServer> {
  const http = createServer((asked, answer) => {
    handle(server, asked, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: TestServer = {
    url: `http://localhost:${(http.address() as AddressInfo).port}/model/`,
    files: new Map(files),
    faults: new Map(),
    lasting: new Map(),
    requests: [],
    delay: 0,
    tagged: true,
    strange: undefined,
    paged: false,
    close: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}

async function handle(server: TestServer, asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  answer.setHeader('Access-Control-Allow-Origin', '*');
  answer.setHeader('Access-Control-Expose-Headers', 'ETag, Link, Content-Range, Retry-After');
  answer.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  const url = new URL(asked.url!, 'http://localhost');
  if (url.pathname.startsWith('/api/models/')) return sendListing(server, url, answer);
  const path = decodeURIComponent(url.pathname)
    .replace(`/${HUB_REPO}/resolve/${hubCommit}/`, '')
    .replace(/^\/model\//, '');
  await sendFile(server, path, asked, answer);
}

async function sendFile(
  server: TestServer,
  path: string,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const range = /^bytes=(\d+)-(\d*)$/.exec(asked.headers.range ?? '');
  const fault = server.faults.get(path)?.shift() ?? server.lasting.get(path);
  server.requests.push({ path, from: Number(range?.[1] ?? 0), method: asked.method! });
  if (fault?.kind === 'page')
    return void answer.setHeader('Content-Type', 'text/html').end('<!doctype html>');
  const content = server.files.get(path);
  if (!content) return end(answer, 404);
  if (fault?.kind === 'status') {
    if (fault.retryAfter) answer.setHeader('Retry-After', fault.retryAfter);
    return end(answer, fault.status);
  }
  if (fault?.kind === 'rangeRefused' && range) return end(answer, 416);
  if (server.tagged) answer.setHeader('ETag', `"${createHash('md5').update(content).digest('hex')}"`);
  const isPart = range && fault?.kind !== 'wholeFile';
  const from = isPart ? Number(range[1]) : 0;
  if (from >= content.length) return end(answer, 416);
  const to = isPart && range[2] ? Math.min(Number(range[2]) + 1, content.length) : content.length;
  if (isPart) answer.setHeader('Content-Range', `bytes ${from}-${to - 1}/${content.length}`);
  answer.writeHead(isPart ? 206 : 200, { 'Content-Length': to - from });
  if (asked.method === 'HEAD') answer.end();
  else await sendBody(server, content.slice(from, to), fault, answer);
}

async function sendBody(
  server: TestServer,
  body: Uint8Array,
  fault: Fault | undefined,
  answer: ServerResponse,
): Promise<void> {
  if (fault?.kind === 'corrupt') body[body.length >> 1]! ^= 1;
  const cutAt =
    fault?.kind === 'wholeFile'
      ? fault.cutAfter
      : fault?.kind === 'cut' || fault?.kind === 'stall'
        ? fault.after
        : undefined;
  const end = Math.min(cutAt ?? body.length, body.length);
  for (let at = 0; at < end; at += PIECE_BYTES) {
    if (answer.destroyed) return;
    await new Promise((resolve) => answer.write(body.subarray(at, Math.min(at + PIECE_BYTES, end)), resolve));
    if (server.delay) await new Promise((resolve) => setTimeout(resolve, server.delay));
  }
  if (fault?.kind === 'stall' && end < body.length) return;
  if (end < body.length) answer.destroy();
  else answer.end();
}

function sendListing(server: TestServer, url: URL, answer: ServerResponse): void {
  const [kind, revision] = url.pathname.slice(`/api/models/${HUB_REPO}/`.length).split('/');
  const isKnown =
    url.pathname.startsWith(`/api/models/${HUB_REPO}/`) && ['main', hubCommit].includes(revision!);
  if (!isKnown) return end(answer, 401);
  if (server.strange !== undefined) return sendJson(answer, server.strange);
  if (kind === 'revision') {
    const cardData = { license: 'mit' };
    return sendJson(answer, { id: HUB_REPO, sha: hubCommit, cardData, tags: ['license:mit'] });
  }
  const entries = [...server.files].map(([path, content]) => describe(path, content));
  const page = Number(url.searchParams.get('cursor') ?? 0);
  if (server.paged && page + 1 < entries.length) {
    url.searchParams.set('cursor', `${page + 1}`);
    answer.setHeader('Link', `<${url.pathname}${url.search}>; rel="next"`);
  }
  sendJson(
    answer,
    server.paged
      ? entries.slice(page, page + 1)
      : [{ type: 'directory', path: 'unet', oid: '0' }, ...entries],
  );
}

/** Big files lie in LFS and are named by their SHA-256, small ones in git by that of a blob. */
function describe(path: string, content: Uint8Array): object {
  const size = content.length;
  const hash = (name: string, head = '') => createHash(name).update(head).update(content).digest('hex');
  const oid = hash('sha1', `blob ${size}\0`);
  return {
    type: 'file',
    path,
    size,
    oid,
    ...(size > 1000 && { lfs: { oid: hash('sha256'), size, pointerSize: 134 } }),
  };
}

function sendJson(answer: ServerResponse, value: unknown): void {
  answer.setHeader('Content-Type', 'application/json');
  answer.end(JSON.stringify(value));
}

function end(answer: ServerResponse, status: number): void {
  answer.writeHead(status).end();
}
