/** Lets a cancellation in, which waits while the worker computes. Throws the signal's reason. */
export async function throwIfCancelled(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
}
