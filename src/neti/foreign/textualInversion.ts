/**
 * Textual-inversion files, as Stable Diffusion's programs exchange them, a word of V vectors of D numbers each:
 *   diffusers    {"<token>": [D] or [V, D]}, safetensors or torch
 *   AUTOMATIC1111 {"string_to_param": {"*": [V, D]}, "name", "step", "sd_checkpoint_name"}, torch
 *   kohya        {"emb_params": [V, D]}, safetensors
 * A word takes V tokens of the prompt, one for each of its vectors. A concept file holds them as a table [D, V].
 */
import { AppError } from '../../lib/errors.ts';
import { PickledObject, type Pickled } from '../../lib/pickled.ts';
import { toFloat32, writeSafetensors, type Safetensors, type StoredTensor } from '../../lib/safetensors.ts';
import { isTensor, type TorchFile } from '../../lib/torchFile.ts';
import type { Backend } from '../../gpu/backend.ts';
import { Tape } from '../../gpu/tape.ts';
import type { Concept } from '../conceptFile.ts';
import { Mapper } from '../mapper.ts';
import { checkRoom, isPlainWord, TIMESTEPS } from '../mapperConfig.ts';
import { variantConfig } from '../variants.ts';
import { checkFit, DEFAULT_CATEGORY, nameOf, type ForeignConcept, type OpenBase } from './foreignConcept.ts';

/** torch 1.11 and before: AUTOMATIC1111's first files hold the vector in one. */
export const PARAMETER_DICTIONARY = 'torch.nn.modules.container.ParameterDict';
const KOHYA = 'emb_params';
/** A mapper's word vectors are averaged over this many evenly spaced timesteps, and all layers. */
const AVERAGED_TIMESTEPS = 50;

interface Word {
  readonly shape: readonly number[];
  /** Copied only once the shape was found to fit: a few bytes may claim to be a large tensor. */
  readonly tensor: () => StoredTensor;
  readonly name: string;
  readonly step: number;
  readonly namedBase: string | null;
}

/** Whether a safetensors file that is no concept of ours may hold a textual inversion. */
export function isTextualInversion({ tensors }: Safetensors): boolean {
  return tensors.has(KOHYA) || tensors.has('clip_l') || tensors.size === 1;
}

/**
 * Throws `inversion.unsupported`, `concept.width` when the vectors do not fit the base, and `concept.vectors` when there are more
 * than its prompts have room for.
 */
export function readTextualInversion(file: Safetensors, fileName: string, base: OpenBase): ForeignConcept {
  if (file.tensors.has('clip_l') || file.tensors.has('clip_g')) {
    throw unsupported('it is made for Stable Diffusion XL, which has two text encoders');
  }
  const kohya = file.tensors.get(KOHYA);
  const [token, tensor] = kohya ? [stem(fileName), kohya] : [...file.tensors][0]!;
  const name = nameOf(token, stem(fileName));
  const word = { shape: tensor.shape, tensor: () => tensor, name, step: 0, namedBase: null };
  return toConcept(word, fileName, base);
}

/** As `readTextualInversion`, from a torch file; throws `inversion.corrupt` where there is no word. */
export function readTorchInversion(file: TorchFile, fileName: string, base: OpenBase): ForeignConcept {
  const contents = file.value instanceof Map ? file.value : new Map<Pickled, Pickled>();
  const parameters = parametersOf(contents.get('string_to_param'));
  const words = [...(parameters ?? contents)].filter(([, value]) => isTensor(value));
  const [token, value] = words[0] ?? [];
  if (typeof token !== 'string' || words.length !== 1) {
    throw corrupt(`expected the vectors of one word, found ${words.length}`);
  }
  const text = (key: string) => (parameters ? textOf(contents.get(key)) : null);
  const [name, step] = [text('name') ?? token, contents.get('step')];
  const word = {
    shape: file.shape(value, 'the word'),
    tensor: () => file.tensor(value, 'the word'),
    name: nameOf(name, stem(fileName)),
    step: typeof step === 'number' && Number.isSafeInteger(step) && step >= 0 ? Math.min(step, 1e9) : 0,
    namedBase: text('sd_checkpoint_name'),
  };
  return toConcept(word, fileName, base);
}

function parametersOf(value: Pickled | undefined): Map<Pickled, Pickled> | null {
  if (!(value instanceof PickledObject)) return value instanceof Map ? value : null;
  const inner = value.state instanceof Map ? value.state.get('_parameters') : null;
  if (value.callable === PARAMETER_DICTIONARY && inner instanceof Map) return inner;
  throw corrupt('its string_to_param is no dictionary');
}

function textOf(value: Pickled | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 200) : null;
}

function stem(fileName: string): string {
  return (
    fileName
      .replace(/\.[^.]*$/, '')
      .slice(0, 200)
      .trim() || 'word'
  );
}

