/** What is no Stable Diffusion 1.x or 2.x is said by name, from the first bytes, the header and the size alone. */
import { describe, expect, it } from 'vitest';
import { ITEM_BYTES, type DType } from '../lib/safetensors.ts';
import { contentsOf, readCheckpointHeader, type Contents } from './refusals.ts';
import { narrowCheckpoint } from './testing/narrowCheckpoints.ts';

interface Stated {
  readonly dtype: string;
  readonly shape: readonly number[];
}

const half = (...shape: number[]): Stated => ({ dtype: 'F16', shape });

/** A file's header, and the bytes that it needs after it. */
function headerOf(tensors: Readonly<Record<string, Stated>>): {
  head: Uint8Array<ArrayBuffer>;
  data: number;
} {
  let data = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const begin = data;
    data += (ITEM_BYTES[dtype as DType] ?? 1) * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype, shape, data_offsets: [begin, data] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  return { head, data };
}

function tensorFile(tensors: Readonly<Record<string, Stated>>): Blob {
  const { head, data } = headerOf(tensors);
  return new Blob([head, new Uint8Array(data)]);
}

async function judge(file: Blob): Promise<Contents> {
  return contentsOf((await readCheckpointHeader(file, 'x.safetensors')).tensors, 'x.safetensors');
}

const CONV_IN = 'model.diffusion_model.input_blocks.0.0.weight';
const WORDS = { 'cond_stage_model.transformer.text_model.final_layer_norm.weight': half(8) };
const reading = (channels: number) => ({ [CONV_IN]: half(8, channels, 3, 3), ...WORDS });
const text = (content: string) => new Blob([content]);
const bytes = (...content: number[]) => new Blob([Uint8Array.from(content), new Uint8Array(600)]);

