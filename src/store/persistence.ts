/** Brings back what was stored when the page opens, and keeps the draft so that a reload loses nothing. */
import { byAge, type DraftPicture, type DraftPictures } from '../storage/records.ts';
import type { Context, StudioDeps } from './context.ts';
import { followInterrupted, showInterrupted } from './interrupted.ts';
import { presentPicture } from './picturesSlice.ts';
import type { StudioState } from './state.ts';

async function restoreLibrary({ deps, set, messages }: Context): Promise<void> {
  const [concepts, results] = await Promise.all([deps.storage.concepts.list(), deps.storage.results.list()]);
  set({
    concepts: concepts.records,
    results: results.records,
    chosenResultId: results.records.at(-1)?.id ?? null,
  });
  const damaged = [...concepts.damaged, ...results.damaged];
  if (damaged.length > 0)
    messages.note(
      'library',
      'storage.damaged',
      `${damaged.length} stored ${damaged.length === 1 ? 'item' : 'items'} could not be read and ${damaged.length === 1 ? 'was' : 'were'} left out: ${damaged.join('; ')}.`,
    );
}

/**
 * Shows the concepts as another tab left them, so that neither overwrites what the other learned. A concept that could
 * not be stored, or is in training, exists only here and stays.
 */
export async function followConcepts(context: Context): Promise<void> {
  const { deps, get, set } = context;
  const { records } = await deps.storage.concepts.list();
  const { concepts, unsaved, training, form } = get();
  const own = concepts.filter(({ id }) => unsaved.includes(id) || training?.conceptId === id);
  const stored = records.filter(({ id }) => own.every((each) => each.id !== id));
  const shown = byAge([...stored, ...own]);
  set({ concepts: shown });
  if (shown.every(({ id }) => id !== form.conceptId)) get().selectConcept(null);
  await followInterrupted(context);
}

async function restorePictures({ deps, get, set }: Context, kept: DraftPictures): Promise<void> {
  const { images } = deps;
  const shown = await Promise.allSettled(
    kept.pictures.map((each) => presentPicture(images, each, kept.ground)),
  );
  const pictures = shown.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  // What was given while this was loading stays.
  set(({ pictures: added }) => ({
    ground: kept.ground,
    pictures: [...pictures.filter(({ id }) => added.every((each) => each.id !== id)), ...added],
  }));
  void get().addAgain(kept.waiting);
}

async function restoreDraft(context: Context): Promise<void> {
  const { draftForm, draftPictures } = context.deps.storage;
  const [form, pictures] = await Promise.all([draftForm.load(), draftPictures.load()]);
  if (form !== null) context.get().edit(form);
  if (pictures !== null) await restorePictures(context, pictures);
}

async function restoreGrid({ deps, set }: Context): Promise<void> {
  set({ grid: await deps.storage.grid.load() });
}

/** Loads library, results, draft and a training that was cut short. Never rejects: problems are shown at the library. */
export async function restore(context: Context): Promise<void> {
  for (const load of [restoreLibrary, restoreDraft, restoreGrid, showInterrupted])
    await load(context).catch((error: unknown) => context.messages.report('library', error));
  context.set({ restored: true });
}

/** What is kept of a picture; the rest is made again from it. */
function toDraftPicture(picture: DraftPicture): DraftPicture {
  const { id, fileName, source, width, height, transparent, crop } = picture;
  return { id, fileName, source, width, height, transparent, crop };
}

/** Photos are large: they are not stored again because the model has seen them. */
function sameDraft(a: readonly DraftPicture[], b: readonly DraftPicture[]): boolean {
  return a.length === b.length && a.every(({ id, crop }, i) => id === b[i]!.id && crop === b[i]!.crop);
}

const ignore = () => undefined;

/** A draft that does not fit is no news: concepts and results report. */
export const saveForm = ({ storage }: StudioDeps, { form }: StudioState): Promise<void> =>
  storage.draftForm.save({ version: 1, ...form }).catch(ignore);

export const savePictures = ({ storage }: StudioDeps, state: StudioState): Promise<void> => {
  const { ground, pictures, waiting } = state;
  const draft: DraftPictures = { version: 1, ground, pictures: pictures.map(toDraftPicture), waiting };
  return storage.draftPictures.save(draft).catch(ignore);
};

/** Saves at once; what changes meanwhile is saved right after, or without waiting when the page is going. */
class Saver {
  private saving = false;
  private dirty = false;

  constructor(private readonly save: () => Promise<void>) {}

  async changed(): Promise<void> {
    this.dirty = true;
    if (this.saving) return;
    this.saving = true;
    while (this.dirty) await this.flush();
    this.saving = false;
  }

  async flush(): Promise<void> {
    if (!this.dirty) return;
    this.dirty = false;
    await this.save();
  }
}

/** Saves the draft from the moment it changes. */
export function keepDraft(
  { deps, get }: Context,
  subscribe: (listener: (state: StudioState, previous: StudioState) => void) => () => void,
): () => void {
  const form = new Saver(() => saveForm(deps, get()));
  const pictures = new Saver(() => savePictures(deps, get()));
  deps.onLeave(() => {
    void form.flush();
    void pictures.flush();
  });
  return subscribe((state, previous) => {
    if (!state.restored) return;
    const anew = !previous.restored;
    const same = sameDraft(state.pictures, previous.pictures) && state.waiting === previous.waiting;
    if (anew || state.form !== previous.form) void form.changed();
    if (anew || !same || state.ground !== previous.ground) void pictures.changed();
  });
}
