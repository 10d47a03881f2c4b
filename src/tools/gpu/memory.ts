/** Peak memory of a piece of work: the card's, as `nvidia-smi` sees it, where there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--loop-ms=100'];

/** The work's result, and the most GiB that the card held beyond what it held before; null without `nvidia-smi`. */
export async function withPeakMemory<T>(
  work: () => Promise<T>,
): Promise<{ result: T; peakGib: number | null }> {
  const monitor = spawn('nvidia-smi', query, { stdio: ['ignore', 'pipe', 'ignore'] });
  const mebibytes: number[] = [];
  monitor.stdout.on('data', (lines: Buffer) =>
    mebibytes.push(...lines.toString().trim().split('\n').map(Number)),
  );
  await Promise.race([once(monitor.stdout, 'data'), once(monitor, 'error'), once(monitor, 'exit')]);
  try {
    const result = await work();
    const [before] = mebibytes;
    return { result, peakGib: before === undefined ? null : (Math.max(...mebibytes) - before) / 1024 };
  } finally {
    monitor.kill();
  }
}
