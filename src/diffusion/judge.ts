/**
 * The judge: a small dual encoder that ships beside a base model and was trained on the same world. It measures what the
 * paper measures with CLIP (section 5): *likeness*, the mean cosine of a picture and the concept's own, and
 * *prompt*, the cosine of a picture and a sentence.
 */
import { graphPath, preparedPath, type JudgePart } from '../lib/modelLayout.ts';
import { readBytes, type OpenFile } from '../lib/modelFiles.ts';
import { cosine } from '../lib/numbers.ts';
import { floats, type Runtime, type Session } from '../ort/runtime.ts';
import type { PromptTokenizer } from './tokenizer.ts';

/** What the judge sees in one picture. Vectors are compared by their cosine. */
export interface Impression {
  /** [D], in one space with sentences. */
  readonly prompt: Float32Array;
  /** [D], alike for pictures of one thing, whatever is around it. */
  readonly likeness: Float32Array;
}

/** Cosines, −1 … 1: the higher, the better. */
export interface Scores {
  /** Null when there is nothing to compare with. */
  readonly likeness: number | null;
  readonly prompt: number;
}

export interface JudgeOptions {
  readonly runtime: Runtime;
  readonly open: OpenFile;
  readonly tokenizer: PromptTokenizer;
  /** Side of the pictures. */
  readonly resolution: number;
}

export class Judge {
  private constructor(
    private readonly options: JudgeOptions,
    private readonly image: Session,
    private readonly text: Session,
  ) {}

  /** Throws what `open` and onnxruntime throw. */
  static async load(options: JudgeOptions): Promise<Judge> {
    const load = async (part: JudgePart) => {
      const [graph, stock] = [preparedPath(part), graphPath(part)];
      const weights = { path: stock, data: await options.open(stock) };
      return options.runtime.load(await readBytes(options.open, graph), [weights], []);
    };
    return new Judge(options, await load('judge_image'), await load('judge_text'));
  }

  /** @param pictures planes [3, R, R] in −1…1 each. */
  async look(pictures: readonly Float32Array[]): Promise<Impression[]> {
    const { runtime, resolution } = this.options;
    const joined = new Float32Array(pictures.length * 3 * resolution ** 2);
    pictures.forEach((planes, i) => joined.set(planes, i * planes.length));
    const pixels = runtime.float(joined, [pictures.length, 3, resolution, resolution]);
    const outputs = await this.image.run({ pixel_values: pixels }, ['image_embeds', 'likeness_embeds']);
    const prompts = await floats(outputs['image_embeds']!);
    const likenesses = await floats(outputs['likeness_embeds']!);
    const width = prompts.length / pictures.length;
    const row = (rows: Float32Array, i: number) => rows.subarray(i * width, (i + 1) * width);
    return pictures.map((_, i) => ({ prompt: row(prompts, i), likeness: row(likenesses, i) }));
  }

  /** A sentence's vector [D]. Throws `prompt.long`. */
  async read(sentence: string): Promise<Float32Array> {
    const { runtime, tokenizer } = this.options;
    const { ids } = tokenizer.encode(sentence);
    const input = runtime.integers(this.text.inputType('input_ids'), ids, [1, ids.length]);
    const outputs = await this.text.run({ input_ids: input }, ['text_embeds']);
    return floats(outputs['text_embeds']!);
  }

  /** Scores of each picture for a sentence and the `given` pictures of the concept. */
  async score(
    pictures: readonly Float32Array[],
    sentence: string,
    given: readonly Float32Array[],
  ): Promise<Scores[]> {
    const wanted = await this.read(sentence);
    const known = given.length > 0 ? await this.look(given) : [];
    return (await this.look(pictures)).map(({ prompt, likeness }) => ({
      likeness: known.length > 0 ? meanCosine(likeness, known) : null,
      prompt: cosine(prompt, wanted),
    }));
  }

  async release(): Promise<void> {
    await Promise.all([this.image.release(), this.text.release()]);
  }
}

function meanCosine(vector: Float32Array, known: readonly Impression[]): number {
  const sum = known.reduce((total, { likeness }) => total + cosine(vector, likeness), 0);
  return sum / known.length;
}
