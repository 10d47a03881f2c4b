/**
 * Loss scaling for half-precision gradients (Micikevicius et al., "Mixed precision training", 2018; torch.amp.GradScaler's
 * rule and numbers): the loss is multiplied so that small gradients do not vanish in float16. A step whose gradients
 * overflowed is skipped and the scale halved; after a number of good steps in a row it doubles.
 */
import type { Precision } from '../lib/precision.ts';

const INITIAL = 65536;
const GROWTH_INTERVAL = 2000;

/** Float32 represents every whole power of two between them. */
const [SMALLEST, LARGEST] = [2 ** -24, 2 ** 32];

/** Where a loss scale stands: its value, and the good steps in a row since it last changed. */
export interface LossScaleState {
  readonly value: number;
  readonly goodSteps: number;
}

export class LossScale {
  private goodSteps = 0;

  /** Float32 needs none: its scale is 1 and stays so. */
  constructor(
    private readonly precision: Precision,
    private readonly growthInterval = GROWTH_INTERVAL,
    private current = precision === 'float16' ? INITIAL : 1,
  ) {}

  get value(): number {
    return this.current;
  }

  state(): LossScaleState {
    return { value: this.current, goodSteps: this.goodSteps };
  }

  /** Goes on from a state of half precision; float32 needs none. */
  load({ value, goodSteps }: LossScaleState): void {
    if (this.precision === 'float32') return;
    this.current = value;
    this.goodSteps = goodSteps;
  }

  /** Told after every step whether its gradients were finite. */
  update(finite: boolean): void {
    if (this.precision === 'float32') return;
    this.goodSteps = finite ? this.goodSteps + 1 : 0;
    if (!finite) this.current = Math.max(SMALLEST, this.current / 2);
    if (this.goodSteps < this.growthInterval) return;
    this.current = Math.min(LARGEST, this.current * 2);
    this.goodSteps = 0;
  }
}
