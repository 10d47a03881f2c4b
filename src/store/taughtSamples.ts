/** Samples that ship taught: they draw on a first visit, before anything is trained. */
import { AppError } from '../lib/errors.ts';
import type { Context } from './context.ts';
import { recordOf } from './importing.ts';
import { emptyPictureForm } from './recipe.ts';
import { saveConcept } from './saving.ts';
import type { ConceptRecord, SampleConcept, StudioState } from './state.ts';

/** The samples of the open base that ship taught. */
export const taughtSamples = ({ base }: StudioState): readonly SampleConcept[] =>
  base?.samples.filter(({ taught }) => taught !== null) ?? [];

/** Never rejects: problems are shown at the library. */
export async function drawWithSample(context: Context, sample: SampleConcept): Promise<void> {
  const { get, messages } = context;
  if (sample.taught === null) return;
  try {
    const { id } = await inLibrary(context, sample, sample.taught.file);
    get().selectConcept(id);
    if (isOurs(get())) get().edit({ prompt: sample.taught.prompt });
    await get().generate();
  } catch (error) {
    messages.report('library', error);
  }
}

/** Whether the prompt is the first one or a sample's: one that somebody wrote stays. */
function isOurs(state: StudioState): boolean {
  const { prompt } = state.form;
  const ours = ['', emptyPictureForm.prompt, ...taughtSamples(state).map(({ taught }) => taught?.prompt)];
  return ours.includes(prompt.trim());
}

async function inLibrary(context: Context, sample: SampleConcept, file: string): Promise<ConceptRecord> {
  const { deps, get } = context;
  const id = `sample ${sample.name}`;
  const known = get().concepts.find((each) => each.id === id && each.baseHash === get().base?.hash);
  if (known !== undefined) return known;
  const [concept, ...pictures] = await Promise.all([file, ...sample.pictures].map(deps.fetchFile));
  if (concept === undefined) throw new AppError('sample.missing', `The sample ${sample.name} has no file.`);
  const bytes = new Uint8Array(await concept.arrayBuffer());
  const info = await deps.client.inspectConcept(bytes);
  const record = { ...recordOf(deps, info, bytes), id, created: deps.now(), pictures };
  await saveConcept(context, record);
  return record;
}
