/**
 * The page's side of the worker boundary. Each call gets a number, so that it can be cancelled; errors come back as
 * plain objects and are revived. When the worker dies the calls it took with it reject with `worker.died`; the next call
 * starts another one.
 */
import * as Comlink from 'comlink';
import { AppError, reviveError } from '../lib/errors.ts';
import type { CallOptions, Opened, StudioClient } from './api.ts';
import type { Answer, StudioWorker } from './studioWorker.ts';

interface Connection {
  readonly worker: Worker;
  readonly remote: Comlink.Remote<StudioWorker>;
  /** Rejects when the worker dies. */
  readonly death: Promise<never>;
  readonly kill: (reason: string) => void;
}

/** A pulse this late means that the worker is gone or wedged: longer than any single run of the engine. */
const pulsePeriod = 10_000;
const pulseLimit = 120_000;

function connect(): Connection {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'studio' });
  let kill: (reason: string) => void = () => undefined;
  const death = new Promise<never>((_, reject) => {
    kill = (reason) => {
      worker.terminate();
      reject(new AppError('worker.died', `The part of the studio that does the work stopped (${reason}).`));
    };
  });
  death.catch(() => undefined);
  worker.addEventListener('error', (event) => {
    kill(event.message || 'it failed to start');
  });
  return { worker, remote: Comlink.wrap<StudioWorker>(worker), death, kill };
}

export function createStudioClient(): StudioClient {
  let connection: Connection | null = null;
  let nextCall = 1;
  let lastPulse = Date.now();
  const listeners = new Set<(reason: string) => void>();
  // Calls made while the model loads wait for it, however it ends.
  let noteOpening: (ready: Promise<unknown>) => void = () => undefined;
  let ready = new Promise<unknown>((resolve) => (noteOpening = resolve));

  function connected(): Connection {
    if (connection) return connection;
    const started = connect();
    connection = started;
    lastPulse = Date.now();
    started.death.catch((error: Error) => {
      connection = null;
      for (const listener of listeners) listener(error.message);
    });
    return started;
  }

  setInterval(() => {
    const current = connection;
    if (!current) return;
    void current.remote.ping().then(() => {
      lastPulse = Date.now();
    });
    if (Date.now() - lastPulse > pulseLimit) current.kill('it no longer answers');
  }, pulsePeriod);

  async function send<T>(
    call: (remote: Comlink.Remote<StudioWorker>, id: number) => Promise<Answer<T>>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { remote, death, kill } = connected();
    const id = nextCall++;
    const cancel = () => void remote.cancel(id);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const answer = Promise.race([call(remote, id), death]);
      if (signal?.aborted) cancel();
      const { error, value } = await answer;
      if (!error) return value as T;
      if (error.code === 'engine.lost') kill(error.message);
      throw reviveError(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async function sendWhenReady<T>(
    call: (remote: Comlink.Remote<StudioWorker>, id: number) => Promise<Answer<T>>,
    signal?: AbortSignal,
  ): Promise<T> {
    await ready;
    return send(call, signal);
  }

  const events = <E>(options?: CallOptions<E>) => Comlink.proxy((event: E) => options?.onEvent?.(event));

  return {
    open: (request, options) => {
      const opening = send<Opened>(
        (remote, id) => remote.open(id, request, events(options)),
        options?.signal,
      );
      ready = opening.catch(() => undefined);
      noteOpening(ready);
      return opening;
    },
    reconstruct: (picture) => sendWhenReady((remote, id) => remote.reconstruct(id, picture)),
    checkCategory: (word) => sendWhenReady((remote, id) => remote.checkCategory(id, word)),
    checkPrompt: (prompt, vectors) => sendWhenReady((remote, id) => remote.checkPrompt(id, prompt, vectors)),
    train: (request, options) =>
      sendWhenReady((remote, id) => remote.train(id, request, events(options)), options?.signal),
    generate: (request, options) =>
      sendWhenReady((remote, id) => remote.generate(id, request, events(options)), options?.signal),
    score: (request) => sendWhenReady((remote, id) => remote.score(id, request)),
    inspectConcept: (file) => sendWhenReady((remote, id) => remote.inspectConcept(id, file)),
    importConcept: (files) => sendWhenReady((remote, id) => remote.importConcept(id, files)),
    exportConcept: (file, format) => sendWhenReady((remote, id) => remote.exportConcept(id, file, format)),
    relabelConcept: (file, label) => sendWhenReady((remote, id) => remote.relabelConcept(id, file, label)),
    models: () => send((remote, id) => remote.models(id)),
    planModel: (request, options) => send((remote, id) => remote.planModel(id, request), options?.signal),
    resumeModel: (model) => send((remote, id) => remote.resumeModel(id, model)),
    fetchModel: (plan, options) =>
      send((remote, id) => remote.fetchModel(id, plan, events(options)), options?.signal),
    removeModel: (model) => send((remote, id) => remote.removeModel(id, model)),
    onDeath: (listener) => {
      listeners.add(listener);
    },
  };
}
