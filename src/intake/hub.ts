/** Plans a model from a Hugging Face repository, by the Hub's public listing; the revision is pinned to the commit found. */
import { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import { staysInside } from '../lib/relativePath.ts';
import type { Licence } from '../storage/modelRecords.ts';
import { chooseFiles, type ListedFile } from './chooseFiles.ts';
import { planFromFiles, type LooseFile, type ReadMerges } from './checkpointFile.ts';
import { inListing, withNamedWeights } from './externalWeights.ts';
import { folderOf, listedFile, looseIn, MODEL_NAME } from './looseFiles.ts';
import { makePlan, OpenQuestion, type ModelAnswers, type ModelPlan, type WeightChoice } from './plan.ts';
import { fetchWhole, parseAnswer, type RequestOptions, type WholeAnswer } from './request.ts';

export const HUB_HOST = 'https://huggingface.co';

export interface PlanOptions extends RequestOptions, ModelAnswers {
  /** Half precision unless told otherwise. */
  readonly weights?: WeightChoice;
  readonly readMerges?: ReadMerges;
}

export interface HubOptions extends PlanOptions {
  readonly host?: string;
  /** Folder or file of the repository; all of it where it is left out. */
  readonly path?: string;
}

const infoSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  cardData: z
    .object({
      license: z.union([z.string(), z.array(z.string())]).nullish(),
      license_name: z.string().nullish(),
      license_link: z.string().nullish(),
    })
    .nullish(),
  tags: z.array(z.string()).nullish(),
});

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().nonnegative().default(0),
  oid: z.string(),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).nullish(),
});

const treeSchema = z.array(entrySchema);

type Info = z.infer<typeof infoSchema>;
type Entry = z.infer<typeof entrySchema>;

/** More pages than any model of this kind has: a listing that goes on for ever is cut off. */
const MOST_PAGES = 30;

/**
 * Throws `hub.name`, `hub.none` (no such repository or revision, or one that asks for a login), `model.layout`, the OpenQuestion
 * `model.which`, for single files what `planFromFiles` throws, `download.failed` and `cancelled`.
 */
export async function planFromHub(
  repo: string,
  revision: string,
  options: HubOptions = {},
): Promise<ModelPlan> {
  const host = options.host ?? HUB_HOST;
  if (
    !/^[\w.-]+\/[\w.-]+$/.test(repo) ||
    !/^[\w./-]+$/.test(revision) ||
    `${repo}/${revision}`.includes('..')
  )
    throw new AppError(
      'hub.name',
      `Expected a repository such as "owner/name" and a branch, found "${repo}" and "${revision}".`,
    );
  const info = await readInfo(host, repo, revision, options);
  const entries = await readTree(`${host}/api/models/${repo}/tree/${info.sha}?recursive=true`, options);
  const all = entries
    .filter(({ type, path }) => type === 'file' && staysInside(path))
    .map((entry) => listed(entry, `${host}/${repo}/resolve/${info.sha}`));
  const named = revision === 'main' ? repo : `${repo} (${revision})`;
  const listing = below(all, options.path ?? '', named);
  const common = {
    source: { kind: 'hub', host, repo, revision, commit: info.sha },
    licence: licenceOf(info, all, `${host}/${repo}`),
  } as const;
  const loose = looseIn(listing, listing);
  if (loose.length) return planFromFiles(few(loose, options), { ...options, ...common });
  const chosen = chooseFiles(listing, options.weights ?? 'half', named, options.pick);
  const whole = await withNamedWeights(chosen, listing, inListing(listing), options);
  return makePlan({ title: options.path ? `${named}/${options.path}` : named, ...common, ...whole });
}

/** What lies in a folder of the repository, or the one file; each by its path from there. */
function below(all: readonly ListedFile[], path: string, repo: string): ListedFile[] {
  const exact = all.find((file) => file.path === path);
  if (exact && MODEL_NAME.test(path)) return [{ ...exact, path: path.slice(path.lastIndexOf('/') + 1) }];
  const folder = exact ? folderOf(path) : path;
  const prefix = folder === '' ? '' : `${folder}/`;
  const found = all.filter((file) => file.path.startsWith(prefix));
  if (found.length) return found.map((file) => ({ ...file, path: file.path.slice(prefix.length) }));
  if (path === '') return [];
  throw new AppError(
    'hub.none',
    `Expected ${path} in ${repo}, found no such folder or file. Check its name.`,
  );
}

/** More single files than this are asked for by name before any of them is looked into. */
const MOST_LOOKED_INTO = 8;

function few(loose: readonly ListedFile[], options: HubOptions): LooseFile[] {
  const picked = loose.filter(({ path }) => options.pick === undefined || path === options.pick);
  if (picked.length <= MOST_LOOKED_INTO) return picked.map((file) => listedFile(file, options));
  const choices = picked.map(({ path, bytes }) => ({ name: path, bytes }));
  throw new OpenQuestion('model.which', `There are ${picked.length} files. Choose one of them.`, {
    kind: 'which',
    title: 'Several files lie here',
    choices,
  });
}

async function readInfo(host: string, repo: string, revision: string, options: HubOptions): Promise<Info> {
  const url = `${host}/api/models/${repo}/revision/${encodeURIComponent(revision)}`;
  const whole = await fetchWhole(url, options);
  const { answer } = whole;
  if (answer.ok) return parseAnswer(whole, infoSchema);
  throw new AppError(
    'hub.none',
    `Expected ${repo} at ${revision} on ${new URL(host).host}, found answer ${answer.status}. Check both names. ` +
      'If the model asks for a login or for its licence to be accepted, download it on its page and drop the folder here.',
  );
}

/** Follows the pages of the listing. */
async function readTree(first: string, options: HubOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  let url: string | null = first;
  for (let page = 0; url && page < MOST_PAGES; page++) {
    const whole: WholeAnswer = await fetchWhole(url, options);
    entries.push(...(await parseAnswer(whole, treeSchema)));
    url = nextPage(whole.answer, first);
  }
  return entries;
}

/** `Link: <address>; rel="next"`, if it is of the same server. */
function nextPage({ headers }: Response, first: string): string | null {
  const link = /<([^>]+)>;\s*rel="next"/.exec(headers.get('link') ?? '')?.[1];
  return link && new URL(link, first).origin === new URL(first).origin ? new URL(link, first).href : null;
}

function listed({ path, size, oid, lfs }: Entry, home: string): ListedFile {
  return {
    path,
    bytes: lfs?.size ?? size,
    from: `${home}/${path.split('/').map(encodeURIComponent).join('/')}`,
    sha256: lfs?.oid ?? null,
    gitBlob: !lfs && /^[0-9a-f]{40}$/.test(oid) ? oid : null,
  };
}

function licenceOf({ cardData, tags }: Info, listing: readonly ListedFile[], page: string): Licence | null {
  const tag = tags?.find((each) => each.startsWith('license:'))?.slice('license:'.length);
  const name = cardData?.license_name ?? [cardData?.license].flat()[0] ?? tag;
  const file = listing.find(({ path }) => /^licen[cs]e/i.test(path));
  if (!name && !file) return null;
  const link = cardData?.license_link;
  const isAddress = link && /^https?:\/\//.test(link) && URL.canParse(link);
  const shown = file ? `${page}/blob/main/${encodeURIComponent(file.path)}` : page;
  return { name: name ?? file!.path, url: isAddress ? link : shown };
}
