/**
 * The names in single files, which are those of the original LDM and OpenCLIP, as diffusers and transformers name the same weights.
 * Blocks are counted as they come, so that pruned models need no configuration.
 */
import type { PlacedTensor } from '../lib/safetensors.ts';

export type Tensors = ReadonlyMap<string, PlacedTensor>;

/** The tensors of each network by diffusers' names; none where the file lacks the network. */
export interface SplitCheckpoint {
  readonly unet: Tensors;
  readonly text: Tensors;
  readonly vae: Tensors;
  /** Whether the text encoder is OpenCLIP's, as in Stable Diffusion 2.x. */
  readonly isOpenClip: boolean;
}

const UNET = 'model.diffusion_model.';
const CLIP = 'cond_stage_model.transformer.';
const OPEN_CLIP = 'cond_stage_model.model.';
const VAE = 'first_stage_model.';

/** A whole model's networks; what belongs to none (averages of the training, schedules, losses) is left out. */
export function splitCheckpoint(tensors: Tensors): SplitCheckpoint {
  const openClip = below(tensors, OPEN_CLIP);
  return {
    unet: renamed(below(tensors, UNET), unetNames(tensors)),
    text: openClip.size ? openClipTensors(openClip) : clipTensors(below(tensors, CLIP)),
    vae: vaeTensors(below(tensors, VAE)),
    isOpenClip: openClip.size > 0,
  };
}

