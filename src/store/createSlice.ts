/** Making pictures: checks what was asked for, generates, keeps results, and feeds the likeness slider. */
import { AppError, toPlainError } from '../lib/errors.ts';
import type { GenerateProgress, GenerateRequest } from '../worker/api.ts';
import type { Context } from './context.ts';
import { FieldError, readNumber } from './formSlice.ts';
import { createLikeness, type Likeness } from './likeness.ts';
import { encodePng } from './png.ts';
import { describeRecipe, requireValidPrompt } from './prompt.ts';
import { deleteResults, saveResult } from './results.ts';
import { sceneOf, type PictureScene } from './scene.ts';
import type { ConceptRecord, CreateSlice, ResultRecord, StudioState } from './state.ts';

type Recipe = Omit<ResultRecord, 'id' | 'picture' | 'created' | 'version' | 'seed'>;

interface Order {
  readonly recipe: Recipe;
  readonly concept: ConceptRecord | null;
  readonly seeds: readonly number[];
}

const chosenConcept = ({ concepts, form }: StudioState) =>
  concepts.find((each) => each.id === form.conceptId) ?? null;

function readSeeds({ form }: StudioState, randomSeed: () => number): number[] {
  const range = { label: 'The seed', from: 0, to: 2 ** 31 - 1, whole: true };
  const first = form.seed.trim() === '' ? randomSeed() : readNumber('seed', form.seed, range);
  return Array.from({ length: form.count }, (_, index) => first + index);
}

/** What the form asks for. Throws FieldError and `prompt.*`. */
function readOrder(state: StudioState, randomSeed: () => number): Order {
  const { form, base } = state;
  const concept = chosenConcept(state);
  requireValidPrompt(form.prompt, concept?.name ?? null);
  const steps = readNumber('steps', form.steps, { label: 'Sampling steps', from: 1, to: 200, whole: true });
  const guidanceRange = { label: 'Guidance', from: 1, to: 30, whole: false };
  const guidanceScale = readNumber('guidanceScale', form.guidanceScale, guidanceRange);
  const { negativePrompt, truncation, sampler } = form;
  const named = { conceptId: concept?.id ?? null, conceptName: concept?.name ?? '', baseId: base?.id ?? '' };
  const recipe = {
    ...named,
    prompt: form.prompt.trim(),
    negativePrompt,
    steps,
    guidanceScale,
    truncation,
    sampler,
  };
  return { recipe, concept, seeds: readSeeds(state, randomSeed) };
}

async function toRequest(recipe: Recipe, concept: ConceptRecord | null, seeds: readonly number[]) {
  const { prompt, negativePrompt, truncation, steps, guidanceScale, sampler } = recipe;
  const file = concept === null ? null : new Uint8Array(await concept.file.arrayBuffer());
  const request: GenerateRequest = {
    ...{ prompt, negativePrompt, truncation, steps, guidanceScale, sampler, seeds },
    concept: file,
  };
  return request;
}

export function createCreateSlice(context: Context): CreateSlice {
  const { deps, get, set, messages } = context;
  let controller = new AbortController();

  const describe = (recipe: Recipe, seed: number) => {
    const { resolution = 0, hash = '' } = get().base ?? {};
    return describeRecipe({ ...recipe, seed, resolution, baseHash: hash });
  };

  const likeness: Likeness<PictureScene> = createLikeness<PictureScene>({
    async render({ result, concept }, truncation, steps, signal) {
      const recipe = { ...result, truncation, steps };
      const request = await toRequest(recipe, concept, [result.seed]);
      const { pictures } = await deps.client.generate(request, { signal });
      return encodePng(pictures[0]!, describe(recipe, result.seed));
    },
    onFrame: ({ scene, picture, truncation, quality }) =>
      set({ live: { resultId: scene.result.id, picture, truncation, quality } }),
    onError: (error) => messages.report('create', error),
    mayWorkAhead: () => get().training === null && get().generation === null,
  });

  async function requireShortPrompt(prompt: string): Promise<void> {
    const { tokens, maxTokens } = await deps.client.checkPrompt(prompt);
    if (tokens > maxTokens)
      throw new AppError(
        'prompt.long',
        `The prompt has ${tokens} tokens; the model reads ${maxTokens}. Shorten it by some words.`,
      );
  }

  function onProgress({ step, steps, secondsLeft }: GenerateProgress): void {
    set(({ generation }) =>
      generation === null ? {} : { generation: { phase: 'running', step, steps, secondsLeft } },
    );
  }

  async function run({ recipe, concept, seeds }: Order): Promise<ResultRecord[]> {
    await requireShortPrompt(recipe.prompt);
    const request = await toRequest(recipe, concept, seeds);
    const { pictures } = await deps.client.generate(request, {
      signal: controller.signal,
      onEvent: onProgress,
    });
    const created = deps.now();
    return pictures.map((picture, index) => {
      const seed = seeds[index]!;
      const made = {
        id: deps.newId(),
        created,
        picture: encodePng(picture, describe(recipe, seed)),
      };
      return { version: 1, ...recipe, seed, ...made };
    });
  }

  async function deliver(results: readonly ResultRecord[]): Promise<void> {
    const first = results[0];
    if (first === undefined) return;
    set((state) => ({ results: [...state.results, ...results], chosenResultId: first.id, live: null }));
    messages.announce(`${results.length} ${results.length === 1 ? 'picture is' : 'pictures are'} ready.`);
    await Promise.all(results.map((result) => saveResult(context, result)));
    await get().measureUsage();
  }

  function reportFailure(error: unknown): void {
    const { code, message } = toPlainError(error);
    const field = error instanceof FieldError ? error.field : code.startsWith('prompt.') ? 'prompt' : null;
    if (field === null) messages.report('create', error);
    else set({ fieldProblems: { ...get().fieldProblems, [field]: message } });
  }

  async function order(): Promise<void> {
    const wanted = readOrder(get(), deps.randomSeed);
    controller = new AbortController();
    set({ generation: { phase: 'waiting', step: 0, steps: wanted.recipe.steps, secondsLeft: null } });
    try {
      await deliver(await run(wanted));
    } finally {
      set({ generation: null });
    }
    workAhead();
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
    async generate() {
      if (get().generation !== null) return;
      likeness.stop();
      messages.clear('create');
      await order().catch(reportFailure);
    },
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
      const kept = { ...result, id: deps.newId(), created: deps.now(), picture, truncation };
      await deliver([kept]);
    },
    deleteResults: (ids) => deleteResults(context, ids),
    reuseResult(id) {
      const result = get().results.find((each) => each.id === id);
      if (result === undefined) return;
      const { conceptId, prompt, negativePrompt, truncation, sampler } = result;
      const kept = get().concepts.some((each) => each.id === conceptId) ? { conceptId } : {};
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
      const promptCheck = await deps.client.checkPrompt(prompt).catch(() => null);
      if (get().form.prompt === prompt) set({ promptCheck });
    },
  };
}
