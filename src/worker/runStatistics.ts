/** Running figures of a training run: smoothed loss with its spread, pictures a second, time left. */
import type { TrainProgress } from './api.ts';

/** Weight of the newest step in the running mean of the loss. */
const LOSS_WEIGHT = 0.06;
/** Weight of the newest step in the running seconds a step. */
const TIME_WEIGHT = 0.15;

export interface RunPlan {
  /** Steps of earlier sessions, and those of this one. */
  readonly startStep: number;
  readonly steps: number;
  /** Pictures a step. */
  readonly batchSize: number;
}

export class RunStatistics {
  /** Steps of this session. */
  private done = 0;
  private mean = 0;
  private variance = 0;
  private secondsPerStep = 0;
  private last = performance.now();

  constructor(private readonly plan: RunPlan) {}

  /** Takes the loss of the step that just ended; time runs from the construction. */
  add(loss: number): TrainProgress {
    const now = performance.now();
    const seconds = (now - this.last) / 1000;
    this.last = now;
    const { startStep, steps, batchSize } = this.plan;
    const done = ++this.done;
    // The weights start at 1 / done, so that the first steps count in full.
    const weight = Math.max(LOSS_WEIGHT, 1 / done);
    const difference = loss - this.mean;
    this.mean += weight * difference;
    this.variance = (1 - weight) * (this.variance + weight * difference ** 2);
    this.secondsPerStep += Math.max(TIME_WEIGHT, 1 / done) * (seconds - this.secondsPerStep);
    return {
      type: 'progress',
      step: startStep + done,
      steps: startStep + steps,
      loss,
      smoothedLoss: this.mean,
      spread: Math.sqrt(this.variance),
      picturesPerSecond: batchSize / this.secondsPerStep,
      secondsLeft: this.secondsPerStep * (steps - done),
    };
  }
}
