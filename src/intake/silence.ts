/** A connection that brings nothing for too long is ended. */
export class Silence {
  private readonly dead = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal: AbortSignal;

  constructor(
    private readonly limitMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.signal = AbortSignal.any(signal ? [signal, this.dead.signal] : [this.dead.signal]);
    this.broken();
  }

  /** Something came. */
  broken(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.dead.abort();
    }, this.limitMs);
  }

  get isTooLong(): boolean {
    return this.dead.signal.aborted;
  }

  /** Lets go of the connection, read to its end or not. */
  end(): void {
    clearTimeout(this.timer);
    this.dead.abort();
  }
}
