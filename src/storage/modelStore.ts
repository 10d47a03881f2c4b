/**
 * Models kept in this browser. Each has a folder of its own: `files/` as the model's folder has them, and beside it either
 * `model.json` (complete and verified: listed) or `journal.json` (on its way: never listed, only resumed). What the compiler
 * makes of a model lies under `files/prepared/` and counts only with its manifest, which is written last.
 */
import { AppError } from '../lib/errors.ts';
import { PREPARED_FOLDER, preparedManifest } from '../lib/modelLayout.ts';
import { isFull, type FileTree, type Space } from './fileTree.ts';
import {
  journalSchema,
  storedModelSchema,
  type Journal,
  type PendingModel,
  type StoredModel,
} from './modelRecords.ts';
import { ModelWriter, modelPaths, readRecord } from './modelWriter.ts';

/** What the models take, in bytes. */
export interface ModelUsage extends Space {
  readonly models: readonly { readonly id: string; readonly bytes: number; readonly prepared: number }[];
  /** What half-fetched models take. */
  readonly incomplete: number;
}

export class ModelStore {
  constructor(private readonly tree: FileTree) {}

  /** Complete, verified models, oldest first. */
  async list(): Promise<StoredModel[]> {
    const models = await Promise.all((await this.tree.list('')).map((id) => this.find(id)));
    return models.filter((model) => model !== null).sort((a, b) => a.created.localeCompare(b.created));
  }

  /** Models that were started and can be gone on with. */
  async incomplete(): Promise<PendingModel[]> {
    const journals = await Promise.all((await this.tree.list('')).map((id) => this.findJournal(id)));
    return Promise.all(journals.filter((journal) => journal !== null).map((each) => this.pending(each)));
  }

  /**
   * A file of a complete model, or one prepared from it; read lazily from the disk. Throws `model.file` when the model has
   * no such file and `model.damaged` when it is not there as it was written.
   */
  async openFile(id: string, path: string): Promise<File> {
    const model = await this.get(id);
    const listed = model.files.find((file) => file.path === path);
    const made = !listed && path.startsWith(PREPARED_FOLDER) && (await this.isPrepared(id));
    if (!listed && !made) throw new AppError('model.file', `The model ${model.title} has no file ${path}.`);
    const file = await this.tree.read(modelPaths(id).file(path));
    if (file && (!listed || file.size === listed.bytes)) return file;
    throw new AppError(
      'model.damaged',
      `Expected ${path} of ${model.title} in this browser's storage, found ${file ? `${file.size} bytes of ${listed?.bytes}` : 'nothing'}. Remove the model and get it again.`,
    );
  }

  /**
   * Takes a model in: `job` fills the files of `start` through the writer, from where an earlier try left them, and the model
   * is listed only if every one is done. Returns at once when it is kept already. Throws `model.busy` while another tab is at it.
   */
  take(start: Journal, job: (writer: ModelWriter) => Promise<void>): Promise<StoredModel> {
    return this.tree.exclusive(start.id, async () => {
      const kept = await this.find(start.id);
      if (kept) return kept;
      await this.sweep(start.id);
      const writer = await ModelWriter.begin(this.tree, (await this.findJournal(start.id)) ?? start);
      await job(writer);
      return writer.complete();
    });
  }

  /** Removes a model, complete or not, and what was prepared from it. Files of it that are open become unreadable. */
  remove(id: string): Promise<void> {
    return this.tree.exclusive(id, async () => {
      const paths = modelPaths(id);
      // The record goes first: a removal that is cut short must not leave a model that looks whole.
      await this.tree.remove(paths.model);
      await this.tree.remove(paths.journal);
      await this.tree.remove(id);
    });
  }

  /** Whether what the compiler makes of the model is kept whole. */
  async isPrepared(id: string): Promise<boolean> {
    return (await this.tree.read(modelPaths(id).file(preparedManifest))) !== null;
  }

