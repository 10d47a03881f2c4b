/** Where a picture's words look: the picture is drawn again with its cross-attention recorded, once asked for. */
import { AppError } from '../lib/errors.ts';
import type { Attention, GenerateProgress } from '../worker/api.ts';
import type { Context } from './context.ts';
import { conceptsOf } from './pictureConcepts.ts';
import { toRequest } from './recipe.ts';
import type { AttentionSlice, ResultRecord } from './state.ts';

/** Pictures whose maps are kept, a few dozen numbers a word for the shipped base, some thousand for Stable Diffusion. */
const MOST_KEPT = 12;

export function createAttentionSlice(context: Context): AttentionSlice {
  let controller = new AbortController();
  return {
    attention: {},
    looking: null,
    async lookAtWords(resultId) {
      if (context.get().looking !== null) return;
      controller = new AbortController();
      await look(context, resultId, controller.signal);
    },
    stopLooking: () => controller.abort(),
  };
}

async function look(context: Context, resultId: string, signal: AbortSignal): Promise<void> {
  const { get, set, messages } = context;
  const result = get().results.find((each) => each.id === resultId);
  if (result === undefined) return;
  messages.clear('create');
  set({ looking: { resultId, phase: 'waiting', step: 0, steps: result.steps, secondsLeft: null } });
  try {
    const attention = await ask(context, result, signal);
    set((state) => ({ attention: withNewest(state.attention, resultId, attention) }));
    messages.announce('The maps of the words are ready.');
  } catch (error) {
    messages.report('create', error);
  } finally {
    set({ looking: null });
  }
}

function ask({ deps, get, set }: Context, result: ResultRecord, signal: AbortSignal): Promise<Attention> {
  const concepts = conceptsOf(get(), result);
  if (concepts === null)
    throw new AppError(
      'attention.gone',
      'The maps of the words need the picture drawn again, but its concept or its model is not open here. Open it, or import the concept.',
    );
  const onEvent = (progress: GenerateProgress) =>
    set({ looking: { resultId: result.id, phase: 'running', ...progress } });
  return deps.client.attention(toRequest(result, concepts, [result.seed]), { signal, onEvent });
}

function withNewest(
  kept: Readonly<Record<string, Attention>>,
  id: string,
  attention: Attention,
): Readonly<Record<string, Attention>> {
  const others = Object.entries(kept).filter(([each]) => each !== id);
  return Object.fromEntries([...others.slice(1 - MOST_KEPT), [id, attention]]);
}
