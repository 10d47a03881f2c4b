/** Importing concept files, of this studio and of other programs, with what nobody can check about them said. */
import { AppError } from '../lib/errors.ts';
import { fromPngUrl } from '../pictures/pngUrl.ts';
import { MAX_CONCEPT_BYTES } from '../neti/limits.ts';
import type { Context } from './context.ts';
import { groupConceptFiles, partnerOf } from './importFiles.ts';
import { saveConcept } from './saving.ts';
import type { ConceptRecord } from './state.ts';
import type { ConceptInfo, ImportOrigin } from '../neti/conceptMetadata.ts';
import type { NamedFile } from '../neti/foreign/importConcept.ts';

/** Imports every concept that it can and chooses it. Never rejects: problems are shown at the library. */
export async function importConcepts(context: Context, files: readonly File[]): Promise<void> {
  context.messages.clear('library');
  for (const group of groupConceptFiles(files)) await importOne(context, group);
  await context.get().measureUsage();
}

async function importOne(context: Context, files: readonly File[]): Promise<void> {
  const { get, messages } = context;
  try {
    const record = await readImport(context, files);
    await saveConcept(context, record);
    get().selectConcept(record.id);
    messages.announce(`${record.name} was imported.`);
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'concept.corrupt';
    const reason = error instanceof Error ? error.message : String(error);
    const names = files.map(({ name }) => name).join('” with “');
    messages.report('library', new AppError(code, `“${names}” was not imported. ${reason}`));
  }
}

async function readImport({ deps, messages }: Context, files: readonly File[]): Promise<ConceptRecord> {
  const bytes = await deps.client.importConcept(await Promise.all(files.map(read)));
  const info = await deps.client.inspectConcept(bytes);
  if (info.imported) messages.note('library', 'concept.imported', originNote(info, info.imported));
  const { name, category, kind, created, baseId, baseHash, step, word } = info;
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
    pictures: [],
    previews: [],
    curve: [],
  };
}

async function read(file: File): Promise<NamedFile> {
  if (file.size === 0 || file.size > MAX_CONCEPT_BYTES)
    throw new AppError(
      'concept.size',
      `A concept file has between 1 byte and 64 MB; this one has ${file.size} bytes. Export it again.`,
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
