/** Part of `npm run bench`: what a first visit loads, compressed by gzip as static hosts do, from the built page in `dist`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes. */
export interface FirstLoad {
  /** Scripts and styles that index.html asks for, before the engine starts. */
  readonly page: number;
  readonly worker: number;
  /** Each build of onnxruntime-web, of which a browser loads one. */
  readonly engines: Readonly<Record<string, number>>;
}

const ENGINES = { wasm: '', jspi: '.jspi', asyncify: '.asyncify' };

/** @param folder of the built page. Throws where it was not built. */
export async function benchBytes(folder: string): Promise<FirstLoad> {
  const assets = join(folder, 'assets');
  const names = await readdir(assets);
  const size = async (name: string) => gzipSync(await readFile(join(assets, name))).length;
  const sizes = async (found: readonly string[]) =>
    (await Promise.all(found.map(size))).reduce((sum, bytes) => sum + bytes, 0);
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  const engines: Record<string, number> = {};
  for (const [engine, suffix] of Object.entries(ENGINES))
    engines[engine] = await sizes(
      names.filter((name) => name.startsWith(`ort-wasm-simd-threaded${suffix}-`)),
    );
  return {
    page: await sizes(names.filter((name) => /\.(js|css)$/.test(name) && html.includes(`assets/${name}"`))),
    worker: await sizes(names.filter((name) => /^worker-.*\.js$/.test(name))),
    engines,
  };
}
