/** For tests: files in the layout of a model, with contents that are nothing but recognisable. */
import { Random } from '../../lib/random.ts';

/** Made-up bytes; the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  return Uint8Array.from({ length }, () => Math.floor(random.uniform() * 256));
}

const text = (content: string) => new TextEncoder().encode(content);

/** A complete model; the U-Net keeps its weights apart. */
export function tinyModel(weightBytes = 200_000): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map([
    ['model_index.json', text('{"_class_name":"OnnxStableDiffusionPipeline"}')],
    ['README.md', text('# Tiny')],
    ['LICENSE', text('MIT')],
    ['scheduler/scheduler_config.json', text('{}')],
    ['tokenizer/tokenizer.json', text('{"version":"1.0"}')],
    ['tokenizer/tokenizer_config.json', text('{}')],
    ['text_encoder/config.json', text('{"a":1}')],
    ['text_encoder/model.onnx', noise(30_000, 2)],
    ['unet/config.json', text('{"b":2}')],
    ['unet/model.onnx', noise(5_000, 3)],
    ['unet/model.onnx_data', noise(weightBytes, 4)],
    ['vae_encoder/config.json', text('{"c":3}')],
    ['vae_encoder/model.onnx', noise(20_000, 5)],
    ['vae_decoder/config.json', text('{"d":4}')],
    ['vae_decoder/model.onnx', noise(20_000, 6)],
  ]);
}
