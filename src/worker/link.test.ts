/** The page's link to a worker that ends in the middle of its work. */
import * as Comlink from 'comlink';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WorkerLink } from './link.ts';
import type { StudioWorker } from './studioWorker.ts';

/** Of each worker started: what takes its graphics card away. */
let lose: ((reason: string) => void)[] = [];
const terminate = vi.fn();

/** A worker that never answers but for its own end, behind a channel as a real one is. */
function startWorker(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const graphicsLost = new Promise<string>((resolve) => lose.push(resolve));
  Comlink.expose({ graphicsLost: () => graphicsLost, ping: () => true, holdLock: () => true }, port2);
  port1.start();
  return Object.assign(port1, { terminate });
}

beforeEach(() => {
  lose = [];
  vi.stubGlobal('Worker', startWorker);
  vi.stubGlobal('navigator', {});
});
afterEach(() => void vi.unstubAllGlobals());

const never = () => new Promise<never>(() => undefined);

it('tells every call and listener that the graphics card was lost, and starts another worker', async () => {
  const link = new WorkerLink();
  const reasons: string[] = [];
  link.onDeath((reason) => reasons.push(reason));
  const calls = [link.send(never), link.send(never)];
  lose[0]!('a long run was ended');
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'worker.died' });
  expect(reasons).toEqual([expect.stringContaining('the graphics card was lost: a long run was ended')]);
  expect(terminate).toHaveBeenCalledTimes(1);
  const answer = (remote: Comlink.Remote<StudioWorker>) => remote.ping().then((value) => ({ value }));
  expect(await link.send(answer)).toBe(true);
  expect(lose).toHaveLength(2);
});
