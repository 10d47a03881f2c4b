/**
 * The studio's graphs on a graphics card, without a browser: onnxruntime-node holds the WebGPU provider that
 * onnxruntime-web compiles to WebAssembly, with the same kernels (on Dawn, through Vulkan, Metal or Direct3D 12).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { AppError } from '../../lib/errors.ts';
import type { Precision } from '../../lib/precision.ts';
import type { CompileOptions } from '../../onnx/options.ts';
import { prepareTextEncoder, prepareUnet } from '../../onnx/prepare.ts';
import { readStock } from '../../onnx/stock.ts';
import type { UnetShape } from '../../onnx/surgery/unet.ts';
import { openFolder } from '../../lib/modelFolder.ts';
import { graphPath } from '../../lib/modelLayout.ts';

export const PROVIDERS = ['webgpu', 'cpu'] as const;
export type NativeProvider = (typeof PROVIDERS)[number];
export type Part = 'unet' | 'text_encoder';

const DRIVER_ADVICE =
  'Expected a graphics driver that WebGPU can use, found none that works. On Linux it needs libvulkan.so.1 and the driver’s ICD ' +
  'file (in /usr/share/vulkan/icd.d, or named by VK_ICD_FILENAMES; `vulkaninfo --summary` lists the cards), in a container ' +
  'also NVIDIA_DRIVER_CAPABILITIES=all.';
const HALF_ADVICE =
  'Expected a card with 16-bit floats (shader-f16), found one without: take --precision float32.';

/** @param budget GB for the activations of a call of `batch` pictures; 0 for no limit */
export function benchOptions(options: {
  readonly precision: Precision;
  readonly batch: number;
  readonly budget: number;
}): CompileOptions {
  const { precision, batch, budget } = options;
  return { precision, batch, ...(budget > 0 && { activationBudget: budget * 1e9 }) };
}

/** Compiles both graphs beside their stock files, which they refer to for their weights; `options` are the U-Net's. */
export async function compile(folder: string, options: CompileOptions): Promise<UnetShape> {
  await compileText(folder);
  return compileUnet(folder, options);
}

async function compileText(folder: string): Promise<void> {
  const stock = await readStock(graphPath('text_encoder'), openFolder(folder));
  await writeFile(compiledPath(folder, 'text_encoder'), prepareTextEncoder(stock).bytes);
}

/** Compiles the U-Net beside its stock file. */
export async function compileUnet(folder: string, options: CompileOptions): Promise<UnetShape> {
  const { bytes, info } = prepareUnet(await readStock(graphPath('unet'), openFolder(folder)), {}, options);
  await writeFile(compiledPath(folder, 'unet'), bytes);
  return info;
}

function compiledPath(folder: string, part: Part): string {
  return join(folder, `bench-${part}.onnx`);
}

/** Loads a compiled graph. Throws `bench.session` with what may be missing when the provider cannot. */
export async function open(
  folder: string,
  part: Part,
  provider: NativeProvider,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(compiledPath(folder, part), {
      executionProviders: [provider],
      // As in the studio (ort/runtime.ts).
      enableMemPattern: false,
      logSeverityLevel: 3,
      ...options,
    });
  } catch (error) {
    const message = `${explain(part, provider, String(error))} onnxruntime said: ${String(error)}`;
    throw new AppError('bench.session', message, { cause: error });
  }
}

function explain(part: Part, provider: NativeProvider, error: string): string {
  if (/requires f16/.test(error)) return HALF_ADVICE;
  if (provider === 'webgpu' && /adapter|device/i.test(error)) return DRIVER_ADVICE;
  return `Expected ${part} to load on ${provider}.`;
}
