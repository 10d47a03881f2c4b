/**
 * Writes a concept as the official implementation's two files. Its CheckpointHandler loads `encoder` as a pickled module of its
 * own class and takes the norm and the mapper's parts from `cfg`, so both are written as torch 1.13 and pyrallis write them.
 */
import { AppError } from '../../lib/errors.ts';
import { PickledObject, PickledTuple, type Pickled } from '../../lib/pickled.ts';
import { orderedDictionary, TorchWriter } from '../../lib/torchWriter.ts';
import type { Concept } from '../conceptFile.ts';
import { parameterShapes, TIMESTEPS, type MapperConfig } from '../mapperConfig.ts';
import { BASIC_ENCODER, POSITIONAL_ENCODER } from './officialMapper.ts';
import { placeholderOf } from './inversionExport.ts';

export const OFFICIAL_MAPPER_NAME = 'mapper-final.pt';
export const OFFICIAL_EMBEDS_NAME = 'learned_embeds-final.bin';

/**
 * The two files by their official names.
 * @param embedding [D] for the placeholder in the tokenizer, officially that of the super-category; the mapper replaces it
 * Throws `official.variant` for concepts that the official mapper cannot express.
 */
export function writeOfficial(concept: Concept, embedding: Float32Array): Map<string, Uint8Array> {
  checkVariant(concept.config);
  const embeds = new TorchWriter();
  const word = embeds.tensor({ shape: [embedding.length], values: embedding });
  return new Map([
    [OFFICIAL_MAPPER_NAME, writeMapper(concept)],
    [OFFICIAL_EMBEDS_NAME, embeds.write(new Map([[placeholderOf(concept), word]]))],
  ]);
}

function checkVariant({ network, time, space }: MapperConfig): void {
  if (network && time && space) return;
  throw new AppError(
    'official.variant',
    'The official NeTI code has no concepts without a mapper, or blind to time or space. Export as textual inversion instead.',
  );
}

function writeMapper(concept: Concept): Uint8Array {
  const writer = new TorchWriter();
  return writer.write(
    new Map<Pickled, Pickled>([
      ['state_dict', stateDictionary(concept, writer)],
      ['cfg', configuration(concept)],
      ['encoder', encoder(concept, writer)],
    ]),
  );
}

/** The input layer is a member of its own and the first of `net`, so its two tensors stand there twice. */
function stateDictionary({ config, state }: Concept, writer: TorchWriter): Map<Pickled, Pickled> {
  const tensors = [...parameterShapes(config)].map(
    ([name, shape]) => [name, writer.tensor({ shape, values: state.get(name)! })] as const,
  );
  const again = tensors
    .filter(([name]) => name.startsWith('input_layer.'))
    .map(([name, tensor]) => [name.replace('input_layer', 'net.0'), tensor] as const);
  return new Map<Pickled, Pickled>([...tensors, ...again]);
}

function encoder({ config, state }: Concept, writer: TorchWriter): PickledObject {
  if (!config.positionalEncoding) return basicEncoder(config, writer);
  const { fourierFeatures, sigmaTime, sigmaLayer } = config;
  const w = writer.tensor({ shape: [fourierFeatures, 2], values: state.get('encoder.w')! });
  return moduleOf(POSITIONAL_ENCODER, [
    ['sigma_t', sigmaTime],
    ['sigma_l', sigmaLayer],
    ['num_w', fourierFeatures],
    ['w', w],
  ]);
}

/** Its tables scale timesteps and layers to −1 … 1. */
function basicEncoder({ layers }: MapperConfig, writer: TorchWriter): PickledObject {
  const table = (length: number) =>
    writer.tensor({
      shape: [length],
      values: Float32Array.from({ length }, (_, i) => (i / Math.max(1, length - 1)) * 2 - 1),
    });
  return moduleOf(BASIC_ENCODER, [
    ['normalized_timesteps', table(TIMESTEPS)],
    ['normalized_unet_layers', table(layers)],
  ]);
}

/** A torch module with these attributes, and those that every module has. */
function moduleOf(className: string, attributes: readonly (readonly [string, Pickled])[]): PickledObject {
  const hooks = [
    '_backward_hooks',
    '_forward_hooks',
    '_forward_pre_hooks',
    '_state_dict_hooks',
    '_load_state_dict_pre_hooks',
    '_load_state_dict_post_hooks',
  ].map((name) => [name, orderedDictionary()] as const);
  const emptySet = new PickledObject('__builtin__.set', new PickledTuple([[]]));
  const state = new Map<Pickled, Pickled>([
    ['training', false],
    ['_parameters', orderedDictionary()],
    ['_buffers', orderedDictionary()],
    ['_non_persistent_buffers_set', emptySet],
    ['_is_full_backward_hook', null],
    ...hooks,
    ['_modules', orderedDictionary()],
    ...attributes,
  ]);
  return new PickledObject(className, new PickledTuple([]), true, state);
}

/** A RunConfig as pyrallis encodes it; what the official code has a default for and a concept does not know is left out. */
function configuration(concept: Concept): Map<Pickled, Pickled> {
  const { info, training } = concept;
  return new Map<Pickled, Pickled>([
    ['log', dictionary({ exp_name: info.name })],
    [
      'data',
      dictionary({
        train_data_dir: '.',
        placeholder_token: placeholderOf(concept),
        super_category_token: info.category,
        learnable_property: info.kind,
      }),
    ],
    ['model', modelConfiguration(concept)],
    [
      'optim',
      dictionary({
        max_train_steps: info.step,
        ...(training.learningRate !== null && { learning_rate: training.learningRate, scale_lr: false }),
        seed: training.seed,
      }),
    ],
  ]);
}

function modelConfiguration({ config, info }: Concept): Map<Pickled, Pickled> {
  return dictionary({
    pretrained_model_name_or_path: info.imported?.base ?? info.baseId,
    use_nested_dropout: true,
    nested_dropout_prob: config.nestedDropout,
    normalize_mapper_output: config.normScale !== null,
    target_norm: config.normScale,
    use_positional_encoding: config.positionalEncoding,
    pe_sigmas: dictionary({ sigma_t: config.sigmaTime, sigma_l: config.sigmaLayer }),
    num_pe_time_anchors: config.timeAnchors,
    output_bypass: config.textualBypass,
  });
}

function dictionary(entries: Readonly<Record<string, Pickled>>): Map<Pickled, Pickled> {
  return new Map(Object.entries(entries));
}
