/**
 * What crosses the worker boundary, as plain, structured-clonable types, and the page's view of the worker: it speaks to it
 * through `StudioClient` (client.ts), which the worker answers as `StudioWorker` (studioWorker.ts).
 * A concept always travels as the bytes of its concept file (safetensors), so what is stored, exported,
 * trained further and sampled is one and the same thing.
 */

import type { SamplerName } from '../diffusion/scheduler.ts';
import type { Scores } from '../diffusion/judge.ts';
import type { Pixels } from '../lib/pixels.ts';
import type { PictureSettings } from '../storage/recipe.ts';
import type { ModelSource, PendingModel, StoredModel } from '../storage/modelRecords.ts';
import type { ModelUsage } from '../storage/modelStore.ts';
import type { EngineChoice } from '../ort/engine.ts';
import type { Provider } from '../ort/runtime.ts';
import type { ConceptInfo, ImportOrigin } from '../neti/conceptMetadata.ts';
import type { NamedFile } from '../neti/foreign/importConcept.ts';
import type { BaseDefaults } from '../neti/baseDefaults.ts';
import type { ConceptKind, TrainSettings } from '../neti/settings.ts';
import type { FolderFile } from './intake/folder.ts';
import type { ModelPlan } from './intake/plan.ts';
import type { Preflight, Verdict } from './intake/preflight.ts';
import type { IntakeProgress } from './intake/progress.ts';

export type { Pixels, Scores };

export type { IntakeProgress, ModelPlan, ModelSource, PendingModel, Preflight, StoredModel, Verdict };

export type { Provider };

/** Which engine runs the model, and why: shown to the user. */
export type EngineInfo = EngineChoice;

/** What a base model knows, for suggestions and for marking unknown words. */
export interface Vocabulary {
  /** Null for a base that knows more words than can be listed. */
  readonly words: readonly string[] | null;
  readonly categories: readonly string[];
  readonly suggestions: readonly string[];
}

/** A set of pictures that ships with the base model, one click away. URLs are relative to the page. */
export interface SampleConcept {
  readonly name: string;
  readonly category: string;
  readonly kind: ConceptKind;
  readonly credit: string;
  readonly pictures: readonly string[];
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
  readonly bytes: number;
  /** Whether a judge ships with it, so that pictures can be scored. */
  readonly judged: boolean;
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

/** Where a model is to be had. */
export type ModelSourceRequest =
  | { readonly kind: 'folder'; readonly files: readonly FolderFile[] }
  /** A repository of the Hugging Face Hub, by name or by its page's address; an empty revision means its own. */
  | { readonly kind: 'hub'; readonly name: string; readonly revision: string }
  | { readonly kind: 'url'; readonly address: string };

/** What getting a model would take, and what would come of it: known before anything of it is fetched. */
export interface ModelOffer {
  readonly plan: ModelPlan;
  readonly preflight: Preflight;
}

/** The models that this browser keeps, complete or on their way, and the space they take. */
export interface ModelShelfInfo {
  readonly models: readonly StoredModel[];
  readonly pending: readonly PendingModel[];
  readonly usage: ModelUsage;
}

export interface Opened {
  readonly engine: EngineInfo;
  readonly base: BaseModelInfo;
}

export type { BaseDefaults, ConceptKind, TrainSettings };

export interface TrainRequest {
  readonly name: string;
  /** One word that is a single token of the base: the super-category. */
  readonly category: string;
  readonly kind: ConceptKind;
  /** 1 to 20 pictures of any size. */
  readonly pictures: readonly Pixels[];
  readonly settings: TrainSettings;
  /** A concept file to train further: its steps are counted on, its optimizer goes on where the file has its state. */
  readonly resume?: Uint8Array<ArrayBuffer>;
}

export interface TrainProgress {
  readonly type: 'progress';
  /** Steps done and steps there will be, those of earlier sessions included. */
  readonly step: number;
  readonly steps: number;
  /** Mean squared error of this step, its running mean and the running standard deviation. */
  readonly loss: number;
  readonly smoothedLoss: number;
  readonly spread: number;
  readonly picturesPerSecond: number;
  readonly secondsLeft: number;
}

/** A checkpoint with what it can draw: `concept` can be taken as the result, but carries no optimizer state. */
export interface TrainPreview {
  readonly type: 'preview';
  readonly step: number;
  readonly pictures: readonly Pixels[];
  readonly concept: Uint8Array<ArrayBuffer>;
}

export type TrainEvent = TrainProgress | TrainPreview;

export interface TrainResult {
  readonly concept: Uint8Array<ArrayBuffer>;
  /** Steps the concept has been trained for, earlier sessions included. */
  readonly step: number;
  /** True when the user stopped before the last step; what was learned is in `concept`. */
  readonly stopped: boolean;
  readonly seconds: number;
  readonly losses: readonly number[];
}

export type { SamplerName };

/** Style mixing (NeTI, the fourth result). */
export interface Mixing {
  /** The concept file that gives the appearance. */
  readonly appearance: Uint8Array<ArrayBuffer>;
  /** Share of the sampling that the geometry concept has to itself, 0 … 1: the more, the more of it stays. */
  readonly start: number;
}

/** The prompt has exactly one `{}` when `concept` is given, none otherwise. */
export interface GenerateRequest extends PictureSettings {
  readonly concept: Uint8Array<ArrayBuffer> | null;
  /** Mixes a second concept in; `concept` then gives the geometry and must be there. */
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

export type { ConceptInfo };

export interface PromptCheck {
  readonly tokens: number;
  /** Those of them that stand at `{}`: none without it. */
  readonly conceptTokens: number;
  readonly maxTokens: number;
}

export type { ImportOrigin, NamedFile };

/** For other programs: the official NeTI code's two files as a zip, or a word, which holds all of a textual inversion. */
export type ExportFormat = 'official-neti' | 'textual-inversion';

export interface ExportedConcept {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How the file's name ends, behind the concept's name. */
  readonly ending: string;
}

/** Every long call takes a signal. Aborting training keeps what was learned; aborting the rest rejects with `cancelled`. */
export interface CallOptions<Event> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Event) => void;
}

