/** A model of one’s own from the offer to its removal, on a client that fetches nothing. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import type { ModelOffer, OpenRequest } from '../worker/api.ts';
import { scriptedClient, startStudio, trainQuickly, fillIn } from './testing/scriptedStudio.ts';
import type { StudioClient } from '../worker/studioClient.ts';

const ID = '0123456789abcdef';
const VERDICT = { answer: 'yes', reasons: ['It fits.'] } as const;
const offer: ModelOffer = {
  plan: {
    id: ID,
    title: 'Mine',
    source: { kind: 'url', address: 'https://example.org/mine/' },
    files: [],
    totalBytes: 5e6,
    licence: null,
    weights: null,
    notes: [],
    guess: null,
  },
  preflight: { store: VERDICT, draw: VERDICT, train: VERDICT, precision: 'float32' },
};
const REQUEST = { kind: 'url', address: 'https://example.org/mine/' } as const;

/** Opens whichever base is asked for; each has a hash of its own. */
async function openAny({ model }: OpenRequest) {
  const opened = await scriptedClient().open({ root: '', provider: 'auto', model });
  const own = model === null ? {} : { title: 'Mine', keptId: model, hash: 'other' };
  return { ...opened, base: { ...opened.base, ...own } };
}

async function offered(overrides: Partial<StudioClient> = {}) {
  const client = scriptedClient({ open: openAny, planModel: () => Promise.resolve({ offer }), ...overrides });
  const { store } = await startStudio({ client });
  await store.getState().planModel(REQUEST);
  return store;
}

/** A fetch that ends when it is told to, or when it is aborted. */
function slowFetch() {
  let finish: () => void = () => undefined;
  const fetchModel = vi.fn<StudioClient['fetchModel']>((_, options) => {
    const aborted = new Promise<never>((_resolve, reject) =>
      options?.signal?.addEventListener('abort', () => reject(new AppError('cancelled', 'Cancelled.'))),
    );
    return Promise.race([new Promise<void>((resolve) => (finish = resolve)), aborted]);
  });
  return { fetchModel, finish: () => finish() };
}

describe('a model of one’s own', () => {
  it('is offered before anything is fetched, then fetched and opened', async () => {
    const fetchModel = vi.fn(() => Promise.resolve());
    const store = await offered({ fetchModel });
    expect(store.getState().intake).toMatchObject({ phase: 'offered', offer });
    expect(fetchModel).not.toHaveBeenCalled();
    await store.getState().fetchModel();
    expect(store.getState().intake).toBeNull();
    expect(store.getState().base?.keptId).toBe(ID);
    expect(store.getState().form.model).toBe(ID);
  });

  it('is not opened over a training', async () => {
    const store = await offered({ train: (given) => trainQuickly(given, () => undefined, hurried.signal) });
    const hurried = new AbortController();
    await fillIn({ store }, 50);
    const training = store.getState().train();
    await store.getState().fetchModel();
    expect(store.getState().base?.keptId).toBeNull();
    hurried.abort();
    await training;
  });

  it('is planned again with another answer to what was guessed, and stays if that fails', async () => {
    const planModel = vi.fn<StudioClient['planModel']>(() => Promise.resolve({ offer }));
    const store = await offered({ planModel });
    const guess = { prediction: 'v_prediction', resolution: 768 } as const;
    const other = { ...offer, plan: { ...offer.plan, guess } };
    planModel.mockResolvedValueOnce({ offer: other });
    const answering = store.getState().answerModel({ guess });
    expect(store.getState().intake).toMatchObject({ offer, isChanging: true });
    await answering;
    expect(planModel).toHaveBeenLastCalledWith(expect.objectContaining({ guess }), expect.anything());
    expect(store.getState().intake).toMatchObject({ offer: other, isChanging: false });
    planModel.mockRejectedValueOnce(new AppError('download.failed', 'No answer.'));
    await store.getState().answerModel({ guess });
    expect(store.getState().intake).toMatchObject({ offer: other, isChanging: false });
    expect(store.getState().problems.models[0]?.message).toBe('No answer.');
  });

  it('can be paused and gone on with', async () => {
    const { fetchModel, finish } = slowFetch();
    const removeModel = vi.fn(() => Promise.resolve());
    const store = await offered({ fetchModel, removeModel });
    const fetching = store.getState().fetchModel();
    await vi.waitFor(() => expect(fetchModel).toHaveBeenCalledTimes(1));
    await store.getState().pauseFetch();
    await fetching;
    expect(store.getState().intake).toEqual({ phase: 'paused', offer });
    expect(removeModel).not.toHaveBeenCalled();
    const again = store.getState().fetchModel();
    await vi.waitFor(() => expect(fetchModel).toHaveBeenCalledTimes(2));
    finish();
    await again;
    expect(store.getState().base?.keptId).toBe(ID);
  });

  it('leaves nothing when it is cancelled', async () => {
    const { fetchModel } = slowFetch();
    const removeModel = vi.fn(() => Promise.resolve());
    const store = await offered({ fetchModel, removeModel });
    const fetching = store.getState().fetchModel();
    await vi.waitFor(() => expect(fetchModel).toHaveBeenCalled());
    await store.getState().dropIntake();
    await fetching;
    expect(store.getState().intake).toBeNull();
    expect(removeModel).toHaveBeenCalledWith(ID);
    expect(store.getState().problems.models).toEqual([]);
  });

  it('that breaks off is kept as paused, with the reason', async () => {
    const store = await offered({
      fetchModel: () => Promise.reject(new AppError('download.failed', 'No answer.')),
    });
    await store.getState().fetchModel();
    expect(store.getState().intake?.phase).toBe('paused');
    expect(store.getState().problems.models[0]?.message).toBe('No answer.');
  });

  it('that is none is refused where it was asked for', async () => {
    const store = await offered({
      planModel: () => Promise.reject(new AppError('model.layout', 'There is no U-Net.')),
    });
    expect(store.getState().intake).toBeNull();
    expect(store.getState().problems.models[0]?.message).toBe('There is no U-Net.');
  });

  it('gives way to the shipped one before it is removed', async () => {
    const order: string[] = [];
    const store = await offered({
      open: (given) => {
        order.push(`open ${given.model}`);
        return openAny(given);
      },
      removeModel: (given) => {
        order.push(`remove ${given}`);
        return Promise.resolve();
      },
    });
    await store.getState().fetchModel();
    await store.getState().removeModel(ID);
    expect(order).toEqual(['open null', `open ${ID}`, 'open null', `remove ${ID}`]);
    expect(store.getState().form.model).toBeNull();
  });

  it('that cannot be opened leaves the way back to the shipped one', async () => {
    const store = await offered({
      open: (given) =>
        given.model === null
          ? openAny(given)
          : Promise.reject(new AppError('onnx.unsupported', 'It has an operator that is not known.')),
    });
    await store.getState().openModel(ID);
    expect(store.getState().status).toBe('failed');
    expect(store.getState().problems.page[0]?.message).toContain('operator');
    await store.getState().openModel(null);
    expect(store.getState().status).toBe('ready');
    expect(store.getState().problems.page).toEqual([]);
  });

  it('does not take concepts of another base', async () => {
    const store = await offered();
    await fillIn({ store }, 1);
    await store.getState().train();
    expect(store.getState().form.conceptId).not.toBeNull();
    await store.getState().fetchModel();
    expect(store.getState().form.conceptId).toBeNull();
    expect(store.getState().concepts).toHaveLength(1);
  });
});
