/**
 * Prompts to token rows. `{}` marks where a concept goes: its position is reported, and the tokens that stand there, one for each of its
 * vectors, do not matter, since their embeddings will be replaced (method: the first half of the mapper's output takes their place).
 */
import { Tokenizer as BytePairTokenizer } from '@huggingface/tokenizers';
import { AppError } from '../lib/errors.ts';
import { checkPlaceholders, PLACEHOLDER, splitAtPlaceholders } from '../lib/prompt.ts';
import { readWeights, withoutWeights } from '../lib/promptWeights.ts';
import { END_TOKEN, START_TOKEN, type TokenizerFolder } from './clipTokenizer.ts';

/** A token that ends a word, of letters alone. */
const WHOLE_WORD = /^([a-z]+)<\/w>$/;

/** A prompt as the text encoder reads it. */
export interface TokenRow {
  /** Exactly `tokens` ids: start, the words, end, padding. */
  readonly ids: readonly number[];
  /** Index of the concept's first token in `ids`, null for a prompt without `{}`. */
  readonly placeholder: number | null;
  /** Tokens from there on that are the concept's; 0 for a prompt without `{}`. */
  readonly vectors: number;
  /** How much each token counts, start, end and padding once; null where every one counts once. */
  readonly weights: readonly number[] | null;
}

/** Tokens that stand together and count the same. */
interface Stretch {
  readonly ids: readonly number[];
  readonly weight: number;
  readonly concept: boolean;
}

/** A word of a prompt, as a person would count them, and its tokens in the row. */
export interface WordSpan {
  /** `{}` for the concept. */
  readonly text: string;
  readonly first: number;
  readonly count: number;
}

export interface TokenizerOptions extends TokenizerFolder {
  /** Length of a row. */
  readonly tokens: number;
}

export class PromptTokenizer {
  readonly tokens: number;
  private readonly bpe: BytePairTokenizer;
  private readonly start: number;
  private readonly end: number;
  private readonly pad: number;

  constructor({ tokenizer, config, padToken, tokens }: TokenizerOptions) {
    this.tokens = tokens;
    this.bpe = readable(() => new BytePairTokenizer(tokenizer, config));
    this.start = this.special(START_TOKEN);
    this.end = this.special(END_TOKEN);
    this.pad = this.special(padToken);
  }

  /**
   * @param vectors tokens that the concept takes, one a word vector
   * Throws `prompt.placeholder` for more than one `{}` and `prompt.long` when the words do not fit.
   */
  encode(prompt: string, vectors = 1): TokenRow {
    if (splitAtPlaceholders(prompt).length > 1) checkPlaceholders(prompt, 'the concept');
    const stretches = this.stretches(prompt, vectors);
    const body = stretches.flatMap(({ ids }) => ids);
    const own = stretches.find(({ concept }) => concept)?.ids.length ?? 0;
    const room = this.tokens - 2;
    if (body.length > room) throw tooLong(body.length, own, room);
    const padding = Array.from({ length: room - body.length }, () => this.pad);
    return {
      ids: [this.start, ...body, this.end, ...padding],
      placeholder: own === 0 ? null : 1 + placeOf(stretches),
      vectors: own,
      weights: weightsOf(stretches, this.tokens),
    };
  }

  /** Number of tokens of a prompt, start and end included; `{}` counts as many as the concept has vectors. */
  count(prompt: string, vectors = 1): number {
    return this.stretches(prompt, vectors).reduce((sum, { ids }) => sum + ids.length, 2);
  }

  /** The concept's own tokens, which will be replaced, stand for themselves. */
  private stretches(prompt: string, vectors: number): Stretch[] {
    const own = Array.from({ length: vectors }, () => this.end);
    return readWeights(prompt).flatMap(({ text, weight }) =>
      splitAtPlaceholders(text).flatMap((part, index) => [
        ...(index > 0 ? [{ ids: own, weight, concept: true }] : []),
        { ids: this.words(part), weight, concept: false },
      ]),
    );
  }

  /**
   * The prompt's words in order. All of it is one word where the tokenizer reads across spaces, so that the parts are not the whole.
   * Throws as `encode`.
   */
  wordSpans(prompt: string, vectors = 1): readonly WordSpan[] {
    const row = this.encode(prompt, vectors);
    const spans: WordSpan[] = [];
    let first = 1;
    const plain = withoutWeights(prompt);
    for (const text of plain.split(/(\s+|\{\})/).filter((part) => part.trim() !== '')) {
      const count = text === PLACEHOLDER ? vectors : this.words(text).length;
      if (count > 0) spans.push({ text, first, count });
      first += count;
    }
    const length = this.count(prompt, vectors) - 2;
    const isWhole =
      first === length + 1 &&
      spans.every((span) => span.text !== PLACEHOLDER || span.first === row.placeholder);
    return isWhole ? spans : [{ text: plain.trim(), first: 1, count: length }];
  }

  /** The id of a word that is one token. Throws `category.tokens` otherwise. */
  singleToken(word: string): number {
    const ids = this.words(word.trim());
    if (ids.length !== 1)
      throw new AppError(
        'category.tokens',
        `The category must be one word that the model knows as one token, but "${word}" is ${ids.length}; ` +
          'choose a simpler word, such as "object".',
      );
    return ids[0]!;
  }

  /** The vocabulary's words of one token each: pieces of words and signs left out. */
  wholeWords(): Map<string, number> {
    const tokens = readable(() => this.bpe.get_vocab(false));
    const words = [...tokens].flatMap(([token, id]): [string, number][] => {
      const word = WHOLE_WORD.exec(token)?.[1];
      return word === undefined ? [] : [[word, id]];
    });
    return new Map(words);
  }

  private words(text: string): number[] {
    if (text.trim() === '') return [];
    const { ids } = readable(() => this.bpe.encode(text.trim(), { add_special_tokens: false }));
    if (ids.every((id) => Number.isSafeInteger(id) && id >= 0)) return ids;
    throw unreadable('a word has no number in its vocabulary');
  }

  private special(token: string): number {
    const id = this.bpe.token_to_id(token);
    if (id === undefined || !Number.isSafeInteger(id))
      throw new AppError(
        'tokenizer.format',
        `Expected a CLIP tokenizer with the token ${token}, found none; check the files in tokenizer/.`,
      );
    return id;
  }
}

/** Tokens before the concept's. */
function placeOf(stretches: readonly Stretch[]): number {
  const before = stretches.slice(
    0,
    stretches.findIndex(({ concept }) => concept),
  );
  return before.reduce((sum, { ids }) => sum + ids.length, 0);
}

function weightsOf(stretches: readonly Stretch[], tokens: number): number[] | null {
  if (stretches.every(({ weight }) => weight === 1)) return null;
  const weights = [1, ...stretches.flatMap(({ ids, weight }) => ids.map(() => weight))];
  return [...weights, ...Array.from({ length: tokens - weights.length }, () => 1)];
}

function tooLong(length: number, own: number, room: number): AppError {
  return new AppError(
    'prompt.long',
    `The prompt is ${length} tokens long${own > 1 ? `, ${own} of them the concept's,` : ''} ` +
      `and the model reads ${room}; take out ${length - room}.`,
  );
}

/** The library trusts its files: what it trips over is said of them. */
function readable<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unreadable(reason: string, cause?: unknown): AppError {
  return new AppError(
    'tokenizer.format',
    `Expected CLIP's tokenizer in tokenizer/, found one that cannot be used (${reason.slice(0, 200)}); fetch the model again.`,
    { cause },
  );
}
