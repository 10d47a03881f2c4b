/** Damaged files of every kind are read or refused by name, soon. `npm run fuzz` does the same with twenty times as many. */
import { describe, expect, it } from 'vitest';
import { KINDS } from './kinds.ts';
import { fuzz } from './run.ts';

/** Far above the slowest seen. */
const SLOWEST_MS = 2000;

describe('readers', () => {
  it.each(Object.keys(KINDS))('take 500 damaged files: %s', async (kind) => {
    const { files, slowest, outcomes, raw } = await fuzz(kind, 500, 1);
    expect(raw).toEqual([]);
    expect(slowest).toBeLessThan(SLOWEST_MS);
    expect(Math.max(...outcomes.values())).toBeLessThan(files);
  });

  it('are given the same files for the same seed', async () => {
    expect((await fuzz('tokenizer', 50, 3)).outcomes).toEqual((await fuzz('tokenizer', 50, 3)).outcomes);
  });
});