  /**
   * Keeps what the compiler made, by path from the model's folder; `prepared/prepared.json` must be among them. Throws
   * `storage.full`, and then keeps nothing of it.
   */
  async writePrepared(id: string, files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<void> {
    const manifest = files.get(preparedManifest);
    const foreign = [...files.keys()].find((path) => !path.startsWith(PREPARED_FOLDER));
    if (!manifest || foreign)
      throw new AppError(
        'model.prepared',
        `Expected ${preparedManifest} and files beside it, found ${foreign ?? [...files.keys()].join(', ')}.`,
      );
    await this.tree.exclusive(id, async () => {
      const { title } = await this.get(id);
      await this.dropPrepared(id);
      const graphs = [...files].filter(([path]) => path !== preparedManifest);
      try {
        for (const [path, content] of graphs) await this.tree.replace(modelPaths(id).file(path), content);
        await this.tree.replace(modelPaths(id).file(preparedManifest), manifest);
      } catch (error) {
        await this.dropPrepared(id);
        throw isFull(error) ? noRoom(title, error) : error;
      }
    });
  }

  async usage(): Promise<ModelUsage> {
    const models = (await this.list()).map(async ({ id, bytes }) => ({
      id,
      bytes,
      prepared: await this.preparedBytes(id),
    }));
    const incomplete = (await this.incomplete()).reduce((sum, { received }) => sum + received, 0);
    return { ...(await this.tree.space()), models: await Promise.all(models), incomplete };
  }

  space(): Promise<Space> {
    return this.tree.space();
  }

  /** Asks the browser to keep the models even when the disk is short; whether it will. Workers may not ask: call it on the page. */
  persist(): Promise<boolean> {
    return this.tree.persist();
  }

  private async get(id: string): Promise<StoredModel> {
    const model = await this.find(id);
    if (model) return model;
    throw new AppError('model.none', `Expected the model ${id} in this browser, found none. Get it again.`);
  }

  private find(id: string): Promise<StoredModel | null> {
    return readRecord(this.tree, modelPaths(id).model, storedModelSchema);
  }

  private async findJournal(id: string): Promise<Journal | null> {
    return (await this.find(id)) ? null : readRecord(this.tree, modelPaths(id).journal, journalSchema);
  }

  private async pending(journal: Journal): Promise<PendingModel> {
    const sizes = journal.files.map(async ({ path }) => {
      const file = await this.tree.read(modelPaths(journal.id).file(path));
      return file?.size ?? 0;
    });
    const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
    const bytes = sum(journal.files.map((file) => file.bytes));
    return { ...journal, bytes, received: sum(await Promise.all(sizes)) };
  }

  private async dropPrepared(id: string): Promise<void> {
    await this.tree.remove(modelPaths(id).file(preparedManifest));
    await this.tree.remove(modelPaths(id).file(PREPARED_FOLDER.slice(0, -1)));
  }

  private async preparedBytes(id: string): Promise<number> {
    const folder = modelPaths(id).file(PREPARED_FOLDER.slice(0, -1));
    const files = (await this.tree.list(folder)).map((name) => this.tree.read(`${folder}/${name}`));
    return (await Promise.all(files)).reduce((sum, file) => sum + (file?.size ?? 0), 0);
  }

  /** Removes what a removal that was cut short left behind: folders that no record speaks for. */
  private async sweep(except: string): Promise<void> {
    for (const id of await this.tree.list('')) {
      const { model, journal } = modelPaths(id);
      if (id === except || (await this.tree.read(model)) || (await this.tree.read(journal))) continue;
      // Busy: another tab is just beginning with it.
      await this.tree.exclusive(id, () => this.tree.remove(id)).catch(() => undefined);
    }
  }
}

function noRoom(title: string, cause: unknown): AppError {
  return new AppError(
    'storage.full',
    `Expected room for what was prepared from ${title}, found the disk full. Remove models under Storage or free disk space; until then it is prepared anew each time.`,
    { cause },
  );
}
