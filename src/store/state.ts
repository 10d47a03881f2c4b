/** The shape of the page's state: one slice per concern, plain data plus the actions that change it. */
import type {
  AxisField,
  AxisForm,
  ConceptRecord,
  CurvePoint,
  DraftForm,
  DraftPicture,
  GridRecord,
  PreviewRecord,
  ResultRecord,
} from '../storage/records.ts';
import type { Usage } from '../storage/storage.ts';
import type {
  Attention,
  BaseModelInfo,
  ExportFormat,
  LoadProgress,
  KnownModels,
  ModelOffer,
  ModelList,
  ModelSourceRequest,
  PromptCheck,
  SampleConcept,
  SpaceTimeMap,
} from '../worker/api.ts';
import type { Crop } from '../pictures/pixels.ts';
import type { EngineChoice as EngineInfo } from '../ort/engine.ts';
import type { ModelAnswers, ModelQuestion } from '../intake/plan.ts';
import type { IntakeProgress } from '../intake/progress.ts';
import type { Focus } from '../neti/focus.ts';
import type { NearWord } from '../neti/spaceTime.ts';
import type { Provider } from '../ort/runtime.ts';
import type { Permission } from './notifier.ts';

export type {
  AxisField,
  AxisForm,
  GridRecord,
  ConceptRecord,
  Crop,
  Focus,
  NearWord,
  SpaceTimeMap,
  CurvePoint,
  PreviewRecord,
  ResultRecord,
  SampleConcept,
  Usage,
};

/** Where on the page a problem is shown. */
export type ProblemPlace = 'page' | 'models' | 'pictures' | 'training' | 'library' | 'create';

export interface Problem {
  readonly id: string;
  readonly tone: 'error' | 'note';
  readonly code: string;
  readonly message: string;
}

/** What was just deleted and can come back. */
export type Removed =
  | { readonly what: 'concept'; readonly label: string; readonly concept: ConceptRecord }
  | { readonly what: 'results'; readonly label: string; readonly results: readonly ResultRecord[] }
  | { readonly what: 'pictures'; readonly label: string; readonly before: readonly PictureItem[] };

/** How slices tell people something. */
export interface Messages {
  /** Shows a caught error at a place; cancellations are no problem and stay silent. */
  report(place: ProblemPlace, error: unknown): void;
  note(place: ProblemPlace, code: string, message: string): void;
  clear(place: ProblemPlace): void;
  announce(text: string): void;
  removed(removed: Removed): void;
}

export interface UpdateSlice {
  /** Whether a new version of the page lies ready. */
  readonly updateReady: boolean;
  /** Takes it and reloads the page, unless a training is under way here or in another tab. */
  applyUpdate(): Promise<void>;
}

export interface MessagesSlice {
  readonly problems: Readonly<Record<ProblemPlace, readonly Problem[]>>;
  /** Read out by screen readers. */
  readonly announcement: string;
  readonly removed: Removed | null;
  dismiss(place: ProblemPlace, id: string): void;
  undo(): Promise<void>;
}

export type Form = Omit<DraftForm, 'version'>;
export type Field = keyof Form;

export interface FormSlice {
  readonly form: Form;
  readonly fieldProblems: Readonly<Partial<Record<Field, string>>>;
  edit(patch: Partial<Form>): void;
  /** The training's settings go back to the defaults. */
  resetTraining(): void;
}

export interface EngineSlice {
  /** Whether what was stored is on the page: no draft is stored over it before. */
  readonly restored: boolean;
  readonly status: 'opening' | 'ready' | 'failed';
  readonly loading: LoadProgress | null;
  readonly engine: EngineInfo | null;
  readonly base: BaseModelInfo | null;
  readonly usage: Usage | null;
  /** Loads what is stored, then opens the base model. */
  start(): Promise<void>;
  reopen(): Promise<void>;
  /** Leaves the opening of a model of the user's own and opens the one that ships here. */
  cancelOpening(): Promise<void>;
  chooseProvider(provider: Provider | 'auto'): Promise<void>;
  measureUsage(): Promise<void>;
}

/** Getting a model: asking its source, looking at the offer, fetching it. */
export type Intake =
  | { readonly phase: 'planning' }
  | { readonly phase: 'asking'; readonly request: ModelSourceRequest; readonly question: ModelQuestion }
  | {
      readonly phase: 'offered';
      readonly offer: ModelOffer;
      /** Where it comes from; null for one that was begun before. */
      readonly request: ModelSourceRequest | null;
      /** Whether it is being planned again with another answer. */
      readonly isChanging: boolean;
    }
  | { readonly phase: 'paused'; readonly offer: ModelOffer }
  | {
      readonly phase: 'fetching';
      readonly offer: ModelOffer;
      readonly progress: IntakeProgress | null;
      /** Paths of the files that are complete. */
      readonly done: readonly string[];
    };

