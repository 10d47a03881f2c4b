/**
 * The files of a tokenizer folder as the tokenizer library wants them. Stable Diffusion repositories keep CLIP's vocabulary
 * as `vocab.json` and `merges.txt`; newer exports add a `tokenizer.json` that says the same and more. The rules that
 * `tokenizer.json` would state are CLIP's own (Radford et al. 2021): lower case, byte-level BPE with `</w>` at a word's end.
 */
import { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { readJson, readText, type OpenFile } from '../lib/modelFiles.ts';
import { layout } from '../lib/modelLayout.ts';

export const START_TOKEN = '<|startoftext|>';
export const END_TOKEN = '<|endoftext|>';

export interface TokenizerFolder {
  /** In the form of `tokenizer.json`. */
  readonly tokenizer: object;
  /** In the form of `tokenizer_config.json`. */
  readonly config: object;
  /** Fills a prompt up: end-of-text in Stable Diffusion 1.x, "!" in 2.x. */
  readonly padToken: string;
}

const vocabularySchema = z.record(z.string(), z.int().nonnegative());
/** A special token is its text or an object around it. */
const tokenSchema = z.union([
  z.string(),
  z.object({ content: z.string() }).transform(({ content }) => content),
]);
const specialSchema = z.object({ pad_token: tokenSchema.nullish() });

/** A contraction, a run of letters, one digit, or a run of other signs. */
const WORD_PATTERN =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** Reads `tokenizer/`. Throws `tokenizer.format` when neither form is there or one is not what it should be. */
export async function readTokenizerFolder(open: OpenFile): Promise<TokenizerFolder> {
  const config = (await readObject(open, layout.tokenizerConfig)) ?? {};
  // Where both name a padding token, special_tokens_map.json is heard, as in transformers: 2.x files need it.
  const named = [await readJson(open, layout.specialTokens), config].map(
    (file) => specialSchema.safeParse(file).data?.pad_token,
  );
  return {
    tokenizer: (await readObject(open, layout.tokenizer)) ?? (await fromParts(open)),
    config,
    padToken: named.find((token) => token !== undefined && token !== null) ?? END_TOKEN,
  };
}

async function readObject(open: OpenFile, path: string): Promise<object | null> {
  const parsed = z
    .looseObject({})
    .nullable()
    .safeParse(await readJson(open, path));
  if (parsed.success) return parsed.data;
  throw new AppError(
    'tokenizer.format',
    `Expected a JSON object in ${path}, found another value; fetch it again.`,
  );
}

async function fromParts(open: OpenFile): Promise<object> {
  const vocabulary = await readText(open, layout.vocabulary);
  const merges = await readText(open, layout.merges);
  if (vocabulary === null || merges === null)
    throw new AppError(
      'tokenizer.format',
      'Expected tokenizer/tokenizer.json, or tokenizer/vocab.json with tokenizer/merges.txt; the model has neither.',
    );
  const vocab = vocabularySchema.safeParse(parseJson(vocabulary, layout.vocabulary)).data;
  if (vocab?.[START_TOKEN] === undefined || vocab[END_TOKEN] === undefined)
    throw new AppError(
      'tokenizer.format',
      `Expected CLIP's vocabulary with ${START_TOKEN} and ${END_TOKEN} in tokenizer/vocab.json, found another.`,
    );
  return clipTokenizer(vocab, readMerges(merges));
}

/** One pair a line below an optional `#version` line. */
function readMerges(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
}

type Vocabulary = Readonly<Record<string, number>>;

function specialToken(vocab: Vocabulary, content: string): object {
  const matching = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { id: vocab[content], content, special: true, ...matching };
}

/** CLIP's tokenizer in the form of `tokenizer.json`. */
function clipTokenizer(vocab: Vocabulary, merges: readonly string[]): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [specialToken(vocab, START_TOKEN), specialToken(vocab, END_TOKEN)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD_PATTERN }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      unk_token: END_TOKEN,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      vocab,
      merges,
    },
  };
}
