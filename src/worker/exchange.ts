/** Concepts from and for other programs, on the base that is open. */
import { AppError } from '../lib/errors.ts';
import { storedZip } from '../lib/torchWriter.ts';
import { readConcept, type Concept } from '../neti/conceptFile.ts';
import { importConcepts } from '../neti/foreign/importConcept.ts';
import { writeOfficial } from '../neti/foreign/officialExport.ts';
import { averageWord, writeTextualInversion } from '../neti/foreign/inversionExport.ts';
import { isPlainWord } from '../neti/mapperConfig.ts';
import type { ExportedConcept, ExportFormat } from './api.ts';
import { architectureOf, identityOf } from './baseModel.ts';
import type { Studio } from './studio.ts';
import type { NamedFile } from '../neti/foreign/importConcept.ts';

/** Throws as `importConcepts`. */
export function importForeign(
  { base, pipeline }: Studio,
  files: readonly NamedFile[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const { layers, contextWidth, tokens, resolution } = pipeline.shape;
  const { predictionType } = pipeline.schedule;
  const architecture = architectureOf(base, pipeline.shape);
  const open = {
    ...identityOf(base),
    layers,
    contextWidth,
    tokens,
    resolution,
    predictionType,
    architecture,
  };
  return importConcepts(files, open, new Date().toISOString());
}

/** Throws as `readConcept` and `writeOfficial`. */
export async function exportForeign(
  studio: Studio,
  file: Uint8Array,
  format: ExportFormat,
): Promise<ExportedConcept> {
  const concept = await readConcept(file, identityOf(studio.base));
  const { mutex, bridge } = studio;
  if (format === 'official-neti') {
    const files = writeOfficial(concept, await placeholderEmbedding(studio, concept));
    return { bytes: storedZip(files), ending: 'official-neti.zip' };
  }
  const bytes = await mutex.run(() => writeTextualInversion(concept, bridge.backend));
  const lossy = isPlainWord(concept.config) ? '' : 'lossy.';
  return { bytes, ending: `${lossy}learned_embeds.safetensors` };
}

/** The super-category's embedding [D], as officially; that of an imported concept may be no word of this base. */
function placeholderEmbedding({ pipeline, mutex, bridge }: Studio, concept: Concept): Promise<Float32Array> {
  return mutex.run(async () => {
    try {
      return await pipeline.tokenEmbedding(pipeline.tokenizer.singleToken(concept.info.category));
    } catch (error) {
      if (!(error instanceof AppError && error.code.startsWith('category.'))) throw error;
      return averageWord(concept, bridge.backend);
    }
  });
}
