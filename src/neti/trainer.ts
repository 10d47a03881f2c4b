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
import { LossScale } from './lossScale.ts';
import type { Mapper, MapperOutput } from './mapper.ts';
import { nestedDropoutKeep } from './nestedDropout.ts';
import type { TrainSettings } from './settings.ts';
import { microBatchSize } from './settings.ts';

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

/** What a step feeds to the frozen networks, drawn from the random numbers of the run. */
interface Batch {
  readonly sample: Float32Array;
  readonly target: Float32Array;
  readonly timesteps: readonly number[];
  /** One prompt row a picture. */
  readonly rows: readonly TokenRow[];
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
    this.templateRows = templates.map((template) => pipeline.tokenizer.encode(template));
  }

  /** One optimizer step. */
  async step(): Promise<StepResult> {
    const { pipeline, bridge } = this.parts;
    const clock = new Stopwatch();
    const batch = this.drawBatch();
    clock.lap('rest');
    const tape = new Tape(bridge.backend);
    const borrowed: OrtTensor[] = [];
    try {
      const output = this.runMapper(tape, batch.timesteps);
      const concept = conceptRows(bridge, tape, output);
      clock.lap('mapper');
      const rows = tiled(batch.rows, pipeline.shape.layers);
      const contexts = await pipeline.encodeText(rows, concept);
      borrowed.push(contexts.keys, contexts.values);
      clock.lap('text');
      const inputs = this.unetInputs(batch, contexts.keys, contexts.values);
      const { losses, keys, values, finite } = await pipeline.denoiseGradient(
        inputs,
        batch.target,
        this.lossScale.value,
      );
      borrowed.push(keys, values);
      clock.lap('unet');
      if (finite) {
        const upstream = { keys: this.asRows(keys), values: this.asRows(values) };
        const gradients = await pipeline.encodeTextGradient(rows, concept, upstream);
        borrowed.push(gradients.embedding, gradients.bypass);
        clock.lap('text');
        this.update(tape, output, gradients.embedding, gradients.bypass);
        clock.lap('mapper');
      }
      this.lossScale.update(finite);
      const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length;
      return { loss, skipped: !finite, times: clock.spent };
    } finally {
      tape.dispose();
      for (const tensor of borrowed) tensor.dispose();
    }
  }

  /** What another session needs to go on exactly. */
  optimizerState(): Promise<AdamWState> {
    return this.optimizer.state();
  }

  release(): void {
    this.optimizer.release();
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
    return { sample, target, timesteps, rows };
  }

  /** A sample of the VAE's posterior for a random picture, flipped half of the time, times the scaling factor. */
  private drawLatents(): Float32Array {
    const { pipeline, pictures, random } = this.parts;
    const { straight, mirrored } = pictures[random.int(pictures.length)]!;
    const { mean, logvar } = mirrored && random.uniform() < 0.5 ? mirrored : straight;
    return mean.map((m, i) => (m + Math.exp(0.5 * logvar[i]!) * random.normal()) * pipeline.latentScale);
  }

  private runMapper(tape: Tape, timesteps: readonly number[]): MapperOutput {
    const { mapper, pipeline, random } = this.parts;
    const { layers } = pipeline.shape;
    const pictures = timesteps.length;
    const keep = nestedDropoutKeep(random, {
      layers,
      microBatches: Math.ceil(pictures / microBatchSize),
      pictures: Math.min(pictures, microBatchSize),
      hidden: mapper.config.hidden,
      probability: mapper.config.nestedDropout,
    });
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

  private update(tape: Tape, output: MapperOutput, embedding: OrtTensor, bypass: OrtTensor): void {
    const { bridge, mapper } = this.parts;
    const gradients = { base: bridge.fromOrt(embedding), bypass: bridge.fromOrt(bypass) };
    for (const gradient of Object.values(gradients)) this.unscale(gradient);
    this.optimizer.zeroGradients();
    mapper.backward(tape, output, gradients);
    for (const gradient of Object.values(gradients)) bridge.backend.release(gradient);
    this.optimizer.step();
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
