/** Plans a model from files of the user's own disk that are no folder: one checkpoint, and a VAE's for one that has none. */
import { END_TOKEN } from '../diffusion/clipTokenizer.ts';
import { AppError } from '../lib/errors.ts';
import { configPath, layout } from '../lib/modelLayout.ts';
import { clipTokenizerFiles, MERGES } from './clipVocabulary.ts';
import { splitCheckpoint } from '../checkpoint/ldmNames.ts';
import { contentsOf, readCheckpointHeader } from '../checkpoint/refusals.ts';
import { makePlan, type ModelPlan, type PlannedFile } from './plan.ts';
import type { SafetensorsHeader } from '../lib/safetensors.ts';

/** Gives CLIP's merges as they ship with the page. */
export type ReadMerges = () => Promise<Uint8Array>;

const fetchMerges: ReadMerges = async () => new Uint8Array(await (await fetch(MERGES)).arrayBuffer());

interface Judged {
  readonly file: File;
  readonly header: SafetensorsHeader;
}

/**
 * Throws `checkpoint.refused` and `checkpoint.incomplete` for what is no model, saying what it is, `checkpoint.which` for several, and
 * `checkpoint.vae` for a model without one. Nothing but headers is read.
 */
export async function planFromFiles(
  files: readonly File[],
  readMerges: ReadMerges = fetchMerges,
): Promise<ModelPlan> {
  const { model, vae } = await judge(files);
  const { isOpenClip, vae: own, unet } = splitCheckpoint(model.header.tensors);
  if (own.size === 0 && !vae)
    throw new AppError(
      'checkpoint.vae',
      `“${model.file.name}” has no VAE, which makes pictures of what the model draws. Choose a VAE’s .safetensors together with it, such as vae-ft-mse-840000-ema-pruned.`,
    );
  const kind = kindOf(model, isOpenClip);
  const distilled = unet.has('time_embedding.cond_proj.weight')
    ? LCM
    : /turbo/i.test(model.file.name)
      ? TURBO
      : {};
  const words = clipTokenizerFiles(await readMerges(), isOpenClip ? '!' : END_TOKEN);
  const made: [string, string][] = [
    [layout.scheduler, JSON.stringify({ ...SCHEDULER, ...distilled, prediction_type: kind.prediction })],
    [configPath('unet'), JSON.stringify({ sample_size: kind.size })],
    ...words,
  ];
  const taken = own.size === 0 ? [planned(layout.otherVae, vae!.file)] : [];
  return makePlan({
    title: model.file.name.replace(/\.[^.]*$/, ''),
    source: { kind: 'folder', name: model.file.name },
    licence: null,
    files: [
      planned(layout.checkpoint, model.file),
      ...taken,
      // The same each time, so that a copy that was cut short is found again.
      ...made.map(([path, text]) => planned(path, new File([text], path, { lastModified: 0 }))),
    ],
    weights: [...model.header.tensors.values()].some(({ dtype }) => dtype === 'F32') ? null : 'half',
    notes: [kind.note],
  });
}

const planned = (path: string, from: File): PlannedFile => ({
  path,
  bytes: from.size,
  from,
  sha256: null,
  gitBlob: null,
});

async function judge(files: readonly File[]): Promise<{ model: Judged; vae: Judged | undefined }> {
  const judged = await Promise.all(
    files.map(async (file) => {
      const header = await readCheckpointHeader(file, file.name);
      return { file, header, contents: contentsOf(header.tensors, file.name) };
    }),
  );
  const [models, vaes] = [
    judged.filter((each) => each.contents === 'model'),
    judged.filter((each) => each.contents === 'vae'),
  ];
  const [model, ...others] = models;
  if (!model)
    throw new AppError(
      'checkpoint.refused',
      `“${judged[0]?.file.name}” is the VAE of a model. Choose it together with a model that has none.`,
    );
  if (others.length || vaes.length > 1)
    throw new AppError(
      'checkpoint.which',
      `These are several models: ${judged.map(({ file }) => `“${file.name}”`).join(', ')}. Choose one of them.`,
    );
  return { model, vae: vaes[0] };
}

/** What Stable Diffusion was trained with; a file does not say it. */
const SCHEDULER = {
  _class_name: 'DDIMScheduler',
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  clip_sample: false,
  set_alpha_to_one: false,
  steps_offset: 1,
};

/** How models that draw in a few steps are drawn with: one that was distilled with its guidance says so, another by its name at most. */
const LCM = { _class_name: 'LCMScheduler' };
const TURBO = { _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'trailing' };

interface Kind {
  readonly prediction: 'epsilon' | 'v_prediction';
  /** Side of the latents. */
  readonly size: number;
  readonly note: string;
}

/**
 * Neither names nor shapes tell what Stable Diffusion 2.x predicts and at which size: what its metadata (ModelSpec) or its file's
 * name says is taken, and else 768-v, as diffusers does.
 */
function kindOf({ file, header: { metadata } }: Judged, isOpenClip: boolean): Kind {
  const told = metadata.get('modelspec.prediction_type') ?? metadata.get('modelspec.architecture') ?? '';
  const isBase = told === '' ? /512|base|turbo/i.test(file.name) : /^epsilon|-512/.test(told);
  const from = told === '' ? 'as its file’s name suggests' : 'as its metadata says';
  const predictsNoise = isOpenClip ? isBase : !/^v/.test(told);
  const size = latentSide(metadata) ?? (isOpenClip && !isBase ? 96 : 64);
  const what = `Stable Diffusion ${isOpenClip ? '2' : '1'}.x that predicts ${predictsNoise ? 'noise' : 'v'} at ${8 * size} × ${8 * size}`;
  const why = !isOpenClip
    ? 'recognised from its weights'
    : told === '' && !isBase
      ? 'as most are: the file does not say'
      : from;
  return { prediction: predictsNoise ? 'epsilon' : 'v_prediction', size, note: `Taken for ${what}, ${why}.` };
}

/** Of the square resolution that ModelSpec's metadata state, if they do. */
function latentSide(metadata: ReadonlyMap<string, string>): number | null {
  const [, side = '', other] = /^(\d{2,4})x(\d{2,4})$/.exec(metadata.get('modelspec.resolution') ?? '') ?? [];
  const pixels = Number(side);
  return side === other && pixels % 64 === 0 && pixels >= 64 && pixels <= 1024 ? pixels / 8 : null;
}
