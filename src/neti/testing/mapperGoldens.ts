/**
 * Runs the mapper on a golden file and measures every tensor against it: used by the unit test on the CPU and by the
 * browser test on WebGPU, never by the product. The files come from the official mapper class (torch 1.13, float32,
 * CPU, reduced widths); their metadata hold the settings.
 */
import type { Backend, DeviceBuffer } from '../../gpu/backend.ts';
import { AdamW } from '../../gpu/adamw.ts';
import { Tape } from '../../gpu/tape.ts';
import { relativeError } from '../../lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../../lib/safetensors.ts';
import { Encoding } from '../encoding.ts';
import { Mapper, type MapperOutput } from '../mapper.ts';
import { MAPPER_DEFAULTS, type MapperConfig } from '../mapperConfig.ts';

type Tensors = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

interface Golden {
  readonly config: MapperConfig;
  readonly tensors: Tensors;
}

/** Relative error of the encoding, the forward passes, all gradients and the parameters after five AdamW steps. */
export async function goldenErrors(backend: Backend, file: Uint8Array): Promise<Map<string, number>> {
  const golden = readGolden(file);
  const mapper = new Mapper(backend, golden.config, parametersOf(golden));
  const found = new Map<string, ArrayLike<number>>([['fwd.encoded', encode(golden)]]);
  await runForward(backend, mapper, golden.tensors, found);
  await runTraining(backend, mapper, golden.tensors, found);
  mapper.release();
  const names = [...golden.tensors.keys()].filter(
    (name) => /^(fwd|bwd|adamw5)\./.test(name) && name !== GRADIENT,
  );
  return new Map(
    names.map((name) => [name, relativeError(found.get(name) ?? [], golden.tensors.get(name)!)]),
  );
}

const GRADIENT = 'bwd.grad_output';

function readGolden(file: Uint8Array): Golden {
  const { metadata, tensors } = readSafetensors(file);
  const values = new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
  const config = {
    ...MAPPER_DEFAULTS,
    layers: 16,
    contextWidth: Number(metadata.get('output_dim')),
    timeAnchors: Number(metadata.get('num_pe_time_anchors')),
    textualBypass: metadata.get('output_bypass') === 'True',
    positionalEncoding: metadata.get('use_positional_encoding') === 'True',
    normScale: metadata.get('norm_scale') === 'None' ? null : Number(metadata.get('norm_scale')),
  };
  return { config, tensors: values };
}

function parametersOf({ tensors }: Golden): Tensors {
  const named = [...tensors].filter(([name]) => /^(param|encoder)\./.test(name));
  return new Map(named.map(([name, values]) => [name.replace(/^param\./, ''), values]));
}

function encode({ config, tensors }: Golden): Float32Array {
  const encoding = new Encoding(config, tensors.get('encoder.w') ?? null);
  return encoding.encode(tensors.get('in.timesteps')!, tensors.get('in.layers')!);
}

async function runForward(
  backend: Backend,
  mapper: Mapper,
  golden: Tensors,
  found: Map<string, ArrayLike<number>>,
): Promise<void> {
  const tape = new Tape(backend);
  const [timesteps, layers] = [golden.get('in.timesteps')!, golden.get('in.layers')!];
  found.set('fwd.hidden', await backend.download(mapper.hidden(tape, timesteps, layers).buffer));
  for (const name of golden.keys()) {
    const match = /^fwd\.output(?:\.trunc(\d+))?$/.exec(name);
    if (!match) continue;
    const keep = match[1] === undefined ? undefined : Number(match[1]);
    found.set(name, await join(backend, mapper.forward(tape, timesteps, layers, keep)));
  }
  tape.dispose();
}

/** Both halves of the output side by side, as the official mapper returns them. */
async function join(backend: Backend, { base, bypass }: MapperOutput): Promise<Float32Array> {
  const first = await backend.download(base.buffer);
  if (!bypass) return first;
  const second = await backend.download(bypass.buffer);
  const [rows, width] = [base.shape[0]!, base.shape[1]!];
  const joined = new Float32Array(2 * rows * width);
  for (let r = 0; r < rows; r++) {
    joined.set(first.subarray(r * width, (r + 1) * width), 2 * r * width);
    joined.set(second.subarray(r * width, (r + 1) * width), (2 * r + 1) * width);
  }
  return joined;
}

async function runTraining(
  backend: Backend,
  mapper: Mapper,
  golden: Tensors,
  found: Map<string, ArrayLike<number>>,
): Promise<void> {
  const optimizer = new AdamW(backend, mapper.parameters, { learningRate: 8e-3 });
  for (let step = 0; step < 5; step++) {
    optimizer.zeroGradients();
    const tape = new Tape(backend);
    const output = mapper.forward(tape, golden.get('in.timesteps')!, golden.get('in.layers')!);
    mapper.backward(tape, output, splitGradient(tape, output, golden.get(GRADIENT)!));
    if (step === 0) {
      for (const { name, gradient } of mapper.parameters)
        found.set(`bwd.${name}`, await backend.download(gradient));
    }
    optimizer.step();
    tape.dispose();
  }
  for (const [name, values] of await mapper.state()) found.set(`adamw5.${name}`, values);
  optimizer.release();
}

function splitGradient(
  tape: Tape,
  { base, bypass }: MapperOutput,
  gradient: Float32Array,
): { base: DeviceBuffer; bypass: DeviceBuffer | null } {
  const [rows, width] = [base.shape[0]!, base.shape[1]!];
  const stride = gradient.length / rows;
  const columns = (start: number): DeviceBuffer => {
    const part = Float32Array.from({ length: rows * width }, (_, i) => {
      return gradient[Math.floor(i / width) * stride + start + (i % width)]!;
    });
    return tape.constant(base.shape, part).buffer;
  };
  return { base: columns(0), bypass: bypass ? columns(width) : null };
}
