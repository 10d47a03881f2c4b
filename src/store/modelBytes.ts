/** The space that the user's own models take. */
import type { ModelList } from '../worker/api.ts';

/** Bytes of the kept models, with what was prepared of them, and of those on their way. */
export function modelBytes({ models, incomplete }: ModelList['usage']): number {
  return models.reduce((sum, { bytes, prepared }) => sum + bytes + prepared, incomplete);
}
