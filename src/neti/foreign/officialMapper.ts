/**
 * Reads the checkpoints of the official implementation (github.com/NeuralTextualInversion/NeTI): `mapper-*.pt`, a
 * `torch.save` of {"state_dict", "cfg", "encoder"} where `encoder` is a pickled module of one of two classes and `cfg` the run's
 * configuration. A mapper is whole by itself; the `learned_embeds-*.bin` beside it holds the embedding that its placeholder
 * gets in the tokenizer, which the mapper replaces, and is checked to belong to it.
 */
import { z } from '../../lib/zod.ts';
import { CONCEPT_KINDS } from '../../lib/conceptKind.ts';
import { AppError } from '../../lib/errors.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { PickledObject, type Pickled } from '../../lib/pickled.ts';
import { toFloat32 } from '../../lib/safetensors.ts';
import type { TorchFile } from '../../lib/torchFile.ts';
import { MAX_CONCEPT_BYTES } from '../limits.ts';
import { checkConfig, MAPPER_DEFAULTS, stateShapes, TIMESTEPS, type MapperConfig } from '../mapperConfig.ts';
import { checkFit, DEFAULT_CATEGORY, nameOf, type ForeignConcept, type OpenBase } from './foreignConcept.ts';
import { stepOf } from './word.ts';

export const POSITIONAL_ENCODER = 'models.positional_encoding.NeTIPositionalEncoding';
export const BASIC_ENCODER = 'models.positional_encoding.BasicEncoder';

const size = z.int().min(1);
const modelSchema = z.object({
  pretrained_model_name_or_path: z.string().max(300),
  use_nested_dropout: z.boolean(),
  nested_dropout_prob: z.number().min(0).max(1),
  target_norm: z.number().positive().nullable(),
  num_pe_time_anchors: size,
  output_bypass: z.boolean(),
});
const sigmasSchema = z.object({ sigma_t: z.number().positive(), sigma_l: z.number().positive() });
const dataSchema = z.object({
  placeholder_token: z.string().min(1).max(100),
  super_category_token: z.string().max(100).nullable().default(null),
  learnable_property: z.enum(CONCEPT_KINDS),
});
/** Defaults are those of the official RunConfig. */
const optimSchema = z.object({
  max_train_steps: z.int().min(0).nullable().default(null),
  learning_rate: z.number().positive().default(1e-3),
  scale_lr: z.boolean().default(true),
  train_batch_size: size.default(2),
  gradient_accumulation_steps: size.default(4),
  seed: z.int().nullable().default(null),
});

export function isOfficialMapper({ value }: TorchFile): boolean {
  return value instanceof Map && value.has('state_dict') && value.has('encoder');
}

/**
 * @param fileName tells the step, as in `mapper-steps-250.pt`
 * Throws `official.corrupt`, `torch.corrupt`, `mapper.config`, and `concept.width` when the mapper does not fit the base.
 */
export function readOfficialMapper(file: TorchFile, fileName: string, base: OpenBase): ForeignConcept {
  const cfg = mapOf(file.value, 'cfg');
  const data = section(dataSchema, cfg, 'data');
  const model = section(modelSchema, cfg, 'model');
  const optim = section(optimSchema, cfg, 'optim');
  const tensors = new MapperTensors(file);
  const config = configOf(tensors, model, section(sigmasSchema, mapOf(cfg, 'model'), 'pe_sigmas'));
  checkFit(config, base, model.pretrained_model_name_or_path);
  const batch = optim.scale_lr ? optim.train_batch_size * optim.gradient_accumulation_steps : 1;
  return {
    config,
    state: tensors.state(config),
    name: nameOf(data.placeholder_token, fileName),
    category: data.super_category_token || DEFAULT_CATEGORY,
    kind: data.learnable_property,
    step: stepOf(Number(/steps-(\d{1,9})/.exec(fileName)?.[1] ?? optim.max_train_steps ?? 0)),
    seed: optim.seed,
    learningRate: optim.learning_rate * batch,
    origin: { format: 'official-neti', files: [fileName], base: model.pretrained_model_name_or_path },
  };
}

/** Throws `official.partner` when the embedding file is of another concept than the mapper. */
export function checkPartner(mapper: TorchFile, embeds: TorchFile, embedsName: string): void {
  const { placeholder_token: placeholder } = section(dataSchema, mapOf(mapper.value, 'cfg'), 'data');
  const tokens = embeds.value instanceof Map ? [...embeds.value.keys()] : [];
  if (tokens.length === 1 && tokens[0] === placeholder) return;
  const found =
    tokens.length === 1 && typeof tokens[0] === 'string' ? `"${tokens[0].slice(0, 80)}"` : 'something else';
  throw new AppError(
    'official.partner',
    `The mapper belongs to the word "${placeholder}", but ${embedsName} holds ${found}. Choose the two files of one concept.`,
  );
}

/** The trained tensors by name, and `encoder.w` or the two tables of the encoder without frequencies. */
class MapperTensors {
  private readonly file: TorchFile;
  private readonly tensors: ReadonlyMap<Pickled, Pickled>;

