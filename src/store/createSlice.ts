/** Making pictures: checks what was asked for, generates, keeps results, and feeds the likeness slider. */
import { AppError, toPlainError } from '../lib/errors.ts';
import type { GenerateProgress } from '../worker/api.ts';
import type { Context } from './context.ts';
import { FieldError } from './formSlice.ts';
import { createLikeness, type Likeness } from './likeness.ts';
import { encodePng } from './png.ts';
import { chosenCast, readOrder, sweepOf, toRequest, vectorsOf, type Order, type Recipe } from './order.ts';
import { describeLength, describeRecipe } from './prompt.ts';
import { deleteResults, saveResult } from './results.ts';
import { scoreResults } from './scoring.ts';
import { sceneOf, type PictureScene } from './scene.ts';
import type { CreateSlice, ResultRecord } from './state.ts';

export function createCreateSlice(context: Context): CreateSlice {
  const { deps, get, set, messages } = context;
  let controller = new AbortController();

  const describe = (recipe: Recipe, seed: number) => {
    const { resolution = 0, hash = '' } = get().base ?? {};
    return describeRecipe({ ...recipe, seed, resolution, baseHash: hash });
  };

  const likeness: Likeness<PictureScene> = createLikeness<PictureScene>({
    async render({ result, cast }, truncation, steps, signal) {
      const recipe = { ...result, truncation, steps };
      const request = await toRequest({ recipe, cast, seeds: [result.seed] });
      const { pictures } = await deps.client.generate(request, { signal });
      return encodePng(pictures[0]!, describe(recipe, result.seed));
    },
    onFrame: ({ scene, picture, truncation, quality }) =>
      set({ live: { resultId: scene.result.id, picture, truncation, quality } }),
    onError: (error) => messages.report('create', error),
    mayWorkAhead: () => get().training === null && get().generation === null,
  });

  async function requireShortPrompt({ recipe, cast }: Order): Promise<void> {
    const tooLong = describeLength(await deps.client.checkPrompt(recipe.prompt, vectorsOf(cast)));
    if (tooLong !== null) throw new AppError('prompt.long', tooLong);
  }

  /** Progress of the order `index` of `count` alike. */
  const showProgress = (index: number, count: number) => (progress: GenerateProgress) => {
    const [step, steps] = [index * progress.steps + progress.step, count * progress.steps];
    const orderLeft = progress.steps - progress.step;
    const secondsLeft = orderLeft > 0 ? (progress.secondsLeft * (steps - step)) / orderLeft : null;
    if (get().generation !== null) set({ generation: { phase: 'running', step, steps, secondsLeft } });
  };

  async function run(order: Order, onEvent: (progress: GenerateProgress) => void): Promise<ResultRecord[]> {
    const { recipe, seeds } = order;
    const request = await toRequest(order);
    const { pictures } = await deps.client.generate(request, {
      signal: controller.signal,
      onEvent,
    });
    const created = deps.now();
    return pictures.map((picture, index) => {
      const seed = seeds[index]!;
      const made = {
        id: deps.newId(),
        created,
        picture: encodePng(picture, describe(recipe, seed)),
      };
      return { version: 1, ...recipe, seed, ...made, scores: null };
    });
  }

  async function deliver(results: readonly ResultRecord[]): Promise<void> {
    const first = results[0];
    if (first === undefined) return;
    set((state) => ({ results: [...state.results, ...results], chosenResultId: first.id, live: null }));
    messages.announce(`${results.length} ${results.length === 1 ? 'picture is' : 'pictures are'} ready.`);
    await Promise.all(results.map((result) => saveResult(context, result)));
    void scoreResults(context, results);
    await get().measureUsage();
  }

  function reportFailure(error: unknown): void {
    const { code, message } = toPlainError(error);
    const field = error instanceof FieldError ? error.field : code.startsWith('prompt.') ? 'prompt' : null;
    if (field === null) messages.report('create', error);
    else set({ fieldProblems: { ...get().fieldProblems, [field]: message } });
  }

  /** Works through orders one after another; what is done when one fails or is cancelled stays. */
  async function work(orders: readonly Order[]): Promise<void> {
    const { steps } = orders[0]!.recipe;
    controller = new AbortController();
    set({
      generation: { phase: 'waiting', step: 0, steps: orders.length * steps, secondsLeft: null },
    });
    try {
      await requireShortPrompt(orders[0]!);
      for (const [index, order] of orders.entries())
        await deliver(await run(order, showProgress(index, orders.length)));
    } finally {
      set({ generation: null });
    }
    workAhead();
  }

  async function begin(plan: (order: Order) => readonly Order[]): Promise<void> {
    if (get().generation !== null) return;
    likeness.stop();
    messages.clear('create');
    try {
      await work(plan(readOrder(get(), deps.randomSeed)));
    } catch (error) {
      reportFailure(error);
    }
  }

  function workAhead(): void {
    const scene = chosenScene();
    if (scene === null) return;
    likeness.remember(scene, scene.result.truncation, scene.result.picture);
    void likeness.workAhead(scene);
  }

  const chosenScene = () => sceneOf(get(), get().chosenResultId);

  return {
    results: [],
    chosenResultId: null,
    generation: null,
    live: null,
    promptCheck: null,
    generate: () => begin((order) => [order]),
    sweepMixing: () => begin(sweepOf),
    cancelGeneration() {
      likeness.stop();
      controller.abort();
    },
    chooseResult(id) {
      const result = get().results.find((each) => each.id === id);
      if (result === undefined) return;
      likeness.stop();
      set({ chosenResultId: id, live: null });
      get().edit({ truncation: result.truncation });
    },
    setTruncation(truncation) {
      get().edit({ truncation });
      const scene = chosenScene();
      if (scene === null) return;
      likeness.remember(scene, scene.result.truncation, scene.result.picture);
      void likeness.show(scene, truncation);
    },
    async keepLive() {
      const { live, results } = get();
      const result = results.find((each) => each.id === live?.resultId);
      if (live?.quality !== 'full' || result === undefined || live.truncation === result.truncation) return;
      const { picture, truncation } = live;
      const kept = { ...result, id: deps.newId(), created: deps.now(), picture, truncation, scores: null };
      await deliver([kept]);
    },
    deleteResults: (ids) => deleteResults(context, ids),
    reuseResult(id) {
      const result = get().results.find((each) => each.id === id);
      if (result === undefined) return;
      const { conceptId, prompt, negativePrompt, truncation, sampler, mixing } = result;
      const isThere = (id: string | null) => get().concepts.some((each) => each.id === id);
      const kept = {
        ...(isThere(conceptId) && { conceptId }),
        appearanceId: mixing && isThere(mixing.conceptId) ? mixing.conceptId : null,
        ...(mixing && { mixingStart: mixing.start }),
      };
      const numbers = {
        seed: `${result.seed}`,
        steps: `${result.steps}`,
        guidanceScale: `${result.guidanceScale}`,
      };
      get().edit({ ...kept, prompt, negativePrompt, truncation, sampler, ...numbers });
    },
    async checkPrompt() {
      const { prompt } = get().form;
      if (get().status !== 'ready' || get().training !== null || prompt.trim() === '') return;
      const vectors = () => vectorsOf(chosenCast(get()));
      const asked = vectors();
      const promptCheck = await deps.client.checkPrompt(prompt, asked).catch(() => null);
      if (get().form.prompt === prompt && vectors() === asked) set({ promptCheck });
    },
  };
}
