/** Divides a training pass so that its activations fit a budget, with as little computed twice as the search finds. */
import type { CompileOptions } from '../options.ts';
import { Graph, type Node } from '../graph.ts';
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

/** Segments from half of the budget down. */
const SEGMENT_SHARES = [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32];

/** Steps in which products are given up, from those that take most bytes for an operation. */
const DENSITY_STEPS = 16;

interface Candidate {
  readonly divided: Divided;
  readonly plan: MemoryPlan;
}

/** The division that repeats least within `options.activationBudget`; the one that holds least where none fits. */
export function chooseDivision(pass: TrainingPass, options: CompileOptions): Candidate {
  const budget = options.activationBudget ?? Infinity;
  const batch = options.batch ?? 1;
  const densities = keptDensities(pass, batch);
  const candidates = SEGMENT_SHARES.map((share) => {
    const evaluate = (keptDensity: number) =>
      planOf(pass, divide(pass, batch, { segmentBytes: budget * share, keptDensity }), options);
    return firstFitting(densities, evaluate, budget);
  });
  const fitting = candidates.filter(({ plan }) => plan.activationBytes <= budget);
  return fitting.length
    ? least(fitting, ({ extraCompute, segments }) => extraCompute + segments / 1e6)
    : least(candidates, ({ activationBytes }) => activationBytes);
}

function least(candidates: readonly Candidate[], measure: (plan: MemoryPlan) => number): Candidate {
  return candidates.reduce((best, other) => (measure(other.plan) < measure(best.plan) ? other : best));
}

/** The highest density that fits, by bisection; the lowest where none does. */
function firstFitting(
  densities: readonly number[],
  evaluate: (density: number) => Candidate,
  budget: number,
): Candidate {
  let [low, high] = [0, densities.length - 1];
  let best = evaluate(densities[high]!);
  while (low < high) {
    const middle = (low + high) >> 1;
    const candidate = evaluate(densities[middle]!);
    const fits = candidate.plan.activationBytes <= budget;
    if (fits) [best, high] = [candidate, middle];
    else low = middle + 1;
  }
  return best;
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
  return { divided, plan: { ...simulateMemory(graph, batch), extraCompute, segments: divided.segments } };
}

function copyOf(graph: Graph, nodes: readonly Node[]): Graph {
  const copy = graph.clone();
  copy.nodes = [...nodes];
  return copy;
}
