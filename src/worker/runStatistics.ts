/** Running figures of a training run: smoothed loss with its spread, pictures a second, time left. */
import type { LossPoint, TrainProgress } from './api.ts';

/** Weight of the newest step in the running mean of the loss. */
const LOSS_WEIGHT = 0.06;
/** Weight of the newest step in the running seconds a step. */
const TIME_WEIGHT = 0.15;

export interface RunPlan {
  /** Steps of earlier runs, and those of this one. */
  readonly startStep: number;
  readonly steps: number;
  /** Pictures a step. */
  readonly batchSize: number;
}

export class RunStatistics {
  /** Points of the loss curve that nobody was told of yet. */
  private points: LossPoint[] = [];
  private loss = NaN;
  private done = 0;
  private mean = 0;
  private variance = 0;
  /** Steps that were timed, and the running seconds of one. */
  private timed = 0;
  private secondsPerStep = 0;
  private last = performance.now();

  /** @param losses of the run before it was cut short */
  constructor(
    private readonly plan: RunPlan,
    losses: readonly number[],
  ) {
    for (const loss of losses) this.smooth(loss);
  }

  /** Takes the loss of the step that just ended; time runs from the construction. */
  add(loss: number): void {
    const now = performance.now();
    const seconds = (now - this.last) / 1000;
    this.last = now;
    this.timed++;
    this.secondsPerStep += Math.max(TIME_WEIGHT, 1 / this.timed) * (seconds - this.secondsPerStep);
    this.smooth(loss);
  }

  /** What there is to tell, with the points of the curve since it was told last. */
  report(): TrainProgress {
    const { startStep, steps, batchSize } = this.plan;
    const { points, done, loss, secondsPerStep } = this;
    this.points = [];
    return {
      type: 'progress',
      step: startStep + done,
      steps: startStep + steps,
      loss,
      points,
      picturesPerSecond: batchSize / secondsPerStep,
      secondsLeft: secondsPerStep * (steps - done),
    };
  }

  private smooth(loss: number): void {
    this.loss = loss;
    this.done++;
    // The weights start at 1 / done, so that the first steps count in full.
    const weight = Math.max(LOSS_WEIGHT, 1 / this.done);
    const difference = loss - this.mean;
    this.mean += weight * difference;
    this.variance = (1 - weight) * (this.variance + weight * difference ** 2);
    const step = this.plan.startStep + this.done;
    this.points.push({ step, loss: this.mean, spread: Math.sqrt(this.variance) });
  }
}
