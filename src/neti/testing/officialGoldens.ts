/**
 * What fixtures/make_official.py leaves for the tests: the stock graphs of a random-weight Stable Diffusion, whose weights are
 * drawn again here from the same seeds, and what the official implementation computes with it.
 */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { z } from '../../lib/zod.ts';
import { AppError } from '../../lib/errors.ts';
import { numberToHalf } from '../../lib/half.ts';
import { Random, type RandomSource } from '../../lib/random.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { readSafetensors, toFloat32, writeSafetensors } from '../../lib/safetensors.ts';

const folder = new URL('../fixtures/official/', import.meta.url);
const micro = new URL('../../onnx/fixtures/micro/', import.meta.url);

const int = z.int();
/** Byte offset, rows, columns (0, or those of the weight where its transpose is stored), seed, centre and exponent. */
const ruleSchema = z.tuple([int, int, int, int, int, int]);
const rulesSchema = z.record(z.string(), z.array(ruleSchema));

/** A file of the model, by its path in the Hugging Face ONNX layout. */
export async function openOfficialModel(path: string): Promise<Blob> {
  const [part, file] = path.split('/');
  if (file === 'model.onnx') return new Blob([await drawGraph(part!)]);
  const own = path === 'text_encoder/config.json';
  return new Blob([await read(own ? new URL('text_encoder.json', folder) : new URL(path, micro))]);
}

async function read(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(url));
}

async function drawGraph(part: string): Promise<Uint8Array<ArrayBuffer>> {
  const graph = new Uint8Array(gunzipSync(await read(new URL(`${part}.onnx.gz`, folder))));
  const rules = rulesSchema.parse(JSON.parse(await readFile(new URL('weights.json', folder), 'utf8')));
  const view = new DataView(graph.buffer);
  for (const rule of rules[part]!) drawWeight(view, rule);
  return graph;
}

/** Writes centre + (int(512) − 256) · 2^exponent in half precision, element by element of the weight as PyTorch lays it out. */
function drawWeight(
  view: DataView,
  [offset, rows, columns, seed, centre, exponent]: z.infer<typeof ruleSchema>,
): void {
  const random = new Random(seed);
  const halves = Uint16Array.from({ length: 512 }, (_, i) =>
    numberToHalf(centre + (i - 256) * 2 ** exponent),
  );
  const width = columns || 1;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < width; column++)
      view.setUint16(offset + 2 * (column * rows + row), halves[random.int(512)]!, true);
}

/** Names, shapes, seeds, centres and exponents of the weights as PyTorch has them. */
const namesSchema = z.record(z.string(), z.array(z.tuple([z.string(), z.array(int), int, int, int])));

/** The same model as a folder of diffusers in float32; what is no network of it is opened as of `openOfficialModel`. */
export async function officialCheckpoint(): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const packed = gunzipSync(await read(new URL('names.json.gz', folder)));
  const parts = namesSchema.parse(JSON.parse(packed.toString()));
  const weights = Object.entries(parts).map(([part, names]) => {
    const tensors = names.map(
      ([name, shape, ...rule]) => [name, { shape, values: drawTensor(sizeOf(shape), ...rule) }] as const,
    );
    const file = part === 'text_encoder' ? 'model' : 'diffusion_pytorch_model';
    return [`${part}/${file}.safetensors`, writeSafetensors(new Map(tensors), new Map())] as const;
  });
  const unet = JSON.stringify({
    in_channels: 4,
    sample_size: 8,
    attention_head_dim: 8,
    norm_num_groups: 8,
  });
  return new Map([
    ...weights,
    ['unet/config.json', new TextEncoder().encode(unet)],
    ['vae/config.json', await read(new URL('vae_encoder/config.json', micro))],
  ]);
}

function drawTensor(size: number, seed: number, centre: number, exponent: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: size }, () => centre + (random.int(512) - 256) * 2 ** exponent);
}

/** Golden tensors by name. */
export async function readOfficialGoldens(): Promise<ReadonlyMap<string, Float32Array>> {
  const { tensors } = readSafetensors(await read(new URL('goldens.safetensors', folder)));
  return new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
}

/**
 * Count sketch (Charikar et al. 2002): element i, with a random sign, falls into bucket i mod `buckets`; short tensors stay
 * as they are. The squared distance of two sketches is, on average, that of the tensors.
 */
export function sketch(values: Float32Array, buckets: number): ArrayLike<number> {
  if (values.length <= buckets) return values;
  const random = new Random(4);
  const sums = new Float64Array(buckets);
  for (let i = 0; i < values.length; i++) sums[i % buckets]! += random.bits() & 1 ? values[i]! : -values[i]!;
  return sums;
}

/** Plays recorded numbers back in order; it cannot tell what they were drawn for, only that whole numbers are in range. */
export class RecordedRandom implements RandomSource {
  private position = 0;

  constructor(private readonly numbers: Float32Array) {}

  uniform(): number {
    return this.next(1);
  }

  int(n: number): number {
    const value = this.next(n);
    if (Number.isInteger(value)) return value;
    throw new AppError('random.recorded', `Expected a whole number, found ${value} at ${this.position - 1}.`);
  }

  normal(): number {
    return this.next(Infinity, -Infinity);
  }

  fillNormal<T extends Float32Array | Float64Array>(target: T): T {
    for (let i = 0; i < target.length; i++) target[i] = this.normal();
    return target;
  }

  get exhausted(): boolean {
    return this.position === this.numbers.length;
  }

  private next(below: number, least = 0): number {
    const value = this.numbers[this.position++];
    if (value !== undefined && value >= least && value < below) return value;
    throw new AppError(
      'random.recorded',
      `Expected ${least}…${below}, found ${value} at ${this.position - 1}.`,
    );
  }
}
