/** Every field of the recipe decides the picture, and nothing else does. */
import { describe, expect, it } from 'vitest';
import { keyOf, recipeSchema, settingsOf, type Recipe } from './recipe.ts';

const focus = { fromTimestep: 900, toTimestep: 100, fromLayer: 1, toLayer: 3, outside: 'frozen' } as const;

const recipe: Recipe = {
  prompt: 'A photo of {}',
  negativePrompt: '',
  steps: 20,
  guidanceScale: 5,
  truncation: 128,
  sampler: 'dpm-solver++-2m',
  focus,
  seed: 1,
  baseId: 'base',
  conceptId: 'robot',
  named: [{ conceptId: 'lamp', name: 'lamp' }],
  trainedStep: 40,
  mixing: { conceptId: 'teapot', start: 40 },
};

/** One other value for each field, or for each part of it. */
const others: { readonly [Field in keyof Recipe]: readonly Recipe[Field][] } = {
  prompt: ['A drawing of {}'],
  negativePrompt: ['rain'],
  steps: [21],
  guidanceScale: [5.5],
  truncation: [127],
  sampler: ['ddim'],
  seed: [2],
  baseId: ['other'],
  conceptId: ['teapot', null],
  named: [[], [{ conceptId: 'lamp 2', name: 'lamp' }], [{ conceptId: 'lamp', name: 'light' }]],
  trainedStep: [50, null],
  focus: [
    { ...focus, fromTimestep: 800 },
    { ...focus, toTimestep: 0 },
    { ...focus, fromLayer: 0 },
    { ...focus, toLayer: 4 },
    { ...focus, outside: 'category' },
    null,
  ],
  mixing: [{ conceptId: 'robot', start: 40 }, { conceptId: 'teapot', start: 45 }, null],
};

const fields = Object.keys(recipeSchema.shape) as (keyof Recipe)[];
const changes = fields.flatMap((field) => others[field].map((value) => ({ field, value })));

describe('keyOf', () => {
  it.each(changes)('tells another $field ($value)', ({ field, value }) => {
    const changed = { ...recipe, [field]: value };
    expect(keyOf(changed)).not.toBe(keyOf(recipe));
    expect(keyOf(changed, field)).toBe(keyOf(recipe, field));
  });

  it('takes no notice of what does not decide the picture, nor of the order', () => {
    const named = { ...recipe.mixing!, conceptName: 'teapot' };
    const result = { created: 'now', conceptName: 'robot', ...recipe, mixing: named };
    const turned = Object.fromEntries(Object.entries(result).reverse()) as Recipe;
    expect([keyOf(result), keyOf(turned)]).toEqual([keyOf(recipe), keyOf(recipe)]);
  });

  it('does not take one field for another', () => {
    const swapped = { ...recipe, steps: recipe.truncation, truncation: recipe.steps };
    expect(keyOf(swapped)).not.toBe(keyOf(recipe));
  });
});

it('a recipe without mixing or names is from before there were any', () => {
  const older: Partial<Record<keyof Recipe, unknown>> = { ...recipe };
  delete older.mixing;
  delete older.named;
  expect(recipeSchema.parse(older)).toMatchObject({ mixing: null, named: [] });
});

it('the settings of a recipe are all of it but seed, base and concepts', () => {
  const settings = Object.keys(settingsOf(recipe));
  expect(fields.filter((field) => !settings.includes(field))).toEqual([
    'seed',
    'baseId',
    'conceptId',
    'named',
    'trainedStep',
    'mixing',
  ]);
});
