/** The list of well-known models: its figures are the compiler's, and a verdict for each comes from what the computer offers. */
import { describe, expect, it } from 'vitest';
import { plannedNeeds } from './testing/realArchitectures.ts';
import type { PreflightFacts } from './facts.ts';
import { judgeKnownModels, knownModels } from './knownModels.ts';
import type { MemoryEstimate } from './preflight.ts';

const GIB = 2 ** 30;
const facts = (change: Partial<PreflightFacts>): PreflightFacts => ({
  gpu: null,
  deviceMemory: 8 * GIB,
  space: { quota: 100 * GIB, usage: 0, persistent: true },
  crossOriginIsolated: true,
  threads: 8,
  ...change,
});
const card = (maxBufferSize: number, f16 = true) => ({
  gpu: { name: 'Card', software: false, f16, maxBufferSize, maxStorageBufferBindingSize: maxBufferSize },
});
const fits = (change: Partial<PreflightFacts>) =>
  Object.fromEntries(judgeKnownModels(facts(change)).map(({ name, fit }) => [name, fit]));

describe('a well-known model', () => {
  it('trains on a card that takes it', () => {
    expect(new Set(Object.values(fits(card(2 * GIB))))).toEqual(new Set(['trains']));
    expect(judgeKnownModels(facts(card(2 * GIB)))[0]!.reasons[0]).toMatch(
      /^Training needs 3\.5 GB on the graphics card \(Card\), as planned from its graph\.$/,
    );
  });

  it('is too large for WebAssembly, for a small card’s buffers, for a full disk', () => {
    const all = new Set(['too-large']);
    expect(new Set(Object.values(fits({})))).toEqual(all);
    expect(new Set(Object.values(fits(card(32 * 2 ** 20))))).toEqual(all);
    const space = { quota: 3 * GIB, usage: 2 * GIB, persistent: true };
    expect(new Set(Object.values(fits({ ...card(2 * GIB), space })))).toEqual(all);
  });

  it('only draws where training takes more memory than there is', () => {
    expect(fits({ ...card(2 * GIB), deviceMemory: 4 * GIB })).toMatchObject({
      'BK-SDM Tiny': 'draws',
      'Stable Diffusion 1.5': 'too-large',
    });
  });

  // Exactly: npm run known-models -- --check
  it('has the needs that the compiler plans from its real header, to a twentieth', async () => {
    const { architecture, bytes, needs } = knownModels.find(({ name }) => name === 'BK-SDM Tiny')!;
    const sums = (estimates: readonly MemoryEstimate[]) =>
      estimates.flatMap(({ draw, train }) =>
        [draw, train].map(({ weightBytes, activationBytes }) => weightBytes + activationBytes),
      );
    const [found, listed] = [sums(await plannedNeeds(architecture, bytes)), sums(needs)];
    expect(found).toHaveLength(4);
    found.forEach((each, i) => expect(Math.abs(each / listed[i]! - 1)).toBeLessThan(0.05));
  }, 120_000);

  it('has a page, a licence and a repository of its own', () => {
    for (const { repo, link, needs } of knownModels) {
      expect(link).toBe(`https://huggingface.co/${repo}`);
      expect(needs.map(({ precision }) => precision)).toEqual(['float16', 'float32']);
    }
    expect(new Set(knownModels.map(({ repo }) => repo)).size).toBe(7);
  });
});
