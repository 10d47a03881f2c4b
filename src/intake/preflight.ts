/**
 * Says before anything is fetched what will come of it: whether the model can be kept, whether it will draw, whether it can
 * learn, in which precision, and what to change otherwise. A pure function of a plan, of what the computer offers, and of
 * estimates of the memory that the model needs.
 */
import { fileSize } from '../lib/numbers.ts';
import { ACTIVATION_BUDGET, isLarge } from './compileOptions.ts';
import type { GpuFacts, PreflightFacts } from './facts.ts';
import type { ModelPlan } from './plan.ts';

/** Memory that a task takes in bytes, as the compiler's memory planner gives it for a graph. */
export interface MemoryNeed {
  readonly weightBytes: number;
  readonly activationBytes: number;
  /** The largest single buffer, where it is known; graphics cards limit it. */
  readonly largestBytes?: number;
  /** Whether these are the compiler's plan of the graph, not a rule of thumb. */
  readonly planned?: boolean;
}

/** What drawing and training take in one precision of arithmetic. */
export interface MemoryEstimate {
  readonly precision: 'float16' | 'float32';
  readonly draw: MemoryNeed;
  readonly train: MemoryNeed;
}

/** `maybe` where the browser does not tell what would settle it. */
export type Answer = 'yes' | 'maybe' | 'no';

export interface Verdict {
  readonly answer: Answer;
  /** Whole sentences: why, and what to change unless the answer is yes. */
  readonly reasons: readonly string[];
}

export interface Preflight {
  readonly store: Verdict;
  readonly draw: Verdict;
  readonly train: Verdict;
  /** Of the arithmetic that the answers hold for. */
  readonly precision: MemoryEstimate['precision'];
}

/** WebAssembly addresses 4 GiB; the engine itself takes a part of it. */
const WASM_BYTES = 3.5 * 2 ** 30;
/** Browsers tell no more than this of a computer's memory, so that it does not give the user away. */
const MOST_TOLD = 8 * 2 ** 30;
/** What the system and the browser leave of a computer's memory. */
const USABLE_SHARE = 0.75;
/** Beyond this a common graphics card may be too small. */
const COMMON_CARD = 6 * 2 ** 30;

/** Whether the engine that this computer gets computes in half precision. */
export function computesHalf({ gpu }: PreflightFacts): boolean {
  return gpu !== null && gpu.f16 && !gpu.software;
}

/** `estimates` from the most wanted to the least: the first that the computer can train, else draw with, decides. */
export function preflight(
  plan: ModelPlan,
  facts: PreflightFacts,
  estimates: readonly MemoryEstimate[] = estimatesFromSizes(plan),
): Preflight {
  return judgeModel(plan.totalBytes, facts, estimates);
}

/** Of a model of so many bytes, whose memory is known. */
export function judgeModel(
  totalBytes: number,
  facts: PreflightFacts,
  estimates: readonly MemoryEstimate[],
): Preflight {
  const judged = estimates
    .filter(({ precision }) => precision === 'float32' || computesHalf(facts))
    .map(({ precision, draw, train }) => ({
      precision,
      draw: judge('Drawing', draw, facts),
      train: judge('Training', train, facts),
    }));
  const weight = { yes: 2, maybe: 1, no: 0 } as const;
  const score = ({ draw, train }: (typeof judged)[number]) => 3 * weight[draw.answer] + weight[train.answer];
  const [best] = judged.toSorted((a, b) => score(b) - score(a));
  return { store: judgeSpace(totalBytes, facts), ...best! };
}

