/** Importing concept files, of this studio and of other programs, with what nobody can check about them said. */
import { AppError } from '../lib/errors.ts';
import { fileSize } from '../lib/numbers.ts';
import { plainName } from '../lib/plainName.ts';
import { fromPngUrl } from '../pictures/pngUrl.ts';
import { MAX_CONCEPT_BYTES } from '../neti/limits.ts';
import type { Context } from './context.ts';
import { sortFiles } from './incoming.ts';
import { groupConceptFiles, partnerOf } from './importFiles.ts';
import { saveConcept } from './saving.ts';
import type { ConceptRecord } from './state.ts';
import type { ConceptInfo, ImportOrigin } from '../neti/conceptMetadata.ts';
import type { NamedFile } from '../neti/foreign/importConcept.ts';

/** Imports every concept that it can and chooses it. Never rejects: problems are shown at the library. */
export async function importConcepts(context: Context, files: readonly File[]): Promise<void> {
  const { get, messages } = context;
  messages.clear('library');
  const { concepts, cards, pictures, errors } = await sortFiles(files);
  for (const group of groupConceptFiles([...concepts, ...cards, ...pictures]))
    await importGroup(context, group);
  for (const error of errors) messages.report('library', error);
  await get().measureUsage();
}

async function importGroup(context: Context, files: readonly File[]): Promise<void> {
  try {
    const contents = await Promise.all(files.map(read));
    for (const bytes of await context.deps.client.importConcepts(contents)) await keep(context, bytes);
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'concept.corrupt';
    const reason = error instanceof Error ? error.message : String(error);
    const names = files.map(({ name }) => plainName(name)).join('” with “');
    context.messages.report('library', new AppError(code, `“${names}” was not imported. ${reason}`));
  }
}

async function keep(context: Context, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { deps, get, messages } = context;
  const info = await deps.client.inspectConcept(bytes);
  if (info.imported) messages.note('library', 'concept.imported', originNote(info, info.imported));
  const record = recordOf(deps, info, bytes);
  await saveConcept(context, record);
  get().selectConcept(record.id);
  messages.announce(`${record.name} was imported.`);
}

/** The library's record of a concept file, with nothing but what the file says. */
export function recordOf(
  deps: Context['deps'],
  info: ConceptInfo,
  bytes: Uint8Array<ArrayBuffer>,
): ConceptRecord {
  const { name, category, kind, created, baseId, baseHash, step, word, tags } = info;
  const thumbnail = fromPngUrl(info.thumbnail);
  return {
    version: 1,
    id: deps.newId(),
    name,
    category,
    kind,
    created: created || deps.now(),
    updated: deps.now(),
    baseId,
    baseHash,
    step,
    steps: step,
    seed: 0,
    file: new Blob([bytes]),
    word,
    thumbnail: thumbnail && new Blob([thumbnail], { type: 'image/png' }),
    tags,
    pictures: [],
    previews: [],
    curve: [],
  };
}

async function read(file: File): Promise<NamedFile> {
  if (file.size === 0)
    throw new AppError('concept.size', 'It is empty (0 bytes). Choose another copy of it.');
  if (file.size > MAX_CONCEPT_BYTES)
    throw new AppError(
      'concept.size',
      `It has ${fileSize(file.size)}, and a concept at most 64 MB. A whole model is opened under the model’s name at the top.`,
    );
  return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

/** What nobody can check about a concept of another program. */
function originNote(
  { name, baseId, word: { vectors } }: ConceptInfo,
  { base, files, format }: ImportOrigin,
): string {
  const says =
    base === null ? 'does not say which model it was learned on' : `says it was learned on “${base}”`;
  const mapper = format === 'textual-inversion' ? partnerOf(files[0]!, 'embeds') : undefined;
  const alone = mapper
    ? ` If it belongs to an official NeTI concept, import it together with ${mapper}: alone it is only one word.`
    : '';
  const room = vectors > 1 ? ` In a prompt it takes ${vectors} tokens, one for each of its vectors.` : '';
  return `“${name}” comes from another program: its file ${says}. It fits “${baseId}” by its sizes, no more is known.${room}${alone}`;
}
