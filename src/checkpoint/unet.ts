/**
 * UNet2DConditionModel of diffusers, as Stable Diffusion 1.x and 2.x and what was distilled from them use it. Which blocks there are
 * is told by the weights: pruned models (BK-SDM) lack some.
 */
import { int } from '../onnx/graph.ts';
import type { UnetConfig } from './config.ts';
import { Layers } from './layers.ts';
import type { Weights } from './weights.ts';

/** Diffusers' default of a transformer's first normalization. */
const TRANSFORMER_EPSILON = 1e-6;

/** Guidance scale less one that the embedding of a guidance-distilled model (LCM) is given: its pipeline's own default. */
const DISTILLED_GUIDANCE = 7.5;

/**
 * The stock graph. Inputs sample [B, C, S, S], timestep [B], encoder_hidden_states [B, T, D]; output out_sample [B, C, S, S].
 * Throws `checkpoint.weight` and `checkpoint.shape` when the weights are of another model.
 * @param tokens T
 */
export function writeUnet(weights: Weights, config: UnetConfig, tokens: number): Uint8Array {
  return new Unet(weights, config, tokens).write();
}

class Unet extends Layers {
  private readonly context: string;

  constructor(
    weights: Weights,
    private readonly config: UnetConfig,
    tokens: number,
  ) {
    super(weights);
    this.context = this.input('encoder_hidden_states', 'float32', [tokens, config.contextWidth]);
  }

  write(): Uint8Array {
    const { channels, size } = this.config;
    const sample = this.input('sample', 'float32', [channels, size, size]);
    const embedding = this.silu(this.timeEmbedding(this.input('timestep', 'float32', [])));
    const skips = [this.conv(sample, 'conv_in')];
    this.down(skips, embedding);
    const middle = this.middle(skips.at(-1)!, embedding);
    const out = this.up(middle, skips, embedding);
    const normal = this.silu(this.norm(out, 'conv_norm_out'));
    return this.finish(this.conv(normal, 'conv_out'), 'out_sample');
  }

  private timeEmbedding(timestep: string): string {
    const [, channels = 0] = this.weights.get('time_embedding.linear_1.weight').shape;
    const angles = this.at.op('Mul', [
      this.at.op('Unsqueeze', [timestep, this.at.integers([1])]),
      this.at.constant('float32', [channels / 2], frequencies(channels / 2, this.config.freqShift)),
    ]);
    const waves = this.config.flipSinToCos ? ['Cos', 'Sin'] : ['Sin', 'Cos'];
    const parts = waves.map((wave) => this.at.op(wave, [angles]));
    const projected = this.at.op('Concat', parts, { axis: int(1) });
    const hidden = this.silu(this.linear(this.withGuidance(projected), 'time_embedding.linear_1'));
    return this.linear(hidden, 'time_embedding.linear_2');
  }

  /** A model that was distilled with its guidance learned the scale as part of the time. */
  private withGuidance(projected: string): string {
    if (!this.weights.has('time_embedding.cond_proj')) return projected;
    const [, width = 0] = this.weights.get('time_embedding.cond_proj.weight').shape;
    const guidance = this.at.constant('float32', [1, width], guidanceEmbedding(DISTILLED_GUIDANCE, width));
    return this.add(projected, this.linear(guidance, 'time_embedding.cond_proj'));
  }

  /** Pushes every residual that the way up will read. */
  private down(skips: string[], embedding: string): void {
    for (let block = 0; block < this.weights.count('down_blocks'); block++) {
      const name = `down_blocks.${block}`;
      for (let layer = 0; layer < this.weights.count(`${name}.resnets`); layer++) {
        const x = this.resnet(skips.at(-1)!, `${name}.resnets.${layer}`, embedding);
        skips.push(this.transformer(x, `${name}.attentions.${layer}`, this.config.heads[block]!));
      }
      if (this.weights.has(`${name}.downsamplers`))
        skips.push(this.conv(skips.at(-1)!, `${name}.downsamplers.0.conv`, { stride: 2 }));
    }
  }

  private middle(x: string, embedding: string): string {
    if (!this.weights.has('mid_block')) return x;
    const heads = this.config.heads.at(-1)!;
    let y = this.resnet(x, 'mid_block.resnets.0', embedding);
    for (let layer = 0; layer < this.weights.count('mid_block.attentions'); layer++) {
      y = this.transformer(y, `mid_block.attentions.${layer}`, heads);
      y = this.resnet(y, `mid_block.resnets.${layer + 1}`, embedding);
    }
    return y;
  }

