"""Reference numbers for the prepared graphs: float32 PyTorch on the exported, half-rounded weights.

    python goldens.py RUN_DIR MODEL_DIR OUT_FILE

Tensor names are those of the prepared graphs' inputs and outputs, prefixed `unet.` or `text.`. MODEL_DIR
must be the export of RUN_DIR: onnxruntime's output of it is compared before anything is written.
"""
import sys
from pathlib import Path

import onnxruntime
import torch
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import save_file

from trainer.networks import CELLS, CHANNELS, load_networks, shape_in

BYPASS_SCALE = 0.2


def rounded(module):
    """The module in float32 with the half-precision weights that ship."""
    return module.half().float().eval().requires_grad_(False)


class SplitContexts(AttnProcessor):
    """Cross-attention whose keys and values read contexts given from outside."""

    def __init__(self, keys, values):
        super().__init__()
        self.keys, self.values = keys, values

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        heads = [attn.head_to_batch_dim(x) for x in (
            attn.to_q(hidden_states), attn.to_k(self.keys), attn.to_v(self.values))]
        weights = attn.get_attention_scores(heads[0], heads[1])
        out = attn.batch_to_head_dim(torch.bmm(weights, heads[2]))
        return attn.to_out[1](attn.to_out[0](out))


def cross_attention_order(unet, shape):
    """Names of the cross-attention modules in the order the U-Net runs them."""
    order = []
    hooks = [m.register_forward_pre_hook(lambda _, __, name=n: order.append(name))
             for n, m in unet.named_modules() if n.endswith('attn2')]
    with torch.no_grad():
        unet(torch.zeros(1, shape.channels, CELLS, CELLS), torch.tensor([0]), torch.zeros(1, shape.tokens, shape.context))
    for hook in hooks:
        hook.remove()
    return order


def split_contexts(unet, shape):
    """Gives each cross-attention layer contexts of its own; returns the processors to set them on, in the order of running."""
    order = cross_attention_order(unet, shape)
    crossed = [SplitContexts(None, None) for _ in order]
    own = {f'{name}.processor': AttnProcessor() for name, _ in unet.named_modules() if name.endswith('attn1')}
    unet.set_attn_processor(own | {f'{name}.processor': each for name, each in zip(order, crossed)})
    return crossed


def unet_goldens(unet, shape, generator):
    """Output, losses and gradients for B = 2 with different contexts in every layer."""
    randn = lambda *sides: torch.randn(*sides, generator=generator)  # noqa: E731
    sample, target = randn(2, CHANNELS, CELLS, CELLS), randn(2, CHANNELS, CELLS, CELLS)
    timestep, weights = torch.tensor([37, 811]), torch.tensor([0.75, 0.25])
    crossed = split_contexts(unet, shape)
    keys, values = (randn(len(crossed), 2, shape.tokens, shape.context).requires_grad_() for _ in range(2))
    for i, each in enumerate(crossed):
        each.keys, each.values = keys[i], values[i]
    out = unet(sample, timestep, keys[0], return_dict=False)[0]
    losses = (out - target).pow(2).mean((1, 2, 3))
    grad_keys, grad_values = torch.autograd.grad((weights * losses).sum(), [keys, values])
    return {'sample': sample, 'timestep': timestep, 'key_contexts': keys, 'value_contexts': values, 'target': target,
            'loss_weights': weights, 'out_sample': out, 'losses': losses, 'grad_key_contexts': grad_keys,
            'grad_value_contexts': grad_values}


def text_contexts(encoder, ids, mask, base, bypass):
    """(plain, bypassed) contexts: the placeholder's embedding replaced, the bypass added before the last norm."""
    text = encoder.text_model if hasattr(encoder, 'text_model') else encoder
    embedded = text.embeddings.token_embedding(ids)
    embedded = embedded * (1 - mask[..., None]) + mask[..., None] * base[:, None]
    states = []
    hook = text.final_layer_norm.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0]))
    swap = text.embeddings.token_embedding.register_forward_hook(lambda *_: embedded)
    encoder(input_ids=ids)
    hook.remove()
    swap.remove()
    hidden = states[0]
    length = bypass.norm(dim=-1, keepdim=True)
    unit = torch.where(length > 0, bypass / length.clamp(min=1e-12), torch.zeros_like(bypass))
    added = BYPASS_SCALE * unit[:, None] * hidden.norm(dim=-1, keepdim=True) * mask[..., None]
    return text.final_layer_norm(hidden), text.final_layer_norm(hidden + added)