/** A rough estimate while nothing but the files' sizes is known; `plannedEstimates` is for files that can be read. */
export function estimatesFromSizes(plan: ModelPlan): MemoryEstimate[] {
  const single = weightsIn(plan, /^checkpoint\.safetensors$/);
  const unet = weightsIn(plan, /^unet\//) + UNET_SHARE * single;
  const weights = unet + weightsIn(plan, BESIDE_UNET) + (1 - UNET_SHARE) * single;
  const most = isLarge(plan.totalBytes) ? ACTIVATION_BUDGET : Infinity;
  return (['float16', 'float32'] as const).map((precision) => {
    const width = precision === 'float32' ? 4 : 2;
    const needing = (activations: number): MemoryNeed => ({
      weightBytes: weights * width,
      activationBytes: Math.min(most, weights * width * activations),
      largestBytes: (unet * width) / LARGEST_SHARE,
    });
    return { precision, draw: needing(DRAW_SHARE), train: needing(TRAIN_SHARE) };
  });
}

/** The U-Net’s share of the weights of a Stable Diffusion in one file. */
const UNET_SHARE = 0.8;
/** Activations ÷ weights: rules of thumb, not measured. */
const DRAW_SHARE = 0.5;
const TRAIN_SHARE = 1.5;
/**
 * Weights of the U-Net ÷ its largest buffer: in Stable Diffusion 1.5 at 512 × 512 the attention of 8 heads over 4096 positions,
 * 8 · 4096² numbers against 860 million.
 */
const LARGEST_SHARE = 6.4;

/** The U-Net of Stable Diffusion 1.x and 2.x has 0.86 billion weights; unless names tell, less than 2.5 GB are half floats. */
function isHalf(plan: ModelPlan): boolean {
  return plan.weights === 'half' || bytesOf(plan, /^(unet\/|checkpoint\.safetensors$)/) < 2.5e9;
}

const BESIDE_UNET = /^(text_encoder|vae|vae_encoder|vae_decoder)\//;

/** Number of weights in the files that match. */
function weightsIn(plan: ModelPlan, pattern: RegExp): number {
  return bytesOf(plan, pattern) / (isHalf(plan) ? 2 : 4);
}

function bytesOf({ files }: ModelPlan, pattern: RegExp): number {
  return files.reduce((sum, { path, bytes }) => sum + (pattern.test(path) ? bytes : 0), 0);
}

function judgeSpace(totalBytes: number, { space }: PreflightFacts): Verdict {
  const free = space.quota - space.usage;
  if (free < totalBytes)
    return {
      answer: 'no',
      reasons: [
        `It takes ${fileSize(totalBytes)} and ${fileSize(Math.max(free, 0))} are free: ${fileSize(totalBytes - free)} are missing. Remove models under Storage or free disk space.`,
      ],
    };
  const kept = space.persistent
    ? []
    : ['The browser may remove it when the disk runs short, unless it grants lasting storage.'];
  return {
    answer: 'yes',
    reasons: [`It takes ${fileSize(totalBytes)}; ${fileSize(free)} are free.`, ...kept],
  };
}

function judge(task: string, memory: MemoryNeed, facts: PreflightFacts): Verdict {
  const { gpu } = facts;
  return gpu && !gpu.software ? judgeCard(task, memory, facts, gpu) : judgeProcessor(task, memory, facts);
}

const sizeOf = ({ weightBytes, activationBytes }: MemoryNeed) => weightBytes + activationBytes;

const amount = (need: MemoryNeed) => `${need.planned ? '' : 'about '}${fileSize(sizeOf(need))}`;
const basis = ({ planned }: MemoryNeed) =>
  planned ? ', as planned from its graph' : ', by a rule of thumb from the size of the model';

function judgeCard(task: string, memory: MemoryNeed, facts: PreflightFacts, gpu: GpuFacts): Verdict {
  const needed = sizeOf(memory);
  const needs = `${task} needs ${amount(memory)} on the graphics card (${gpu.name})${basis(memory)}.`;
  const largest = Math.min(gpu.maxBufferSize, gpu.maxStorageBufferBindingSize);
  if (memory.largestBytes && memory.largestBytes > largest)
    return {
      answer: 'no',
      reasons: [
        `${task} needs a buffer of about ${fileSize(memory.largestBytes)}, and this graphics card (${gpu.name}) allows ${fileSize(largest)}. Use a smaller model, or a computer with a larger card.`,
      ],
    };
  if (needed > roomFor(facts)) return { answer: 'no', reasons: [needs, tooSmall(facts)] };
  if (needed <= COMMON_CARD) return { answer: 'yes', reasons: [needs] };
  return {
    answer: 'maybe',
    reasons: [
      needs,
      'The browser does not tell how much the card has: close other pages and programs that use it.',
    ],
  };
}

function judgeProcessor(task: string, memory: MemoryNeed, facts: PreflightFacts): Verdict {
  const needed = sizeOf(memory);
  const needs = `${task} needs ${amount(memory)} of memory${basis(memory)}.`;
  const why = facts.gpu
    ? 'The only graphics adapter is software, so the processor does the work.'
    : 'This browser offers no WebGPU adapter, so the processor does the work.';
  if (needed > WASM_BYTES)
    return {
      answer: 'no',
      reasons: [
        needs,
        why,
        'WebAssembly holds no more than 4 GB. Use a browser and a computer with WebGPU, or a smaller model.',
      ],
    };
  if (needed > roomFor(facts)) return { answer: 'no', reasons: [needs, tooSmall(facts)] };
  const slow = facts.crossOriginIsolated
    ? `It runs on ${facts.threads} threads of the processor${needed > 1e9 ? ', which takes minutes a picture' : ''}.`
    : 'This page is not cross-origin isolated, so it runs on a single thread: have it served with the headers in the README.';
  return { answer: needed > 1e9 ? 'maybe' : 'yes', reasons: [needs, why, slow] };
}

/** Memory that this computer can have, as far as the browser tells. */
function roomFor({ deviceMemory }: PreflightFacts): number {
  return deviceMemory === null || deviceMemory >= MOST_TOLD ? Infinity : deviceMemory * USABLE_SHARE;
}

function tooSmall({ deviceMemory }: PreflightFacts): string {
  return `This computer has about ${fileSize(deviceMemory ?? 0)} of memory. Use a smaller model or another computer.`;
}
