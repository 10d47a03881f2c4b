/** What this page still has when the browser lost what was kept for it: cleared in another tab, or evicted to make room. */
import type { Context } from './context.ts';
import { saveForm, savePictures } from './persistence.ts';
import { saveConcept } from './saving.ts';
import type { ConceptRecord, PictureItem, ResultRecord } from './state.ts';

type Kept = ConceptRecord | ResultRecord;

/** Stores again what is in memory, and says what could not be. Never rejects. */
export async function rescue(context: Context): Promise<void> {
  const { deps, get, set, messages } = context;
  const { concepts, results, pictures } = get();
  // The contents of some lay only where they were deleted.
  const lost = { concepts: await unreadable(concepts), results: await unreadable(results) };
  const squares = await Promise.all(pictures.map(readableSource));
  set((state) => ({
    concepts: without(state.concepts, lost.concepts),
    results: without(state.results, lost.results),
    pictures: state.pictures.map((each) => squares.find(({ id }) => id === each.id) ?? each),
  }));
  if (lost.concepts.some(({ id }) => id === get().form.conceptId)) get().selectConcept(null);
  for (const record of get().concepts) await saveConcept(context, record);
  const again = get().results.map((each) => deps.storage.results.put(each));
  await Promise.allSettled([...again, saveForm(deps, get()), savePictures(deps, get())]);
  await get().keepTrainingsAgain();
  messages.note('library', 'storage.lost', describe(get().unsaved.length, lost));
  await Promise.all([get().measureUsage(), get().loadModels()]);
}

const contents = (record: Kept): readonly Blob[] =>
  'file' in record ? [record.file, ...record.pictures] : [record.picture];

const isReadable = (blob: Blob): Promise<boolean> =>
  blob.arrayBuffer().then(
    () => true,
    () => false,
  );

async function unreadable<Item extends Kept>(records: readonly Item[]): Promise<Item[]> {
  const whole = await Promise.all(
    records.map(async (record) => (await Promise.all(contents(record).map(isReadable))).every(Boolean)),
  );
  return records.filter((_, index) => !whole[index]);
}

/** What is learned from is always in memory: it stands in for a picture that is gone. */
async function readableSource(picture: PictureItem): Promise<PictureItem> {
  if (await isReadable(picture.source)) return picture;
  const { width, height } = await createImageBitmap(picture.square);
  return { ...picture, source: picture.square, width, height, crop: null, transparent: false };
}

const without = <Item extends Kept>(records: readonly Item[], gone: readonly Item[]): Item[] =>
  records.filter(({ id }) => gone.every((each) => each.id !== id));

function describe(
  unsaved: number,
  lost: { readonly concepts: readonly ConceptRecord[]; readonly results: readonly ResultRecord[] },
): string {
  const count = lost.results.length;
  const names = lost.concepts.map(({ name }) => `“${name}”`);
  const gone = [...names, ...(count > 0 ? [`${count} ${count === 1 ? 'result' : 'results'}`] : [])];
  return [
    'What this browser kept for the page was deleted, in another tab or by the browser itself.',
    unsaved === 0
      ? 'What was open here has been stored again.'
      : 'It cannot be stored again: export your concepts as files before you close this tab.',
    ...(gone.length > 0 ? [`Gone for good: ${gone.join(', ')}.`] : []),
  ].join(' ');
}