describe('a model file', () => {
  it.each<[string, Blob, RegExp]>([
    [
      'Stable Diffusion XL',
      tensorFile({ ...reading(4), 'conditioner.embedders.0.transformer.text_model.x': half(8) }),
      /is Stable Diffusion XL.*1\.x and 2\.x open/,
    ],
    [
      'Stable Diffusion 3',
      tensorFile({ 'model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight': half(8, 8) }),
      /is Stable Diffusion 3/,
    ],
    ['Flux', tensorFile({ 'double_blocks.0.img_attn.qkv.weight': half(8, 8) }), /is Flux/],
    ['PixArt', tensorFile({ 'adaln_single.linear.weight': half(8, 8) }), /is PixArt/],
    ['inpainting', tensorFile(reading(9)), /for inpainting.*9 channels/],
    ['depth', tensorFile(reading(5)), /is Stable Diffusion 2 depth/],
    ['InstructPix2Pix', tensorFile(reading(8)), /InstructPix2Pix.*8 channels/],
    ['an upscaler', tensorFile(reading(7)), /an upscaler/],
    [
      'a ControlNet',
      tensorFile({ 'control_model.input_hint_block.0.weight': half(8, 3, 3, 3) }),
      /is a ControlNet/,
    ],
    [
      'a ControlNet of diffusers',
      tensorFile({ 'controlnet_cond_embedding.conv_in.weight': half(8, 3, 3, 3) }),
      /is a ControlNet/,
    ],
    [
      'a LoRA',
      tensorFile({ 'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight': half(4, 8) }),
      /is a LoRA/,
    ],
    [
      'a LoRA of PEFT',
      tensorFile({ 'unet.down_blocks.0.attn1.to_q.lora_A.weight': half(4, 8) }),
      /is a LoRA/,
    ],
    ['a LyCORIS', tensorFile({ 'x.hada_w1_a': half(4, 8) }), /LyCORIS/],
    [
      'a textual inversion',
      tensorFile({ emb_params: half(2, 768) }),
      /is a textual inversion.*becomes a concept/,
    ],
    ['a textual inversion under its own word', tensorFile({ teapot: half(768) }), /is a textual inversion/],
    ...(
      ['F8_E4M3', 'F8_E5M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'F6_E2M3', 'F6_E3M2', 'F4'] as const
    ).map((dtype): [string, Blob, RegExp] => [
      dtype,
      tensorFile({ [CONV_IN]: { dtype, shape: [8, 4, 3, 3] }, ...WORDS }),
      /quantised to 8 bits or fewer/,
    ]),
    [
      'fp8 with scales',
      tensorFile({ [CONV_IN]: half(8, 4, 3, 3), ...WORDS, scaled_fp8: { dtype: 'F32', shape: [2] } }),
      /quantised/,
    ],
    [
      '8 bits',
      tensorFile({ [CONV_IN]: half(8, 4, 3, 3), ...WORDS, 'x.weight': { dtype: 'I8', shape: [8, 8] } }),
      /quantised/,
    ],
    [
      '4 bits',
      tensorFile({ [CONV_IN]: half(8, 4, 3, 3), ...WORDS, 'x.weight.absmax': { dtype: 'F32', shape: [8] } }),
      /quantised/,
    ],
    [
      'a U-Net alone',
      tensorFile({ [CONV_IN]: half(8, 4, 3, 3) }),
      /U-Net of a model without its text encoder/,
    ],
    [
      'a text encoder alone',
      tensorFile({ 'text_model.final_layer_norm.weight': half(8) }),
      /text encoder of a model/,
    ],
    [
      'something else',
      tensorFile({ 'bert.encoder.weight': half(8, 8, 8) }),
      /no model this studio knows.*bert/,
    ],
    ['a pickle', bytes(0x80, 2, 0x7d), /Python pickle.*Save it as \.safetensors/],
    ['a pickle of newer PyTorch', bytes(0x50, 0x4b, 3, 4), /PyTorch pickle/],
    ['GGUF', text(`GGUF${'\0'.repeat(600)}`), /is GGUF/],
    ['encrypted bytes', bytes(0x9b, 0x11, 0xfe, 0x02, 0x93, 0x00, 0x17, 0xc4, 0x5d), /encrypted or damaged/],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3438375973\n'),
      /Git LFS pointer/,
    ],
    ['a web page', text('<!DOCTYPE html><html><title>Sign in</title></html>'), /a web page/],
    ['nothing', new Blob([]), /empty/],
  ])('%s is refused by name', async (_, file, message) => {
    await expect(judge(file)).rejects.toThrow(expect.objectContaining({ code: 'checkpoint.refused' }));
    await expect(judge(file)).rejects.toThrow(message);
  });

  it.each([
    ['in its tensors', 1000, /4\.1 kB|5 kB/],
    ['in its header', 40, /cut short/],
    ['at its header', 9, /still being downloaded/],
    ['before its header', 5, /still being downloaded/],
  ])('that is still being downloaded, or cut short %s, is said to be', async (_, kept, message) => {
    const whole = tensorFile({ [CONV_IN]: half(64, 4, 3, 3), ...WORDS });
    const cut = judge(whole.slice(0, kept));
    await expect(cut).rejects.toThrow(expect.objectContaining({ code: 'checkpoint.incomplete' }));
    await expect(cut).rejects.toThrow(message);
  });

  it('of numbers that nobody knows yet is refused by their name', async () => {
    const file = tensorFile({ [CONV_IN]: { dtype: 'F3_E1M1', shape: [8, 4, 3, 3] }, ...WORDS });
    await expect(judge(file)).rejects.toThrow(/type that this program does not know: "F3_E1M1"/);
  });

  it('of 8 GB is judged by its header, in less than a second', async () => {
    const { head, data } = headerOf({ ...reading(9), 'model.diffusion_model.rest': half(4e9) });
    class Large extends Blob {
      override get size() {
        return head.length + data;
      }
    }
    const start = performance.now();
    await expect(judge(new Large([head]))).rejects.toThrow(/inpainting/);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each([
    ['sd15/single', 'model'],
    ['sd21v/single', 'model'],
    ['bk-tiny/single', 'model'],
  ])('%s is a %s', async (name, contents) => {
    const file = (await narrowCheckpoint(name)).get('checkpoint.safetensors')!;
    expect(await judge(new Blob([file]))).toBe(contents);
  });

  it.each(['vae/diffusion_pytorch_model.fp16.safetensors'])('%s is a VAE', async (path) => {
    const file = (await narrowCheckpoint('sd15/folder')).get(path)!;
    expect(await judge(new Blob([file]))).toBe('vae');
  });
});
