/** Weights in prompts, against diffusers' community pipeline for them (fixtures/make_prompt_weights.py). */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from '../lib/zod.ts';
import { missingFile } from '../lib/modelFiles.ts';
import { relativeError } from '../lib/numbers.ts';
import { literalMarks, readWeights, withoutWeights } from '../lib/promptWeights.ts';
import { readTokenizerFolder } from './clipTokenizer.ts';
import { weighContexts } from './contextWeights.ts';
import { PromptTokenizer } from './tokenizer.ts';

const numbers = z.array(z.number());
const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
const { vocab, merges } = z
  .object({ vocab: z.record(z.string(), z.int()), merges: z.string() })
  .parse(await read('clip_tokenizer'));
const fixture = z
  .object({
    tokens: z.int(),
    table: numbers,
    cases: z.array(
      z.object({
        prompt: z.string(),
        texts: z.array(z.tuple([z.string(), z.number()])),
        ids: numbers,
        contexts: numbers,
      }),
    ),
  })
  .parse(await read('prompt_weights'));
const files = new Map([
  ['tokenizer/vocab.json', JSON.stringify(vocab)],
  ['tokenizer/merges.txt', merges],
]);
const folder = await readTokenizerFolder((path) => {
  const text = files.get(path);
  return text === undefined ? Promise.reject(missingFile('test', path)) : Promise.resolve(new Blob([text]));
});
const tokenizer = new PromptTokenizer({ ...folder, tokens: fixture.tokens });
const width = fixture.table.length / fixture.tokens;

describe.each(fixture.cases)('“$prompt”', ({ prompt, texts, ids, contexts }) => {
  it('has the same texts with the same weights', () => {
    const ours = readWeights(prompt);
    expect(ours.map(({ text }) => text).join('|')).toBe(
      texts
        .map(([text]) => text)
        .filter((text, i) => text !== '' || i > 0)
        .join('|'),
    );
    ours.forEach(({ weight }, i) => expect(weight).toBeCloseTo(texts[i]![1], 12));
  });

  it('has the same tokens and contexts', () => {
    const row = tokenizer.encode(prompt);
    expect(row.ids.slice(1, 1 + ids.length)).toEqual(ids);
    expect(tokenizer.count(prompt)).toBe(ids.length + 2);
    const weighed = Float32Array.from([...fixture.table, ...fixture.table]);
    weighContexts(weighed, row.weights, width);
    expect(relativeError(weighed, [...contexts, ...contexts])).toBeLessThan(1e-5);
  });
});

describe('a prompt with a concept', () => {
  it('weighs the concept’s tokens as it weighs others', () => {
    const row = tokenizer.encode('a photo of ({}:1.5) on the beach', 2);
    expect(row.marks).toEqual([{ first: 4, count: 2 }]);
    expect(row.weights!.slice(0, 8)).toEqual([1, 1, 1, 1, 1.5, 1.5, 1, 1]);
    expect(row.weights).toHaveLength(fixture.tokens);
    expect(tokenizer.encode('a photo of {}').weights).toBeNull();
  });

  it('is read without its marks, and with what is no weight', () => {
    expect(withoutWeights('a (red:1.3) {} [at] night')).toBe('a red {} at night');
    const scheduled = 'a [cat:red house:0.5] AND [small|red] at 12:30';
    expect(withoutWeights(scheduled)).toBe(scheduled);
    expect(literalMarks(scheduled)).toEqual(['[cat:red house:0.5]', 'AND', '[small|red]']);
    expect(literalMarks('a (red:1.3) teapot AND')).toEqual(['AND']);
  });

  it('is refused where its weights cancel each other out', () => {
    const zeros = new Float32Array(6);
    expect(() => weighContexts(zeros, [1, 0], 3)).toThrow(/cancel each other out/);
  });
});