function toConcept(
  { shape, tensor, name, step, namedBase }: Word,
  fileName: string,
  base: OpenBase,
): ForeignConcept {
  const [vectors, width] = shape.length === 1 ? [1, shape[0]] : shape;
  if (shape.length > 2 || !vectors || !width) {
    throw corrupt(`expected vectors of shape [D] or [V, D], found [${shape.join(', ')}]`);
  }
  checkFit({ contextWidth: width }, base, namedBase);
  checkRoom(vectors, base.tokens);
  const word = toFloat32(tensor());
  if (!word.every(Number.isFinite)) throw corrupt('it holds numbers that are not finite');
  return {
    config: { ...variantConfig('textual-inversion', base.layers, word.subarray(0, width)), vectors },
    state: new Map([['vectors', transposed(word, vectors)]]),
    name,
    category: DEFAULT_CATEGORY,
    kind: 'object',
    step,
    seed: null,
    learningRate: null,
    origin: { format: 'textual-inversion', files: [fileName], base: namedBase },
  };
}

/**
 * The concept as a word in diffusers' format, which the other programs read too: a textual inversion to the bit, with all of its
 * vectors; any other as the mean of its vectors, which loses what sets NeTI apart, and the metadata say so.
 */
export async function writeTextualInversion(
  concept: Concept,
  backend: Backend,
): Promise<Uint8Array<ArrayBuffer>> {
  const { vectors, contextWidth } = concept.config;
  const isExact = isPlainWord(concept.config);
  const values = isExact
    ? transposed(concept.state.get('vectors')!, contextWidth)
    : await averageWord(concept, backend);
  const lossy =
    `Lossy: the mean of the word vectors of a NeTI concept over ${AVERAGED_TIMESTEPS} timesteps and all layers, ` +
    'scaled to their mean norm; the textual bypass is left out.';
  const metadata = new Map([
    ['modelspec.sai_model_spec', '1.0.1'],
    ['modelspec.title', concept.info.name],
    ['modelspec.architecture', `${concept.info.baseId}/textual-inversion`],
    ['modelspec.description', isExact ? 'The word vectors of a concept.' : lossy],
    ['neti.lossy', `${!isExact}`],
  ]);
  return writeSafetensors(
    new Map([[placeholderOf(concept), { shape: [vectors, contextWidth], values }]]),
    metadata,
  );
}

/** "<name>", in which a tokenizer finds no word it knows. */
export function placeholderOf({ info }: Concept): string {
  return `<${info.name.trim().replace(/\s+/g, '-').replace(/[<>]/g, '')}>`;
}

/** Rows [R, C] as [C, R]. */
function transposed(values: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const columns = values.length / rows;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/**
 * Word vectors [V, D] for all of a concept: each the mean of v_base(t, l) over 50 evenly spaced timesteps and all layers with every
 * hidden unit kept, scaled to the mean of ‖v_base(t, l)‖, since a mean of vectors is shorter than they are.
 */
export async function averageWord(
  { config, state }: Concept,
  backend: Backend,
): Promise<Float32Array<ArrayBuffer>> {
  const mapper = new Mapper(backend, config, state);
  const tape = new Tape(backend);
  const rows = Array.from({ length: AVERAGED_TIMESTEPS * config.layers }, (_, i) => i);
  const spacing = TIMESTEPS / AVERAGED_TIMESTEPS;
  try {
    const { base } = mapper.forward(
      tape,
      rows.map((i) => Math.floor(i / config.layers) * spacing + spacing - 1),
      rows.map((i) => i % config.layers),
    );
    const [found, stride] = [await backend.download(base.buffer), config.vectors * config.contextWidth];
    const means = Array.from({ length: config.vectors }, (_, v) =>
      meanOfRows(found.subarray(v * config.contextWidth), config.contextWidth, stride),
    );
    return Float32Array.from(means.flatMap((mean) => [...mean]));
  } finally {
    tape.dispose();
    mapper.release();
  }
}

/** Mean of the rows [D] that begin every `stride` numbers, scaled to the mean of the rows' norms. */
function meanOfRows(rows: Float32Array, width: number, stride: number): Float32Array<ArrayBuffer> {
  const mean = new Float64Array(width);
  const count = Math.ceil(rows.length / stride);
  let norm = 0;
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * stride, r * stride + width);
    row.forEach((value, i) => (mean[i]! += value / count));
    norm += Math.hypot(...row) / count;
  }
  const length = Math.hypot(...mean);
  return Float32Array.from(mean, (value) => (length === 0 ? 0 : (value * norm) / length));
}

function corrupt(problem: string): AppError {
  return new AppError('inversion.corrupt', `This is not a textual inversion: ${problem}.`);
}

function unsupported(problem: string): AppError {
  return new AppError('inversion.unsupported', `This textual inversion cannot be used here: ${problem}.`);
}
