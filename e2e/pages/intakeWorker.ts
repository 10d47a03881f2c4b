/** The worker of the intake's test page: models are taken in on the browser's own file system. */
import * as Comlink from 'comlink';
import { toPlainError, type PlainError } from '../../src/lib/errors.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import { ModelStore } from '../../src/storage/modelStore.ts';
import { opfsTree } from '../../src/storage/opfs.ts';
import { planFromUrl } from '../../src/intake/baseUrl.ts';
import { gatherFacts } from '../../src/intake/facts.ts';
import { fetchModel } from '../../src/intake/fetchModel.ts';
import { planFromFolder } from '../../src/intake/folder.ts';
import { planFromHub } from '../../src/intake/hub.ts';
import { planToResume, type ModelPlan } from '../../src/intake/plan.ts';
import { preflight } from '../../src/intake/preflight.ts';
import type { IntakeProgress } from '../../src/intake/progress.ts';

const store = new ModelStore(opfsTree());
const RETRY = { tries: 4, backoffMs: 10, stallMs: 2000 };
let cancel = new AbortController();

async function take(
  plan: ModelPlan,
  onProgress: (progress: IntakeProgress) => void,
): Promise<PlainError | null> {
  cancel = new AbortController();
  try {
    await fetchModel(plan, store, { signal: cancel.signal, onProgress, retry: RETRY });
    return null;
  } catch (error) {
    return toPlainError(error);
  }
}

const worker = {
  hub: (repo: string, host: string, onProgress: (progress: IntakeProgress) => void) =>
    planFromHub(repo, 'main', { host, retry: RETRY }).then((plan) => take(plan, onProgress)),
  url: (address: string, onProgress: (progress: IntakeProgress) => void) =>
    planFromUrl(address, { retry: RETRY }).then((plan) => take(plan, onProgress)),
  folder: (folder: FileSystemDirectoryHandle, onProgress: (progress: IntakeProgress) => void) =>
    planFromFolder(folder).then((plan) => take(plan, onProgress)),
  resume: async (onProgress: (progress: IntakeProgress) => void) => {
    const [pending] = await store.incomplete();
    return take(planToResume(pending!)!, onProgress);
  },
  cancel: () => {
    cancel.abort();
  },
  list: () => store.list(),
  incomplete: () => store.incomplete(),
  hash: async (id: string, path: string) =>
    sha256Hex(new Uint8Array(await (await store.openFile(id, path)).arrayBuffer())),
  keepPrepared: (id: string, files: Map<string, Uint8Array<ArrayBuffer>>) => store.writePrepared(id, files),
  usage: () => store.usage(),
  remove: (id: string) => store.remove(id),
  preflight: async (address: string) =>
    preflight(await planFromUrl(address, { retry: RETRY }), await gatherFacts(store)),
};

export type IntakeWorker = typeof worker;
Comlink.expose(worker);
