/** The shipped judge against PyTorch (float32 arithmetic on the same half-rounded weights), and what its scores mean. */
import { readConcepts } from '../lib/sampleConcepts.ts';
import * as ort from 'onnxruntime-web';
import { afterAll, expect, it } from 'vitest';
import { pngPlanes } from '../pictures/pngPlanes.ts';
import { cosine, relativeError } from '../lib/numbers.ts';
import { Runtime } from '../ort/runtime.ts';
import { floatsOf, readTensors } from '../onnx/testing/webGraph.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { readTokenizerFolder } from './clipTokenizer.ts';
import { Judge } from './judge.ts';
import { PromptTokenizer } from './tokenizer.ts';

const home = new URL('../../models/sticker-world/', import.meta.url);
const open = openFolder(home);
const RESOLUTION = 64;
ort.env.wasm.numThreads = 1;
const tokenizer = new PromptTokenizer({ ...(await readTokenizerFolder(open)), tokens: 20 });
const judge = await Judge.load({
  runtime: new Runtime({ ort, provider: 'wasm' }),
  open,
  tokenizer,
  resolution: RESOLUTION,
});
afterAll(() => judge.release());

const goldens = readTensors(new URL('judge-goldens.safetensors', home), '');
const pictures = floatsOf(goldens['pixel_values']);
const SIZE = 3 * RESOLUTION ** 2;
const planes = Array.from({ length: pictures.length / SIZE }, (_, i) =>
  pictures.slice(i * SIZE, (i + 1) * SIZE),
);
const rowOf = (name: string, row: number) => {
  const all = floatsOf(goldens[name]);
  const width = all.length / planes.length;
  return all.slice(row * width, (row + 1) * width);
};

it('pictures are seen as PyTorch sees them', async () => {
  const seen = await judge.look(planes);
  seen.forEach(({ prompt, likeness }, i) => {
    expect(relativeError(prompt, rowOf('image_embeds', i))).toBeLessThan(1e-4);
    expect(relativeError(likeness, rowOf('likeness_embeds', i))).toBeLessThan(1e-4);
  });
});

it('sentences are read as PyTorch reads them', async () => {
  const sentence = 'a photo of a red car on a beach';
  const { ids } = tokenizer.encode(sentence);
  const row = floatsOf(goldens['sentence_ids']);
  expect(ids).toEqual([...row]);
  expect(relativeError(await judge.read(sentence), floatsOf(goldens['sentence_embeds']))).toBeLessThan(1e-4);
});

it('a score is the cosine of the reference vectors', async () => {
  const [first, second] = planes;
  const [score] = await judge.score([first!], 'a photo of a red car on a beach', [second!]);
  const likeness = cosine(rowOf('likeness_embeds', 0), rowOf('likeness_embeds', 1));
  const prompt = cosine(rowOf('image_embeds', 0), floatsOf(goldens['sentence_embeds']));
  expect(score!.likeness).toBeCloseTo(likeness, 4);
  expect(score!.prompt).toBeCloseTo(prompt, 4);
});

it('without pictures to compare with there is no likeness', async () => {
  const [score] = await judge.score([planes[0]!], 'a photo', []);
  expect(score!.likeness).toBeNull();
});

it('pictures of one held-out concept are more alike than pictures of two', async () => {
  const concepts = await readConcepts(home.pathname);
  const given = await Promise.all(
    concepts.map(({ pictures: files }) => judge.look(files.map((png) => pngPlanes(png, RESOLUTION)))),
  );
  const nearest = given.map(([first], own) => {
    const likeness = (other: number) => cosine(first!.likeness, given[other]!.at(-1)!.likeness);
    return given.every((_, other) => other === own || likeness(own) > likeness(other));
  });
  expect(nearest.filter(Boolean).length).toBeGreaterThanOrEqual(concepts.length - 1);
});
