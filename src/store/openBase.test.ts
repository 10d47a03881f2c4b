/** What the form takes over from a base’s defaults. */
import { describe, expect, it } from 'vitest';
import { OFFICIAL_DEFAULTS } from '../neti/baseDefaults.ts';
import { emptyForm } from './formSlice.ts';
import { adoptDefaults } from './openBase.ts';

const SAMPLER = 'dpm-solver++-2m';
const small = {
  trainSteps: 150,
  batchSize: 4,
  previewEvery: 25,
  samplingSteps: 20,
  guidanceScale: 5,
  sampler: SAMPLER,
} as const;
const onSmall = { ...emptyForm, ...adoptDefaults(emptyForm, small) };
const official = {
  trainSteps: '500',
  steps: '25',
  guidanceScale: '7.5',
  sampler: SAMPLER,
  learningRate: '0.008',
  batchSize: '8',
};

describe('adoptDefaults', () => {
  it('fills in what nobody typed', () => {
    const filled = {
      trainSteps: '150',
      steps: '20',
      guidanceScale: '5',
      sampler: SAMPLER,
      learningRate: '0.008',
      batchSize: '4',
    };
    expect(adoptDefaults(emptyForm, small)).toEqual({ ...filled, filled });
  });

  it('goes over to the next base’s', () => {
    expect(adoptDefaults(onSmall, OFFICIAL_DEFAULTS)).toEqual({ ...official, filled: official });
  });

  it('keeps what was typed, whichever bases are opened', () => {
    const typed = { ...onSmall, trainSteps: '300', steps: '30' };
    const next = { ...typed, ...adoptDefaults(typed, OFFICIAL_DEFAULTS) };
    expect(next).toMatchObject({ trainSteps: '300', steps: '30', guidanceScale: '7.5', filled: official });
    expect(adoptDefaults(next, small)).toMatchObject({ trainSteps: '300', steps: '30', guidanceScale: '5' });
  });

  it('takes a distilled model’s sampler, unless another one was chosen', () => {
    const distilled = { ...small, sampler: 'lcm' } as const;
    expect(adoptDefaults(onSmall, distilled).sampler).toBe('lcm');
    expect(adoptDefaults({ ...onSmall, sampler: 'ddim' }, distilled).sampler).toBe('ddim');
  });

  it('puts what was emptied back', () => {
    expect(adoptDefaults({ ...onSmall, steps: '' }, small).steps).toBe('20');
  });
});
