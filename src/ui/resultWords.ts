/** How a result is called: its accessible name and its file name. */
import { withoutWeights } from '../lib/promptWeights.ts';
import type { ResultRecord } from '../store/state.ts';

export function pictureName({ prompt, conceptName, mixing, seed }: ResultRecord, truncation: number): string {
  const mixed = mixing ? ` looking like ${mixing.conceptName} from ${mixing.start} %` : '';
  const concept = conceptName === '' ? '' : ` (${conceptName}${mixed}, truncation ${truncation})`;
  return `${prompt}${concept}, seed ${seed}`;
}

export function resultFileName({ prompt, conceptName, seed }: ResultRecord): string {
  const words =
    withoutWeights(prompt)
      .replace('{}', conceptName)
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return `${words.join('-').slice(0, 80)}-${seed}.png`;
}
