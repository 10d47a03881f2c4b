/**
 * What crosses the worker boundary: plain, structured-clonable types and nothing else. The page speaks to the
 * worker through `StudioClient` (studioClient.ts); the worker implements `StudioWorker` (studioWorker.ts).
 * A concept always travels as the bytes of its concept file (safetensors), so what is stored, exported,
 * trained further and sampled is one and the same thing.
 */

import type { Pixels } from '../pictures/pixels.ts';
import type { PictureSettings } from '../storage/recipe.ts';
import type { PendingModel, StoredModel } from '../storage/modelRecords.ts';
import type { ModelUsage } from '../storage/modelStore.ts';
import type { EngineChoice } from '../ort/engine.ts';
import type { Provider } from '../ort/runtime.ts';
import type { BaseDefaults } from '../neti/baseDefaults.ts';
import type { ConceptKind } from '../lib/conceptKind.ts';
import type { TrainSettings } from '../neti/settings.ts';
import type { SpaceTime } from '../neti/spaceTime.ts';
import type { FolderFile } from '../intake/folder.ts';
import type { JudgedModel } from '../intake/knownModels.ts';
import type { ModelAnswers, ModelPlan, ModelQuestion } from '../intake/plan.ts';
import type { Preflight } from '../intake/preflight.ts';

/** What a base model knows, for suggestions and for marking unknown words. */
export interface Vocabulary {
  /** Null for a base that knows more words than can be listed. */
  readonly words: readonly string[] | null;
  readonly categories: readonly string[];
  readonly suggestions: readonly string[];
}

/** A set of pictures that ships with the base model, one click away. */
export interface SampleConcept {
  readonly name: string;
  readonly category: string;
  readonly kind: ConceptKind;
  readonly credit: string;
  /** Addresses. */
  readonly pictures: readonly string[];
  /** Addresses of the concept as it was taught and of what it draws of the prompt; null where it has to be taught. */
  readonly taught: { readonly file: string; readonly drawn: string; readonly prompt: string } | null;
}

export interface BaseModelInfo {
  readonly id: string;
  readonly title: string;
  /** Identifies it among the models kept in this browser; null for the one that ships here. */
  readonly keptId: string | null;
  /** Hex SHA-256 that concepts trained on this base carry. */
  readonly hash: string;
  /** Side of the square pictures, in pixels. */
  readonly resolution: number;
  readonly tokens: number;
  readonly layers: number;
  /** Of the noise schedule it was trained with. */
  readonly timesteps: number;
  readonly bytes: number;
  /** Whether a judge ships with it, so that pictures can be scored. */
  readonly judged: boolean;
  /** Whether a starting mapper ships with it, so that a training has a choice of starts. */
  readonly startingMapper: boolean;
  readonly defaults: BaseDefaults;
  readonly vocabulary: Vocabulary;
  readonly samples: readonly SampleConcept[];
}

export interface LoadProgress {
  /** `prepare`: the model is compiled for training, once, graph by graph. */
  readonly status: 'initiate' | 'progress' | 'done' | 'prepare' | 'ready';
  /** What of the model: a file's path or, where none is meant, plain words. */
  readonly part: string;
  /** Bytes of all files so far and altogether; of `prepare`, graphs. */
  readonly loaded: number;
  readonly total: number;
}

export interface OpenRequest {
  /** Address of the page's root, ending in a slash. */
  readonly root: string;
  readonly provider: Provider | 'auto';
  /** The kept model to open; null for the one that ships with the page. */
  readonly model: string | null;
}

/** Where a model is to be had, with what has been answered about it. */
export type ModelSourceRequest = ModelAnswers &
  (
    | { readonly kind: 'folder'; readonly files: readonly FolderFile[] }
    /** A repository of the Hugging Face Hub, by name or by its page's address; an empty revision means its own. */
    | { readonly kind: 'hub'; readonly name: string; readonly revision: string }
    /** A folder or a file, by any address; one of the Hub's pages is understood as that. */
    | { readonly kind: 'url'; readonly address: string }
  );

/** What a source offers, or what must be answered before that can be told. */
export type ModelAnswer = { readonly offer: ModelOffer } | { readonly question: ModelQuestion };

/** What getting a model would take, and what would come of it: known before anything of it is fetched. */
export interface ModelOffer {
  readonly plan: ModelPlan;
  readonly preflight: Preflight;
}

/** The models that this browser keeps, complete or on their way, and the space they take. */
export interface ModelList {
  readonly models: readonly StoredModel[];
  readonly pending: readonly PendingModel[];
  readonly usage: ModelUsage;
}

/** Well-known models with what will come of each on this computer. */
export type KnownModels = readonly JudgedModel[];

export interface Opened {
  readonly engine: EngineChoice;
  readonly base: BaseModelInfo;
}

