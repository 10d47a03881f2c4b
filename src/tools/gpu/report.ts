/** What `npm run bench:gpu` says: times against PyTorch's, whether the target is met, peak memory, what dominates. */
import { sum } from 'simple-statistics';
import type { Part, NativeProvider } from './graphs.ts';
import type { Share } from './profile.ts';
import type { PyTorchTimes } from './sd15.ts';
import type { Times } from './timing.ts';

/** GiB that the card held beyond what it held before; null where `nvidia-smi` cannot tell. */
interface CardMemory {
  readonly cardPeakGib: number | null;
}

export interface Report {
  readonly options: {
    readonly batch: number;
    readonly resolution: number;
    readonly narrow: boolean;
    readonly provider: NativeProvider;
    readonly precision: string;
  };
  readonly pytorch: PyTorchTimes & CardMemory;
  readonly studio: Times & CardMemory & { readonly processPeakGib: number };
  readonly dominant: Readonly<Record<Part, readonly Share[]>>;
}

/** A training picture may take so many times PyTorch's seconds. */
const TARGET = 3;
/** Less than this on the card, and the graphs were not there. */
const SMALLEST_MODEL_GIB = 0.1;
const LISTED = 12;

export function print(report: Report): void {
  const { options, pytorch, studio, dominant } = report;
  const { batch, resolution, narrow, provider, precision } = options;
  const model = `Stable Diffusion 1.5${narrow ? ', narrow' : ''}`;
  console.log(`\n${model}, ${resolution}², ${batch} a call; PyTorch on ${pytorch.device}`);
  printRow('seconds a picture', [provider, 'PyTorch', 'ratio']);
  printRow('', [precision, pytorch.precision, '']);
  printTimes('forward pass', studio.forward, pytorch.forward);
  printTimes('training picture', studio.training, pytorch.training);
  console.log(`of the training picture in the U-Net: ${studio.unet.toFixed(3)}`);
  printRow('peak memory of the card', [gib(studio.cardPeakGib), gib(pytorch.cardPeakGib), '']);
  console.log(`peak memory of this process: ${gib(studio.processPeakGib)}`);
  for (const [part, shares] of Object.entries(dominant)) printShares(part, shares);
  console.log(`\n${dominance(dominant)}`);
  console.log(verdict(report));
}

/** How a training picture's kernel time falls to the two graphs, and the operator that takes the largest part of it. */
export function dominance(dominant: Report['dominant']): string {
  const all = Object.entries(dominant).flatMap(([part, shares]) =>
    shares.map((share) => ({ ...share, part })),
  );
  const percent = (shares: readonly { milliseconds: number }[]) =>
    `${((100 * milliseconds(shares)) / milliseconds(all)).toFixed(0)} %`;
  const parts = Object.entries(dominant).map(([part, shares]) => `${part} ${percent(shares)}`);
  const [first] = all.toSorted((a, b) => b.milliseconds - a.milliseconds);
  const largest = first ? `${first.name} of the ${first.part}, ${percent([first])}` : 'none';
  return `Kernel time of a training picture: ${parts.join(', ')}; largest operator: ${largest}.`;
}

function milliseconds(shares: readonly { milliseconds: number }[]): number {
  return sum(shares.map((share) => share.milliseconds));
}

/** Whether the target is met; where the run cannot tell, why. */
export function verdict({ options, pytorch, studio }: Report): string {
  const doubt = reasonForDoubt(options, pytorch, studio);
  const ratio = studio.training / pytorch.training;
  const found = `a training picture takes ${ratio.toFixed(2)} × PyTorch’s time, at most ${TARGET} × is the target`;
  if (doubt) return `Target not tested: ${doubt}.`;
  return `Target ${ratio <= TARGET ? 'met' : 'missed'}: ${found}.`;
}

function reasonForDoubt(
  { provider, narrow, resolution }: Report['options'],
  pytorch: Report['pytorch'],
  { cardPeakGib }: Report['studio'],
): string | null {
  if (provider !== 'webgpu') return `the graphs ran on ${provider}`;
  if (narrow || resolution !== 512) return 'it is set for the full model at 512²';
  if (!pytorch.onCard) return 'PyTorch found no graphics card (a build for the processor?)';
  if (cardPeakGib !== null && cardPeakGib < SMALLEST_MODEL_GIB)
    return 'the card’s memory did not grow with the graphs, so WebGPU ran elsewhere (a software driver?)';
  return null;
}

function printTimes(name: string, ours: number, theirs: number): void {
  printRow(name, [ours.toFixed(3), theirs.toFixed(3), `${(ours / theirs).toFixed(2)} ×`]);
}

function printRow(name: string, cells: readonly string[]): void {
  console.log(name.padEnd(30) + cells.map((cell) => cell.padStart(12)).join(''));
}

function gib(value: number | null): string {
  return value === null ? 'unknown' : `${value.toFixed(2)} GiB`;
}

function printShares(part: string, shares: readonly Share[]): void {
  console.log(`\n${part}, two training steps, by kernel:`);
  for (const { name, calls, milliseconds, share } of shares.slice(0, LISTED)) {
    const cells = [`${(100 * share).toFixed(1)} %`, `${milliseconds.toFixed(1)} ms`, `${calls} ×`];
    console.log(`${cells.map((cell) => cell.padStart(12)).join('')} ${name}`);
  }
}
