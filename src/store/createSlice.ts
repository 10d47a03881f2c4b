/** Making pictures: generating what the form asks for, choosing among results, and the truncation slider's renders. */
import type { Context } from './context.ts';
import { carryOut, deliver, renderSeries, type Deliver } from './generation.ts';
import { gridActions } from './grid.ts';
import { readOrder, sweepOf, truncationsOf, type Order } from './order.ts';
import { allOf, chosenConcepts, vectorsAt } from './pictureConcepts.ts';
import { formOf } from './recipe.ts';
import { deleteResults } from './results.ts';
import type { CreateSlice } from './state.ts';
import { isCurrent, sweepAround } from './sweep.ts';
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
    generate: () => generate(create, () => [readForm(context)]),
    sweepMixing: () => generate(create, () => sweepOf(readForm(context))),
    sweepTruncation: () => sweepTruncation(create),
    ...gridActions(context, (plan, receive) => generate(create, plan, receive)),
    cancelGeneration: () => cancelGeneration(create),
    chooseResult: (id) => chooseResult(create, id),
    setTruncation: (truncation) => setTruncation(create, truncation),
    keepLive: () => keepLive(context),
    deleteResults: (ids) => deleteResults(context, ids),
    reuseResult: (id) => reuseResult(context, id),
    checkPrompt: () => checkPrompt(context),
  };
}

function rendersOf(context: Context): TruncationRenders<PictureSeries> {
  const { get, set, messages } = context;
  return new TruncationRenders({
    render: (...wish) => renderSeries(context, ...wish),
    onFrame: ({ series, picture, truncation, quality }) =>
      set({ live: { resultId: series.result.id, picture, truncation, quality } }),
    onError: (error) => messages.report('create', error),
    mayWorkAhead: () => get().training === null && get().generation === null,
  });
}

const readForm = ({ deps, get }: Context): Order => readOrder(get(), deps.randomSeed);

async function generate(
  context: CreateContext,
  plan: () => readonly Order[],
  receive?: Deliver,
): Promise<void> {
  const { get, renders, running } = context;
  if (get().generation !== null) return;
  renders.stop();
  running.controller = new AbortController();
  const made = await carryOut(context, plan, running.controller.signal, receive);
  const series = made && !receive ? chosenSeries(context) : null;
  if (series !== null) void renders.workAhead(series);
}

/** The picture that the slider stands at stays the chosen one. */
async function sweepTruncation(context: CreateContext): Promise<void> {
  const series = chosenSeries(context);
  if (series === null) return;
  const { get } = context;
  await generate(context, () => truncationsOf(get(), series));
  if (get().generation === null) get().chooseResult(series.result.id);
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

/** The series of the chosen result; what of it is among the results need not be rendered. */
function chosenSeries({ get, renders }: CreateContext): PictureSeries | null {
  const series = seriesOf(get(), get().chosenResultId);
  if (series === null) return null;
  const { result, concepts } = series;
  for (const each of sweepAround(get().results, result, 'truncation'))
    if (each === result || isCurrent(each, allOf(concepts)))
      renders.remember(series, each.truncation, each.picture);
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
    edit(formOf(result, (conceptId) => concepts.find((each) => each.id === conceptId)?.name ?? null));
}

/** Asks the worker how the prompt fares, unless it changes meanwhile. */
async function checkPrompt({ deps, get, set }: Context): Promise<void> {
  const { prompt } = get().form;
  if (get().status !== 'ready' || get().training !== null || prompt.trim() === '') return;
  const vectors = () => vectorsAt(get(), prompt, chosenConcepts(get()));
  const asked = vectors();
  const promptCheck = await deps.client.checkPrompt(prompt, asked).catch(() => null);
  if (get().form.prompt === prompt && vectors().join() === asked.join()) set({ promptCheck });
}
