/** The page's view of the worker (client.ts is the real one, tests have their own). */
import type {
  Attention,
  ExportFormat,
  ExportedConcept,
  GenerateProgress,
  GenerateRequest,
  GenerateResult,
  KnownModels,
  LoadProgress,
  ModelAnswer,
  NearWordsRequest,
  ModelOffer,
  ModelList,
  ModelSourceRequest,
  OpenRequest,
  Opened,
  PromptCheck,
  Reconstruction,
  ScoreRequest,
  SpaceTimeMap,
  SpaceTimeRequest,
  TrainEvent,
  TrainRequest,
  TrainResult,
} from './api.ts';
import type { ConceptInfo, ConceptLabel } from '../neti/conceptMetadata.ts';
import type { IntakeProgress } from '../intake/progress.ts';
import type { ModelPlan } from '../intake/plan.ts';
import type { NearWord } from '../neti/spaceTime.ts';
import type { NamedFile } from '../neti/foreign/importConcept.ts';
import type { Pixels } from '../pictures/pixels.ts';
import type { Scores } from '../diffusion/judge.ts';

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
  /** @param vectors tokens that concepts take at their marks, one a word vector */
  checkPrompt(prompt: string, vectors: readonly number[]): Promise<PromptCheck>;
  train(request: TrainRequest, options?: CallOptions<TrainEvent>): Promise<TrainResult>;
  generate(request: GenerateRequest, options?: CallOptions<GenerateProgress>): Promise<GenerateResult>;
  /** Where the words of the request's first picture look. */
  attention(request: GenerateRequest, options?: CallOptions<GenerateProgress>): Promise<Attention>;
  /** The judge's scores of each picture. Throws `judge.none` for a base without one. */
  score(request: ScoreRequest): Promise<readonly Scores[]>;
  /** Where a concept's word vectors lie. Throws `map.vectors` for a concept of several vectors, and as `inspectConcept`. */
  spaceTime(request: SpaceTimeRequest): Promise<SpaceTimeMap>;
  /** The few words of the vocabulary nearest to a place of the map, the nearest first. */
  nearestWords(request: NearWordsRequest): Promise<readonly NearWord[]>;
  /** Throws `concept.corrupt`, `concept.base`, `concept.size` or `concept.vectors`. */
  inspectConcept(file: Uint8Array<ArrayBuffer>): Promise<ConceptInfo>;
  /**
   * A concept file made of another program's file (official NeTI, textual inversion), or of a mapper and its embedding file; one
   * of ours comes back as it is, unchecked. Throws `concept.width` or `concept.vectors` when it does not fit the base, and as `importConcepts`.
   */
  importConcepts(files: readonly NamedFile[]): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Throws `official.variant` for what the official code has not, and as `inspectConcept`. */
  exportConcept(file: Uint8Array<ArrayBuffer>, format: ExportFormat): Promise<ExportedConcept>;
  /** The same concept with another name, thumbnail and tags. */
  relabelConcept(file: Uint8Array<ArrayBuffer>, label: ConceptLabel): Promise<Uint8Array<ArrayBuffer>>;
  /** The models kept in this browser. Throws `storage.blocked`. */
  models(): Promise<ModelList>;
  /** Asks nobody else. */
  knownModels(): Promise<KnownModels>;
  /**
   * What a source offers, and what will come of it here, or what must be answered first. Throws `hub.name`, `model.layout` where the source lacks what is needed, what
   * asking a server throws, and for a folder, whose graphs are compiled to plan its memory, `onnx.…` as opening it would.
   */
  planModel(request: ModelSourceRequest, options?: CallOptions<never>): Promise<ModelAnswer>;
  /** The offer of a fetch that was cut short. Throws `model.chooseAgain` for a folder. */
  resumeModel(id: string): Promise<ModelOffer>;
  /** Fetches what is missing of a plan; aborted, it keeps what came so far for the next time. */
  fetchModel(plan: ModelPlan, options?: CallOptions<IntakeProgress>): Promise<void>;
  /** Removes a model, complete or not. Throws `model.open` for the one that is open. */
  removeModel(id: string): Promise<void>;
  /** Called when the worker died, with the reason. The next `open` starts another one. */
  onDeath(listener: (reason: string) => void): void;
}
