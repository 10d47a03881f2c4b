/** What is typed and chosen on the page, as typed; it becomes numbers when it is used (fields.ts). */
import { USUAL_START } from '../lib/trainingStart.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import type { Context } from './context.ts';
import { chosenConcepts, hiddenUnits } from './pictureConcepts.ts';
import { emptyPictureForm } from './recipe.ts';
import type { Form, FormSlice, StudioState } from './state.ts';

/** Of the training's settings, those that are the same on every base. */
export const usualTraining = {
  trainSeed: '0',
  nestedDropout: String(MAPPER_DEFAULTS.nestedDropout),
  variant: 'neti',
  start: USUAL_START,
} as const satisfies Partial<Form>;

/** What a base has defaults for is filled in when it opens (openBase.ts). */
export const emptyForm: Form = {
  ...emptyPictureForm,
  name: '',
  category: '',
  kind: 'object',
  trainSteps: '',
  learningRate: '',
  batchSize: '',
  ...usualTraining,
  count: 4,
  gridX: { field: 'truncation', text: '1, 16, 64, 128', chosen: [] },
  gridY: { field: 'seed', text: '1-3', chosen: [] },
  filled: {
    trainSteps: '',
    steps: '',
    guidanceScale: '',
    sampler: emptyPictureForm.sampler,
    learningRate: '',
    batchSize: '',
  },
  provider: 'auto',
  model: null,
};

export function createFormSlice({ set }: Context): FormSlice {
  return {
    form: emptyForm,
    fieldProblems: {},
    edit: (patch) => set((state) => edited(state, patch)),
    resetTraining: () => set((state) => edited(state, usualSettings(state))),
  };
}

/** The training's settings as the base and the method would have them. */
function usualSettings({ form }: StudioState): Partial<Form> {
  const { trainSteps, learningRate, batchSize } = form.filled;
  return { ...usualTraining, trainSteps, learningRate, batchSize };
}

/** A field that was edited has no problem until it is used again. */
function edited(state: StudioState, patch: Partial<Form>): Partial<StudioState> {
  const { fieldProblems } = state;
  const form = { ...state.form, ...patch };
  const others = Object.entries(fieldProblems).filter(([field]) => !(field in patch));
  const truncation = patch.truncation ?? keptOf(state, form);
  return { form: { ...form, truncation }, fieldProblems: Object.fromEntries(others) };
}

/** The form's truncation among the units of the concepts that it chooses: where all were kept, all of another concept's are. */
function keptOf(state: StudioState, form: Form): number {
  const { truncation } = state.form;
  const most = mostKept(state);
  const next = mostKept({ ...state, form });
  return truncation === most ? next : Math.min(truncation, next);
}

function mostKept(state: StudioState): number {
  return hiddenUnits(chosenConcepts(state)) ?? MAPPER_DEFAULTS.hidden;
}
