/** What is concluded from figures, and when nothing is. */
import { expect, it } from 'vitest';
import { mostGrowth } from './memory.ts';
import { dominance, verdict, type Report } from './report.ts';

const share = (name: string, milliseconds: number) => ({ name, calls: 1, milliseconds, share: 1 });

const report: Report = {
  options: { batch: 1, resolution: 512, narrow: false, provider: 'webgpu', precision: 'float16' },
  pytorch: {
    device: 'a card',
    onCard: true,
    precision: 'float16',
    forward: 0.1,
    training: 0.3,
    peakGib: 3,
    cardPeakGib: 4,
  },
  studio: { forward: 0.2, training: 0.6, unet: 0.4, cardPeakGib: 5, processPeakGib: 2 },
  dominant: {
    unet: [share('Conv', 500), share('MatMul', 300)],
    text_encoder: [share('MatMul', 200)],
  },
};

it('the target is met or missed', () => {
  expect(verdict(report)).toMatch(/^Target met: .* 2\.00 ×/);
  expect(verdict({ ...report, studio: { ...report.studio, training: 1 } })).toMatch(
    /^Target missed: .* 3\.33 ×/,
  );
});

it.each<[RegExp, Partial<Report>]>([
  [/ran on cpu/, { options: { ...report.options, provider: 'cpu' } }],
  [/full model at 512²/, { options: { ...report.options, narrow: true } }],
  [/PyTorch found no graphics card/, { pytorch: { ...report.pytorch, onCard: false } }],
  [/WebGPU ran elsewhere/, { studio: { ...report.studio, cardPeakGib: 0 } }],
])('the target is not tested: %s', (reason, change) => {
  const sentence = verdict({ ...report, ...change });
  expect(sentence).toMatch(/^Target not tested/);
  expect(sentence).toMatch(reason);
});

it('what dominates, over both graphs', () => {
  expect(dominance(report.dominant)).toContain(
    'unet 80 %, text_encoder 20 %; largest operator: Conv of the unet, 50 %',
  );
});

it('memory is compared card by card', () => {
  expect(mostGrowth([])).toBeNull();
  expect(mostGrowth(['0, 100', '1, 9000', '0, 2148', '1, 9100', '0, 100'])).toBe(2);
});
