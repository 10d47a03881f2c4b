/** Fills one model's files while its journal tells how far they are, so that a reload or a crash loses little. */
import type { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import type { FileTree, TreeFile } from './fileTree.ts';
import type { Journal, JournalFile, StoredModel } from './modelRecords.ts';

export const modelPaths = (id: string) => ({
  model: `${id}/model.json`,
  journal: `${id}/journal.json`,
  file: (path: string) => `${id}/files/${path}`,
});

/** A JSON record, or null when it is absent or not of this form. */
export async function readRecord<T>(tree: FileTree, path: string, schema: z.ZodType<T>): Promise<T | null> {
  const file = await tree.read(path);
  if (!file) return null;
  try {
    return schema.safeParse(JSON.parse(await file.text())).data ?? null;
  } catch {
    return null;
  }
}

const asJson = (record: object) => new TextEncoder().encode(JSON.stringify(record));

export class ModelWriter {
  private constructor(
    private readonly tree: FileTree,
    private journal: Journal,
  ) {}

  /** Writes the journal before anything else, so that nothing lies about that no record speaks for. */
  static async begin(tree: FileTree, journal: Journal): Promise<ModelWriter> {
    const writer = new ModelWriter(tree, journal);
    await writer.save();
    return writer;
  }

  /** How far a file is, as the journal tells. */
  entry(path: string): JournalFile {
    const entry = this.journal.files.find((file) => file.path === path);
    if (entry) return entry;
    throw new AppError(
      'model.file',
      `Expected ${path} among the files of ${this.journal.title}, found no such file.`,
    );
  }

  open(path: string): Promise<TreeFile> {
    return this.tree.open(this.place(this.entry(path)));
  }

  /** Notes what the content is identified by, before its first byte is written. */
  noteState(path: string, state: string | null): Promise<void> {
    return this.note(path, { state });
  }

  /** Notes that a file is complete and verified. */
  noteDone(path: string, sha256: string): Promise<void> {
    return this.note(path, { done: sha256 });
  }

  /** Makes the model a listed one. Throws `model.incomplete` when a file is not done or not there. */
  async complete(): Promise<StoredModel> {
    const files = await Promise.all(this.journal.files.map((file) => this.completed(file)));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const { version, id, title, source, licence } = this.journal;
    const model = { version, id, title, source, licence, created: new Date().toISOString(), bytes, files };
    await this.tree.replace(modelPaths(id).model, asJson(model));
    await this.tree.remove(modelPaths(id).journal);
    return model;
  }

  private async completed(file: JournalFile): Promise<StoredModel['files'][number]> {
    const { path, bytes, done } = file;
    const found = (await this.tree.read(this.place(file)))?.size;
    if (done && found === bytes) return { path, bytes, sha256: done };
    throw new AppError(
      'model.incomplete',
      `Expected all ${bytes} bytes of ${path}, found ${found ?? 'none'}. Try again.`,
    );
  }

  private place({ path }: JournalFile): string {
    return modelPaths(this.journal.id).file(path);
  }

  private async note(path: string, change: Partial<JournalFile>): Promise<void> {
    const files = this.journal.files.map((file) => (file.path === path ? { ...file, ...change } : file));
    this.journal = { ...this.journal, files };
    await this.save();
  }

  private save(): Promise<void> {
    return this.tree.replace(modelPaths(this.journal.id).journal, asJson(this.journal));
  }
}
