/** Against transformers' CLIPTokenizer on a small vocabulary of CLIP's form (fixtures/make_tokenizer.py). */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from '../lib/zod.ts';
import { missingFile } from '../lib/modelFiles.ts';
import { readTokenizerFolder } from './clipTokenizer.ts';
import { PromptTokenizer } from './tokenizer.ts';

const ids = z.array(z.int());
const fixture = z
  .object({
    vocab: z.record(z.string(), z.int()),
    merges: z.string(),
    cases: z.array(z.object({ text: z.string(), ids })),
    padded: z.array(
      z.object({ config: z.looseObject({}), special: z.looseObject({}), text: z.string(), ids }),
    ),
  })
  .parse(JSON.parse(await readFile(new URL('fixtures/clip_tokenizer.json', import.meta.url), 'utf8')));

async function tokenizerOf(files: Record<string, string>): Promise<PromptTokenizer> {
  const folder = await readTokenizerFolder((path) => {
    const text = files[path.replace('tokenizer/', '')];
    return text === undefined ? Promise.reject(missingFile('test', path)) : Promise.resolve(new Blob([text]));
  });
  return new PromptTokenizer({ ...folder, tokens: 77 });
}

const parts = { 'vocab.json': JSON.stringify(fixture.vocab), 'merges.txt': fixture.merges };
const tokenizer = await tokenizerOf(parts);

it.each(fixture.cases.map((each) => [each.text, each.ids] as const))('“%s”', (text, expected) => {
  // A bracket that is one, and no weight.
  const prompt = text.replaceAll(/[()]/g, '\\$&');
  expect(tokenizer.encode(prompt).ids.slice(0, expected.length)).toEqual(expected);
  expect(tokenizer.count(prompt)).toBe(expected.length);
});

it.each(
  fixture.padded.map((each) => [JSON.stringify(each.config), JSON.stringify(each.special), each] as const),
)('padding by %s and %s', async (config, special, { text, ids: expected }) => {
  const files = { ...parts, 'tokenizer_config.json': config, 'special_tokens_map.json': special };
  expect((await tokenizerOf(files)).encode(text).ids).toEqual(expected);
});

it('a concept stands between the words, whatever fills the row', () => {
  const row = tokenizer.encode('a photo of {} on the beach');
  expect(row.marks).toEqual([{ first: 4, count: 1 }]);
  expect(row.ids).toHaveLength(77);
});

it('a concept of several vectors takes as many tokens, and too many are said to be its', () => {
  const prompt = 'a photo of {} on the beach';
  const [one, three] = [tokenizer.encode(prompt), tokenizer.encode(prompt, 3)];
  expect(three.marks).toEqual([{ first: 4, count: 3 }]);
  expect(three.ids.slice(7, 11)).toEqual(one.ids.slice(5, 9));
  expect(three.ids).toHaveLength(77);
  expect(tokenizer.count(prompt, 3)).toBe(tokenizer.count(prompt) + 2);
  expect(tokenizer.encode('a photo', 3)).toEqual(tokenizer.encode('a photo'));
  expect(() => tokenizer.encode(prompt, 75)).toThrow(
    /The prompt is 81 tokens long, 75 of them the concept's, and the model reads 75; take out 6\./,
  );
});

it.each([
  [{ 'vocab.json': parts['vocab.json'] }, 'has neither'],
  [{ ...parts, 'vocab.json': '{"a":0}' }, 'found another'],
  [{ ...parts, 'vocab.json': '<html>' }, 'Expected JSON in tokenizer/vocab.json'],
  [{ ...parts, 'special_tokens_map.json': '{"pad_token":"<pad>"}' }, 'the token <pad>'],
  [{ ...parts, 'tokenizer_config.json': '[1]' }, 'Expected a JSON object in tokenizer/tokenizer_config.json'],
  [{ ...parts, 'tokenizer.json': '{"added_tokens":[null],"model":{"type":"BPE"}}' }, 'cannot be used'],
])('a folder that will not do is refused', async (files, message) => {
  await expect(tokenizerOf(files)).rejects.toThrow(message);
});

it.each(fixture.cases.map(({ text }) => text).filter((text) => text.trim() !== ''))(
  'the words of “%s” are its tokens, without a gap',
  (text) => {
    const spans = tokenizer.wordSpans(text);
    const ends = spans.map(({ first, count }) => first + count);
    expect(spans.map(({ first }) => first)).toEqual([1, ...ends.slice(0, -1)]);
    expect(ends.at(-1)).toBe(tokenizer.count(text) - 1);
  },
);

it('a concept is a word of as many tokens as it has vectors', () => {
  const spans = tokenizer.wordSpans('a {}, b', 3);
  expect(spans.map(({ text }) => text)).toEqual(['a', '{}', ',', 'b']);
  expect(spans[1]).toEqual({ text: '{}', ...tokenizer.encode('a {}, b', 3).marks[0] });
});

it('concepts at several marks take their own tokens each, whatever their names hold', () => {
  const prompt = 'a ({tin (old) robot}:1.5) of {théière: 2} on the';
  const row = tokenizer.encode(prompt, [1, 3]);
  expect(row.marks).toEqual([
    { first: 2, count: 1 },
    { first: 4, count: 3 },
  ]);
  expect(row.weights!.slice(0, 8)).toEqual([1, 1, 1.5, 1, 1, 1, 1, 1]);
  expect(row.ids).toEqual(tokenizer.encode('a ({}:1.5) of {} on the', [1, 3]).ids);
  expect(tokenizer.count(prompt, [1, 3])).toBe(tokenizer.count(prompt, 1) + 2);
  const spans = tokenizer.wordSpans(prompt, [1, 3]);
  expect(spans.map(({ text }) => text)).toEqual([
    'a',
    '{tin (old) robot}',
    'of',
    '{théière: 2}',
    'on',
    'the',
  ]);
  expect([spans[1], spans[3]]).toEqual(row.marks.map((mark) => expect.objectContaining(mark)));
  expect(() => tokenizer.encode(prompt, [40, 40])).toThrow('80 of them the concepts’,');
});
