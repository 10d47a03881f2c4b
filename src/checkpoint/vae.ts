/** AutoencoderKL of diffusers, in its two halves. */
import type { VaeConfig } from './config.ts';
import { Layers } from './layers.ts';
import type { Weights } from './weights.ts';

const EPSILON = 1e-6;

/** The stock graph. Input sample [B, 3, R, R]; output latent_parameters [B, 2·C, S, S]: means, then log-variances. Throws what `writeUnet` throws. */
export function writeVaeEncoder(weights: Weights, config: VaeConfig, resolution: number): Uint8Array {
  return new Vae(weights, config).encoder(resolution);
}

/** The stock graph. Input latent_sample [B, C, S, S]; output sample [B, 3, R, R]. Throws what `writeUnet` throws. */
export function writeVaeDecoder(weights: Weights, config: VaeConfig, size: number): Uint8Array {
  return new Vae(weights, config).decoder(size);
}

class Vae extends Layers {
  constructor(
    weights: Weights,
    private readonly config: VaeConfig,
  ) {
    super(weights);
  }

  encoder(resolution: number): Uint8Array {
    let x = this.conv(this.input('sample', 'float32', [3, resolution, resolution]), 'encoder.conv_in');
    for (let block = 0; block < this.weights.count('encoder.down_blocks'); block++) {
      const name = `encoder.down_blocks.${block}`;
      x = this.resnets(x, name);
      if (this.weights.has(`${name}.downsamplers`))
        x = this.conv(x, `${name}.downsamplers.0.conv`, { stride: 2, pads: [0, 0, 1, 1] });
    }
    x = this.leave(this.middle(x, 'encoder.mid_block'), 'encoder');
    return this.finish(this.conv(x, 'quant_conv'), 'latent_parameters');
  }

  decoder(size: number): Uint8Array {
    const latents = this.input('latent_sample', 'float32', [this.config.latentChannels, size, size]);
    let x = this.conv(this.conv(latents, 'post_quant_conv'), 'decoder.conv_in');
    x = this.middle(x, 'decoder.mid_block');
    for (let block = 0; block < this.weights.count('decoder.up_blocks'); block++) {
      const name = `decoder.up_blocks.${block}`;
      x = this.resnets(x, name);
      if (this.weights.has(`${name}.upsamplers`))
        x = this.conv(this.upsample(x), `${name}.upsamplers.0.conv`);
    }
    return this.finish(this.leave(x, 'decoder'), 'sample');
  }

  private resnets(x: string, name: string): string {
    let y = x;
    for (let layer = 0; layer < this.weights.count(`${name}.resnets`); layer++)
      y = this.resnet(y, `${name}.resnets.${layer}`);
    return y;
  }

  private middle(x: string, name: string): string {
    const first = this.resnet(x, `${name}.resnets.0`);
    return this.resnet(this.attend(first, `${name}.attentions.0`), `${name}.resnets.1`);
  }

  private norm(x: string, name: string): string {
    return this.groupNorm(x, name, this.config.groups, EPSILON);
  }

  private resnet(x: string, name: string): string {
    const first = this.conv(this.silu(this.norm(x, `${name}.norm1`)), `${name}.conv1`);
    const second = this.conv(this.silu(this.norm(first, `${name}.norm2`)), `${name}.conv2`);
    const residual = this.weights.has(`${name}.conv_shortcut`) ? this.conv(x, `${name}.conv_shortcut`) : x;
    return this.add(residual, second);
  }

  /** One head over all pixels. */
  private attend(x: string, name: string): string {
    const rows = this.rows(this.norm(x, `${name}.group_norm`));
    const names = { q: `${name}.to_q`, k: `${name}.to_k`, v: `${name}.to_v`, out: `${name}.to_out.0` };
    return this.add(this.pictures(this.attention(rows, rows, 1, names), x), x);
  }

  private leave(x: string, half: 'encoder' | 'decoder'): string {
    return this.conv(this.silu(this.norm(x, `${half}.conv_norm_out`)), `${half}.conv_out`);
  }
}
