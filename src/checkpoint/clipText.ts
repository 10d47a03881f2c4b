/** CLIPTextModel of transformers: OpenAI's ViT-L/14 in Stable Diffusion 1.x, OpenCLIP's ViT-H/14 in 2.x. */
import { int } from '../onnx/graph.ts';
import type { TextConfig } from './config.ts';
import { Layers } from './layers.ts';
import type { Weights } from './weights.ts';

/** Added to the scores of later tokens, whose probability it makes zero. */
const MASKED = -1e9;

const ACTIVATIONS = {
  quick_gelu: (net: Layers, x: string) => net.gated(x, 1.702),
  gelu: (net: Layers, x: string) => net.gelu(x),
} as const;

/** The stock graph. Input input_ids [B, T]; output last_hidden_state [B, T, D]. Throws what `writeUnet` throws. */
export function writeClipText(weights: Weights, config: TextConfig): Uint8Array {
  const net = new Layers(weights);
  const { tokens, layers } = config;
  const ids = net.input('input_ids', 'int64', [tokens]);
  const words = net.at.op('Gather', [net.weight('embeddings.token_embedding.weight'), ids], { axis: int(0) });
  const mask = net.at.constant('float32', [tokens, tokens], causalMask(tokens));
  let x = net.add(words, net.weight('embeddings.position_embedding.weight'));
  for (let layer = 0; layer < layers; layer++)
    x = encoderLayer(net, x, `encoder.layers.${layer}`, config, mask);
  return net.finish(net.layerNorm(x, 'final_layer_norm', config.normEpsilon), 'last_hidden_state');
}

function encoderLayer(net: Layers, x: string, name: string, config: TextConfig, mask: string): string {
  const { heads, normEpsilon, activation } = config;
  const at = `${name}.self_attn`;
  const names = { q: `${at}.q_proj`, k: `${at}.k_proj`, v: `${at}.v_proj`, out: `${at}.out_proj` };
  const normal = net.layerNorm(x, `${name}.layer_norm1`, normEpsilon);
  const mixed = net.add(x, net.attention(normal, normal, heads, names, mask));
  const wide = net.linear(net.layerNorm(mixed, `${name}.layer_norm2`, normEpsilon), `${name}.mlp.fc1`);
  return net.add(mixed, net.linear(ACTIVATIONS[activation](net, wide), `${name}.mlp.fc2`));
}

/** [T, T]: a token sees itself and those before it. */
function causalMask(tokens: number): number[] {
  return Array.from({ length: tokens * tokens }, (_, i) =>
    i % tokens > Math.floor(i / tokens) ? MASKED : 0,
  );
}
