/**
 * NeTI's training loop (arXiv 2305.15391, section 4): one step draws pictures, timesteps, noise and templates, asks the mapper
 * for a word vector for every cross-attention layer and picture, runs text encoder and U-Net, and carries the loss's
 * gradient back through both vector-Jacobian products to the mapper. The base stays frozen.
 * Rows are ordered layer by layer: row = layer × pictures + picture.
 */
import { AdamW, type AdamWState } from '../gpu/adamw.ts';
import type { DeviceBuffer } from '../gpu/backend.ts';
import { multiply } from '../gpu/kernels/elementwise.ts';
import { Tape } from '../gpu/tape.ts';
import type { RandomSource } from '../lib/random.ts';
import type { Pipeline, UnetInputs } from '../diffusion/pipeline.ts';
import type { TokenRow } from '../diffusion/tokenizer.ts';
import type { OrtTensor } from '../ort/runtime.ts';
import { conceptRows, type Bridge } from './bridge.ts';
import { LossScale, type LossScaleState } from './lossScale.ts';
import type { Mapper, MapperOutput } from './mapper.ts';
import { nestedDropoutKeep } from './nestedDropout.ts';
import type { TrainSettings } from './settings.ts';
import { MICRO_BATCH_SIZE } from './settings.ts';

/** The VAE's answer for one picture, [C, H, W] each: latents are drawn from it anew every step. */
export interface LatentMoments {
  readonly mean: Float32Array;
  readonly logvar: Float32Array;
}

/** A training picture and its mirror image, absent when flips are off. */
export interface TrainingPicture {
  readonly straight: LatentMoments;
  readonly mirrored: LatentMoments | null;
}

export interface TrainerParts {
  readonly pipeline: Pipeline;
  readonly bridge: Bridge;
  readonly mapper: Mapper;
  readonly pictures: readonly TrainingPicture[];
  /** Prompts with one `{}` each. */
  readonly templates: readonly string[];
  readonly settings: TrainSettings;
  readonly random: RandomSource;
  /** Of an earlier session, to go on from; null starts afresh. */
  readonly optimizer?: AdamWState | null;
  /** Starts from the usual scale when absent. */
  readonly lossScale?: LossScale;
}

/** Milliseconds of one step, by part. */
export interface StepTimes {
  readonly mapper: number;
  readonly text: number;
  readonly unet: number;
  readonly rest: number;
}

export interface StepResult {
  /** Mean squared error over all pictures of the step. */
  readonly loss: number;
  /** Half precision overflowed: nothing was updated, and the next step scales the loss less. */
  readonly skipped: boolean;
  readonly times: StepTimes;
}

/** What goes through the frozen networks together: a whole step, or as many of its pictures as memory allows. */
interface Batch {
  readonly sample: Float32Array;
  readonly target: Float32Array;
  readonly timesteps: readonly number[];
  /** One prompt row a picture. */
  readonly rows: readonly TokenRow[];
  /** Hidden units kept, [layers · pictures]. */
  readonly keep: Float32Array<ArrayBuffer>;
}

/** Losses of a batch's pictures; without finite gradients nothing was added to the mapper's. */
interface BatchResult {
  readonly losses: readonly number[];
  readonly finite: boolean;
}

export class Trainer {
  private readonly optimizer: AdamW;
  private readonly templateRows: readonly TokenRow[];
  private readonly lossScale: LossScale;

  /** Throws `gpu.shape` when the optimizer's state is not this mapper's, and `prompt.*` for a template that does not fit. */
  constructor(private readonly parts: TrainerParts) {
    const { bridge, mapper, settings, templates, pipeline, optimizer } = parts;
    this.optimizer = new AdamW(bridge.backend, mapper.parameters, { learningRate: settings.learningRate });
    if (optimizer) this.optimizer.load(optimizer);
    this.lossScale = parts.lossScale ?? new LossScale(pipeline.shape.precision);
    this.templateRows = templates.map((template) =>
      pipeline.tokenizer.encode(template, mapper.config.vectors),
    );
  }

