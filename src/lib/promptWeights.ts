/**
 * Weights in a prompt, by AUTOMATIC1111's convention: `(x)` counts 1.1 times as much, `[x]` 1.1 times less, `(x:1.3)` 1.3 times;
 * they may be nested, and `\(` is a bracket itself. What else is written there in brackets (`[from:to:0.5]`, `[a|b]`) changes a
 * prompt while a picture is made; here it is text, as `AND` is.
 */
export interface WeightedText {
  readonly text: string;
  readonly weight: number;
}

const STEP = 1.1;
const WORD = String.raw`[^\\()[\]:|]*`;
/** `[from:to:0.5]`, `[added:0.5]`, `[removed::0.5]`, `[one|other]`. */
const SCHEDULE = String.raw`\[(?:${WORD}:)?${WORD}:\s*\d*\.?\d+\s*\]|\[${WORD}(?:\|${WORD})+\]`;
/** Of a concept, whatever its name holds. */
const MARK = String.raw`\{[^{}]*\}`;
const PIECES = new RegExp(
  String.raw`${MARK}|${SCHEDULE}|\\[\\()[\]]|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[\\()[\]:{]|[^\\()[\]:{]+`,
  'g',
);

/** The prompt's text without its marks, in stretches of one weight. */
export function readWeights(prompt: string): WeightedText[] {
  const texts: { text: string; weight: number }[] = [];
  const open: Record<'(' | '[', number[]> = { '(': [], '[': [] };
  const weigh = (from: number | undefined, weight: number) => {
    for (const each of texts.slice(from)) each.weight *= weight;
  };
  for (const [piece, weight] of prompt.matchAll(PIECES)) {
    if (piece === '(' || piece === '[') open[piece].push(texts.length);
    else if (weight !== undefined && open['('].length > 0) weigh(open['('].pop(), Number(weight));
    else if (piece === ')' && open['('].length > 0) weigh(open['('].pop(), STEP);
    else if (piece === ']' && open['['].length > 0) weigh(open['['].pop(), 1 / STEP);
    else texts.push({ text: piece.startsWith('\\') ? piece.slice(1) : piece, weight: 1 });
  }
  for (const from of open['(']) weigh(from, STEP);
  for (const from of open['[']) weigh(from, 1 / STEP);
  return joined(texts);
}

/** Neighbours of one weight are one text. */
function joined(texts: readonly WeightedText[]): WeightedText[] {
  const result: WeightedText[] = [];
  for (const each of texts) {
    const last = result.at(-1);
    if (last?.weight === each.weight) result[result.length - 1] = { ...last, text: last.text + each.text };
    else result.push(each);
  }
  return result;
}

/** The prompt as it is read, without the marks of weights. */
export const withoutWeights = (prompt: string): string =>
  readWeights(prompt)
    .map(({ text }) => text)
    .join('');

/** What other programs act on and this one reads as text. */
export function literalMarks(prompt: string): string[] {
  const words = prompt.replace(new RegExp(MARK, 'g'), '{}');
  return [...new Set(words.match(new RegExp(String.raw`${SCHEDULE}|\bAND\b`, 'g')) ?? [])];
}