/** The page's view of the worker. Calls may come in any order and number: what computes takes turns, the rest runs at once. */
export interface StudioClient {
  open(request: OpenRequest, options?: CallOptions<LoadProgress>): Promise<Opened>;
  reconstruct(picture: Pixels): Promise<Reconstruction>;
  /** Throws `category.unknown` or `category.tokens` unless the word is one token of the base. */
  checkCategory(word: string): Promise<void>;
  /** @param vectors tokens that the concept takes at its mark, one a word vector */
  checkPrompt(prompt: string, vectors: number): Promise<PromptCheck>;
  train(request: TrainRequest, options?: CallOptions<TrainEvent>): Promise<TrainResult>;
  generate(request: GenerateRequest, options?: CallOptions<GenerateProgress>): Promise<GenerateResult>;
  /** The judge's scores of each picture. Throws `judge.none` for a base without one. */
  score(request: ScoreRequest): Promise<readonly Scores[]>;
  /** Throws `concept.corrupt`, `concept.base`, `concept.size` or `concept.vectors`. */
  inspectConcept(file: Uint8Array<ArrayBuffer>): Promise<ConceptInfo>;
  /**
   * A concept file made of another program's file (official NeTI, textual inversion), or of a mapper and its embedding file; one
   * of ours comes back as it is, unchecked. Throws `concept.width` or `concept.vectors` when it does not fit the base, and as `importConcept`.
   */
  importConcept(files: readonly NamedFile[]): Promise<Uint8Array<ArrayBuffer>>;
  /** Throws `official.variant` for what the official code has not, and as `inspectConcept`. */
  exportConcept(file: Uint8Array<ArrayBuffer>, format: ExportFormat): Promise<ExportedConcept>;
  /** The same concept with another name and thumbnail (PNG data URL). */
  relabelConcept(
    file: Uint8Array<ArrayBuffer>,
    label: { name: string; thumbnail: string },
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** The models kept in this browser. Throws `storage.blocked`. */
  models(): Promise<ModelShelfInfo>;
  /**
   * What a source offers, and what will come of it here. Throws `hub.name`, `model.layout` where the source lacks what is needed, what
   * asking a server throws, and for a folder, whose graphs are compiled to plan its memory, `onnx/…` as opening it would.
   */
  planModel(request: ModelSourceRequest, options?: CallOptions<never>): Promise<ModelOffer>;
  /** The offer of a fetch that was cut short. Throws `model.chooseAgain` for a folder. */
  resumeModel(id: string): Promise<ModelOffer>;
  /** Fetches what is missing of a plan; aborted, it keeps what came so far for the next time. */
  fetchModel(plan: ModelPlan, options?: CallOptions<IntakeProgress>): Promise<void>;
  /** Removes a model, complete or not. Throws `model.open` for the one that is open. */
  removeModel(id: string): Promise<void>;
  /** Called when the worker died, with the reason. The next `open` starts another one. */
  onDeath(listener: (reason: string) => void): void;
}
