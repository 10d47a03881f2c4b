/**
 * The addresses of models that people type and paste: names of the Hugging Face Hub, links of its pages with branches, folders and
 * files, and any other address, whose query may be what lets a server answer.
 */
import { AppError } from '../lib/errors.ts';

/** A repository of the Hub, and the folder or file in it that was meant: empty for all of it. */
export interface HubAddress {
  readonly repo: string;
  readonly revision: string;
  readonly path: string;
}

const HUB = /^(https?:\/\/)?(www\.)?(huggingface\.co|hf\.co)\//i;
/** The Hub's other pages are no repositories of models. */
const ELSEWHERE = new Set(['spaces', 'datasets', 'docs', 'blog', 'papers', 'collections', 'settings']);
const NAME = /^[\w.-]+$/;

/** What a user types or pastes: `owner/name`, `owner/name@revision`, or a link of a repository; null for anything else. */
export function readHubAddress(text: string): HubAddress | null {
  const given = text
    .trim()
    .replace(/^git clone\s+/, '')
    .replace(HUB, '');
  if (/^\w+:/.test(given)) return null;
  const [path = ''] = given.split(/[?#]/);
  const steps = path.split('/').filter(Boolean).map(decoded).flatMap(pieces);
  const [owner = '', named = '', page, ...rest] = steps[0] === 'api' ? steps.slice(2) : steps;
  const [name = '', revision] = named.replace(/\.git$/, '').split('@');
  if (!NAME.test(owner) || !NAME.test(name) || ELSEWHERE.has(owner)) return null;
  const repo = `${owner}/${name}`;
  if (page === undefined) return { repo, revision: revision ?? 'main', path: '' };
  if (!HUB.test(text.trim()) && !PAGES.has(page)) return null;
  if (!PAGES.has(page) || !rest.length) return { repo, revision: 'main', path: '' };
  const length = rest[0] === 'refs' ? 3 : 1;
  return { repo, revision: rest.slice(0, length).join('/'), path: rest.slice(length).join('/') };
}

/** Pages that name a revision, and a folder or file of it. */
const PAGES = new Set(['tree', 'blob', 'resolve', 'raw', 'commit', 'revision']);

/** `refs/pr/1` comes as one step where its slashes were encoded. */
const pieces = (step: string) => step.split('/').filter(Boolean);

/** As it reads; as it stands where it is no text in percent signs. */
export function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** Parameters that pages add and no server needs. */
const DECORATION = /^(utm_.*|download|library|tab|show_file_info|ref)$/i;
/** Parameters by which storage services let somebody in for a while. */
const SIGNATURE =
  /^(x-amz-.*|x-goog-.*|sig|signature|expires|policy|key-pair-id|token|auth.*|s[vetpr]|sktid|skoid|ske|sks|skt|skv)$/i;

/** Any address, without what does not reach its server. Throws `url.address`. */
export function readUrl(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username)
    throw new AppError(
      'url.address',
      `Expected the address of a model's folder or file, such as https://example.org/model/, found "${text}".`,
    );
  url.hash = '';
  return without(url, DECORATION);
}

/** The same address tomorrow, when it is signed anew. */
export function withoutSignature(address: string): string {
  return without(new URL(address), SIGNATURE).href;
}

/** An address is changed only where it must be: what is signed counts to the letter. */
function without(url: URL, names: RegExp): URL {
  const unwanted = [...url.searchParams.keys()].filter((name) => names.test(name));
  for (const name of unwanted) url.searchParams.delete(name);
  return url;
}
