/**
 * The page's link to the worker. Each call gets a number, so that it can be cancelled; errors come back as plain objects and
 * are revived. When the worker dies the calls it took with it reject with `worker.died`; the next call starts another one.
 */
import * as Comlink from 'comlink';
import { AppError, reviveError } from '../lib/errors.ts';
import { watchPulse } from './pulse.ts';
import type { CallResult, StudioWorker } from './studioWorker.ts';

/** Sends one call to the worker under its number. */
export type Call<T> = (remote: Comlink.Remote<StudioWorker>, id: number) => Promise<CallResult<T>>;

interface Connection {
  readonly remote: Comlink.Remote<StudioWorker>;
  /** Rejects when the worker dies. */
  readonly death: Promise<never>;
  /** Calls that are not answered yet. */
  calls: number;
}

function connect(): Connection {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'studio' });
  let kill: (reason: string) => void = () => undefined;
  const death = new Promise<never>((_, reject) => {
    kill = (reason) => {
      worker.terminate();
      reject(new AppError('worker.died', `The part of the studio that does the work stopped (${reason}).`));
    };
  });
  worker.addEventListener('error', (event) => kill(event.message || 'it failed to start'));
  const connection = { remote: Comlink.wrap<StudioWorker>(worker), death, calls: 0 };
  void connection.remote.graphicsLost().then((reason) => kill(`the graphics card was lost: ${reason}`));
  void watchLife(connection, kill);
  return connection;
}

let workers = 0;

/**
 * The worker holds a lock for as long as it lives, whatever it computes; the page gets it when the worker ended, even without
 * a word (Web Locks, on secure origins).
 */
async function watchLife(connection: Connection, kill: (reason: string) => void): Promise<void> {
  const { remote, death } = connection;
  if (navigator.locks === undefined) {
    const isIdle = () => connection.calls === 0;
    const stop = watchPulse(
      () => remote.ping(),
      isIdle,
      () => kill('it no longer answers'),
    );
    return death.catch(stop);
  }
  const name = `neti-studio-worker-${performance.timeOrigin}-${workers++}`;
  if (await remote.holdLock(name)) await navigator.locks.request(name, () => kill('it ended without a word'));
}

export class WorkerLink {
  private connection: Connection | null = null;
  private nextCall = 1;
  private readonly listeners = new Set<(reason: string) => void>();
  private noteOpening: (ready: Promise<unknown>) => void = () => undefined;
  /** Ends with the latest opening of a model, however it ends. */
  private ready = new Promise<unknown>((resolve) => (this.noteOpening = resolve));

  /** Calls the listener with the reason whenever a worker dies. */
  onDeath(listener: (reason: string) => void): void {
    this.listeners.add(listener);
  }

  /** Sends the call that opens a model; others wait for it. */
  open<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    const opening = this.send(call, signal);
    this.ready = opening.catch(() => undefined);
    this.noteOpening(this.ready);
    return opening;
  }

  /** Sends a call once the model is open or has failed to open. */
  async sendWhenReady<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    await this.ready;
    return this.send(call, signal);
  }

  /** Sends a call. Rejects with what the worker throws, and with `worker.died`. */
  async send<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    const connection = this.connected();
    const { remote, death } = connection;
    const id = this.nextCall++;
    const cancel = () => void remote.cancel(id);
    signal?.addEventListener('abort', cancel, { once: true });
    connection.calls += 1;
    try {
      const answer = Promise.race([call(remote, id), death]);
      if (signal?.aborted) cancel();
      const { error, value } = await answer;
      if (!error) return value as T;
      throw reviveError(error);
    } finally {
      connection.calls -= 1;
      signal?.removeEventListener('abort', cancel);
    }
  }

  private connected(): Connection {
    if (this.connection) return this.connection;
    const started = connect();
    this.connection = started;
    started.death.catch((error: Error) => {
      this.connection = null;
      for (const listener of this.listeners) listener(error.message);
    });
    return started;
  }
}
