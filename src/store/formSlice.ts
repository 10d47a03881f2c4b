/** What is typed and chosen on the page, as typed; it becomes numbers when it is used (fields.ts). */
import type { Context } from './context.ts';
import { emptyPictureForm } from './recipe.ts';
import type { Form, FormSlice, StudioState } from './state.ts';

/** What a base has defaults for is filled in when it opens (openBase.ts). */
export const emptyForm: Form = {
  ...emptyPictureForm,
  name: '',
  category: '',
  kind: 'object',
  trainSteps: '',
  trainSeed: '0',
  count: 4,
  filled: { trainSteps: '', steps: '', guidanceScale: '', sampler: emptyPictureForm.sampler },
  provider: 'auto',
  model: null,
};

export function createFormSlice({ set }: Context): FormSlice {
  return {
    form: emptyForm,
    fieldProblems: {},
    edit: (patch) => set((state) => edited(state, patch)),
  };
}

/** A field that was edited has no problem until it is used again. */
function edited({ form, fieldProblems }: StudioState, patch: Partial<Form>): Partial<StudioState> {
  const others = Object.entries(fieldProblems).filter(([field]) => !(field in patch));
  return { form: { ...form, ...patch }, fieldProblems: Object.fromEntries(others) };
}
