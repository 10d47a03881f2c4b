/** Scores of what was made: the judge looks at new results, and their records keep what it says. */
import { PLACEHOLDER } from '../lib/prompt.ts';
import type { Context } from './context.ts';
import { saveResult } from './results.ts';
import type { ResultRecord } from './state.ts';
import type { Pixels } from '../pictures/pixels.ts';
import type { Scores } from '../diffusion/judge.ts';

/** Pictures are opaque by now, so no ground shows. */
const GROUND = 'white';

/** Scores results of one order, where the base has a judge. Never rejects. */
export async function scoreResults(context: Context, results: readonly ResultRecord[]): Promise<void> {
  if (context.get().base?.judged !== true) return;
  try {
    const scores = await judge(context, results);
    await Promise.all(results.map((result, index) => keep(context, result, scores[index]!)));
  } catch (error) {
    context.messages.report('create', error);
  }
}

/** A concept stands in the sentence by its category; its likeness is to the pictures it was learned from. */
async function judge({ deps, get }: Context, results: readonly ResultRecord[]): Promise<readonly Scores[]> {
  const { prompt, conceptId } = results[0]!;
  const concept = get().concepts.find((each) => each.id === conceptId);
  const read = (pictures: readonly Blob[]): Promise<Pixels[]> =>
    Promise.all(pictures.map((picture) => deps.images.square(picture, null, GROUND)));
  return deps.client.score({
    pictures: await read(results.map(({ picture }) => picture)),
    prompt: prompt.replace(PLACEHOLDER, concept?.category ?? 'object'),
    given: await read(concept?.pictures ?? []),
  });
}

/** What was deleted meanwhile stays deleted. */
async function keep(context: Context, { id }: ResultRecord, scores: Scores): Promise<void> {
  const { get, set } = context;
  const result = get().results.find((each) => each.id === id);
  if (result === undefined) return;
  const scored = { ...result, scores };
  set({ results: get().results.map((each) => (each.id === id ? scored : each)) });
  await saveResult(context, scored);
}
