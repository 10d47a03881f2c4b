/**
 * What is written beside a model's files: `model.json` once all of them are complete and verified, `journal.json` while
 * they are on their way. Both are validated when read, since what lies on the disk may be older than the page or damaged.
 */
import { z } from '../lib/zod.ts';
import { relativePath } from '../lib/relativePath.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.int().nonnegative();
const address = z.url({ protocol: /^https?$/ });

/** Where a model came from, as it was asked for. */
export const sourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder'), name: z.string() }),
  z.object({
    kind: z.literal('hub'),
    host: address,
    repo: z.string(),
    /** The branch or tag that was asked for, and the commit it meant. */
    revision: z.string(),
    commit: z.string(),
  }),
  z.object({ kind: z.literal('url'), address }),
]);

const licence = z.object({ name: z.string(), url: address.nullable() });

const common = {
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  title: z.string(),
  source: sourceSchema,
  licence: licence.nullable(),
  /** ISO-8601. */
  created: z.string(),
};

export const storedModelSchema = z.object({
  ...common,
  /** Bytes of all files, what was prepared from them left out. */
  bytes,
  files: z.array(z.object({ path: relativePath, bytes, sha256 })).readonly(),
});

/** A file on its way. */
export const journalFileSchema = z.object({
  path: relativePath,
  bytes,
  /** SHA-256 that the content must have, or the name of the blob in git that it must be; null where nobody said. */
  sha256: sha256.nullable(),
  gitBlob: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  /** Where it comes from; null for a file of the user's own disk. */
  url: address.nullable(),
  /** The content's ETag or modification time when the first byte came: the rest must be of the same. */
  state: z.string().nullable(),
  /** SHA-256 of the content once it is complete and verified. */
  done: sha256.nullable(),
});

export const journalSchema = z.object({ ...common, files: z.array(journalFileSchema).readonly() });

export type ModelSource = Readonly<z.infer<typeof sourceSchema>>;
export type Licence = Readonly<z.infer<typeof licence>>;
export type StoredModel = Readonly<z.infer<typeof storedModelSchema>>;
export type JournalFile = Readonly<z.infer<typeof journalFileSchema>>;
export type Journal = Readonly<z.infer<typeof journalSchema>>;

/** A model that was started and can be gone on with. */
export interface PendingModel extends Journal {
  /** Bytes of all files, and those on the disk already. */
  readonly bytes: number;
  readonly received: number;
}
