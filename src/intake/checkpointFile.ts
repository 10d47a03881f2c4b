/** Plans a model from files that are no folder, on this computer or elsewhere: one checkpoint, and a VAE's for one that has none. */
import { END_TOKEN } from '../diffusion/clipTokenizer.ts';
import { AppError } from '../lib/errors.ts';
import { configPath, layout } from '../lib/modelLayout.ts';
import { clipTokenizerFiles, MERGES } from './clipVocabulary.ts';
import { splitCheckpoint } from '../checkpoint/ldmNames.ts';
import { contentsOf, readCheckpointHeader, type Contents } from '../checkpoint/refusals.ts';
import type { Licence, ModelSource } from '../storage/modelRecords.ts';
import {
  makePlan,
  OpenQuestion,
  type ModelAnswers,
  type ModelPlan,
  type PlannedFile,
  type PredictionGuess,
} from './plan.ts';
import type { SafetensorsHeader } from '../lib/safetensors.ts';

/** Gives CLIP's merges as they ship with the page. */
export type ReadMerges = () => Promise<Uint8Array>;

const fetchMerges: ReadMerges = async () => new Uint8Array(await (await fetch(MERGES)).arrayBuffer());

/** A file that may be a model: its own name with its path where it was found, its start at least, and where all of it is. */
export interface LooseFile extends PlannedFile {
  readonly start: () => Promise<Blob>;
}

export interface LooseOptions extends ModelAnswers {
  readonly readMerges?: ReadMerges | undefined;
  /** Where the files were found; the chosen file's name where it is left out. */
  readonly source?: ModelSource;
  readonly licence?: Licence | null;
}

export function looseFile(file: File, path = file.name): LooseFile {
  return {
    path,
    bytes: file.size,
    from: file,
    sha256: null,
    gitBlob: null,
    start: () => Promise.resolve(file),
  };
}

interface Judged {
  readonly file: LooseFile;
  readonly header: SafetensorsHeader;
  readonly contents: Contents;
}

/**
 * Throws `checkpoint.refused` and `checkpoint.incomplete` for what is no model, saying what it is, and the OpenQuestion
 * `checkpoint.which` for several and `checkpoint.vae` for a model without one. Nothing but headers is read.
 */
export async function planFromFiles(
  files: readonly LooseFile[],
  { readMerges = fetchMerges, ...options }: LooseOptions = {},
): Promise<ModelPlan> {
  const { model, vaes } = chooseModel(await judgeAll(files), options.pick);
  const name = nameOf(model.file);
  const { isOpenClip, vae: own, unet } = splitCheckpoint(model.header.tensors);
  const taken = own.size === 0 ? [await otherVae(name, vaes, options.vae)] : [];
  const kind = kindOf(name, model.header.metadata, isOpenClip, options.guess);
  const distilled = unet.has('time_embedding.cond_proj.weight') ? LCM : /turbo/i.test(name) ? TURBO : {};
  const words = clipTokenizerFiles(await readMerges(), isOpenClip ? '!' : END_TOKEN);
  const made: [string, string][] = [
    [
      layout.scheduler,
      JSON.stringify({ ...SCHEDULER, ...distilled, prediction_type: kind.guess.prediction }),
    ],
    [configPath('unet'), JSON.stringify({ sample_size: kind.guess.resolution / 8 })],
    ...words,
  ];
  return makePlan({
    title: name.replace(/\.[^.]*$/, ''),
    source: options.source ?? { kind: 'folder', name },
    licence: options.licence ?? null,
    files: [
      planned(layout.checkpoint, model.file),
      ...taken.map((file) => planned(layout.otherVae, file)),
      // The same each time, so that a copy that was cut short is found again.
      ...made.map(([path, text]) => planned(path, looseFile(new File([text], path, { lastModified: 0 })))),
    ],
    weights: [...model.header.tensors.values()].some(({ dtype }) => dtype === 'F32') ? null : 'half',
    notes: [kind.note],
    guess: kind.guess,
  });
}

const planned = (path: string, { bytes, from, sha256, gitBlob }: LooseFile): PlannedFile => ({
  path,
  bytes,
  from,
  sha256,
  gitBlob,
});

const nameOf = ({ path }: LooseFile) => path.slice(path.lastIndexOf('/') + 1);

async function judge(file: LooseFile): Promise<Judged> {
  const name = nameOf(file);
  const header = await readCheckpointHeader(await file.start(), name);
  return { file, header, contents: contentsOf(header.tensors, name) };
}

