/** Writes a concept as a textual inversion, the form that every program of Stable Diffusion reads. */
import { writeSafetensors } from '../../lib/safetensors.ts';
import type { Backend } from '../../gpu/backend.ts';
import { Tape } from '../../gpu/tape.ts';
import type { Concept } from '../conceptFile.ts';
import { Mapper } from '../mapper.ts';
import { isPlainWord, TIMESTEPS } from '../mapperConfig.ts';
import { transposed } from './word.ts';

/** A mapper's word vectors are averaged over this many evenly spaced timesteps, and all layers. */
const AVERAGED_TIMESTEPS = 50;

/**
 * The concept as a word in diffusers' format, which the other programs read too: a textual inversion to the bit, with all of its
 * vectors; any other as the mean of its vectors, which loses what sets NeTI apart, and the metadata say so.
 */
export async function writeTextualInversion(
  concept: Concept,
  backend: Backend,
): Promise<Uint8Array<ArrayBuffer>> {
  const { vectors, contextWidth } = concept.config;
  const isExact = isPlainWord(concept.config);
  const values = isExact
    ? transposed(concept.state.get('vectors')!, contextWidth)
    : await averageWord(concept, backend);
  const lossy =
    `Lossy: the mean of the word vectors of a NeTI concept over ${AVERAGED_TIMESTEPS} timesteps and all layers, ` +
    'scaled to their mean norm; the textual bypass is left out.';
  const metadata = new Map([
    ['modelspec.sai_model_spec', '1.0.1'],
    ['modelspec.title', concept.info.name],
    ['modelspec.architecture', `${concept.info.baseId}/textual-inversion`],
    ['modelspec.description', isExact ? 'The word vectors of a concept.' : lossy],
    ['neti.lossy', `${!isExact}`],
  ]);
  return writeSafetensors(
    new Map([[placeholderOf(concept), { shape: [vectors, contextWidth], values }]]),
    metadata,
  );
}

/** "<name>", in which a tokenizer finds no word it knows. */
export function placeholderOf({ info }: Concept): string {
  return `<${info.name.trim().replace(/\s+/g, '-').replace(/[<>]/g, '')}>`;
}

/**
 * Word vectors [V, D] for all of a concept: each the mean of v_base(t, l) over 50 evenly spaced timesteps and all layers with every
 * hidden unit kept, scaled to the mean of ‖v_base(t, l)‖, since a mean of vectors is shorter than they are.
 */
export async function averageWord(
  { config, state }: Concept,
  backend: Backend,
): Promise<Float32Array<ArrayBuffer>> {
  const mapper = new Mapper(backend, config, state);
  const tape = new Tape(backend);
  const rows = Array.from({ length: AVERAGED_TIMESTEPS * config.layers }, (_, i) => i);
  const spacing = TIMESTEPS / AVERAGED_TIMESTEPS;
  try {
    const { base } = mapper.forward(
      tape,
      rows.map((i) => Math.floor(i / config.layers) * spacing + spacing - 1),
      rows.map((i) => i % config.layers),
    );
    const [found, stride] = [await backend.download(base.buffer), config.vectors * config.contextWidth];
    const means = Array.from({ length: config.vectors }, (_, v) =>
      meanOfRows(found.subarray(v * config.contextWidth), config.contextWidth, stride),
    );
    return Float32Array.from(means.flatMap((mean) => [...mean]));
  } finally {
    tape.dispose();
    mapper.release();
  }
}

/** Mean of the rows [D] that begin every `stride` numbers, scaled to the mean of the rows' norms. */
function meanOfRows(rows: Float32Array, width: number, stride: number): Float32Array<ArrayBuffer> {
  const mean = new Float64Array(width);
  const count = Math.ceil(rows.length / stride);
  let norm = 0;
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * stride, r * stride + width);
    row.forEach((value, i) => (mean[i]! += value / count));
    norm += Math.hypot(...row) / count;
  }
  const length = Math.hypot(...mean);
  return Float32Array.from(mean, (value) => (length === 0 ? 0 : (value * norm) / length));
}
