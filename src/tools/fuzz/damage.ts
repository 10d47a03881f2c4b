/** Damage to files, from a seed: the same generator gives the same damage, so that a failure names a file that can be made again. */
import type { Random } from '../../lib/random.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

const LENGTHS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff];

/** The pickle in a stored zip, or the head of anything else: most damage belongs where the structure is. */
function structure(bytes: Uint8Array): readonly [number, number] {
  const text = new TextDecoder('latin1').decode(bytes);
  const start = text.indexOf('\x80\x02');
  const end = text.indexOf('PK\x03\x04', start);
  return start < 0 || end < 0 ? [0, Math.min(bytes.length, 4096)] : [start, end];
}

/** One or a few of: flipped bits, other bytes, a length field rewritten, a stretch copied, removed or cut off. */
export function damageBytes(original: Uint8Array, random: Random): Bytes {
  const [start, end] = structure(original);
  let bytes = new Uint8Array(original);
  const at = () => {
    const inside = random.uniform() < 0.8;
    const offset = inside ? start + random.int(end - start) : random.int(bytes.length);
    return Math.min(offset, bytes.length - 1);
  };
  for (let count = 1 + random.int(4); count > 0 && bytes.length > 8; count--) {
    const [kind, offset, other] = [random.int(6), at(), at()];
    const length = 1 + random.int(16);
    if (kind === 0) bytes[offset]! ^= 1 << random.int(8);
    else if (kind === 1) bytes[offset] = random.int(256);
    else if (kind === 2 && offset + 4 <= bytes.length)
      new DataView(bytes.buffer).setUint32(offset, LENGTHS[random.int(LENGTHS.length)]!, true);
    else if (kind === 3) bytes.copyWithin(offset, other, other + length);
    else if (kind === 4) bytes = without(bytes, offset, length);
    else if (kind === 5 && random.uniform() < 0.3) bytes = bytes.slice(0, 1 + offset);
  }
  return bytes;
}

function without(bytes: Bytes, offset: number, length: number): Bytes {
  const rest = new Uint8Array(bytes.length - Math.min(length, bytes.length - offset));
  rest.set(bytes.subarray(0, offset));
  rest.set(bytes.subarray(offset + length), offset);
  return rest;
}

const VALUES: readonly unknown[] = [
  null,
  true,
  '',
  'x'.repeat(5000),
  '\u202e\0',
  0,
  -1,
  0.5,
  1e9,
  1e308,
  [],
  [[]],
  {},
  { type: 'Sequence' },
];

/** JSON that is still JSON: some value in it gives way to another, vanishes, or stands under another name; sometimes damaged bytes. */
export function damageJson(original: Uint8Array, random: Random): Bytes {
  if (random.uniform() < 0.2) return damageBytes(original, random);
  const value: unknown = JSON.parse(new TextDecoder().decode(original));
  for (let count = 1 + random.int(3); count > 0; count--) damageValue(value, random);
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Walks down to a random place, the deeper the rarer, and changes what stands there. */
function damageValue(root: unknown, random: Random): void {
  let parent = root;
  for (;;) {
    if (typeof parent !== 'object' || parent === null) return;
    const entries = parent as Record<string, unknown>;
    const keys = Object.keys(entries);
    if (keys.length === 0) return;
    const key = keys[random.int(keys.length)]!;
    const inner = entries[key];
    const goesOn = typeof inner === 'object' && inner !== null && random.uniform() < 0.8;
    if (!goesOn) return damageEntry(entries, key, random);
    parent = inner;
  }
}

function damageEntry(entries: Record<string, unknown>, key: string, random: Random): void {
  const kind = random.int(4);
  if (kind === 0) Reflect.deleteProperty(entries, key);
  else if (kind === 1) entries[`${key}x`] = entries[key];
  else entries[key] = VALUES[random.int(VALUES.length)];
}
