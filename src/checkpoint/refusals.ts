/**
 * Which file is a whole Stable Diffusion 1.x or 2.x, and what the others are: judged by the first bytes, the header of a safetensors file and
 * the file's size alone, whatever its name says.
 */
import { AppError } from '../lib/errors.ts';
import { KIND_BYTES, fileKind, kindWords, type FileKind } from '../lib/fileKind.ts';
import { fileSize } from '../lib/numbers.ts';
import { readHeader, type DType, type SafetensorsHeader } from '../lib/safetensors.ts';
import type { Tensors } from './ldmNames.ts';

const TRY = 'Stable Diffusion 1.x and 2.x open';

interface Kind {
  /** A tensor of such a file, by its name. */
  readonly name: RegExp;
  /** What it is, and what would help. */
  readonly is: string;
}

const teach = (what: string) =>
  `${what}: it changes a model and is none itself, so there is nothing to draw with. Merge it into its model with the program it is made for, or open that model alone.`;
const other = (what: string) =>
  `${what}, which is built otherwise than what this studio trains through. ${TRY}: choose one of those.`;

/** The first that fits; what is told apart by a picture's channels comes after (`CHANNELS`). */
const KINDS: readonly Kind[] = [
  {
    name: /(^|[._])lora([._]|$)|\.lora_[AB]\.|\.hada_w[12]|\.lokr_w[12]|\.oft_|\.dora_scale/i,
    is: teach('a LoRA or LyCORIS'),
  },
  {
    name: /^(control_model\.|controlnet_|input_hint_block\.|adapter\.)/,
    is: teach('a ControlNet or adapter'),
  },
  {
    name: /^(emb_params|clip_[lg]|string_to_param|<[^>]*>)$/,
    is: 'a textual inversion, a word rather than a model. Open its model here, then drop this file on the page: it becomes a concept.',
  },
  {
    name: /(^|\.)(double_blocks|single_blocks|single_transformer_blocks)\./,
    is: other('Flux or a relative of it'),
  },
  {
    name: /(^|\.)joint_blocks\.|^transformer_blocks\.\d+\.(attn\.add_[qkv]_proj|norm1_context)/,
    is: other('Stable Diffusion 3'),
  },
  {
    name: /(^|\.)(adaln_single|caption_projection|scale_shift_table|y_embedder|t_block)\b/,
    is: other('PixArt or another diffusion transformer'),
  },
  { name: /^conditioner\.embedders\.|^add_embedding\./, is: other('Stable Diffusion XL') },
  { name: /^depth_model\./, is: other('Stable Diffusion 2 depth') },
  {
    name: /\.label_emb\.|^class_embedding\.|^(embedder|noise_augmentor)\./,
    is: other('a Stable Diffusion that reads pictures or noise levels too (unCLIP, upscaler)'),
  },
  { name: /\.temporal_transformer\.|motion_modules|\.time_mixer/, is: other('a model of moving pictures') },
];

const CONV_IN = ['model.diffusion_model.input_blocks.0.0.weight', 'conv_in.weight'];

const CHANNELS: Readonly<Record<number, string>> = {
  9: 'made for inpainting: its U-Net reads a mask and a second picture (9 channels)',
  8: 'InstructPix2Pix or another editing model: its U-Net reads a second picture (8 channels)',
  7: 'an upscaler: its U-Net reads a small picture (7 channels)',
  5: 'Stable Diffusion 2 depth: its U-Net reads a depth map (5 channels)',
};

const QUANTISED: ReadonlySet<DType> = new Set([
  ...(['F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'] as const),
  ...(['F6_E2M3', 'F6_E3M2', 'F4', 'I8', 'U8'] as const),
]);
/** What is kept beside quantised numbers. */
const SCALES = /(^|\.)(absmax|quant_map|SCB|qweight|scale_weight|weight_scale(_\d)?|scale_input|scaled_fp8)$/;

/** Of files that are no safetensors. */
const NOT_TENSORS: Partial<Record<FileKind, string>> = {
  pickle:
    'a Python pickle (.ckpt, .pt, .bin), a program that may do anything. Save it as .safetensors: AUTOMATIC1111’s checkpoint merger, with one model and “No interpolation”, does that.',
  zip: 'a PyTorch pickle (.ckpt, .pt, .bin) or another zip. Save the model as .safetensors: AUTOMATIC1111’s checkpoint merger, with one model and “No interpolation”, does that.',
  gguf: 'GGUF, whose weights are quantised, and nothing can be trained through those exactly. Choose the model’s .safetensors in fp16.',
  unknown: 'encrypted or damaged: it begins like no model file. Download it again from its own page.',
};

