/**
 * Files of a base model and of the engine, kept between visits in the browser's Cache Storage under their hash, so that a
 * second visit downloads nothing again. Where there is no Cache Storage (plain http, private windows) it fetches.
 */
import { AppError } from '../lib/errors.ts';
import { sha256Hex } from '../lib/sha256.ts';

const CACHE_NAME = 'neti-model-files-v1';

export interface CachedFile {
  readonly url: string;
  /** Hex SHA-256 that the content must have; without it the URL itself must change with the content. */
  readonly sha256?: string;
  /** Told of every piece received, in bytes. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * The content of a file, from the cache or the network. Throws `download.failed` (offline, missing) or
 * `download.corrupt` (other content than its hash says).
 */
export async function readCached(file: CachedFile): Promise<Uint8Array<ArrayBuffer>> {
  const cache = await openCache();
  const key = file.sha256 ? `${file.url}?sha256=${file.sha256}` : file.url;
  const kept = await cache?.match(key);
  if (kept) {
    const content = new Uint8Array(await kept.arrayBuffer());
    file.onBytes?.(content.length);
    return content;
  }
  const content = await download(file);
  // A full disk must not stop the studio: the file is simply fetched again next time.
  await cache?.put(key, new Response(content)).catch(() => undefined);
  return content;
}

async function openCache(): Promise<Cache | null> {
  try {
    return await caches.open(CACHE_NAME);
  } catch {
    return null;
  }
}

async function download({ url, sha256, onBytes }: CachedFile): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url).catch((cause: unknown) => {
    throw new AppError(
      'download.failed',
      `Could not fetch ${url}: no connection to the page's server. Check the connection and try again.`,
      { cause },
    );
  });
  if (!response.ok || !response.body)
    throw new AppError(
      'download.failed',
      `Expected the file ${url}, found answer ${response.status}. Reload the page.`,
    );
  const content = await collect(response.body, onBytes);
  if (sha256 !== undefined && (await sha256Hex(content)) !== sha256)
    throw new AppError(
      'download.corrupt',
      `The file ${url} arrived damaged: its SHA-256 is not ${sha256}. Reload the page.`,
    );
  return content;
}

async function collect(
  body: ReadableStream<Uint8Array>,
  onBytes?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        onBytes?.(piece.length);
        controller.enqueue(piece);
      },
    }),
  );
  return new Uint8Array(await new Response(counted).arrayBuffer());
}
