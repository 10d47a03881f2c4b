import { describe, expect, it } from 'vitest';
import { officialDefaults } from '../neti/baseDefaults.ts';
import { emptyForm } from './formSlice.ts';
import { adoptDefaults } from './openBase.ts';

const small = { trainSteps: 150, batchSize: 4, previewEvery: 25, samplingSteps: 20, guidanceScale: 5 };

describe('adoptDefaults', () => {
  it('fills in what nobody typed', () => {
    const filled = { trainSteps: '150', steps: '20', guidanceScale: '5' };
    expect(adoptDefaults(emptyForm, null, small)).toEqual(filled);
  });

  it('goes over to the next base’s', () => {
    const form = { ...emptyForm, ...adoptDefaults(emptyForm, null, small) };
    const official = { trainSteps: '500', steps: '50', guidanceScale: '7.5' };
    expect(adoptDefaults(form, small, officialDefaults)).toEqual(official);
  });

  it('keeps what was typed, over a reload too', () => {
    const typed = { trainSteps: '300', steps: '30', guidanceScale: '5' };
    expect(adoptDefaults({ ...emptyForm, ...typed }, null, officialDefaults)).toEqual(typed);
    const changed = { ...typed, guidanceScale: '7.5' };
    expect(adoptDefaults({ ...emptyForm, ...typed }, small, officialDefaults)).toEqual(changed);
  });
});
