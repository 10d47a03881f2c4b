/**
 * The narrow checkpoints of fixtures/make_checkpoints.py: their headers and configurations lie there, and their numbers are
 * made again here from the tensors' names, as there (`fill`).
 */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { z } from '../../lib/zod.ts';
import { missingFile, type OpenFile } from '../../lib/modelFiles.ts';
import { numberToHalf } from '../../lib/half.ts';
import { layout } from '../../lib/modelLayout.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { ITEM_BYTES, readHeader, readSafetensors, toFloat32 } from '../../lib/safetensors.ts';
import { fill } from './fill.ts';

const fixtures = new URL('../fixtures/', import.meta.url);

export const ARCHITECTURES = [
  'sd15',
  'sd21v',
  'bk-base',
  'bk-small',
  'bk-tiny',
  'bk-tiny-v2',
  'lcm',
] as const;
export const SOURCES = ['folder', 'single'] as const;

const headersSchema = z.record(z.string(), z.record(z.string(), z.string()));
const tensorSchema = z.object({
  dtype: z.enum(['F32', 'F16', 'BF16', 'I64']),
  shape: z.array(z.number()),
  data_offsets: z.tuple([z.number(), z.number()]),
});
type Entry = z.infer<typeof tensorSchema>;

/** The checkpoint's files by path; a single one is at `checkpoint.safetensors`, beside the size of its latents. */
export async function narrowCheckpoint(name: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const packed = gunzipSync(await readFile(new URL('checkpoints.json.gz', fixtures)));
  const files = Object.entries(headersSchema.parse(JSON.parse(packed.toString()))[name] ?? {});
  const encode = (text: string) => new TextEncoder().encode(text);
  const found = files.map(([path, text]) => {
    const isWeights = path.endsWith('.safetensors');
    const at = path === 'model.safetensors' ? layout.checkpoint : path;
    return [at, isWeights ? safetensors(text) : encode(text)] as const;
  });
  const size = name.endsWith('/single') ? [['unet/config.json', encode('{"sample_size":16}')] as const] : [];
  return new Map([...found, ...size]);
}

export function openFiles(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): OpenFile {
  return (path) => {
    const bytes = files.get(path);
    return bytes ? Promise.resolve(new Blob([bytes])) : Promise.reject(missingFile('narrow', path));
  };
}

/** Golden tensors of a checkpoint: unet, gradient, text, moments, pixels. */
export async function readNarrowGoldens(name: string): Promise<(key: string) => Float32Array> {
  const { tensors } = readSafetensors(
    new Uint8Array(await readFile(new URL('goldens.safetensors', fixtures))),
  );
  return (key) => toFloat32(tensors.get(`${name}/${key}`)!);
}

/** The header of a checkpoint's single file as an object. */
async function singleHeader(name: string): Promise<Record<string, Entry>> {
  const file = (await narrowCheckpoint(`${name}/single`)).get(layout.checkpoint)!;
  const { tensors } = await readHeader(new Blob([file]));
  return Object.fromEntries(
    [...tensors].map(([tensor, { dtype, shape, offset, length }]) => [
      tensor,
      tensorSchema.parse({ dtype, shape, data_offsets: [offset, offset + length] }),
    ]),
  );
}

/** A file of these tensors, one after another. */
function packed(tensors: Readonly<Record<string, Pick<Entry, 'dtype' | 'shape'>>>, metadata: object = {}) {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const begin = at;
    at += ITEM_BYTES[dtype] * sizeOf(shape);
    return [name, { dtype, shape, data_offsets: [begin, at] }] as const;
  });
  return safetensors(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
}

/** A single file without its VAE, and that VAE under its own names. */
export async function separateVae(name: string) {
  const header = await singleHeader(name);
  const prefix = 'first_stage_model.';
  const [vae, rest] = [true, false].map((wanted) =>
    Object.entries(header).filter(([tensor]) => tensor.startsWith(prefix) === wanted),
  );
  const own = vae!.map(([tensor, entry]) => [tensor.slice(prefix.length), entry] as const);
  return { model: packed(Object.fromEntries(rest!)), vae: packed(Object.fromEntries(own)) };
}

/** A single file that can be drawn with: of CLIP's vocabulary and 77 tokens, for pictures of 128 × 128 pixels. */
export async function drawableCheckpoint(): Promise<Uint8Array<ArrayBuffer>> {
  const header = await singleHeader('bk-tiny');
  const at = 'cond_stage_model.transformer.text_model.embeddings';
  return packed(
    {
      ...header,
      [`${at}.token_embedding.weight`]: { dtype: 'F16', shape: [49_408, 64] },
      [`${at}.position_embedding.weight`]: { dtype: 'F16', shape: [77, 64] },
    },
    { 'modelspec.resolution': '128x128' },
  );
}

/** A file with this header, its tensors filled by their names and the bytes between them zero. */
function safetensors(header: string): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const entries = Object.entries(JSON.parse(header) as Record<string, unknown>)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => [name, tensorSchema.parse(entry)] as const);
  const start = 8 + json.length;
  const end = Math.max(
    ...entries.map(
      ([
        ,
        {
          data_offsets: [, last],
        },
      ]) => last,
    ),
  );
  const file = new Uint8Array(start + end);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  for (const [name, entry] of entries) write(view, start + entry.data_offsets[0], name, entry);
  return file;
}

const bits = new DataView(new ArrayBuffer(4));

function write(view: DataView, at: number, name: string, { dtype, shape }: Entry): void {
  if (dtype === 'I64') return;
  const values = fill(name, shape);
  const wide = dtype === 'F32';
  const halves = new Map<number, number>();
  values.forEach((value, i) => {
    if (wide) {
      view.setFloat32(at + 4 * i, value, true);
      return;
    }
    const half = halves.get(value) ?? halfOf(value, dtype);
    halves.set(value, half);
    view.setUint16(at + 2 * i, half, true);
  });
}

/** No number loses anything: each has eight bits at most. */
function halfOf(value: number, dtype: 'F16' | 'BF16'): number {
  if (dtype === 'F16') return numberToHalf(value);
  bits.setFloat32(0, value);
  return bits.getUint16(0);
}
