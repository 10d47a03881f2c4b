/** The switches of a prepared U-Net: what of it computes. */
import type { Tensor } from 'onnxruntime-web';
import type { TensorMaker } from './textRuns.ts';

/** Forward, with the gradients of the contexts and the layers' attention maps where asked for. */
export function unetFlags(
  make: Pick<TensorMaker, 'flag'>,
  gradients: boolean,
  maps = false,
): Record<string, Tensor> {
  return { compute_gradients: make.flag(gradients), attention_maps: make.flag(maps) };
}
