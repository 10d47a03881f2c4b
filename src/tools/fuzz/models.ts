/** Headers of checkpoints, by which a model is judged and its graphs are written: damaged as bytes, as JSON, and as a header that still adds up. */
import { openCheckpoint } from '../../checkpoint/openCheckpoint.ts';
import { contentsOf, readCheckpointHeader } from '../../checkpoint/refusals.ts';
import { narrowCheckpoint } from '../../checkpoint/testing/narrowCheckpoints.ts';
import { Outline } from '../../intake/outline.ts';
import { missingFile } from '../../lib/modelFiles.ts';
import { graphPath, layout, NETWORKS } from '../../lib/modelLayout.ts';
import { sizeOf } from '../../lib/numbers.ts';
import type { Random } from '../../lib/random.ts';
import { ITEM_BYTES, type DType } from '../../lib/safetensors.ts';
import { damageBytes, damageJson, type Bytes } from './damage.ts';
import type { Specimen } from './specimen.ts';

const NAMES = ['bk-tiny', 'sd21v', 'lcm'];

export async function models(): Promise<Specimen[]> {
  const files = NAMES.map(async (name): Promise<Specimen> => {
    const whole = (await narrowCheckpoint(`${name}/single`)).get(layout.checkpoint)!;
    const length = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    const data = whole.length - length;
    return {
      name: `${name}.safetensors`,
      bytes: whole.slice(0, length),
      damage: damageHeader,
      read: (damaged) => readModel(new Outline(damaged, damaged.length + data)),
    };
  });
  return Promise.all(files);
}

function damageHeader(original: Uint8Array, random: Random): Bytes {
  const kind = random.int(4);
  if (kind === 0) return damageBytes(original, random);
  const json = original.slice(8);
  return withLength(kind === 1 ? damageJson(json, random) : damageTensors(json, random));
}

function withLength(json: Uint8Array): Bytes {
  const file = new Uint8Array(8 + json.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

interface Entry {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

const SIZES = [0, 1, 2, 3, 5, 8, 9, 64, 1000];
const TYPES: readonly DType[] = ['F32', 'F16', 'BF16', 'F64', 'I64', 'BOOL'];

/** Tensors that are missing, of other shapes, types and names; each takes the bytes that it says. */
function damageTensors(json: Uint8Array, random: Random): Bytes {
  const { __metadata__: metadata, ...entries } = JSON.parse(new TextDecoder().decode(json)) as Record<
    string,
    Entry
  >;
  const tensors = Object.entries(entries);
  for (let count = 1 + random.int(3); count > 0; count--) {
    const at = random.int(tensors.length);
    const [name, entry] = tensors[at]!;
    const changed = damageTensor(name, entry, random);
    tensors.splice(at, 1, ...(changed ? [changed] : []));
  }
  let end = 0;
  const placed = tensors.map(([name, { dtype, shape }]) => {
    const begin = end;
    end += ITEM_BYTES[dtype] * sizeOf(shape);
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  return new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(placed) }));
}

function damageTensor(name: string, entry: Entry, random: Random): [string, Entry] | null {
  const kind = random.int(6);
  const size = SIZES[random.int(SIZES.length)]!;
  const place = random.int(Math.max(entry.shape.length, 1));
  if (kind === 0) return null;
  if (kind === 1) return [name.replace(/\d+/, String(size)), entry];
  if (kind === 2) return [name, { ...entry, dtype: TYPES[random.int(TYPES.length)]! }];
  if (kind === 3) return [name, { ...entry, shape: entry.shape.slice(0, place) }];
  if (kind === 4) return [name, { ...entry, shape: [...entry.shape, size] }];
  return [name, { ...entry, shape: entry.shape.map((each, i) => (i === place ? size : each)) }];
}

async function readModel(file: Blob): Promise<void> {
  const { tensors } = await readCheckpointHeader(file, 'a.safetensors');
  contentsOf(tensors, 'a.safetensors');
  const open = await openCheckpoint([layout.checkpoint], (path) =>
    path === layout.checkpoint ? Promise.resolve(file) : Promise.reject(missingFile('a', path)),
  );
  for (const part of NETWORKS) await open(graphPath(part));
}
