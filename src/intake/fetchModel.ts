/**
 * Carries a plan out: every file streamed to the disk, hashed on its way, verified, and only then the model listed. A fetch that is
 * cut short, by a reload, a cancel or an error, goes on from there when the same plan is fetched again.
 */
import { AppError } from '../lib/errors.ts';
import { fileSize } from '../lib/numbers.ts';
import { isFull } from '../storage/fileTree.ts';
import type { StoredModel } from '../storage/modelRecords.ts';
import type { ModelStore } from '../storage/modelStore.ts';
import type { ModelWriter } from '../storage/modelWriter.ts';
import { download } from './download.ts';
import { PartialFile } from './partialFile.ts';
import { startOf, type ModelPlan, type PlannedFile } from './plan.ts';
import { Progress, type IntakeProgress } from './progress.ts';
import { cancelled, PATIENT, type RetrySettings } from './retry.ts';

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: IntakeProgress) => void;
  readonly retry?: RetrySettings;
}

interface Job {
  readonly writer: ModelWriter;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  readonly retry: RetrySettings;
}

/**
 * The model as it is listed from now on. Throws what `download` throws, `download.corrupt`, `folder.changed`, `storage.full`,
 * `model.busy` and `cancelled`; after any of them nothing of the model is listed.
 */
export async function fetchModel(
  plan: ModelPlan,
  store: ModelStore,
  options: FetchOptions = {},
): Promise<StoredModel> {
  const { signal, retry = PATIENT, onProgress = () => undefined } = options;
  const progress = new Progress(plan.totalBytes, onProgress);
  // The small ones first: what is wrong with a source mostly shows there.
  const files = plan.files.toSorted((a, b) => a.bytes - b.bytes);
  try {
    return await store.take(startOf(plan), async (writer) => {
      for (const file of files) await fetchFile({ writer, progress, signal, retry }, file);
    });
  } catch (error) {
    throw isFull(error) ? await full(store, plan, error) : error;
  }
}

async function fetchFile(job: Job, file: PlannedFile): Promise<void> {
  const { writer, progress, signal } = job;
  if (signal?.aborted) throw cancelled();
  if (writer.entry(file.path).done === null) {
    const handle = await writer.open(file.path);
    try {
      const partial = new PartialFile(handle, file);
      await fill(job, file, partial);
      await writer.noteDone(file.path, await verified(job, file, partial));
    } finally {
      handle.close();
    }
  }
  progress.finished(file);
}

async function fill(job: Job, file: PlannedFile, partial: PartialFile): Promise<void> {
  const { writer, progress, signal, retry } = job;
  const onBytes = () => {
    progress.receiving(file, partial.bytes);
  };
  if (typeof file.from !== 'string') return copy(job, file.from, partial, onBytes);
  await adopt(job, file, partial);
  await download({
    url: file.from,
    file,
    partial,
    retry,
    signal,
    onBytes,
    state: () => writer.entry(file.path).state,
    noteState: (state) => writer.noteState(file.path, state),
    onWait: (reason) => {
      progress.waiting(file, reason);
    },
  });
}

/** Goes on from what an earlier try left, if it can be known to belong to what will come. */
async function adopt(
  { writer, progress, signal }: Job,
  file: PlannedFile,
  partial: PartialFile,
): Promise<void> {
  const isKnown = file.sha256 !== null || file.gitBlob !== null || writer.entry(file.path).state !== null;
  if (!isKnown) return partial.restart();
  await partial.adopt(async () => {
    progress.checking(file, partial.bytes);
    // Lets a cancel in.
    await new Promise((resolve) => setTimeout(resolve));
    if (signal?.aborted) throw cancelled();
  });
}

/** A file of the user's own disk; always from its start, which costs less than proving that it is still the same. */
async function copy({ signal }: Job, file: File, partial: PartialFile, onBytes: () => void): Promise<void> {
  partial.restart();
  const reader = file.stream().getReader();
  for (;;) {
    if (signal?.aborted) throw cancelled();
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new AppError('folder.changed', `${file.name} can no longer be read. Choose the folder again.`, {
        cause,
      });
    });
    if (done) return;
    partial.append(value);
    onBytes();
  }
}

async function verified({ writer }: Job, file: PlannedFile, partial: PartialFile): Promise<string> {
  try {
    return partial.verify();
  } catch (error) {
    partial.restart();
    await writer.noteState(file.path, null);
    throw error;
  }
}

/** What is missing is all that has not come: browsers report more room than there is, so that it does not give the user away. */
async function full(store: ModelStore, plan: ModelPlan, cause: unknown): Promise<AppError> {
  const received = (await store.incomplete()).find(({ id }) => id === plan.id)?.received ?? 0;
  return new AppError(
    'storage.full',
    `Expected room for ${fileSize(plan.totalBytes)}, found the disk full: ${fileSize(plan.totalBytes - received)} are missing. ` +
      'Remove models under Storage or free disk space, then go on; what has come is kept.',
    { cause },
  );
}
