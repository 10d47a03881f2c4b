/** Making pictures: generating what the form asks for, choosing among results, and the truncation slider's renders. */
import type { Context } from './context.ts';
import { carryOut, deliver, pngTextOf } from './generation.ts';
import { sweepOf, type Order } from './order.ts';
import { chosenConcepts, vectorsOf } from './pictureConcepts.ts';
import { encodePng } from '../pictures/png.ts';
import { formOf, toRequest } from './recipe.ts';
import { deleteResults } from './results.ts';
import type { CreateSlice } from './state.ts';
import { TruncationRenders } from './truncationRenders.ts';
import { seriesOf, type PictureSeries } from './truncationSeries.ts';

interface CreateContext extends Context {
  readonly renders: TruncationRenders<PictureSeries>;
  /** Cancels the generation under way. */
  readonly running: { controller: AbortController };
}

export function createCreateSlice(context: Context): CreateSlice {
  const create: CreateContext = {
    ...context,
    renders: rendersOf(context),
    running: { controller: new AbortController() },
  };
  return {
    results: [],
    chosenResultId: null,
    generation: null,
    live: null,
    promptCheck: null,
    generate: () => generate(create, (order) => [order]),
    sweepMixing: () => generate(create, sweepOf),
    cancelGeneration: () => cancelGeneration(create),
    chooseResult: (id) => chooseResult(create, id),
    setTruncation: (truncation) => setTruncation(create, truncation),
    keepLive: () => keepLive(context),
    deleteResults: (ids) => deleteResults(context, ids),
    reuseResult: (id) => reuseResult(context, id),
    checkPrompt: () => checkPrompt(context),
  };
}

function rendersOf({ deps, get, set, messages }: Context): TruncationRenders<PictureSeries> {
  return new TruncationRenders({
    async render({ result, concepts }, truncation, steps, signal) {
      const recipe = { ...result, truncation, steps };
      const request = toRequest(recipe, concepts, [result.seed]);
      const { pictures } = await deps.client.generate(request, { signal });
      return encodePng(pictures[0]!, pngTextOf(get(), recipe));
    },
    onFrame: ({ series, picture, truncation, quality }) =>
      set({ live: { resultId: series.result.id, picture, truncation, quality } }),
    onError: (error) => messages.report('create', error),
    mayWorkAhead: () => get().training === null && get().generation === null,
  });
}

async function generate(context: CreateContext, plan: (order: Order) => readonly Order[]): Promise<void> {
  const { get, renders, running } = context;
  if (get().generation !== null) return;
  renders.stop();
  running.controller = new AbortController();
  const made = await carryOut(context, plan, running.controller.signal);
  const series = made ? chosenSeries(context) : null;
  if (series !== null) void renders.workAhead(series);
}

function cancelGeneration({ renders, running }: CreateContext): void {
  renders.stop();
  running.controller.abort();
}

function chooseResult({ get, set, renders }: CreateContext, id: string): void {
  const result = get().results.find((each) => each.id === id);
  if (result === undefined) return;
  renders.stop();
  set({ chosenResultId: id, live: null });
  get().edit({ truncation: result.truncation });
}

function setTruncation(context: CreateContext, truncation: number): void {
  context.get().edit({ truncation });
  const series = chosenSeries(context);
  if (series !== null) void context.renders.show(series, Math.min(truncation, series.hidden));
}

/** The series of the chosen result, whose own picture need not be rendered. */
function chosenSeries({ get, renders }: CreateContext): PictureSeries | null {
  const series = seriesOf(get(), get().chosenResultId);
  if (series !== null) renders.remember(series, series.result.truncation, series.result.picture);
  return series;
}

async function keepLive(context: Context): Promise<void> {
  const { deps, get } = context;
  const { live, results } = get();
  const result = results.find((each) => each.id === live?.resultId);
  if (live?.quality !== 'full' || result === undefined || live.truncation === result.truncation) return;
  const { picture, truncation } = live;
  const made = { id: deps.newId(), created: deps.now(), picture, truncation, scores: null };
  await deliver(context, [{ ...result, ...made }]);
}

function reuseResult({ get }: Context, id: string): void {
  const { results, concepts, edit } = get();
  const result = results.find((each) => each.id === id);
  if (result !== undefined)
    edit(formOf(result, (conceptId) => concepts.some((each) => each.id === conceptId)));
}

/** Asks the worker how the prompt fares, unless it changes meanwhile. */
async function checkPrompt({ deps, get, set }: Context): Promise<void> {
  const { prompt } = get().form;
  if (get().status !== 'ready' || get().training !== null || prompt.trim() === '') return;
  const vectors = () => vectorsOf(chosenConcepts(get()));
  const asked = vectors();
  const promptCheck = await deps.client.checkPrompt(prompt, asked).catch(() => null);
  if (get().form.prompt === prompt && vectors() === asked) set({ promptCheck });
}
