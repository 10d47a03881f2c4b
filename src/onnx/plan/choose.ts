/** Divides a training pass so that its activations fit a budget, with as little computed twice as the search finds. */
import type { CompileOptions } from '../options.ts';
import type { Graph, Node } from '../graph.ts';
import { toHalf } from '../precision.ts';
import { bytesOf, isProduct, operationsOf } from './cost.ts';
import { simulateMemory, type MemoryUse } from './memory.ts';
import { divide, type Divided, type TrainingPass } from './segments.ts';

export interface MemoryPlan extends MemoryUse {
  /** Recomputed operations ÷ operations of a forward and a backward pass. */
  readonly extraCompute: number;
  /** Number of `If`s that the backward pass is divided into. */
  readonly segments: number;
}

/** Bytes of all values of a segment ÷ budget; they are not alive at one time. */
const SEGMENT_SHARES = [2, 1, 1 / 2, 1 / 4, 1 / 8];

/** Steps in which products are given up, from those that take most bytes for an operation. */
const DENSITY_STEPS = 16;

interface Candidate {
  readonly divided: Divided;
  readonly plan: MemoryPlan;
}

/** The division that repeats least within `options.activationBudget`; the one that holds least where none fits. */
export function chooseDivision(pass: TrainingPass, options: CompileOptions): Candidate {
  const { activationBudget: budget = Infinity, batch = 1 } = options;
  const densities = keptDensities(pass, batch);
  const evaluate = (keptDensity: number, share: number) =>
    planOf(pass, divide(pass, batch, { segmentBytes: budget * share, keptDensity }), options);
  let [low, high] = [0, densities.length - 1];
  let best = smallest(densities[high]!, evaluate, budget);
  while (low < high && best.plan.activationBytes <= budget) {
    const middle = (low + high) >> 1;
    const candidate = smallest(densities[middle]!, evaluate, budget);
    if (candidate.plan.activationBytes <= budget) [best, high] = [candidate, middle];
    else low = middle + 1;
  }
  return best;
}

/** The first division of a density that fits, fewest segments first; the one that holds least where none does. */
function smallest(
  density: number,
  evaluate: (density: number, share: number) => Candidate,
  budget: number,
): Candidate {
  let best: Candidate | undefined;
  for (const share of SEGMENT_SHARES) {
    const candidate = evaluate(density, share);
    if (!best || candidate.plan.activationBytes < best.plan.activationBytes) best = candidate;
    if (best.plan.activationBytes <= budget) break;
  }
  return best!;
}

/** Thresholds from "keep every product" to "keep none". */
function keptDensities({ graph, forward }: TrainingPass, batch: number): number[] {
  const densities = forward
    .filter(isProduct)
    .map((node) => bytesOf(graph.typeOf(node.outputs[0]!), batch) / operationsOf(graph, node, batch))
    .sort((a, b) => b - a);
  const step = Math.max(1, Math.floor(densities.length / DENSITY_STEPS));
  return [...densities.filter((_, i) => i % step === 0), 0];
}

function planOf(pass: TrainingPass, divided: Divided, { precision, batch = 1 }: CompileOptions): Candidate {
  const graph = copyOf(pass.graph, divided.nodes);
  if (precision === 'float16') toHalf(graph);
  const backward = [...pass.backward.values()].flat();
  const total = [...pass.forward, ...backward, ...pass.finish].reduce(
    (sum, node) => sum + operationsOf(pass.graph, node, batch),
    0,
  );
  const extraCompute = divided.recomputed / total;
  return {
    divided,
    plan: {
      ...simulateMemory(graph, batch, { batchIsNamed: false }),
      extraCompute,
      segments: divided.segments,
    },
  };
}

function copyOf(graph: Graph, nodes: readonly Node[]): Graph {
  const copy = graph.clone();
  copy.nodes = [...nodes];
  return copy;
}