export interface ModelsSlice {
  /** What this browser keeps; null until it was asked for. */
  readonly modelList: ModelList | null;
  /** Well-known models; null until they were asked for. */
  readonly knownModels: KnownModels | null;
  readonly intake: Intake | null;
  loadModels(): Promise<void>;
  loadKnownModels(): Promise<void>;
  planModel(request: ModelSourceRequest): Promise<void>;
  /** Plans again with what was asked for, or with another answer to what was guessed. */
  answerModel(answers: ModelAnswers): Promise<void>;
  /** Offers again what was fetched in part. */
  resumeModel(id: string): Promise<void>;
  /** Fetches what is offered, then opens it unless something is being trained or made. */
  fetchModel(): Promise<void>;
  pauseFetch(): Promise<void>;
  /** Forgets the offer, and what was fetched of it. */
  dropIntake(): Promise<void>;
  /** Opens a kept model, or with null the one that ships here. */
  openModel(id: string | null): Promise<void>;
  /** Frees a model's space; the shipped one is opened when it was the open one. */
  removeModel(id: string): Promise<void>;
}

/** How the model sees a picture: its round trip through the VAE. */
export interface Seen {
  readonly picture: Blob;
  readonly psnr: number;
}

export interface PictureItem extends DraftPicture {
  /** The square that is learned from, as PNG on the chosen ground. */
  readonly square: Blob;
  readonly seen: Seen | null;
}

export interface PicturesSlice {
  readonly pictures: readonly PictureItem[];
  /** Colour under transparent parts, as #rrggbb. */
  readonly ground: string;
  /** Files that were given and are not read yet. */
  readonly waiting: readonly File[];
  addPictures(files: readonly File[]): Promise<void>;
  /** What was given before a reload; it does not wait in storage again, so that a file that ends the tab does so once. */
  addAgain(files: readonly File[]): Promise<void>;
  addSample(sample: SampleConcept): Promise<void>;
  removePicture(id: string): void;
  clearPictures(): void;
  cropPicture(id: string, crop: Crop): Promise<void>;
  setGround(colour: string): Promise<void>;
  /** Asks the model how it sees the pictures that it has not seen yet. */
  lookAtPictures(): Promise<void>;
}

export interface IncomingSlice {
  /** Pictures that carry a concept, until it is said what to do with each. */
  readonly offeredCards: readonly File[];
  /** Address of a concept that a link to this page names, until it is said whether to fetch it. */
  readonly offeredAddress: string | null;
  /** Concepts, pictures, zips of either, told apart by their contents. */
  takeFiles(files: readonly File[]): Promise<void>;
  /** A picture of another page. */
  takeLink(address: string): Promise<void>;
  /** @param hash of the page's address */
  offerAddress(hash: string): void;
  answerAddress(fetchIt: boolean): Promise<void>;
  answerCard(card: File, use: 'concept' | 'picture'): Promise<void>;
}

export interface TrainingState {
  readonly conceptId: string;
  readonly name: string;
  readonly phase: 'preparing' | 'running' | 'stopping';
  readonly step: number;
  readonly steps: number;
  readonly picturesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly curve: readonly CurvePoint[];
  readonly previews: readonly PreviewRecord[];
}

/** A training that was cut short and can go on. */
export interface Interrupted {
  readonly conceptId: string;
  readonly name: string;
  readonly step: number;
  readonly steps: number;
}

export interface TrainingSlice {
  readonly training: TrainingState | null;
  /** Whether the browser may tell when a training is done. */
  readonly mayNotify: Permission;
  askToNotify(): Promise<void>;
  /** Newest last. */
  readonly interrupted: readonly Interrupted[];
  train(): Promise<void>;
  /** Adds the form's number of steps to a concept of the library. */
  trainFurther(conceptId: string): Promise<void>;
  /** Goes on with what was cut short, exactly as if it had not been. */
  resumeTraining(conceptId: string): Promise<void>;
  /** Leaves it as it is: what was learned stays in the library. */
  leaveInterrupted(conceptId: string): Promise<void>;
  /** Stores trainings again, under way or cut short, after what was stored got lost. */
  keepTrainingsAgain(): Promise<void>;
  stopTraining(): void;
  /** Makes a preview the concept; while training, stops there. */
  takePreview(conceptId: string, step: number): Promise<void>;
  checkCategory(): Promise<void>;
}

