/** How a result is called: its accessible name and its file name. */
import { replaceMarks } from '../lib/prompt.ts';
import { withoutWeights } from '../lib/promptWeights.ts';
import { conceptNames } from '../store/recipe.ts';
import type { ResultRecord } from '../store/state.ts';

export function pictureName(result: ResultRecord, truncation: number): string {
  const { prompt, mixing, seed } = result;
  const names = conceptNames(result);
  const mixed = mixing ? ` looking like ${mixing.conceptName} from ${mixing.start} %` : '';
  const concept = names === '' ? '' : ` (${names}${mixed}, truncation ${truncation})`;
  return `${prompt}${concept}, seed ${seed}`;
}

export function resultFileName({ prompt, conceptName, seed }: ResultRecord): string {
  const words =
    replaceMarks(withoutWeights(prompt), (name) => name || conceptName).match(/[\p{L}\p{N}]+/gu) ?? [];
  return `${words.join('-').slice(0, 80)}-${seed}.png`;
}
