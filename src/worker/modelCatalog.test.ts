/** What is kept in this browser and what could be. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryTree } from '../storage/testing/memoryTree.ts';
import { ModelStore } from '../storage/modelStore.ts';
import { microFolder } from '../intake/testing/microFolder.ts';
import { ModelCatalog } from './modelCatalog.ts';

// A browser without a graphics card.
beforeEach(() => vi.stubGlobal('navigator', { hardwareConcurrency: 2 }));
afterEach(() => vi.unstubAllGlobals());

describe('planning a folder', () => {
  const catalog = new ModelCatalog(new ModelStore(memoryTree()));

  it('ends when it is cancelled, before its graphs are read', async () => {
    const opened: string[] = [];
    const files = (await microFolder()).map(({ path, file }) => {
      const slice = file.slice.bind(file);
      file.slice = (...range) => {
        opened.push(path);
        return slice(...range);
      };
      return { path, file };
    });
    const request = { kind: 'folder', files } as const;
    const controller = new AbortController();
    const planning = catalog.plan(request, controller.signal);
    controller.abort();
    await expect(planning).rejects.toMatchObject({ name: 'AbortError' });
    expect(opened).toEqual([]);
    await catalog.plan(request, new AbortController().signal);
    expect(opened).toContain('micro/unet/model.onnx');
  });

  it.each([
    ['timesteps without end', { num_train_timesteps: 1e9 }, 'num_train_timesteps'],
    ['a negative beta', { beta_start: -1 }, 'beta_start'],
    ['too few betas', { trained_betas: [0.1, 0.2] }, 'trained_betas'],
    ['another prediction', { prediction_type: 'flow_prediction' }, 'prediction_type'],
  ])('refuses a scheduler with %s by its field, before anything is copied', async (_, change, field) => {
    const files = await Promise.all(
      (await microFolder()).map(async ({ path, file }) => {
        if (!path.endsWith('scheduler_config.json')) return { path, file };
        const config = { ...(JSON.parse(await file.text()) as object), ...change };
        return { path, file: new File([JSON.stringify(config)], file.name) };
      }),
    );
    const planning = catalog.plan({ kind: 'folder', files }, new AbortController().signal);
    await expect(planning).rejects.toMatchObject({
      code: 'model.config',
      message: expect.stringContaining(field) as string,
    });
  });
});
