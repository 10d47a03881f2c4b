/**
 * Every reader of foreign files on 12,000 damaged copies of the fixtures: it makes a valid concept or throws an AppError, soon.
 * The damage comes from a seed, so a failure names a file that can be made again.
 */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../lib/errors.ts';
import { Random } from '../../lib/random.ts';
import { readConcept } from '../conceptFile.ts';
import { base, CREATED, fixture } from '../testing/foreignFixtures.ts';
import { importConcept } from './importConcept.ts';

const seeds = [
  { name: 'mapper-steps-250.pt', open: base(4, 12), files: 1500 },
  { name: 'mapper-final.pt', open: base(16, 12), files: 1500 },
  { name: 'learned_embeds-steps-250.bin', open: base(4, 12), files: 1500 },
  { name: 'webui.pt', open: base(16, 128), files: 1250 },
  { name: 'three.pt', open: base(16, 128), files: 750 },
  { name: 'legacy.pt', open: base(16, 128), files: 2500 },
  { name: 'diffusers.bin', open: base(16, 128), files: 1500 },
  { name: 'diffusers.safetensors', open: base(16, 128), files: 500 },
  { name: 'three.safetensors', open: base(16, 128), files: 250 },
  { name: 'kohya.safetensors', open: base(16, 128), files: 750 },
] as const;
/** Milliseconds for one file, far above the slowest seen: a hang, not a busy machine, exceeds it. */
const LIMIT = 2000;
const LENGTHS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff];

/** The pickle in a stored zip, or everything: most damage belongs where the structure is. */
function structure(bytes: Uint8Array): readonly [number, number] {
  const text = new TextDecoder('latin1').decode(bytes);
  const start = text.indexOf('\x80\x02');
  const end = text.indexOf('PK\x03\x04', start);
  return start < 0 || end < 0 ? [0, Math.min(bytes.length, 4096)] : [start, end];
}

/** One or a few of: flipped bits, other bytes, a length field rewritten, a stretch copied, removed or cut off. */
function damage(
  original: Uint8Array,
  region: readonly [number, number],
  random: Random,
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(original);
  const at = () => {
    const [start, end] = random.uniform() < 0.8 ? region : [0, bytes.length];
    return Math.min(start + random.int(end - start), bytes.length - 1);
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

function without(bytes: Uint8Array, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const rest = new Uint8Array(bytes.length - Math.min(length, bytes.length - offset));
  rest.set(bytes.subarray(0, offset));
  rest.set(bytes.subarray(offset + length), offset);
  return rest;
}

describe('readers of foreign files', () => {
  it.each(seeds)('take $files damaged copies of $name', async ({ name, open, files }) => {
    const original = fixture(name).bytes;
    const region = structure(original);
    const random = new Random(original.length);
    const outcomes = new Map<string, number>();
    let slowest = 0;
    for (let i = 0; i < files; i++) {
      const bytes = damage(original, region, random);
      const started = performance.now();
      const outcome = await importConcept([{ name, bytes }], open, CREATED)
        .then((file) => readConcept(file, open))
        .then(
          () => 'read',
          (error: unknown) => (error instanceof AppError ? error.code : error),
        );
      slowest = Math.max(slowest, performance.now() - started);
      expect(typeof outcome, `file ${i}: ${String(outcome)}`).toBe('string');
      outcomes.set(String(outcome), 1 + (outcomes.get(String(outcome)) ?? 0));
    }
    expect(slowest).toBeLessThan(LIMIT);
    expect(Math.max(...outcomes.values())).toBeLessThan(files);
    if (process.env['FUZZ_REPORT']) console.info(name, slowest.toFixed(0), Object.fromEntries(outcomes));
  });

  it('are given at least 10,000 files', () => {
    expect(seeds.reduce((sum, { files }) => sum + files, 0)).toBeGreaterThanOrEqual(10_000);
  });
});
