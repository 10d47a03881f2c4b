/** How a result is called: its accessible name and its file name. */
import type { ResultRecord } from '../store/state.ts';

export function pictureName({ prompt, conceptName, seed }: ResultRecord, truncation: number): string {
  const concept = conceptName === '' ? '' : ` (${conceptName}, truncation ${truncation})`;
  return `${prompt}${concept}, seed ${seed}`;
}

export function resultFileName({ prompt, conceptName, seed }: ResultRecord): string {
  const words = prompt.replace('{}', conceptName).match(/[\p{L}\p{N}]+/gu) ?? [];
  return `${words.join('-').slice(0, 80)}-${seed}.png`;
}