  /** One optimizer step: the gradients of its pictures are summed over as many passes as memory asks for. */
  async step(): Promise<StepResult> {
    const clock = new Stopwatch();
    const batch = this.drawBatch();
    clock.lap('rest');
    this.optimizer.zeroGradients();
    const results: BatchResult[] = [];
    for (const part of this.passes(batch)) results.push(await this.accumulate(part, clock));
    const finite = results.every((result) => result.finite);
    if (finite) this.optimizer.step();
    this.lossScale.update(finite);
    clock.lap('mapper');
    const losses = results.flatMap((result) => result.losses);
    const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length;
    return { loss, skipped: !finite, times: clock.spent };
  }

  /** What another session needs to go on exactly, besides the mapper and the random numbers. */
  optimizerState(): Promise<AdamWState> {
    return this.optimizer.state();
  }

  lossScaleState(): LossScaleState {
    return this.lossScale.state();
  }

  release(): void {
    this.optimizer.release();
  }

  /** Adds the gradients of the batch's share of the step's mean loss to the mapper's. */
  private async accumulate(batch: Batch, clock: Stopwatch): Promise<BatchResult> {
    const { pipeline, bridge, settings } = this.parts;
    const tape = new Tape(bridge.backend);
    const borrowed: OrtTensor[] = [];
    try {
      const output = this.runMapper(tape, batch);
      const concept = conceptRows(bridge, tape, output, batch.timesteps.length * pipeline.shape.layers);
      clock.lap('mapper');
      const rows = tiled(batch.rows, pipeline.shape.layers);
      const text = await pipeline.beginText(rows, concept);
      borrowed.push(text.keys, text.values, ...text.kept);
      clock.lap('text');
      const inputs = this.unetInputs(batch, text.keys, text.values);
      const share = batch.timesteps.length / settings.batchSize;
      const { losses, keys, values, finite } = await pipeline.denoiseGradient(
        inputs,
        batch.target,
        this.lossScale.value * share,
      );
      borrowed.push(keys, values);
      clock.lap('unet');
      if (finite) {
        const upstream = { keys: this.asRows(keys), values: this.asRows(values) };
        const gradients = await pipeline.encodeTextGradient(text, upstream);
        borrowed.push(gradients.embedding, gradients.bypass);
        clock.lap('text');
        this.backward(tape, output, gradients.embedding, gradients.bypass);
        clock.lap('mapper');
      }
      return { losses: [...losses], finite };
    } finally {
      tape.dispose();
      for (const tensor of borrowed) tensor.dispose();
    }
  }

  private drawBatch(): Batch {
    const { pipeline, random, settings } = this.parts;
    const { schedule } = pipeline;
    const latents = Array.from({ length: settings.batchSize }, () => this.drawLatents());
    const size = latents[0]!.length;
    const timesteps = latents.map(() => random.int(schedule.timesteps));
    const sample = new Float32Array(latents.length * size);
    const target = new Float32Array(latents.length * size);
    latents.forEach((clean, i) => {
      const noise = random.fillNormal(new Float32Array(size));
      sample.set(schedule.addNoise(clean, noise, timesteps[i]!), i * size);
      target.set(schedule.target(clean, noise, timesteps[i]!), i * size);
    });
    const rows = latents.map(() => this.templateRows[random.int(this.templateRows.length)]!);
    return { sample, target, timesteps, rows, keep: this.drawKeep(timesteps.length) };
  }

  private drawKeep(pictures: number): Float32Array<ArrayBuffer> {
    const { mapper, pipeline, random } = this.parts;
    return nestedDropoutKeep(random, {
      layers: pipeline.shape.layers,
      microBatches: Math.ceil(pictures / MICRO_BATCH_SIZE),
      pictures: Math.min(pictures, MICRO_BATCH_SIZE),
      hidden: mapper.config.hidden,
      probability: mapper.config.nestedDropout,
    });
  }

