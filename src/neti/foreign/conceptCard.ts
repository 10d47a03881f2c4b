/**
 * AUTOMATIC1111's embedding cards: a PNG that carries a textual inversion as Base64 of JSON in a text chunk,
 * {"string_to_param": {"*": {"TORCHTENSOR": [[…], …]}}, "name", "step", "sd_checkpoint_name"}.
 */
import { z } from '../../lib/zod.ts';
import { CARD_KEYWORD, readPngText } from '../../pictures/pngText.ts';
import type { ForeignConcept, OpenBase } from './foreignConcept.ts';
import { corruptInversion, stepOf, wordToConcept } from './word.ts';

const vectorsSchema = z.array(z.array(z.number())).min(1).max(1000);
const cardSchema = z.object({
  string_to_param: z.record(z.string(), z.object({ TORCHTENSOR: vectorsSchema })),
  name: z.string().max(200).catch(''),
  step: z.number().nullable().catch(null),
  sd_checkpoint_name: z.string().max(200).nullable().catch(null),
});

/** Throws `inversion.corrupt` for a picture without a card in it or with a damaged one, and as `wordToConcept`. */
export function readConceptCard(png: Uint8Array, fileName: string, base: OpenBase): ForeignConcept {
  const { string_to_param: parameters, name, step, sd_checkpoint_name: namedBase } = parse(png);
  const [vectors] = Object.values(parameters).map(({ TORCHTENSOR }) => TORCHTENSOR);
  const width = vectors?.[0]?.length ?? 0;
  if (vectors?.every((row) => row.length === width) !== true)
    throw corruptInversion('its rows differ in length');
  const values = Float32Array.from(vectors.flat());
  const tensor = {
    dtype: 'F32',
    shape: [vectors.length, width],
    bytes: new Uint8Array(values.buffer),
  } as const;
  const word = { shape: tensor.shape, tensor: () => tensor, name, step: stepOf(step), namedBase };
  return wordToConcept(word, fileName, base);
}

function parse(png: Uint8Array): z.infer<typeof cardSchema> {
  const text = readPngText(png, CARD_KEYWORD);
  if (text === null) throw corruptInversion('it is a picture without a concept in it');
  try {
    return cardSchema.parse(JSON.parse(atob(text)));
  } catch {
    throw corruptInversion('the concept in the picture is damaged');
  }
}
