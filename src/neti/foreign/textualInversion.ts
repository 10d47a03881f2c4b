/**
 * Textual-inversion files, as Stable Diffusion's programs exchange them, words of V vectors of D numbers each:
 *   diffusers    {"<token>": [D] or [V, D], …}, safetensors or torch
 *   AUTOMATIC1111 {"string_to_param": {"*": [V, D]}, "name", "step", "sd_checkpoint_name"}, torch; or the same in a picture (conceptCard.ts)
 *   kohya        {"emb_params": [V, D]}, safetensors
 * A word takes V tokens of the prompt, one for each of its vectors. A file of several words makes several concepts.
 */
import { AppError } from '../../lib/errors.ts';
import { numberOf } from '../../lib/numpyPickle.ts';
import { PickledObject, type Pickled } from '../../lib/pickled.ts';
import type { Safetensors } from '../../lib/safetensors.ts';
import { isTensor, type TorchFile } from '../../lib/torchFile.ts';
import type { ForeignConcept, OpenBase } from './foreignConcept.ts';
import { refuseOtherKind } from './otherKinds.ts';
import { corruptInversion, stem, stepOf, wordToConcept, type Word } from './word.ts';

/** torch 1.11 and before: AUTOMATIC1111's first files hold the vector in one. */
export const PARAMETER_DICTIONARY = 'torch.nn.modules.container.ParameterDict';
const KOHYA = 'emb_params';
/** Most words of one file. */
const MAX_WORDS = 100;

/** Throws `inversion.unsupported` for what is no textual inversion, by its name, and as `wordToConcept`. */
export function readTextualInversion(file: Safetensors, fileName: string, base: OpenBase): ForeignConcept[] {
  const { tensors, metadata } = file;
  const shapes = [...tensors].map(([name, { shape }]) => ({ name, shape }));
  refuseOtherKind(shapes, metadata);
  const entries = tensors.has(KOHYA) ? [[stem(fileName), tensors.get(KOHYA)!] as const] : [...tensors];
  const words = entries.map(([name, tensor]) => {
    return { shape: tensor.shape, tensor: () => tensor, name, step: 0, namedBase: null };
  });
  return toConcepts(words, fileName, base);
}

/** As `readTextualInversion`, from a torch file; throws `inversion.corrupt` where there is no word. */
export function readTorchInversion(file: TorchFile, fileName: string, base: OpenBase): ForeignConcept[] {
  const contents = file.value instanceof Map ? file.value : new Map<Pickled, Pickled>();
  const parameters = parametersOf(contents.get('string_to_param'));
  const state = contents.get('state_dict');
  const found = parameters ?? (state instanceof Map ? state : contents);
  const tensors = [...found].flatMap(([token, value]) =>
    typeof token === 'string' && isTensor(value) ? [{ name: token, value }] : [],
  );
  refuseOtherKind(tensors.map(({ name, value }) => ({ name, shape: file.shape(value, 'the word') })));
  const text = (key: string) => (parameters ? textOf(contents.get(key)) : null);
  const words = tensors.map(({ name, value }): Word => {
    return {
      shape: file.shape(value, 'the word'),
      tensor: () => file.tensor(value, 'the word'),
      name: tensors.length === 1 ? (text('name') ?? name) : name,
      step: stepOf(numberOf(contents.get('step'))),
      namedBase: text('sd_checkpoint_name'),
    };
  });
  return toConcepts(words, fileName, base);
}

function toConcepts(words: readonly Word[], fileName: string, base: OpenBase): ForeignConcept[] {
  if (words.length === 0) throw corruptInversion('expected the vectors of a word, found none');
  if (words.length > MAX_WORDS)
    throw new AppError(
      'inversion.unsupported',
      `This file holds ${words.length} words; at most ${MAX_WORDS} are imported at once. Save fewer in one file.`,
    );
  return words.map((word) => wordToConcept(word, fileName, base));
}

function parametersOf(value: Pickled | undefined): Map<Pickled, Pickled> | null {
  if (!(value instanceof PickledObject)) return value instanceof Map ? value : null;
  const inner = value.state instanceof Map ? value.state.get('_parameters') : null;
  if (value.callable === PARAMETER_DICTIONARY && inner instanceof Map) return inner;
  throw corruptInversion('its string_to_param is no dictionary');
}

function textOf(value: Pickled | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : null;
}
