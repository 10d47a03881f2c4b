/** Scores of what was made: the judge looks at new results, and their records keep what it says. */
import { replaceMarks } from '../lib/prompt.ts';
import type { Context } from './context.ts';
import { saveResult } from './results.ts';
import type { ConceptRecord, ResultRecord } from './state.ts';
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
async function judge(
  { deps, get }: Context,
  results: readonly ResultRecord[],
): Promise<readonly NonNullable<ResultRecord['scores']>[]> {
  const { prompt, conceptId, conceptName, named } = results[0]!;
  const find = (id: string | null) => get().concepts.find((each) => each.id === id);
  const read = (pictures: readonly Blob[]): Promise<Pixels[]> =>
    Promise.all(pictures.map((picture) => deps.images.square(picture, null, GROUND)));
  const pictures = await read(results.map(({ picture }) => picture));
  const called = [...named];
  const sentence = replaceMarks(
    prompt,
    (name) => find(name === '' ? conceptId : called.shift()!.conceptId)?.category ?? 'object',
  );
  const scoresFor = async (concept: ConceptRecord | undefined) =>
    deps.client.score({ pictures, prompt: sentence, given: await read(concept?.pictures ?? []) });
  const shown = conceptId === null ? named : [{ conceptId, name: conceptName }, ...named];
  const distinct = new Map(shown.map((each) => [each.conceptId, each.name]));
  if (distinct.size < 2) return alone(await scoresFor(find([...distinct.keys()][0] ?? null)));
  const each: { name: string; scores: readonly Scores[] }[] = [];
  for (const [id, name] of distinct) each.push({ name, scores: await scoresFor(find(id)) });
  return results.map((_, index) => together(each.map(({ name, scores }) => ({ name, ...scores[index]! }))));
}

const alone = (scores: readonly Scores[]) => scores.map((own) => ({ ...own, each: [] }));

/** The likeness of a picture of several concepts is the mean of those to each. */
function together(each: readonly (Scores & { readonly name: string })[]) {
  const likenesses = each.flatMap(({ name, likeness }) => (likeness === null ? [] : [{ name, likeness }]));
  const sum = likenesses.reduce((total, { likeness }) => total + likeness, 0);
  return {
    likeness: likenesses.length > 0 ? sum / likenesses.length : null,
    prompt: each[0]!.prompt,
    each: likenesses,
  };
}

/** What was deleted meanwhile stays deleted. */
async function keep(context: Context, { id }: ResultRecord, scores: ResultRecord['scores']): Promise<void> {
  const { get, set } = context;
  const result = get().results.find((each) => each.id === id);
  if (result === undefined) return;
  const scored = { ...result, scores };
  set({ results: get().results.map((each) => (each.id === id ? scored : each)) });
  await saveResult(context, scored);
}
