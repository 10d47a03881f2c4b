/** What leaves the library to be shared: a card, which is a picture with the concept in it, or all concepts in one zip. */
import { zip } from '../lib/archive.ts';
import { AppError } from '../lib/errors.ts';
import { replaceMarks } from '../lib/prompt.ts';
import { encodePng } from '../pictures/png.ts';
import { withConcept } from '../pictures/pngConcept.ts';
import type { Context } from './context.ts';
import { pngTextOf } from './generation.ts';
import { newestFirst } from './results.ts';
import type { ConceptRecord, ResultRecord } from './state.ts';
import { conceptFileName } from './words.ts';

/** The chosen picture where it shows the concept and no other, else the newest that does; without one the concept's small picture. */
export async function cardOf({ deps, get }: Context, concept: ConceptRecord): Promise<File> {
  const { results, chosenResultId } = get();
  const own = newestFirst(results).filter((each) => showsAlone(each, concept.id));
  const result = own.find(({ id }) => id === chosenResultId) ?? own[0];
  const picture = result?.picture ?? concept.thumbnail ?? concept.pictures[0];
  if (!picture)
    throw new AppError(
      'card.picture',
      `A card shows a picture of “${concept.name}”. Make one with it first.`,
    );
  const face = await deps.images.card(picture, { title: concept.name, text: words(concept, result) });
  const png = encodePng(face, result && pngTextOf(get(), result));
  return new File([await withConcept(png, concept.file)], conceptFileName(concept.name, 'png'), {
    type: 'image/png',
  });
}

function showsAlone({ conceptId, named }: ResultRecord, id: string): boolean {
  const shown = [conceptId, ...named.map((each) => each.conceptId)].filter((each) => each !== null);
  return shown.length > 0 && shown.every((each) => each === id);
}

function words({ name, category }: ConceptRecord, result: ResultRecord | undefined): string {
  return result ? replaceMarks(result.prompt, () => name) : `A concept: ${category}`;
}

/** Every concept's file under a name of its own. */
export async function zipOf(concepts: readonly ConceptRecord[]): Promise<File> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { name, file } of concepts)
    files.set(freeName(files, name), new Uint8Array(await file.arrayBuffer()));
  return new File([zip(files)], 'concepts.zip', { type: 'application/zip' });
}

function freeName(taken: ReadonlyMap<string, unknown>, name: string): string {
  for (let count = 1; ; count++) {
    const free = conceptFileName(count === 1 ? name : `${name} ${count}`);
    if (!taken.has(free)) return free;
  }
}
