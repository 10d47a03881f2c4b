/** Files of tensors that are no textual inversion: what they are is told by the names that their makers give. */
import { AppError } from '../../lib/errors.ts';

interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What a tensor's name gives away, the first that fits; each completes "This file is …". */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [
    /^clip_[lg]$/,
    'a textual inversion for Stable Diffusion XL, which has two text encoders; this studio has one',
  ],
  [
    /lora|\.hada_w[12]_|\.lokr_w[12]/i,
    'a LoRA, which changes the weights of a model instead of teaching it a word',
  ],
  [/^control_model\.|^controlnet_/, 'a ControlNet'],
  [
    /^(model\.diffusion_model|cond_stage_model|first_stage_model)\./,
    'a whole model: open it under the name of the model at the top',
  ],
  [/^(down_blocks|mid_block|up_blocks)\./, 'the U-Net of a model'],
  [/^(encoder|decoder)\.(conv_in|down|up|mid)/, 'the VAE of a model'],
  [/^(text_model|transformer\.text_model)\./, 'the text encoder of a model'],
];

/** Throws `inversion.unsupported`, saying what the file is, unless each tensor may be a word: rows of numbers under its name. */
export function refuseOtherKind(
  tensors: readonly NamedShape[],
  metadata: ReadonlyMap<string, string> = new Map(),
): void {
  const names = [...tensors.map(({ name }) => name), ...(metadata.get('ss_network_module') ?? '').split(' ')];
  const [, kind] = KINDS.find(([pattern]) => names.some((name) => pattern.test(name))) ?? [];
  if (kind !== undefined)
    throw new AppError(
      'inversion.unsupported',
      `This file is ${kind}. Concepts of this studio, official NeTI checkpoints and textual inversions are imported.`,
    );
  const odd = tensors.find(({ shape }) => shape.length === 0 || shape.length > 2);
  if (odd === undefined) return;
  throw new AppError(
    'inversion.unsupported',
    `This file holds “${odd.name.slice(0, 60)}” of shape [${odd.shape.join(', ')}], which is no word’s vectors [D] or [V, D]: it is no textual inversion.`,
  );
}
