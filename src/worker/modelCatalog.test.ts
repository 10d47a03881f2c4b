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
});
