/** A model kept in the browser: compiled when it must be, opened again as it is, stopped between graphs. */
import { beforeEach, describe, expect, it } from 'vitest';
import { toPlainError } from '../lib/errors.ts';
import { memoryTree } from '../storage/testing/memoryTree.ts';
import { ModelStore } from '../storage/modelStore.ts';
import type { LoadProgress } from './api.ts';
import { fetchModel } from '../intake/fetchModel.ts';
import { planFromFolder } from '../intake/folder.ts';
import { microFolder } from '../intake/testing/microFolder.ts';
import { openKeptModel } from './keptModel.ts';

let store: ModelStore;
let id: string;

beforeEach(async () => {
  store = new ModelStore(memoryTree());
  const plan = await planFromFolder(await microFolder());
  ({ id } = await fetchModel(plan, store));
});

/** Opens the model; `onPart` is told which part is about to be compiled. */
async function open(
  signal: AbortSignal,
  onPart: (part: string) => void = () => undefined,
): Promise<string[]> {
  const seen: string[] = [];
  const onProgress = ({ status, part, loaded, total }: LoadProgress) => {
    seen.push(`${status} ${part} ${loaded}/${total}`);
    onPart(part);
  };
  await openKeptModel(store, id, { half: false, signal, onProgress });
  return seen;
}

const prepared = async () => (await store.usage()).models[0]!.prepared;

describe('opening a kept model', () => {
  it('tells each graph that it compiles, the first time only', async () => {
    const { signal } = new AbortController();
    expect(await open(signal)).toEqual([
      'prepare the text encoder 0/4',
      'prepare the U-Net 1/4',
      'prepare the picture encoder 2/4',
      'prepare the picture decoder 3/4',
    ]);
    expect(await prepared()).toBeGreaterThan(0);
    expect(await open(signal)).toEqual([]);
  });

  it('stops between graphs, and keeps what was fetched', async () => {
    const controller = new AbortController();
    const parts: string[] = [];
    const opening = open(controller.signal, (part) => {
      parts.push(part);
      // As a message from the page does: it comes in while the worker waits.
      if (part === 'the U-Net') setTimeout(() => controller.abort());
    });
    const error: unknown = await opening.catch((reason: unknown) => reason);
    expect(toPlainError(error).code).toBe('cancelled');
    expect(parts).toEqual(['the text encoder', 'the U-Net']);
    expect(await store.list()).toMatchObject([{ id }]);
    expect(await prepared()).toBe(0);
    expect(await open(new AbortController().signal)).toHaveLength(4);
  });
});