  private up(x: string, skips: string[], embedding: string): string {
    const heads = this.config.heads.toReversed();
    let y = x;
    for (let block = 0; block < this.weights.count('up_blocks'); block++) {
      const name = `up_blocks.${block}`;
      for (let layer = 0; layer < this.weights.count(`${name}.resnets`); layer++) {
        const joined = this.at.op('Concat', [y, skips.pop()!], { axis: int(1) });
        y = this.resnet(joined, `${name}.resnets.${layer}`, embedding);
        y = this.transformer(y, `${name}.attentions.${layer}`, heads[block]!);
      }
      if (this.weights.has(`${name}.upsamplers`))
        y = this.conv(this.upsample(y), `${name}.upsamplers.0.conv`);
    }
    return y;
  }

  private norm(x: string, name: string, epsilon = this.config.normEpsilon): string {
    return this.groupNorm(x, name, this.config.groups, epsilon);
  }

  /** ResnetBlock2D. */
  private resnet(x: string, name: string, embedding: string): string {
    const first = this.conv(this.silu(this.norm(x, `${name}.norm1`)), `${name}.conv1`);
    const time = this.linear(embedding, `${name}.time_emb_proj`);
    const shift = this.at.op('Unsqueeze', [time, this.at.integers([2, 3])]);
    const moved = this.silu(this.norm(this.add(first, shift), `${name}.norm2`));
    const residual = this.weights.has(`${name}.conv_shortcut`) ? this.conv(x, `${name}.conv_shortcut`) : x;
    return this.add(residual, this.conv(moved, `${name}.conv2`));
  }

  /** Transformer2DModel; nothing where the block has none. */
  private transformer(x: string, name: string, heads: number): string {
    if (!this.weights.has(name)) return x;
    const isLinear = this.weights.get(`${name}.proj_in.weight`).shape.length === 2;
    const normal = this.norm(x, `${name}.norm`, TRANSFORMER_EPSILON);
    let y = isLinear
      ? this.linear(this.rows(normal), `${name}.proj_in`)
      : this.rows(this.conv(normal, `${name}.proj_in`));
    for (let block = 0; block < this.weights.count(`${name}.transformer_blocks`); block++)
      y = this.transformerBlock(y, `${name}.transformer_blocks.${block}`, heads);
    const out = isLinear
      ? this.pictures(this.linear(y, `${name}.proj_out`), x)
      : this.conv(this.pictures(y, x), `${name}.proj_out`);
    return this.add(out, x);
  }

  /** BasicTransformerBlock: attention to itself, to the text, and a gated feed-forward network. */
  private transformerBlock(x: string, name: string, heads: number): string {
    const attend = (y: string, layer: number, context?: string) => {
      const normal = this.layerNorm(y, `${name}.norm${layer}`);
      const at = `${name}.attn${layer}`;
      const names = { q: `${at}.to_q`, k: `${at}.to_k`, v: `${at}.to_v`, out: `${at}.to_out.0` };
      return this.add(this.attention(normal, context ?? normal, heads, names), y);
    };
    const mixed = attend(attend(x, 1), 2, this.context);
    const wide = this.linear(this.layerNorm(mixed, `${name}.norm3`), `${name}.ff.net.0.proj`);
    const half = (this.at.dims(wide)[2] as number) / 2;
    const sizes = this.at.integers([half, half]);
    const [value, gate] = this.at.ops('Split', [wide, sizes], { axis: int(2) }, 2);
    const gated = this.at.op('Mul', [value!, this.gelu(gate!)]);
    return this.add(this.linear(gated, `${name}.ff.net.2`), mixed);
  }
}

const { fround } = Math;

/** exp(−ln 10000 · i / (count − shift)), rounded to float32 wherever PyTorch rounds: a thousand times this is an angle. */
function frequencies(count: number, shift: number): number[] {
  const factor = fround(-Math.log(10_000));
  return Array.from({ length: count }, (_, i) =>
    fround(Math.exp(fround(fround(factor * i) / (count - shift)))),
  );
}

/** Sines and cosines of a thousandfold guidance scale (LatentConsistencyModelPipeline), which divides before it multiplies. */
function guidanceEmbedding(guidance: number, width: number): number[] {
  const factor = -fround(fround(Math.log(10_000)) / (width / 2 - 1));
  const angles = Array.from({ length: width / 2 }, (_, i) =>
    fround(1000 * guidance * fround(Math.exp(fround(i * factor)))),
  );
  return [...angles.map(Math.sin), ...angles.map(Math.cos)];
}
