/** Carrying out orders of pictures: the worker draws them one order after another, and results are kept as they come. */
import { toPlainError } from '../lib/errors.ts';
import type { GenerateProgress } from '../worker/api.ts';
import type { Context } from './context.ts';
import { FieldError } from './fields.ts';
import type { Order } from './order.ts';
import { vectorsAt } from './pictureConcepts.ts';
import { encodePng } from '../pictures/png.ts';
import { describeLength } from './prompt.ts';
import { pngText, toRequest, type NamedRecipe } from './recipe.ts';
import { saveResult } from './results.ts';
import { scoreResults } from './scoring.ts';
import type { ResultRecord, StudioState } from './state.ts';
import type { PictureSeries } from './truncationSeries.ts';

/** What becomes of the pictures of an order: they are results, or something of their own. */
export type Deliver = (results: readonly ResultRecord[], order: Order) => Promise<void>;

/** Makes orders and carries them out. Whether all of them were; problems are shown. */
export async function carryOut(
  context: Context,
  plan: () => readonly Order[],
  signal: AbortSignal,
  receive: Deliver = (results) => deliver(context, results),
): Promise<boolean> {
  context.messages.clear('create');
  try {
    const orders = plan();
    if (orders.length > 0) await carryOutAll(context, orders, signal, receive);
    return true;
  } catch (error) {
    reportFailure(context, error);
    return false;
  }
}

/** What is done when an order fails or is cancelled stays. */
async function carryOutAll(
  context: Context,
  orders: readonly Order[],
  signal: AbortSignal,
  receive: Deliver,
): Promise<void> {
  const { set } = context;
  const total = orders.reduce((sum, { recipe }) => sum + recipe.steps, 0);
  set({ generation: { phase: 'waiting', step: 0, steps: total, secondsLeft: null } });
  try {
    const prompts = new Map(orders.map((order) => [order.recipe.prompt, order]));
    for (const order of prompts.values()) await requireShortPrompts(context, order);
    let before = 0;
    for (const order of orders) {
      const onEvent = (progress: GenerateProgress) => showProgress(context, progress, before, total);
      await receive(await draw(context, order, signal, onEvent), order);
      before += order.recipe.steps;
    }
  } finally {
    set({ generation: null });
  }
}

async function requireShortPrompts({ deps, get }: Context, { recipe, concepts }: Order): Promise<void> {
  const { prompt, negativePrompt } = recipe;
  const tooLong = describeLength(await deps.client.checkPrompt(prompt, vectorsAt(get(), prompt, concepts)));
  if (tooLong !== null) throw new FieldError('prompt', 'prompt.long', tooLong);
  if (negativePrompt === '') return;
  const negative = describeLength(await deps.client.checkPrompt(negativePrompt, []), 'negative prompt');
  if (negative !== null) throw new FieldError('negativePrompt', 'prompt.long', negative);
}

/** Progress of an order after others of `before` steps, of `steps` altogether. */
function showProgress(
  { get, set }: Context,
  progress: GenerateProgress,
  before: number,
  steps: number,
): void {
  const step = before + progress.step;
  const orderLeft = progress.steps - progress.step;
  const secondsLeft = orderLeft > 0 ? (progress.secondsLeft * (steps - step)) / orderLeft : null;
  if (get().generation !== null) set({ generation: { phase: 'running', step, steps, secondsLeft } });
}

async function draw(
  context: Context,
  { recipe, concepts, seeds }: Order,
  signal: AbortSignal,
  onEvent: (progress: GenerateProgress) => void,
): Promise<ResultRecord[]> {
  const { deps, get } = context;
  const request = toRequest(recipe, concepts, seeds);
  const { pictures } = await deps.client.generate(request, { signal, onEvent });
  const created = deps.now();
  return pictures.map((pixels, index) => {
    const own = { ...recipe, seed: seeds[index]! };
    const picture = encodePng(pixels, pngTextOf(get(), own));
    return { version: 1, ...own, id: deps.newId(), created, picture, scores: null };
  });
}

/** The picture of a series at this truncation, as PNG. */
export async function renderSeries(
  { deps, get }: Context,
  { result, concepts }: PictureSeries,
  truncation: number,
  steps: number,
  signal: AbortSignal,
): Promise<Blob> {
  const recipe = { ...result, truncation, steps };
  const { pictures } = await deps.client.generate(toRequest(recipe, concepts, [result.seed]), { signal });
  return encodePng(pictures[0]!, pngTextOf(get(), recipe));
}

/** Whether pictures must wait: some are being drawn, or no model is open. */
export const isBusy = ({ generation, status }: StudioState): boolean =>
  generation !== null || status !== 'ready';

/** The text for a picture that was drawn on the open base. */
export function pngTextOf({ base }: StudioState, recipe: NamedRecipe): string {
  return pngText(recipe, base ?? { resolution: 0, hash: '' });
}

/** Shows, keeps and scores new results. */
export async function deliver(context: Context, results: readonly ResultRecord[]): Promise<void> {
  const { get, set, messages } = context;
  const first = results[0];
  if (first === undefined) return;
  set((state) => ({ results: [...state.results, ...results], chosenResultId: first.id, live: null }));
  messages.announce(`${results.length} ${results.length === 1 ? 'picture is' : 'pictures are'} ready.`);
  await Promise.all(results.map((result) => saveResult(context, result)));
  void scoreResults(context, results);
  await get().measureUsage();
}

function reportFailure({ get, set, messages }: Context, error: unknown): void {
  const { code, message } = toPlainError(error);
  const field = error instanceof FieldError ? error.field : code.startsWith('prompt.') ? 'prompt' : null;
  if (field === null) messages.report('create', error);
  else set({ fieldProblems: { ...get().fieldProblems, [field]: message } });
}
