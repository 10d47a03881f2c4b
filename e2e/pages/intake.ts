/** Test page: `window.intake` takes models in, in a worker as the studio does; `window.progress` is the last event. */
import * as Comlink from 'comlink';
import { ModelStore } from '../../src/storage/modelStore.ts';
import { opfsTree } from '../../src/storage/opfs.ts';
import type { IntakeProgress } from '../../src/intake/progress.ts';
import type { IntakeWorker } from './intakeWorker.ts';

const worker = Comlink.wrap<IntakeWorker>(
  new Worker(new URL('./intakeWorker.ts', import.meta.url), { type: 'module' }),
);
const onProgress = Comlink.proxy((progress: IntakeProgress) => {
  Object.assign(window, { progress });
});

/** A folder of the page's own file system, as dropping one gives. */
async function makeFolder(files: Record<string, number[]>): Promise<FileSystemDirectoryHandle> {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('given', { create: true });
  for (const [path, content] of Object.entries(files)) {
    const [name, ...parents] = path.split('/').reverse();
    let at = folder;
    for (const parent of parents.reverse()) at = await at.getDirectoryHandle(parent, { create: true });
    const stream = await (await at.getFileHandle(name!, { create: true })).createWritable();
    await stream.write(Uint8Array.from(content));
    await stream.close();
  }
  return folder;
}

const intake = {
  hub: (repo: string, host: string) => worker.hub(repo, host, onProgress),
  url: (address: string) => worker.url(address, onProgress),
  folder: async (files: Record<string, number[]>) => worker.folder(await makeFolder(files), onProgress),
  resume: () => worker.resume(onProgress),
  cancel: () => worker.cancel(),
  list: () => worker.list(),
  incomplete: () => worker.incomplete(),
  hash: (id: string, path: string) => worker.hash(id, path),
  keepPrepared: (id: string) =>
    worker.keepPrepared(
      id,
      new Map([
        ['prepared/unet.onnx', new Uint8Array(100)],
        ['prepared/prepared.json', new Uint8Array([123, 125])],
      ]),
    ),
  usage: () => worker.usage(),
  remove: (id: string) => worker.remove(id),
  preflight: (address: string) => worker.preflight(address),
  /** Asked on the page itself, as the studio does. */
  persist: () => new ModelStore(opfsTree()).persist(),
  /** Names of all that lies in the private file system's folder of models. */
  leftovers: () => opfsTree().list(''),
};

export type Intake = typeof intake;
Object.assign(window, { intake });
document.documentElement.dataset['ready'] = 'true';
