/** What the open base means for the page: which concepts it can use (those learned on it), and what its form starts from. */
import type { ConceptRecord, Form, StudioState } from './state.ts';
import { trainSettingsOn, type BaseDefaults } from '../neti/baseDefaults.ts';

/** While no base is open nothing is known against a concept. */
export function isUsable({ base }: Pick<StudioState, 'base'>, { baseHash }: ConceptRecord): boolean {
  return base === null || base.hash === baseHash;
}

/** The chosen concepts of the form without those that the base cannot use. */
export function usableChoice(
  state: Pick<StudioState, 'base' | 'concepts' | 'form'>,
): Pick<StudioState['form'], 'conceptId' | 'appearanceId'> {
  const usable = (id: string | null) => {
    const concept = state.concepts.find((each) => each.id === id);
    return concept && isUsable(state, concept) ? id : null;
  };
  return { conceptId: usable(state.form.conceptId), appearanceId: usable(state.form.appearanceId) };
}

type Filled = Form['filled'];

/** The base's defaults where nothing was typed, or what still is as a base filled it in. */
export function adoptDefaults(form: Form, defaults: BaseDefaults): Pick<Form, keyof Filled | 'filled'> {
  const { learningRate } = trainSettingsOn(defaults);
  const filled: Filled = {
    trainSteps: String(defaults.trainSteps),
    steps: String(defaults.samplingSteps),
    guidanceScale: String(defaults.guidanceScale),
    sampler: defaults.sampler,
    learningRate: String(learningRate),
    batchSize: String(defaults.batchSize),
  };
  const adopt = (field: Exclude<keyof Filled, 'sampler'>) =>
    form[field] === '' || form[field] === form.filled[field] ? filled[field] : form[field];
  return {
    trainSteps: adopt('trainSteps'),
    steps: adopt('steps'),
    guidanceScale: adopt('guidanceScale'),
    learningRate: adopt('learningRate'),
    batchSize: adopt('batchSize'),
    sampler: form.sampler === form.filled.sampler ? filled.sampler : form.sampler,
    filled,
  };
}
