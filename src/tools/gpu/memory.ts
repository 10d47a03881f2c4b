/** Peak memory of a piece of work: the card's, as `nvidia-smi` sees it, where there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const QUERY = ['--query-gpu=index,memory.used', '--format=csv,noheader,nounits', '--loop-ms=100'];

/** The work's result, and the most GiB that a card held beyond what it held before; null without `nvidia-smi`. */
export async function withPeakMemory<T>(
  work: () => Promise<T>,
): Promise<{ result: T; peakGib: number | null }> {
  const monitor = spawn('nvidia-smi', QUERY, { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines: string[] = [];
  createInterface(monitor.stdout).on('line', (line) => lines.push(line));
  await Promise.race([once(monitor.stdout, 'data'), once(monitor, 'error'), once(monitor, 'exit')]);
  try {
    const result = await work();
    return { result, peakGib: mostGrowth(lines) };
  } finally {
    monitor.kill();
  }
}

/** Of lines "card, MiB": the most GiB by which a card's rose above its first; null without lines. */
export function mostGrowth(lines: readonly string[]): number | null {
  const cards = new Map<string, number[]>();
  for (const [card = '', used] of lines.map((line) => line.split(',')))
    cards.set(card, [...(cards.get(card) ?? []), Number(used)]);
  const growths = [...cards.values()].map((used) => Math.max(...used) - used[0]!);
  return growths.length > 0 ? Math.max(...growths) / 1024 : null;
}
