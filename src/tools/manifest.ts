/**
 * `npm run manifest`: writes models/manifest.json from what lies in models/ (every folder with a model_index.json).
 * Run it whenever a model file or a sample changes.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from '../lib/zod.ts';
import { CONCEPT_KINDS } from '../lib/conceptKind.ts';
import { configPath, graphPath, JUDGE_PARTS, layout, NETWORKS, PREPARED_FOLDER } from '../lib/modelLayout.ts';
import { hashBase, type Manifest, type ModelEntry, type ModelFile } from '../lib/manifest.ts';

const { index, words, defaults, startingMapper, attribution, scheduler, tokenizer, tokenizerConfig } = layout;
const shipped = new Set<string>([
  ...[index, words, defaults, startingMapper, attribution, scheduler, tokenizer, tokenizerConfig],
  ...NETWORKS.flatMap((part) => [graphPath(part), configPath(part)]),
  ...JUDGE_PARTS.map(graphPath),
]);
const isSample = (path: string) =>
  /^concepts\/[\w-]+\/(concept\.json|\d+\.png|taught\.(png|safetensors))$/.test(path);
const isShipped = (path: string) => shipped.has(path) || path.startsWith(PREPARED_FOLDER) || isSample(path);

const vaeSchema = z.object({ sample_size: z.int().positive() });
const conceptSchema = z.object({
  name: z.string(),
  category: z.string(),
  kind: z.enum(CONCEPT_KINDS).default('object'),
  credit: z.string().default(''),
  prompt: z.string().optional(),
});

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
const readParsed = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(path, 'utf8')) as unknown;

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => relative(folder, join(e.parentPath, e.name)));
}

async function describeFile(folder: string, path: string): Promise<ModelFile> {
  const data = await readFile(join(folder, path));
  return { path, bytes: data.length, sha256: sha256(data) };
}

async function describeSamples(folder: string, files: readonly string[]): Promise<ModelEntry['samples']> {
  const described = files.filter((path) => path.endsWith('/concept.json'));
  return Promise.all(
    described.map(async (path) => {
      const home = path.slice(0, -'concept.json'.length);
      const pictures = files.filter((file) => file.startsWith(home) && /\/\d+\.png$/.test(file));
      const { prompt, ...described } = conceptSchema.parse(await readParsed(join(folder, path)));
      const [file, drawn] = [`${home}taught.safetensors`, `${home}taught.png`];
      const isTaught = prompt !== undefined && files.includes(file) && files.includes(drawn);
      return { ...described, pictures, taught: isTaught ? { file, drawn, prompt } : null };
    }),
  );
}

async function describeModel(root: string, id: string): Promise<ModelEntry> {
  const folder = join(root, id);
  const paths = (await listFiles(folder)).filter(isShipped).sort();
  const files = await Promise.all(paths.map((path) => describeFile(folder, path)));
  const vae = vaeSchema.parse(await readParsed(join(folder, configPath('vae_encoder'))));
  return {
    id,
    title: id.charAt(0).toUpperCase() + id.slice(1).replaceAll('-', ' '),
    path: id,
    resolution: vae.sample_size,
    hash: await hashBase(files),
    files,
    samples: await describeSamples(folder, paths),
  };
}

const root = join(import.meta.dirname, '../../models');
const folders = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
const ids: string[] = [];
for (const { name } of folders) if ((await readdir(join(root, name))).includes(layout.index)) ids.push(name);
const manifest: Manifest = {
  version: 1,
  models: await Promise.all(ids.map((id) => describeModel(root, id))),
};
await writeFile(join(root, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
for (const { id, files } of manifest.models) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  console.log(`${id}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
}
