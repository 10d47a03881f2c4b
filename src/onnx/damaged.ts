/** Graphs come from strangers: whatever goes wrong in one is said of the graph, never left as an error of the language. */
import { AppError } from '../lib/errors.ts';

/** What `work` returns. Throws `onnx.damaged` naming `what` where it throws anything that is no AppError. */
export function sayWhere<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      'onnx.damaged',
      `expected a whole graph, found that ${what} contradicts itself (${reason}); download the model again`,
      { cause },
    );
  }
}
