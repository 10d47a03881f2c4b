/** The recipe between form, worker and PNG: nothing that decides a picture is lost on the way. */
import { describe, expect, it } from 'vitest';
import { keyOf, recipeSchema } from '../storage/recipe.ts';
import { readOrder } from './order.ts';
import { formOf, pngText, recipeDifferences, toRequest } from './recipe.ts';
import { startStudio, teachAll } from './testing/scriptedStudio.ts';

const FOCUS = { fromTimestep: 800, toTimestep: 400, fromLayer: 2, toLayer: 5, outside: 'frozen' } as const;

/** A studio with two concepts that are mixed, every setting other than its default. */
async function prepared() {
  const studio = await startStudio();
  await teachAll(studio, ['tin robot', 'tea, pot'], 10);
  const [robot, teapot] = studio.store.getState().concepts;
  studio.store.getState().edit({
    prompt: ' A drawing of {} ',
    negativePrompt: 'rain',
    steps: '7',
    guidanceScale: '3.5',
    truncation: 12,
    sampler: 'ddim',
    seed: '9',
    conceptId: robot!.id,
    appearanceId: teapot!.id,
    mixingStart: 25,
    focus: FOCUS,
    trainedStep: 10,
  });
  return studio.store;
}

const everything = () => 'anything';

describe('a recipe', () => {
  it('comes from the form and goes back into it', async () => {
    const store = await prepared();
    const { recipe, seeds } = readOrder(store.getState(), () => 0);
    const made = { ...recipe, seed: seeds[0]! };
    store.getState().edit({ ...formOf({ ...made, seed: 1, steps: 1, mixing: null }, everything) });
    store.getState().edit(formOf(made, everything));
    const again = readOrder(store.getState(), () => 0);
    expect(keyOf({ ...again.recipe, seed: again.seeds[0]! })).toBe(keyOf(made));
  });

  it('leaves the choice of concepts that are gone', async () => {
    const { recipe } = readOrder((await prepared()).getState(), () => 0);
    const form = formOf({ ...recipe, seed: 9 }, () => null);
    expect('conceptId' in form).toBe(false);
    expect(form.appearanceId).toBeNull();
  });

  it('reaches the worker whole', async () => {
    const { recipe, concepts, seeds } = readOrder((await prepared()).getState(), () => 0);
    const { mixing, concept, ...request } = toRequest(recipe, concepts, seeds);
    expect(request).toMatchObject({
      prompt: 'A drawing of {}',
      negativePrompt: 'rain',
      steps: 7,
      guidanceScale: 3.5,
      truncation: 12,
      sampler: 'ddim',
      focus: FOCUS,
      seeds: [9, 10, 11, 12],
    });
    expect([concept?.file, mixing?.start]).toEqual([concepts.concept!.file, 0.25]);
    expect(toRequest(recipe, concepts, seeds).concept).toEqual(concept);
    expect(mixing?.appearance.key).not.toBe(concept?.key);
  });

  it('is told in a PNG as AUTOMATIC1111 tells it', async () => {
    const { recipe } = readOrder((await prepared()).getState(), () => 0);
    const text = pngText({ ...recipe, seed: 9 }, { resolution: 64, hash: 'abcdef0123456789' });
    expect(text).toBe(
      'A drawing of {}\nNegative prompt: rain\nSteps: 7, Sampler: DDIM, CFG scale: 3.5, Seed: 9, Size: 64x64, ' +
        'Model hash: abcdef0123, Model: base, NeTI concept: tin robot, NeTI truncation: 12, NeTI training step: 10, ' +
        'NeTI appearance: "tea, pot", NeTI mixing start: 25%, ' +
        'NeTI focus: "timesteps 800 to 400, layers 3 to 6, frozen outside"',
    );
  });

  it('is compared with another in every field that decides a picture', async () => {
    const { recipe } = readOrder((await prepared()).getState(), () => 0);
    const one = { ...recipe, seed: 9 };
    const other = {
      prompt: 'b {}',
      negativePrompt: '',
      steps: 8,
      guidanceScale: 2,
      truncation: 13,
      sampler: 'euler',
      seed: 8,
      baseId: 'other',
      conceptId: 'b',
      named: [{ conceptId: 'c', name: 'lamp' }],
      trainedStep: null,
      mixing: null,
      focus: { ...FOCUS, outside: 'category' },
    } as const;
    expect(Object.keys(other).sort()).toEqual(Object.keys(recipeSchema.shape).sort());
    expect(recipeDifferences(one, one)).toEqual([]);
    for (const [field, value] of Object.entries(other)) {
      const name = field === 'conceptId' ? { conceptName: 'teapot' } : {};
      expect(recipeDifferences(one, { ...one, ...name, [field]: value }), field).toHaveLength(1);
    }
    expect(recipeDifferences(one, { ...one, mixing: null })).toEqual([
      ['Appearance', 'tea, pot from 25 %', 'none'],
    ]);
  });
});
