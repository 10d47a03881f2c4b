/** Where training and sampling start on a base of one's own, and which defaults are taken. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { missingFile } from '../lib/modelFiles.ts';
import { layout } from '../lib/modelLayout.ts';
import { OFFICIAL_DEFAULTS, readDefaults } from './baseDefaults.ts';

describe('the defaults of a base', () => {
  const file = (content: unknown) => (path: string) =>
    Promise.resolve(new Blob([JSON.stringify(path === layout.defaults ? content : {})]));

  it('are the official ones where it brings none', async () => {
    expect(await readDefaults((path) => Promise.reject(missingFile('test', path)))).toEqual(
      OFFICIAL_DEFAULTS,
    );
  });

  it.each([
    ['an LCM', { _class_name: 'LCMScheduler' }, { sampler: 'lcm', samplingSteps: 4, guidanceScale: 1.5 }],
    [
      'a Turbo distillation',
      { _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'trailing', interpolation_type: 'linear' },
      { sampler: 'euler', samplingSteps: 4, guidanceScale: 1 },
    ],
    [
      'a model that wants Karras’s spacing',
      { _class_name: 'DPMSolverMultistepScheduler', use_karras_sigmas: true },
      { sampler: 'dpm-solver++-2m-karras', samplingSteps: 25, guidanceScale: 7.5 },
    ],
    ['Stable Diffusion', { _class_name: 'PNDMScheduler' }, { samplingSteps: 25, guidanceScale: 7.5 }],
  ])('are those of %s by its scheduler', async (_, config, expected) => {
    const open = (path: string) =>
      path === layout.scheduler
        ? Promise.resolve(new Blob([JSON.stringify(config)]))
        : Promise.reject(missingFile('test', path));
    expect(await readDefaults(open)).toEqual({ ...OFFICIAL_DEFAULTS, ...expected });
  });

  it('are its own where it has them', async () => {
    const own = { ...OFFICIAL_DEFAULTS, batchSize: 4, guidanceScale: 5 };
    expect(await readDefaults(file(own))).toEqual(own);
  });

  it.each([
    ['another form', { steps: 3 }],
    ['an odd number of pictures a step', { ...OFFICIAL_DEFAULTS, batchSize: 3 }],
    ['more steps than the form takes', { ...OFFICIAL_DEFAULTS, samplingSteps: 201 }],
  ])('are the official ones where the file is of %s', async (_, content) => {
    expect(await readDefaults(file(content))).toEqual(OFFICIAL_DEFAULTS);
  });

  it('that ship are of that form', async () => {
    const shipped = await readFile('models/sticker-world/defaults.json', 'utf8');
    expect(await readDefaults(file(JSON.parse(shipped)))).toMatchObject(JSON.parse(shipped));
  });
});