/** What lies beside a model and is none (LoRAs, words) is set aside; where all is refused, the first says why. */
async function judgeAll(files: readonly LooseFile[]): Promise<Judged[]> {
  const found = await Promise.allSettled(files.map(judge));
  const refused = found.find((each) => each.status === 'rejected');
  const judged = found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (refused && !judged.some(({ contents }) => contents === 'model')) throw refused.reason;
  return judged;
}

function chooseModel(judged: readonly Judged[], pick: string | undefined) {
  const of = (wanted: Contents) => judged.filter(({ contents }) => contents === wanted);
  const models = of('model').filter(({ file }) => pick === undefined || file.path === pick);
  const [model, ...others] = models;
  if (!model)
    throw new AppError(
      'checkpoint.refused',
      `“${judged[0]?.file.path}” is the VAE of a model. Choose it together with a model that has none.`,
    );
  if (others.length)
    throw new OpenQuestion(
      'checkpoint.which',
      `These are several models: ${models.map(({ file }) => `“${file.path}”`).join(', ')}. Choose one of them.`,
      {
        kind: 'which',
        title: 'Several models lie here',
        choices: models.map(({ file }) => ({ name: file.path, bytes: file.bytes })),
      },
    );
  return { model, vaes: of('vae').map(({ file }) => file) };
}

/** The one beside the model, or the one that was chosen for it. */
async function otherVae(
  title: string,
  beside: readonly LooseFile[],
  answer: File | undefined,
): Promise<LooseFile> {
  if (answer) {
    const { file, contents } = await judge(looseFile(answer));
    if (contents === 'vae') return file;
    throw new AppError('checkpoint.refused', `“${answer.name}” is a whole model, not a VAE alone.`);
  }
  const [only, ...others] = beside;
  if (only && !others.length) return only;
  throw new OpenQuestion(
    'checkpoint.vae',
    `“${title}” has no VAE, which makes pictures of what the model draws. Choose a VAE’s .safetensors together with it, such as vae-ft-mse-840000-ema-pruned.`,
    { kind: 'vae', title },
  );
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
  readonly guess: PredictionGuess;
  readonly note: string;
}

/**
 * Neither names nor shapes tell what Stable Diffusion 2.x predicts and at which size: what the user says, its metadata (ModelSpec) or its
 * file's name is taken, and else 768-v, as diffusers does.
 */
function kindOf(
  name: string,
  metadata: ReadonlyMap<string, string>,
  isOpenClip: boolean,
  answer: PredictionGuess | undefined,
): Kind {
  const { why, ...found } = answer
    ? { ...answer, why: 'as you chose' }
    : guessFrom(name, metadata, isOpenClip);
  const predicted = found.prediction === 'epsilon' ? 'noise' : 'v';
  const what = `Stable Diffusion ${isOpenClip ? '2' : '1'}.x that predicts ${predicted} at ${found.resolution} × ${found.resolution}`;
  return { guess: found, note: `Taken for ${what}, ${why}.` };
}

function guessFrom(name: string, metadata: ReadonlyMap<string, string>, isOpenClip: boolean) {
  const told = metadata.get('modelspec.prediction_type') ?? metadata.get('modelspec.architecture') ?? '';
  const isBase = told === '' ? /512|base|turbo/i.test(name) : /^epsilon|-512/.test(told);
  const from = told === '' ? 'as its file’s name suggests' : 'as its metadata says';
  const predictsNoise = isOpenClip ? isBase : !/^v/.test(told);
  const prediction = predictsNoise ? ('epsilon' as const) : ('v_prediction' as const);
  const resolution = resolutionIn(metadata) ?? (isOpenClip && !isBase ? 768 : 512);
  const why = !isOpenClip
    ? 'recognised from its weights'
    : told === '' && !isBase
      ? 'as most are: the file does not say'
      : from;
  return { prediction, resolution, why };
}

/** Of the square resolution that ModelSpec's metadata state, if they do. */
function resolutionIn(metadata: ReadonlyMap<string, string>): number | null {
  const [, side = '', other] = /^(\d{2,4})x(\d{2,4})$/.exec(metadata.get('modelspec.resolution') ?? '') ?? [];
  const pixels = Number(side);
  return side === other && pixels % 64 === 0 && pixels >= 64 && pixels <= 1024 ? pixels : null;
}
