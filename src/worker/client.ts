/** The page's client of the worker: each of its methods is one call over the link. */
import * as Comlink from 'comlink';
import { WorkerLink } from './link.ts';
import type { CallOptions, StudioClient } from './studioClient.ts';

/** A callback that the worker can call. */
function events<Event>(options?: CallOptions<Event>) {
  return Comlink.proxy((event: Event) => options?.onEvent?.(event));
}

export function createStudioClient(): StudioClient {
  const link = new WorkerLink();
  return {
    open: (request, options) =>
      link.open((remote, id) => remote.open(id, request, events(options)), options?.signal),
    ...modelCalls(link),
    ...conceptCalls(link),
    ...mapCalls(link),
    ...pictureCalls(link),
    onDeath: (listener) => link.onDeath(listener),
  };
}

type Calls<Name extends keyof StudioClient> = Pick<StudioClient, Name>;

/** Models are asked for and fetched whether or not one is open. */
function modelCalls(
  link: WorkerLink,
): Calls<'models' | 'knownModels' | 'planModel' | 'resumeModel' | 'fetchModel' | 'removeModel'> {
  return {
    models: () => link.send((remote, id) => remote.models(id)),
    knownModels: () => link.send((remote, id) => remote.knownModels(id)),
    planModel: (request, options) =>
      link.send((remote, id) => remote.planModel(id, request), options?.signal),
    resumeModel: (model) => link.send((remote, id) => remote.resumeModel(id, model)),
    fetchModel: (plan, options) =>
      link.send((remote, id) => remote.fetchModel(id, plan, events(options)), options?.signal),
    removeModel: (model) => link.send((remote, id) => remote.removeModel(id, model)),
  };
}

function conceptCalls(
  link: WorkerLink,
): Calls<
  'checkCategory' | 'train' | 'inspectConcept' | 'importConcepts' | 'exportConcept' | 'relabelConcept'
> {
  return {
    checkCategory: (word) => link.sendWhenReady((remote, id) => remote.checkCategory(id, word)),
    train: (request, options) =>
      link.sendWhenReady((remote, id) => remote.train(id, request, events(options)), options?.signal),
    inspectConcept: (file) => link.sendWhenReady((remote, id) => remote.inspectConcept(id, file)),
    importConcepts: (files) => link.sendWhenReady((remote, id) => remote.importConcepts(id, files)),
    exportConcept: (file, format) =>
      link.sendWhenReady((remote, id) => remote.exportConcept(id, file, format)),
    relabelConcept: (file, label) =>
      link.sendWhenReady((remote, id) => remote.relabelConcept(id, file, label)),
  };
}

function mapCalls(link: WorkerLink): Calls<'spaceTime' | 'nearestWords'> {
  return {
    spaceTime: (request) => link.sendWhenReady((remote, id) => remote.spaceTime(id, request)),
    nearestWords: (request) => link.sendWhenReady((remote, id) => remote.nearestWords(id, request)),
  };
}

function pictureCalls(
  link: WorkerLink,
): Calls<'reconstruct' | 'checkPrompt' | 'generate' | 'attention' | 'score'> {
  return {
    reconstruct: (picture) => link.sendWhenReady((remote, id) => remote.reconstruct(id, picture)),
    checkPrompt: (prompt, vectors) =>
      link.sendWhenReady((remote, id) => remote.checkPrompt(id, prompt, vectors)),
    generate: (request, options) =>
      link.sendWhenReady((remote, id) => remote.generate(id, request, events(options)), options?.signal),
    attention: (request, options) =>
      link.sendWhenReady((remote, id) => remote.attention(id, request, events(options)), options?.signal),
    score: (request) => link.sendWhenReady((remote, id) => remote.score(id, request)),
  };
}
