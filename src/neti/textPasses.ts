/**
 * The text encoder's contexts of rows that hold several concepts. All of their vectors are put in at once, each at its own mark. The
 * textual bypass moves the hidden state of one token and no other, behind the last layer that looks from token to token, so each concept's
 * is added in a pass of its own, of which the concept's own tokens are taken: no approximation.
 */
import type { ConceptInputs, Pipeline } from '../diffusion/pipeline.ts';
import type { TokenRow } from '../diffusion/tokenizer.ts';
import type { Tape } from '../gpu/tape.ts';
import { floats, type OrtTensor } from '../ort/runtime.ts';
import { conceptRows, type Bridge } from './bridge.ts';
import type { MapperOutput } from './mapper.ts';

/** What cross-attention reads, [N, T, D] each. */
export interface TextSides {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

export interface MarkedRows {
  readonly row: TokenRow;
  /** The mapper's words at each mark for each of the rows; the very same where a concept stands again. */
  readonly words: readonly MapperOutput[];
  readonly rows: number;
}

export async function textPasses(
  pipeline: Pipeline,
  bridge: Bridge,
  tape: Tape,
  marked: MarkedRows,
): Promise<TextSides> {
  const { row, words, rows } = marked;
  const promptRows = Array.from({ length: rows }, () => row);
  const encode = async (concept: ConceptInputs): Promise<TextSides> => {
    const contexts = await pipeline.encodeText(promptRows, concept);
    const read = { keys: await floats(contexts.keys), values: await floats(contexts.values) };
    contexts.keys.dispose();
    contexts.values.dispose();
    return read;
  };
  const [first, ...others] = words;
  if (others.length === 0) return encode(conceptRows(bridge, tape, first!, rows));
  const embedding = await joinedVectors(pipeline, bridge, marked);
  const moving = [...new Set(words)].filter(({ bypass }) => bypass);
  const passes = new Map<MapperOutput, TextSides>();
  for (const word of moving.length > 0 ? moving : [first!])
    passes.set(word, await encode({ ...conceptRows(bridge, tape, word, rows), embedding }));
  return ownTokens(passes, marked, pipeline.shape.tokens);
}

/** [N, ΣV, D]: the vectors of each mark's concept one after the other. */
async function joinedVectors(
  { runtime, shape }: Pipeline,
  { backend }: Bridge,
  { words, rows }: MarkedRows,
): Promise<OrtTensor> {
  const read = new Map<MapperOutput, Float32Array>();
  for (const word of new Set(words)) read.set(word, await backend.download(word.base.buffer));
  const parts = words.map((word) => read.get(word)!);
  const width = parts.reduce((sum, part) => sum + part.length / rows, 0);
  const joined = new Float32Array(rows * width);
  let column = 0;
  for (const part of parts) {
    const size = part.length / rows;
    for (let n = 0; n < rows; n++) joined.set(part.subarray(n * size, (n + 1) * size), n * width + column);
    column += size;
  }
  return runtime.float(joined, [rows, width / shape.contextWidth, shape.contextWidth]);
}

/** Of each concept's pass the values at its own tokens; a concept without a bypass has those of the keys. */
function ownTokens(
  passes: ReadonlyMap<MapperOutput, TextSides>,
  { row, words, rows }: MarkedRows,
  tokens: number,
): TextSides {
  const [{ keys, values: own }] = [...passes.values()] as [TextSides];
  const width = keys.length / (rows * tokens);
  row.marks.forEach(({ first, count }, mark) => {
    const source = words[mark]!.bypass ? passes.get(words[mark]!)!.values : keys;
    for (let n = 0; n < rows; n++) {
      const start = (n * tokens + first) * width;
      own.set(source.subarray(start, start + count * width), start);
    }
  });
  return { keys, values: own };
}