  /** The batch in parts that the model was compiled to take at once. */
  private passes(batch: Batch): Batch[] {
    const { layers, picturesAtOnce } = this.parts.pipeline.shape;
    const pictures = batch.timesteps.length;
    const size = batch.sample.length / pictures;
    const most = picturesAtOnce ?? pictures;
    return Array.from({ length: Math.ceil(pictures / most) }, (_, i) => {
      const [from, to] = [i * most, Math.min(pictures, (i + 1) * most)];
      const keep = Array.from({ length: layers }, (_, layer) =>
        batch.keep.subarray(layer * pictures + from, layer * pictures + to),
      );
      return {
        sample: batch.sample.subarray(from * size, to * size),
        target: batch.target.subarray(from * size, to * size),
        timesteps: batch.timesteps.slice(from, to),
        rows: batch.rows.slice(from, to),
        keep: Float32Array.from(keep.flatMap((row) => [...row])),
      };
    });
  }

  /** A sample of the VAE's posterior for a random picture, flipped half of the time, times the scaling factor. */
  private drawLatents(): Float32Array {
    const { pipeline, pictures, random } = this.parts;
    const { straight, mirrored } = pictures[random.int(pictures.length)]!;
    const { mean, logvar } = mirrored && random.uniform() < 0.5 ? mirrored : straight;
    return mean.map((m, i) => (m + Math.exp(0.5 * logvar[i]!) * random.normal()) * pipeline.latentScale);
  }

  private runMapper(tape: Tape, { timesteps, keep }: Batch): MapperOutput {
    const { mapper, pipeline } = this.parts;
    const { layers } = pipeline.shape;
    const pictures = timesteps.length;
    const rowLayers = Array.from({ length: layers * pictures }, (_, row) => Math.floor(row / pictures));
    return mapper.forward(tape, tiled(timesteps, layers), rowLayers, keep);
  }

  private unetInputs(batch: Batch, keys: OrtTensor, values: OrtTensor): UnetInputs {
    const { runtime, shape } = this.parts.pipeline;
    const dims = [shape.layers, batch.timesteps.length, shape.tokens, shape.contextWidth];
    const [k, v] = [runtime.reshape(keys, dims), runtime.reshape(values, dims)];
    return { sample: batch.sample, timesteps: batch.timesteps, keys: k, values: v };
  }

  private asRows(gradient: OrtTensor): OrtTensor {
    const { runtime, shape } = this.parts.pipeline;
    const rows = gradient.size / (shape.tokens * shape.contextWidth);
    return runtime.reshape(gradient, [rows, shape.tokens, shape.contextWidth]);
  }

  private backward(tape: Tape, output: MapperOutput, embedding: OrtTensor, bypass: OrtTensor): void {
    const { bridge, mapper } = this.parts;
    const gradients = { base: bridge.fromOrt(embedding), bypass: bridge.fromOrt(bypass) };
    for (const gradient of Object.values(gradients)) this.unscale(gradient);
    mapper.backward(tape, output, gradients);
    for (const gradient of Object.values(gradients)) bridge.backend.release(gradient);
  }

  /** Divides by the loss scale: the text encoder's part of the chain rule is linear in what it was given. */
  private unscale(gradient: DeviceBuffer): void {
    const scale = this.lossScale.value;
    if (scale === 1) return;
    this.parts.bridge.backend.run(multiply, { y: gradient }, { size: gradient.elements, factor: 1 / scale });
  }
}

/** The list repeated `times` times, end to end. */
function tiled<T>(list: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => list).flat();
}

class Stopwatch {
  private last = performance.now();
  readonly spent = { mapper: 0, text: 0, unet: 0, rest: 0 };

  lap(part: keyof StepTimes): void {
    const now = performance.now();
    this.spent[part] += now - this.last;
    this.last = now;
  }
}