function refused(name: string, what: string): AppError {
  return new AppError('checkpoint.refused', `“${name}” is ${what}`);
}

/** The header of a file that may be a model or a part of one, called `name`. Throws `checkpoint.refused`, `checkpoint.incomplete` and `safetensors.corrupt`. */
export async function readCheckpointHeader(file: Blob, name: string): Promise<SafetensorsHeader> {
  const head = new Uint8Array(await file.slice(0, KIND_BYTES).arrayBuffer());
  const kind = fileKind(head);
  // Of a download that has just begun there may be less than the bytes by which a file is known.
  if (kind === 'unknown' && isBeginning(head)) throw incomplete(name, file.size, Infinity);
  if (kind !== 'safetensors')
    throw refused(name, NOT_TENSORS[kind] ?? `${kindWords(kind)}. A model’s .safetensors would open.`);
  const claimed = 8 + Number(new DataView(head.buffer).getBigUint64(0, true));
  if (claimed > file.size) throw incomplete(name, file.size, claimed);
  const header = await readHeader(file);
  if (header.needs > file.size) throw incomplete(name, file.size, header.needs);
  return header;
}

/** A header's length, and no more than the brace that begins it. */
function isBeginning(head: Uint8Array): boolean {
  const isShort = head.length >= 4 && head.length <= 9;
  return isShort && head[2]! < 0x80 && head.subarray(3, 8).every((byte) => byte === 0);
}

function incomplete(name: string, found: number, needed: number): AppError {
  const sizes = needed < 1e12 ? `: ${fileSize(found)} of ${fileSize(needed)} are here` : '';
  return new AppError(
    'checkpoint.incomplete',
    `“${name}” is cut short or still being downloaded${sizes}. Wait until it is complete, or download it again.`,
  );
}

/** Throws `checkpoint.refused` for tensors of something that is no Stable Diffusion 1.x or 2.x. */
export function refuseOthers(tensors: Tensors, file: string): void {
  const names = [...tensors.keys()];
  const kind = KINDS.find(({ name }) => names.some((each) => name.test(each)));
  if (kind) throw refused(file, kind.is);
  const channels = CONV_IN.map((name) => tensors.get(name)?.shape[1]).find((count) => count !== undefined);
  if (channels !== undefined && channels !== 4)
    throw refused(
      file,
      `${CHANNELS[channels] ?? `made for pictures of ${channels} channels`}. ${TRY} that read four: choose the model it was made from.`,
    );
  const isQuantised = [...tensors].some(
    ([name, { dtype }]) => QUANTISED.has(dtype) && name.endsWith('weight'),
  );
  if (isQuantised || names.some((name) => SCALES.test(name)))
    throw refused(
      file,
      'quantised to 8 bits or fewer, and nothing can be trained through that exactly. Choose the same model in fp16.',
    );
}

/** What of a model a file holds. */
export type Contents = 'model' | 'vae';

/** Throws what `refuseOthers` throws, and `checkpoint.refused` for a lone U-Net or text encoder. */
export function contentsOf(tensors: Tensors, file: string): Contents {
  refuseOthers(tensors, file);
  const has = (pattern: RegExp) => [...tensors.keys()].some((name) => pattern.test(name));
  const words = has(/^cond_stage_model\./);
  if (has(/^model\.diffusion_model\./) && words) return 'model';
  if (has(/^model\.diffusion_model\./) || has(/^(down_blocks|mid_block|up_blocks)\./))
    throw refused(
      file,
      'the U-Net of a model without its text encoder. Choose the whole model, or its folder.',
    );
  if (has(/^(first_stage_model\.)?(encoder|decoder)\.conv_in\./)) return 'vae';
  if (words || has(/^(text_model|embeddings|transformer)\./))
    throw refused(
      file,
      'the text encoder of a model, without its U-Net. Choose the whole model, or its folder.',
    );
  if (isWord(tensors)) throw refused(file, KINDS.find(({ name }) => name.test('emb_params'))!.is);
  throw refused(
    file,
    `of tensors that belong to no model this studio knows (the first is “${[...tensors.keys()][0]?.slice(0, 60) ?? 'none'}”). ${TRY}.`,
  );
}

/** A few rows of numbers. */
function isWord(tensors: Tensors): boolean {
  return (
    tensors.size > 0 && tensors.size <= 4 && [...tensors.values()].every(({ shape }) => shape.length <= 2)
  );
}
