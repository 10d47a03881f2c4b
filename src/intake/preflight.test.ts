/** What the page says will come of a model on this computer. */
import { describe, expect, it } from 'vitest';
import type { GpuFacts, PreflightFacts } from './facts.ts';
import { makePlan } from './plan.ts';
import { estimatesFromSizes, preflight } from './preflight.ts';

const GIB = 2 ** 30;

/** Files of Stable Diffusion 1.5's sizes, in bytes a weight. */
function planOf(bytesPerWeight: number, scale = 1) {
  const weights = { text_encoder: 123e6, unet: 860e6, vae_encoder: 34e6, vae_decoder: 50e6 };
  const files = Object.entries(weights).map(([part, count]) => ({
    path: `${part}/model.onnx`,
    bytes: Math.round(count * bytesPerWeight * scale),
    from: 'https://example.org/',
    sha256: null,
    gitBlob: null,
  }));
  const source = { kind: 'url', address: 'https://example.org/' } as const;
  return makePlan({ title: 'x', source, files, licence: null, weights: null, notes: [] });
}

const CARD: GpuFacts = {
  name: 'Card',
  software: false,
  f16: true,
  maxBufferSize: 4 * GIB,
  maxStorageBufferBindingSize: 2 * GIB,
};

const facts = (change: Partial<PreflightFacts> = {}): PreflightFacts => ({
  gpu: CARD,
  deviceMemory: 8 * GIB,
  space: { quota: 100 * GIB, usage: GIB, persistent: true },
  crossOriginIsolated: true,
  threads: 8,
  ...change,
});

const answers = ({ store, draw, train }: ReturnType<typeof preflight>) =>
  [store, draw, train].map(({ answer }) => answer);

describe('preflight', () => {
  it('knows half-precision files from full ones by their size', () => {
    const [half, full] = [estimatesFromSizes(planOf(2)), estimatesFromSizes(planOf(4))];
    expect(half).toEqual(full);
    expect(full.map(({ draw }) => draw.weightBytes)).toEqual([2 * 1067e6, 4 * 1067e6]);
  });

  it('says yes to a small model everywhere', () => {
    const small = planOf(2, 0.01);
    expect(answers(preflight(small, facts()))).toEqual(['yes', 'yes', 'yes']);
    expect(answers(preflight(small, facts({ gpu: null })))).toEqual(['yes', 'yes', 'yes']);
  });

  it('computes in half precision where the card can', () => {
    expect(preflight(planOf(2), facts()).precision).toBe('float16');
    expect(answers(preflight(planOf(2), facts()))).toEqual(['yes', 'yes', 'yes']);
    const without = preflight(planOf(2), facts({ gpu: { ...CARD, f16: false } }));
    expect(without.precision).toBe('float32');
    expect(answers(without)).toEqual(['yes', 'yes', 'yes']);
  });

  it('does not know whether a large model fits a common card', () => {
    const large = preflight(planOf(2, 1.4), facts({ gpu: { ...CARD, f16: false } }));
    expect(answers(large)).toEqual(['yes', 'maybe', 'maybe']);
  });

  it('says how many bytes of storage are missing', () => {
    const space = { quota: 3e9, usage: 2e9, persistent: false };
    const { store } = preflight(planOf(2), facts({ space }));
    expect(store.answer).toBe('no');
    expect(store.reasons.join(' ')).toContain('1.1 GB are missing');
  });

  it('warns of storage that may be cleared', () => {
    const space = { quota: 30e9, usage: 0, persistent: false };
    expect(preflight(planOf(2), facts({ space })).store).toMatchObject({
      answer: 'yes',
      reasons: { length: 2 },
    });
  });

  it('refuses what WebAssembly cannot hold, and says why', () => {
    const { draw, train } = preflight(planOf(2), facts({ gpu: { ...CARD, software: true, f16: false } }));
    expect([draw.answer, train.answer]).toEqual(['no', 'no']);
    expect(draw.reasons.join(' ')).toMatch(/only graphics adapter is software.*4 GB/);
  });

  it('refuses a buffer that the card does not allow', () => {
    const small = { ...CARD, f16: false, maxStorageBufferBindingSize: 128 * 2 ** 20 };
    const { draw } = preflight(planOf(2), facts({ gpu: small }));
    expect(draw.answer).toBe('no');
    expect(draw.reasons.join(' ')).toMatch(/allows 134\.2 MB/);
  });

  it('refuses what a small computer has no memory for', () => {
    expect(preflight(planOf(2), facts({ deviceMemory: 4 * GIB })).train.answer).toBe('no');
  });

  it('says that one thread is slow', () => {
    const { draw } = preflight(planOf(2, 0.01), facts({ gpu: null, crossOriginIsolated: false, threads: 1 }));
    expect(draw.reasons.join(' ')).toContain('single thread');
  });

  it("takes the memory planner's figures in place of its own", () => {
    const need = { weightBytes: GIB, activationBytes: GIB };
    const estimate = {
      precision: 'float32',
      draw: need,
      train: { ...need, activationBytes: 9 * GIB },
    } as const;
    expect(answers(preflight(planOf(4), facts(), [estimate]))).toEqual(['yes', 'yes', 'maybe']);
  });
});
