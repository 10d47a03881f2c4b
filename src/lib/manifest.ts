/**
 * `models/manifest.json`: which base models ship and which of their files, each with its size and SHA-256, so that
 * downloads can show honest progress, be verified, and be kept. Written by `npm run manifest`.
 */
import { z } from './zod.ts';
import { CONCEPT_KINDS } from './conceptKind.ts';
import { CHECKPOINT_FOLDER, configPath, layout, NETWORKS } from './modelLayout.ts';
import { relativePath } from './relativePath.ts';
import { sha256Hex } from './sha256.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const modelFileSchema = z.object({ path: relativePath, bytes: z.int().nonnegative(), sha256 });

export const modelEntrySchema = z.object({
  id: z.string(),
  title: z.string(),
  path: relativePath,
  resolution: z.int().positive(),
  /** Identifies the base in concept files: SHA-256 over the hashes of its networks and its tokenizer. */
  hash: sha256,
  files: z.array(modelFileSchema),
  samples: z.array(
    z.object({
      name: z.string(),
      category: z.string(),
      kind: z.enum(CONCEPT_KINDS),
      credit: z.string(),
      pictures: z.array(relativePath),
      /** The concept as it was taught on this base, and a picture that it draws; null where it ships untaught. */
      taught: z
        .object({ file: relativePath, drawn: relativePath, prompt: z.string() })
        .nullable()
        .default(null),
    }),
  ),
});

export const manifestSchema = z.object({ version: z.literal(1), models: z.array(modelEntrySchema) });

/** The networks with their weights, and the tokenizer: what makes a base another one. */
function identifies(path: string): boolean {
  const { tokenizer, vocabulary, merges, checkpoint, otherVae } = layout;
  const folders = [...NETWORKS, CHECKPOINT_FOLDER.vae_encoder];
  const ofNetwork = folders.some((part) => path.startsWith(`${part}/`) && path !== configPath(part));
  return ofNetwork || [tokenizer, vocabulary, merges, checkpoint, otherVae].some((own) => own === path);
}

/** Hex SHA-256 over the hashes of the files that identify a base, in the order of their paths. */
export function hashBase(files: readonly ModelFile[]): Promise<string> {
  const own = files.filter(({ path }) => identifies(path));
  const lines = own.map(({ path, sha256: hash }) => `${hash}  ${path}\n`).sort(byPath);
  return sha256Hex(new TextEncoder().encode(lines.join('')));
}

const HASH_LENGTH = 64;

function byPath(a: string, b: string): number {
  return a.slice(HASH_LENGTH) < b.slice(HASH_LENGTH) ? -1 : 1;
}

export type ModelFile = z.infer<typeof modelFileSchema>;
export type ModelEntry = z.infer<typeof modelEntrySchema>;
export type Manifest = z.infer<typeof manifestSchema>;
