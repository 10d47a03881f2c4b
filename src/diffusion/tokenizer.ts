/**
 * Prompts to token rows. `{}` and `{name}` mark where concepts go: their places are reported, and the tokens that stand there, one for each
 * of a concept's vectors, do not matter, since their embeddings will be replaced (method: the first half of the mapper's output takes their place).
 */
import { Tokenizer as BytePairTokenizer } from '@huggingface/tokenizers';
import { AppError } from '../lib/errors.ts';
import { marksOf, splitAtMarks } from '../lib/prompt.ts';
import { readWeights, withoutWeights } from '../lib/promptWeights.ts';
import { END_TOKEN, START_TOKEN, type TokenizerFolder } from './clipTokenizer.ts';

/** A token that ends a word, of letters alone. */
const WHOLE_WORD = /^([a-z]+)<\/w>$/;

/** A prompt as the text encoder reads it. */
export interface TokenRow {
  /** Exactly `tokens` ids: start, the words, end, padding. */
  readonly ids: readonly number[];
  /** Where concepts go, in order. */
  readonly marks: readonly MarkedTokens[];
  /** How much each token counts, start, end and padding once; null where every one counts once. */
  readonly weights: readonly number[] | null;
}

/** The tokens of a mark, one for each of its concept's vectors. */
export interface MarkedTokens {
  /** Index in the row. */
  readonly first: number;
  readonly count: number;
}

/** How many vectors the concept at each mark has, or those at all of them. */
export type Vectors = number | readonly number[];

const vectorsAt = (vectors: Vectors, mark: number) =>
  typeof vectors === 'number' ? vectors : (vectors[mark] ?? 1);

/** Tokens that stand together and count the same. */
interface Stretch {
  readonly ids: readonly number[];
  readonly weight: number;
  readonly concept: boolean;
}

/** A word of a prompt, as a person would count them, and its tokens in the row. */
export interface WordSpan extends MarkedTokens {
  /** `{}` or `{name}` for a concept. */
  readonly text: string;
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
   * @param vectors tokens that concepts take, one a word vector
   * Throws `prompt.long` when the words do not fit.
   */
  encode(prompt: string, vectors: Vectors = 1): TokenRow {
    const stretches = this.stretches(prompt, vectors);
    const body = stretches.flatMap(({ ids }) => ids);
    const marks = marksIn(stretches);
    const room = this.tokens - 2;
    if (body.length > room) throw tooLong(body.length, marks, room);
    const padding = Array.from({ length: room - body.length }, () => this.pad);
    return {
      ids: [this.start, ...body, this.end, ...padding],
      marks,
      weights: weightsOf(stretches, this.tokens),
    };
  }

  /** Number of tokens of a prompt, start and end included; a mark counts as many as its concept has vectors. */
  count(prompt: string, vectors: Vectors = 1): number {
    return this.stretches(prompt, vectors).reduce((sum, { ids }) => sum + ids.length, 2);
  }

  /** The concepts' own tokens, which will be replaced, stand for themselves. */
  private stretches(prompt: string, vectors: Vectors): Stretch[] {
    let marks = 0;
    const own = () => Array.from({ length: vectorsAt(vectors, marks++) }, () => this.end);
    return readWeights(prompt).flatMap(({ text, weight }) =>
      splitAtMarks(text).flatMap((part, index) => [
        ...(index > 0 ? [{ ids: own(), weight, concept: true }] : []),
        { ids: this.words(part), weight, concept: false },
      ]),
    );
  }

  /**
   * The prompt's words in order. All of it is one word where the tokenizer reads across spaces, so that the parts are not the whole.
   * Throws as `encode`.
   */
  wordSpans(prompt: string, vectors: Vectors = 1): readonly WordSpan[] {
    const { marks } = this.encode(prompt, vectors);
    const spans: WordSpan[] = [];
    const placed: MarkedTokens[] = [];
    let first = 1;
    const plain = withoutWeights(prompt);
    for (const text of plain.split(/(\{[^{}]*\}|\s+)/).filter((part) => part.trim() !== '')) {
      const isMark = marksOf(text).length > 0;
      const count = isMark ? vectorsAt(vectors, placed.length) : this.words(text).length;
      if (isMark) placed.push({ first, count });
      if (count > 0) spans.push({ text, first, count });
      first += count;
    }
    const length = this.count(prompt, vectors) - 2;
    const isWhole = first === length + 1 && placed.every((each, index) => each.first === marks[index]?.first);
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

function marksIn(stretches: readonly Stretch[]): MarkedTokens[] {
  let first = 1;
  return stretches.flatMap(({ ids, concept }) => {
    const mark = { first, count: ids.length };
    first += ids.length;
    return concept ? [mark] : [];
  });
}

function weightsOf(stretches: readonly Stretch[], tokens: number): number[] | null {
  if (stretches.every(({ weight }) => weight === 1)) return null;
  const weights = [1, ...stretches.flatMap(({ ids, weight }) => ids.map(() => weight))];
  return [...weights, ...Array.from({ length: tokens - weights.length }, () => 1)];
}

function tooLong(length: number, marks: readonly MarkedTokens[], room: number): AppError {
  const own = marks.reduce((sum, { count }) => sum + count, 0);
  const owner = marks.length === 1 ? "the concept's" : 'the concepts’';
  return new AppError(
    'prompt.long',
    `The prompt is ${length} tokens long${own > 1 ? `, ${own} of them ${owner},` : ''} ` +
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