export interface TrainRequest {
  readonly name: string;
  /** One word that is a single token of the base: the super-category. */
  readonly category: string;
  readonly kind: ConceptKind;
  /** 1 to `maxTrainingPictures` pictures of any size. */
  readonly pictures: readonly Pixels[];
  readonly settings: TrainSettings;
  /** A concept file to train further: its steps are counted on, its optimizer goes on where the file has its state. */
  readonly resume?: Uint8Array<ArrayBuffer>;
  /** Losses so far of this very training, which was cut short at `resume`: it is gone on with to its end. */
  readonly losses?: readonly number[];
}

/** A point of the loss curve: running mean and running standard deviation. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
  readonly spread: number;
}

export interface TrainProgress {
  readonly type: 'progress';
  /** Steps done and steps there will be, those of earlier sessions included. */
  readonly step: number;
  readonly steps: number;
  /** Mean squared error of the newest step. */
  readonly loss: number;
  /** The curve since the last progress. */
  readonly points: readonly LossPoint[];
  readonly picturesPerSecond: number;
  readonly secondsLeft: number;
}

/** All that a training needs to go on exactly, every few seconds: the concept with the optimizer's state, and one loss a step. */
export interface TrainCheckpoint {
  readonly type: 'checkpoint';
  readonly step: number;
  readonly concept: Uint8Array<ArrayBuffer>;
  readonly losses: readonly number[];
}

/** What the concept draws by now: `concept` can be taken as the result, but carries no optimizer state. */
export interface TrainPreview {
  readonly type: 'preview';
  readonly step: number;
  readonly pictures: readonly Pixels[];
  readonly concept: Uint8Array<ArrayBuffer>;
}

export type TrainEvent = TrainProgress | TrainPreview | TrainCheckpoint;

export interface TrainResult {
  readonly concept: Uint8Array<ArrayBuffer>;
  /** Steps the concept has been trained for, earlier sessions included. */
  readonly step: number;
  /** True when the user stopped before the last step; what was learned is in `concept`. */
  readonly stopped: boolean;
  readonly seconds: number;
  readonly losses: readonly number[];
}

/** A concept file to draw with. It crosses by reference, and is read only when the worker does not have the concept of that key yet. */
export interface ConceptSource {
  /** Another for any other content. */
  readonly key: string;
  readonly file: Blob;
}

/** Style mixing (NeTI, the fourth result). */
export interface Mixing {
  /** Gives the appearance. */
  readonly appearance: ConceptSource;
  /** Share of the sampling that the geometry concept has to itself, 0 … 1: the more, the more of it stays. */
  readonly start: number;
}

/** At most `MAX_MARKS` concepts together stand in the prompt. */
export interface GenerateRequest extends PictureSettings {
  /** Stands at `{}`; null for a prompt without it. */
  readonly concept: ConceptSource | null;
  /** Those that the prompt calls by name, one a mark, in its order. */
  readonly named: readonly ConceptSource[];
  /** Mixes a second concept in at `{}`; `concept` then gives the geometry and must be there. */
  readonly mixing: Mixing | null;
  /** One picture a seed. */
  readonly seeds: readonly number[];
}

export interface GenerateProgress {
  readonly step: number;
  readonly steps: number;
  readonly secondsLeft: number;
}

export interface GenerateResult {
  readonly pictures: readonly Pixels[];
  readonly seconds: number;
}

/** How much a picture attends to a word at each of side × side places, the mean over layers and timesteps; all tokens together are 1. */
export interface WordAttention {
  /** `{}` or `{name}` for a concept. */
  readonly text: string;
  readonly map: Float32Array;
}

export interface Attention {
  readonly side: number;
  readonly words: readonly WordAttention[];
}

export interface ScoreRequest {
  readonly pictures: readonly Pixels[];
  /** What the pictures should show, in plain words: without `{}`. */
  readonly prompt: string;
  /** The concept's own pictures; without any there is no likeness. */
  readonly given: readonly Pixels[];
}

/** How the model sees a picture: through its VAE and back. */
export interface Reconstruction {
  readonly picture: Pixels;
  /** Peak signal-to-noise ratio in dB against the picture at the model's resolution. */
  readonly psnr: number;
}

/** A map is coloured along the principal components of `axesOf`, so that those of one training can be compared. */
export interface SpaceTimeRequest {
  readonly concept: ConceptSource;
  readonly axesOf: ConceptSource;
}

export interface SpaceTimeMap extends SpaceTime {
  readonly category: string;
  /** Side of each layer's feature map, in the U-Net's order. */
  readonly sides: readonly number[];
}

/** A place on a concept's map; layers count from 0. */
export interface NearWordsRequest {
  readonly concept: ConceptSource;
  readonly timestep: number;
  readonly layer: number;
}

export interface PromptCheck {
  readonly tokens: number;
  /** Those of them that stand at marks. */
  readonly conceptTokens: number;
  readonly maxTokens: number;
}

/** For other programs: the official NeTI code's two files as a zip, or a word, which holds all of a textual inversion. */
export type ExportFormat = 'official-neti' | 'textual-inversion';

export interface ExportedConcept {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How the file's name ends, behind the concept's name. */
  readonly ending: string;
}