def text_goldens(encoder, shape, generator):
    """Contexts and gradients for three rows: without a concept, with one, with one that has a bypass."""
    randn = lambda *sides: torch.randn(*sides, generator=generator)  # noqa: E731
    ids = torch.full((3, shape.tokens), shape.end)
    ids[:, 0] = shape.start
    ids[0, 1:6] = torch.tensor([700, 701, 702, 703, 704])
    ids[1, 1:8] = torch.arange(600, 607)
    ids[2, 1:4] = torch.tensor([900, 905, 910])
    mask = torch.zeros(3, shape.tokens)
    mask[1, 5] = mask[2, 2] = 1
    deviation = encoder.get_input_embeddings().weight.std()
    base = (randn(3, shape.context) * deviation).requires_grad_()
    bypass = randn(3, shape.context)
    bypass[:2] = 0
    bypass.requires_grad_()
    up_keys, up_values = randn(3, shape.tokens, shape.context), randn(3, shape.tokens, shape.context)
    plain, bypassed = text_contexts(encoder, ids, mask, base, bypass)
    grads = torch.autograd.grad((plain * up_keys + bypassed * up_values).sum(), [base, bypass])
    return {'input_ids': ids, 'placeholder_mask': mask, 'concept_embedding': base, 'concept_bypass': bypass,
            'bypass_scale': torch.tensor(BYPASS_SCALE), 'grad_key_contexts': up_keys, 'grad_value_contexts': up_values,
            'key_contexts': plain, 'value_contexts': bypassed, 'grad_concept_embedding': grads[0],
            'grad_concept_bypass': grads[1]}


def model_goldens(shape, text, unet, out):
    """Writes the reference tensors of both networks."""
    generator = torch.Generator().manual_seed(20231)
    order = cross_attention_order(unet, shape)
    unet_tensors = unet_goldens(unet, shape, generator)
    text_tensors = text_goldens(text, shape, generator)
    tensors = {f'unet.{k}': v for k, v in unet_tensors.items()} | {f'text.{k}': v for k, v in text_tensors.items()}
    metadata = {'layers': ','.join(order), 'text': 'row 0: no concept; row 1: concept without bypass; row 2: with bypass'}
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, str(out), metadata)


def check_export(unet, shape, folder):
    """Fails when onnxruntime's reading of the half-precision U-Net is not what PyTorch computes."""
    generator = torch.Generator().manual_seed(1)
    sample = torch.randn(2, CHANNELS, CELLS, CELLS, generator=generator)
    context, timestep = torch.randn(2, shape.tokens, shape.context, generator=generator), torch.tensor([10, 900])
    session = onnxruntime.InferenceSession(str(folder / 'unet/model.onnx'), providers=['CPUExecutionProvider'])
    feeds = {'sample': sample.half().numpy(), 'timestep': timestep.numpy(),
             'encoder_hidden_states': context.half().numpy()}
    got = torch.from_numpy(session.run(None, feeds)[0]).float()
    with torch.no_grad():
        want = unet(sample, timestep, context, return_dict=False)[0]
    error = float((got - want).norm() / want.norm())
    if error > 0.02:
        raise SystemExit(f'{folder} is not the export of this checkpoint: U-Net outputs differ by {error:.3f}')
    print(f'onnxruntime (half precision) agrees with PyTorch (float32) to {error:.1e}')


def main(run, folder, out):
    weights = Path(run) / 'unet'
    networks, shape = rounded(load_networks(weights)), shape_in(weights)
    check_export(networks.unet, shape, Path(folder))
    model_goldens(shape, networks.text, networks.unet, Path(out))


if __name__ == '__main__':
    main(*sys.argv[1:4])