function below(tensors: Tensors, prefix: string): Tensors {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** Rules of renaming, applied one after another. */
type Rules = readonly (readonly [RegExp, string])[];

const apply = (rules: Rules, name: string) =>
  rules.reduce((changed, [pattern, replacement]) => changed.replace(pattern, replacement), name);

function renamed(tensors: Tensors, rules: Rules): Tensors {
  return new Map([...tensors].map(([name, tensor]) => [apply(rules, name), tensor]));
}

const UNET_ENDS: Rules = [
  [/^time_embed\.0\./, 'time_embedding.linear_1.'],
  [/^time_embed\.2\./, 'time_embedding.linear_2.'],
  [/^time_embed\.cond_proj\./, 'time_embedding.cond_proj.'],
  [/^input_blocks\.0\.0\./, 'conv_in.'],
  [/^out\.0\./, 'conv_norm_out.'],
  [/^out\.2\./, 'conv_out.'],
  [/^middle_block\.0\./, 'mid_block.resnets.0.'],
  [/^middle_block\.1\./, 'mid_block.attentions.0.'],
  [/^middle_block\.2\./, 'mid_block.resnets.1.'],
];

const RESNET: Rules = [
  [/\.in_layers\.0\./, '.norm1.'],
  [/\.in_layers\.2\./, '.conv1.'],
  [/\.emb_layers\.1\./, '.time_emb_proj.'],
  [/\.out_layers\.0\./, '.norm2.'],
  [/\.out_layers\.3\./, '.conv2.'],
  [/\.skip_connection\./, '.conv_shortcut.'],
];

/** LDM numbers all layers of a way through; one that changes the picture's size ends a block. */
function unetNames(tensors: Tensors): Rules {
  const has = (name: string) => tensors.has(`${UNET}${name}.weight`);
  const rules: (readonly [RegExp, string])[] = [];
  const rule = (old: string, name: string) =>
    rules.push([new RegExp(`^${old.replaceAll('.', '\\.')}\\.`), `${name}.`]);
  let [block, layer] = [0, 0];
  for (let i = 1; has(`input_blocks.${i}.0.op`) || has(`input_blocks.${i}.0.in_layers.0`); i++) {
    if (has(`input_blocks.${i}.0.op`)) {
      rule(`input_blocks.${i}.0.op`, `down_blocks.${block}.downsamplers.0.conv`);
      [block, layer] = [block + 1, 0];
      continue;
    }
    rule(`input_blocks.${i}.0`, `down_blocks.${block}.resnets.${layer}`);
    rule(`input_blocks.${i}.1`, `down_blocks.${block}.attentions.${layer++}`);
  }
  [block, layer] = [0, 0];
  for (let i = 0; has(`output_blocks.${i}.0.in_layers.0`); i++) {
    const size = [1, 2].find((place) => has(`output_blocks.${i}.${place}.conv`));
    if (size !== undefined) rule(`output_blocks.${i}.${size}.conv`, `up_blocks.${block}.upsamplers.0.conv`);
    rule(`output_blocks.${i}.0`, `up_blocks.${block}.resnets.${layer}`);
    rule(`output_blocks.${i}.1`, `up_blocks.${block}.attentions.${layer++}`);
    if (size !== undefined) [block, layer] = [block + 1, 0];
  }
  return [...UNET_ENDS, ...rules, ...RESNET];
}

/** A text encoder of transformers; older files say `text_model` or do not, as newer ones. */
export function clipTensors(tensors: Tensors): Tensors {
  return renamed(tensors, [[/^text_model\./, '']]);
}

const OPEN_CLIP_NAMES: Rules = [
  [/^positional_embedding$/, 'embeddings.position_embedding.weight'],
  [/^token_embedding\./, 'embeddings.token_embedding.'],
  [/^ln_final\./, 'final_layer_norm.'],
  [/^transformer\.resblocks\./, 'encoder.layers.'],
  [/\.ln_1\./, '.layer_norm1.'],
  [/\.ln_2\./, '.layer_norm2.'],
  [/\.mlp\.c_fc\./, '.mlp.fc1.'],
  [/\.mlp\.c_proj\./, '.mlp.fc2.'],
  [/\.attn\./, '.self_attn.'],
];

/** Stable Diffusion 2.x reads the last layer but one of ViT-H/14: the one numbered 23 is never run. */
const UNREAD_LAYER = 'encoder.layers.23.';

function openClipTensors(tensors: Tensors): Tensors {
  const own = [...renamed(tensors, OPEN_CLIP_NAMES)].filter(([name]) => !name.startsWith(UNREAD_LAYER));
  return new Map(own.flatMap(([name, tensor]) => splitFused(name, tensor)));
}

/** `in_proj` [3·D, …] holds the rows of queries, keys and values. */
function splitFused(name: string, tensor: PlacedTensor): [string, PlacedTensor][] {
  const match = /^(.*)\.in_proj_(weight|bias)$/.exec(name);
  if (!match) return [[name, tensor]];
  const [rows = 0, ...rest] = tensor.shape;
  const length = tensor.length / 3;
  return ['q_proj', 'k_proj', 'v_proj'].map((part, i) => [
    `${match[1]}.${part}.${match[2]}`,
    { ...tensor, shape: [rows / 3, ...rest], offset: tensor.offset + i * length, length },
  ]);
}

const VAE_NAMES: Rules = [
  [/\.norm_out\./, '.conv_norm_out.'],
  [/\.down\.(\d+)\.block\./, '.down_blocks.$1.resnets.'],
  [/\.down\.(\d+)\.downsample\.conv\./, '.down_blocks.$1.downsamplers.0.conv.'],
  [/\.mid\.block_1\./, '.mid_block.resnets.0.'],
  [/\.mid\.block_2\./, '.mid_block.resnets.1.'],
  [/\.mid\.attn_1\.norm\./, '.mid_block.attentions.0.group_norm.'],
  [/\.mid\.attn_1\.([qkv])\./, '.mid_block.attentions.0.to_$1.'],
  [/\.mid\.attn_1\.proj_out\./, '.mid_block.attentions.0.to_out.0.'],
  [/\.nin_shortcut\./, '.conv_shortcut.'],
  // Diffusers before 0.15.
  [/\.attentions\.0\.query\./, '.attentions.0.to_q.'],
  [/\.attentions\.0\.key\./, '.attentions.0.to_k.'],
  [/\.attentions\.0\.value\./, '.attentions.0.to_v.'],
  [/\.attentions\.0\.proj_attn\./, '.attentions.0.to_out.0.'],
];

/** An autoencoder under LDM's names, or under either of diffusers'. LDM counts the decoder's blocks from the picture's end. */
export function vaeTensors(tensors: Tensors): Tensors {
  const block = /\.up\.(\d+)\./;
  const last = Math.max(0, ...[...tensors.keys()].map((name) => Number(block.exec(name)?.[1] ?? 0)));
  const turned = [...tensors].map(([name, tensor]) => {
    const blocks = name.replace(block, (_, i: string) => `.up_blocks.${last - Number(i)}.`);
    const inner = blocks.replace(/^(decoder\.up_blocks\.\d+)\.block\./, '$1.resnets.');
    return [inner.replace('.upsample.conv.', '.upsamplers.0.conv.'), tensor] as const;
  });
  return renamed(new Map(turned), VAE_NAMES);
}
