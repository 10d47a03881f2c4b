/**
 * What will be fetched for a model, known before a byte of it is: shown to the user, judged by the preflight, carried out by
 * fetchModel. A plan can cross the worker boundary.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { AppError } from '../lib/errors.ts';
import type { Journal, JournalFile, Licence, ModelSource, PendingModel } from '../storage/modelRecords.ts';
import { withoutSignature } from './address.ts';

/** Which weights to take where a model offers both: half precision takes half the bytes. */
export type WeightChoice = 'half' | 'full';

/** A file to fetch. */
export interface PlannedFile {
  /** Path from the model's folder, where the studio looks for it: not always where the source keeps it. */
  readonly path: string;
  readonly bytes: number;
  /** An http(s) address, or a file of the user's own disk. */
  readonly from: string | File;
  /** SHA-256 that the source promises, if it does. */
  readonly sha256: string | null;
  /** SHA-1 of the content as git stores it, which the Hugging Face Hub gives for small files. */
  readonly gitBlob: string | null;
}

export interface ModelPlan {
  /** The same for the same files of the same source: a fetch that was cut short is found again by it. */
  readonly id: string;
  readonly title: string;
  readonly source: ModelSource;
  readonly files: readonly PlannedFile[];
  readonly totalBytes: number;
  readonly licence: Licence | null;
  /** Precision of the weights where names tell it. */
  readonly weights: WeightChoice | null;
  /** What the source lacks that the studio can do without, in plain words. */
  readonly notes: readonly string[];
  /** What was guessed, where neither names nor shapes tell it: the user may tell better. */
  readonly guess: PredictionGuess | null;
}

/** How a U-Net in a single file was trained. */
export interface PredictionGuess {
  readonly prediction: 'epsilon' | 'v_prediction';
  /** Side of its pictures in pixels. */
  readonly resolution: number;
}

/** What only the user can tell before there is a plan. */
export type ModelQuestion =
  | { readonly kind: 'which'; readonly title: string; readonly choices: readonly ModelChoice[] }
  /** Another file for the VAE that the model lacks. */
  | { readonly kind: 'vae'; readonly title: string };

/** A model beside others: its file or its folder, and what it takes. */
export interface ModelChoice {
  readonly name: string;
  readonly bytes: number;
}

/** What the user has told. */
export interface ModelAnswers {
  /** Name of the choice. */
  readonly pick?: string | undefined;
  readonly vae?: File | undefined;
  readonly guess?: PredictionGuess | undefined;
}

/** Thrown by planners: the message is for where nobody can be asked. */
export class OpenQuestion extends AppError {
  constructor(
    code: string,
    message: string,
    readonly question: ModelQuestion,
  ) {
    super(code, message);
  }
}

export type PlanParts = Omit<ModelPlan, 'id' | 'totalBytes' | 'guess'> & Partial<Pick<ModelPlan, 'guess'>>;

export function makePlan(parts: PlanParts): ModelPlan {
  const totalBytes = parts.files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { guess: null, ...parts, id: identify(parts), totalBytes };
}

/** Goes on with a model that was started from an address; null for files of this computer, which must be chosen again unless they are here. */
export function planToResume(pending: PendingModel): ModelPlan | null {
  const { id, title, source, licence, bytes } = pending;
  if (pending.files.some(({ url, done }) => url === null && done === null)) return null;
  const files = pending.files.map(({ url, path, bytes: size, sha256: sha, gitBlob }) => ({
    path,
    bytes: size,
    from: url ?? new File([], path),
    sha256: sha,
    gitBlob,
  }));
  return { id, title, source, licence, files, totalBytes: bytes, weights: null, notes: [], guess: null };
}

/** The journal of a fetch that has not begun. */
export function startOf({ id, title, source, licence, files }: ModelPlan): Journal {
  const created = new Date().toISOString();
  return { version: 1, id, title, source, licence, created, files: files.map(entryOf) };
}

function entryOf({ path, bytes, from, sha256: sha, gitBlob }: PlannedFile): JournalFile {
  const url = typeof from === 'string' ? from : null;
  return { path, bytes, sha256: sha, gitBlob, url, state: null, done: null };
}

function identify({ source, files }: PlanParts): string {
  const contents = files.map(({ path, bytes, from, sha256: sha }) =>
    typeof from === 'string' ? [path, bytes, withoutSignature(from), sha] : [path, bytes, from.lastModified],
  );
  const asked =
    source.kind === 'hub'
      ? { ...source, revision: undefined }
      : source.kind === 'url'
        ? { ...source, address: withoutSignature(source.address) }
        : source;
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([asked, contents])))).slice(0, 16);
}