export interface LibrarySlice {
  readonly concepts: readonly ConceptRecord[];
  /** Concepts that could not be stored: they live as long as the tab. */
  readonly unsaved: readonly string[];
  selectConcept(id: string | null): void;
  /** Gives a concept, and its file, another name and the tags between commas. */
  relabelConcept(id: string, name: string, tags: string): Promise<void>;
  duplicateConcept(id: string): Promise<void>;
  deleteConcept(id: string): Promise<void>;
  importConcepts(files: readonly File[]): Promise<void>;
  /** Puts a sample that ships taught into the library, with its pictures, and draws with it. */
  drawWithSample(sample: SampleConcept): Promise<void>;
  /** The concept as another program's file, ready to be saved; null when that failed, which is then shown. */
  exportConcept(id: string, format: ExportFormat): Promise<File | null>;
  /** A picture that carries the concept; null when there is none, which is then shown. */
  exportCard(id: string): Promise<File | null>;
  /** All concepts in one zip. */
  exportAll(): Promise<File | null>;
  saveAgain(): Promise<void>;
  removeEverything(): Promise<void>;
}

export interface GenerationState {
  readonly phase: 'waiting' | 'running';
  readonly step: number;
  readonly steps: number;
  readonly secondsLeft: number | null;
}

/** What the slider shows in place of the chosen result: the same seed at another truncation. */
export interface LivePicture {
  readonly resultId: string;
  readonly picture: Blob;
  readonly truncation: number;
  readonly quality: 'near' | 'draft' | 'full';
}

/** A picture drawn again with a part of its concept in focus, not kept yet. */
export interface FocusedPicture {
  readonly result: ResultRecord;
  readonly quality: LivePicture['quality'];
}

export interface SpaceTimeSlice {
  readonly focused: FocusedPicture | null;
  /** The map of a concept file along the axes of another. Never rejects: null where it cannot be had, which is shown. */
  readSpaceTime(file: Blob, axesOf: Blob): Promise<SpaceTimeMap | null>;
  /** Never rejects: none where they cannot be had. */
  readNearWords(file: Blob, timestep: number, layer: number): Promise<readonly NearWord[]>;
  /** Draws a picture again with a part of its concept in focus; `focused` follows. */
  showFocus(reference: ResultRecord, focus: Focus): void;
  clearFocus(): void;
  keepFocused(): Promise<void>;
}

export interface CreateSlice {
  readonly results: readonly ResultRecord[];
  readonly chosenResultId: string | null;
  readonly generation: GenerationState | null;
  readonly live: LivePicture | null;
  readonly promptCheck: PromptCheck | null;
  generate(): Promise<void>;
  /** Makes one seed's pictures for a row of mixing starts. */
  sweepMixing(): Promise<void>;
  /** Makes the chosen picture again at every stop of the truncation slider. */
  sweepTruncation(): Promise<void>;
  /** The grid that was drawn last, as far as it came. */
  readonly grid: GridRecord | null;
  /** Draws the cells that are missing of the grid that the form asks for. */
  drawGrid(): Promise<void>;
  /** Makes a cell a result. */
  keepGridCell(index: number): Promise<void>;
  /** The text of the grid's own picture. */
  gridText(): string;
  cancelGeneration(): void;
  chooseResult(id: string): void;
  setTruncation(truncation: number): void;
  /** Keeps the slider's picture as a result of its own. */
  keepLive(): Promise<void>;
  deleteResults(ids: readonly string[]): Promise<void>;
  reuseResult(id: string): void;
  checkPrompt(): Promise<void>;
}

export interface AttentionSlice {
  /** Where the words look, by the result's id: of those that were asked for last. */
  readonly attention: Readonly<Record<string, Attention>>;
  /** What is being found out. */
  readonly looking: (GenerationState & { readonly resultId: string }) | null;
  /** Draws a result again to see where its words look. */
  lookAtWords(resultId: string): Promise<void>;
  stopLooking(): void;
}

export type StudioState = MessagesSlice &
  FormSlice &
  UpdateSlice &
  EngineSlice &
  ModelsSlice &
  PicturesSlice &
  IncomingSlice &
  TrainingSlice &
  LibrarySlice &
  CreateSlice &
  SpaceTimeSlice &
  AttentionSlice;