  constructor(file: TorchFile) {
    this.file = file;
    this.tensors = new Map([...mapOf(file.value, 'state_dict'), ...encoderTensors(file.value)]);
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.file.shape(this.tensors.get(name), name);
  }

  /** What a mapper of this configuration needs; all shapes are checked before anything is copied. */
  state(config: MapperConfig): Map<string, Float32Array<ArrayBuffer>> {
    const shapes = stateShapes(config);
    for (const [name, shape] of shapes) this.checkShape(name, shape);
    // A few bytes can claim to be large tensors that repeat one number.
    const bytes = [...shapes.values()].reduce((sum, shape) => sum + 4 * sizeOf(shape), 0);
    if (bytes > MAX_CONCEPT_BYTES) throw corrupt(`its mapper has ${bytes} bytes, more than any concept`);
    return new Map([...shapes.keys()].map((name) => [name, this.values(name)]));
  }

  private checkShape(name: string, expected: readonly number[]): void {
    const found = this.shape(name);
    if (found.length === expected.length && found.every((extent, i) => extent === expected[i])) return;
    throw corrupt(`${name} has shape [${found.join(', ')}] instead of [${expected.join(', ')}]`);
  }

  private values(name: string): Float32Array<ArrayBuffer> {
    const values = toFloat32(this.file.tensor(this.tensors.get(name), name));
    if (values.every(Number.isFinite)) return values;
    throw corrupt(`${name} holds numbers that are not finite`);
  }
}

/** From a graphics card the encoder's tensors are plain attributes, otherwise parameters of the module. */
function encoderTensors(value: Pickled): [string, Pickled][] {
  const encoder = value instanceof Map ? value.get('encoder') : null;
  if (!(encoder instanceof PickledObject))
    throw corrupt('its encoder is not one of the two official classes');
  const attributes = encoder.state instanceof Map ? encoder.state : new Map<Pickled, Pickled>();
  const parameters = attributes.get('_parameters');
  const names = ENCODER_TENSORS.get(encoder.callable) ?? [];
  if (names.length === 0) throw corrupt('its encoder is not one of the two official classes');
  return names.map((name) => {
    const tensor = attributes.get(name) ?? (parameters instanceof Map ? parameters.get(name) : undefined);
    if (tensor === undefined) throw corrupt(`its encoder lacks ${name}`);
    return [`encoder.${name}`, tensor];
  });
}

const ENCODER_TENSORS: ReadonlyMap<string, readonly string[]> = new Map([
  [POSITIONAL_ENCODER, ['w']],
  [BASIC_ENCODER, ['normalized_timesteps', 'normalized_unet_layers']],
]);

/** What the configuration leaves to the base and to constants in the code is read off the tensors' shapes. */
function configOf(
  tensors: MapperTensors,
  model: z.infer<typeof modelSchema>,
  sigmas: z.infer<typeof sigmasSchema>,
): MapperConfig {
  const positionalEncoding = tensors.has('encoder.w');
  const rows = (name: string) => tensors.shape(name)[0] ?? 0;
  const anchors = model.num_pe_time_anchors;
  if (!positionalEncoding && rows('encoder.normalized_timesteps') !== TIMESTEPS) {
    throw corrupt(
      `its encoder knows ${rows('encoder.normalized_timesteps')} timesteps instead of ${TIMESTEPS}`,
    );
  }
  const config: MapperConfig = {
    ...MAPPER_DEFAULTS,
    layers: positionalEncoding ? rows('input_layer.bias') / anchors : rows('encoder.normalized_unet_layers'),
    contextWidth: rows('output_layer.0.bias') / (model.output_bypass ? 2 : 1),
    timeAnchors: anchors,
    hidden: rows('net.1.bias'),
    fourierFeatures: positionalEncoding ? rows('encoder.w') : MAPPER_DEFAULTS.fourierFeatures,
    sigmaTime: sigmas.sigma_t,
    sigmaLayer: sigmas.sigma_l,
    textualBypass: model.output_bypass,
    normScale: model.target_norm,
    positionalEncoding,
    nestedDropout: model.use_nested_dropout ? model.nested_dropout_prob : 0,
  };
  checkConfig(config);
  return config;
}

function mapOf(value: Pickled | ReadonlyMap<Pickled, Pickled>, key: string): ReadonlyMap<Pickled, Pickled> {
  const found = value instanceof Map ? value.get(key) : undefined;
  if (found instanceof Map) return found;
  throw corrupt(`it has no ${key}`);
}

/** The settings that the schema names; the others are left alone, whatever they hold. */
function section<T>(
  schema: z.ZodObject & z.ZodType<T>,
  parent: ReadonlyMap<Pickled, Pickled>,
  key: string,
): T {
  const found = mapOf(parent, key);
  const settings = Object.keys(schema.shape).map((name) => [name, found.get(name)] as const);
  const result = schema.safeParse(Object.fromEntries(settings));
  if (result.success) return result.data;
  throw corrupt(`its ${key} settings are wrong (${z.prettifyError(result.error).slice(0, 200)})`);
}

function corrupt(problem: string): AppError {
  return new AppError('official.corrupt', `This is not a checkpoint of the official NeTI code: ${problem}.`);
}
