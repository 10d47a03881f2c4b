/** The two runs of a prepared text encoder, on the sessions of either build of onnxruntime. */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { sizeOf } from '../../lib/numbers.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** Makes tensors of the build that the session is of. */
export interface TensorMaker {
  readonly Tensor: typeof Tensor;
  flag(value: boolean): Tensor;
  /** Float32, or false ones. */
  zeros(dims: readonly number[], isBool: boolean): Tensor;
}

export const tensorMaker = (Made: typeof Tensor): TensorMaker => ({
  Tensor: Made,
  flag: (value) => new Made('bool', [value], []),
  zeros: (dims, isBool) => {
    const size = sizeOf(dims);
    return isBool
      ? new Made('bool', new Uint8Array(size), dims)
      : new Made('float32', new Float32Array(size), dims);
  },
});

type TextSession = Pick<InferenceSession, 'inputMetadata' | 'outputNames' | 'run'>;

const CONTEXTS = ['key_contexts', 'value_contexts'];
const GRADIENTS = ['grad_concept_embedding', 'grad_concept_bypass'];

/** Contexts, and what the gradient needs of this run under the names by which it takes it. */
export async function runContexts(session: TextSession, feeds: Tensors, make: TensorMaker) {
  const kept = session.outputNames.filter((name) => name.startsWith('kept_'));
  const flags = { compute_contexts: make.flag(true), compute_gradients: make.flag(false) };
  const unread = session.inputMetadata.filter(({ name }) => /^(given|grad)_/.test(name));
  const zeros = unread.map((input) => [input.name, zerosFor(input, make)] as const);
  const all = { ...feeds, ...flags, ...Object.fromEntries(zeros) };
  const outputs = await session.run(all, [...CONTEXTS, ...kept]);
  const given = kept.map((name) => [name.replace('kept', 'given'), outputs[name]!] as const);
  return { outputs, given: Object.fromEntries(given) };
}

/** Gradients towards the concept; `feeds` holds those towards the contexts and what the first run gave. */
export function runGradients(session: TextSession, feeds: Tensors, make: TensorMaker) {
  const flags = { compute_contexts: make.flag(false), compute_gradients: make.flag(true) };
  return session.run({ ...feeds, ...flags }, GRADIENTS);
}

/** Both runs and the outputs of both; `feeds` holds the gradients towards the contexts. */
export async function runBoth(session: TextSession, feeds: Tensors, make: TensorMaker): Promise<Tensors> {
  const { outputs, given } = await runContexts(session, feeds, make);
  return { ...outputs, ...(await runGradients(session, { ...feeds, ...given }, make)) };
}

/** The least that an input takes: one along each free dimension. */
function zerosFor(input: InferenceSession.ValueMetadata, make: TensorMaker): Tensor {
  const shape = input.isTensor ? input.shape : [];
  const dims = shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1));
  return make.zeros(dims, input.isTensor && input.type === 'bool');
}
