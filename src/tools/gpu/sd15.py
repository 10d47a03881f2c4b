"""The PyTorch side of `npm run bench:gpu`: Stable Diffusion 1.5 with random weights, as ONNX files or as a stopwatch.

    pip install torch diffusers transformers onnx safetensors
    python src/tools/gpu/sd15.py export FOLDER [--narrow] [--resolution 512]
    python src/tools/gpu/sd15.py time [--narrow] [--resolution 512] [--batch 1] [--steps 5]

`export` writes the U-Net and the text encoder in the Hugging Face ONNX layout (TorchScript exporter, opset 17, half
precision, 2.1 GB; needs 16 GB of memory). `time` prints JSON: seconds of a forward pass and of a training picture, eager,
float16 on a GPU (float32 on a processor, whose half precision is no measure), and the peak memory PyTorch allocated.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

warnings.filterwarnings("ignore")
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "onnx/fixtures"))
import make_fixtures as fixtures  # noqa: E402

START, END, TOKENS, PLACE = 49406, 49407, 77, 5
ON_CARD = torch.accelerator.is_available()
DEVICE = torch.accelerator.current_accelerator().type if ON_CARD else "cpu"


def make_unet(narrow, resolution):
    widths, groups, context = ((32, 64, 64, 64), 8, 64) if narrow else ((320, 640, 1280, 1280), 32, 768)
    return UNet2DConditionModel(
        sample_size=resolution // 8, layers_per_block=2, norm_num_groups=groups, block_out_channels=widths,
        cross_attention_dim=context, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3).eval().requires_grad_(False)


def make_text(narrow):
    width, layers, heads = (64, 2, 4) if narrow else (768, 12, 12)
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=49408, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, max_position_embeddings=TOKENS, bos_token_id=START, eos_token_id=END,
        pad_token_id=END, hidden_act="quick_gelu")).eval().requires_grad_(False)


def prompts(rows):
    ids = torch.full((rows, TOKENS), END, device=DEVICE)
    ids[:, 0] = START
    ids[:, 1:PLACE] = torch.arange(320, 320 + PLACE - 1)
    return ids


def export(folder, narrow, resolution):
    side = resolution // 8
    unet, text = make_unet(narrow, resolution).to(DEVICE), make_text(narrow).to(DEVICE)
    width = unet.config.cross_attention_dim
    args = [torch.randn(2, 4, side, side), torch.tensor([10, 500]), torch.randn(2, TOKENS, width)]
    fixtures.export(fixtures.Unet(unet), tuple(a.to(DEVICE) for a in args), folder / "unet/model.onnx",
                    ["sample", "timestep", "encoder_hidden_states"], ["out_sample"], 17)
    fixtures.export(fixtures.Text(text), (prompts(2),), folder / "text_encoder/model.onnx", ["input_ids"],
                    ["last_hidden_state", "pooler_output"], 17)


class Step:
    """One forward pass, and one training step of the concept's vectors, as the method takes it."""

    def __init__(self, narrow, resolution, batch):
        self.dtype = torch.float16 if ON_CARD else torch.float32
        self.unet = make_unet(narrow, resolution).to(DEVICE, self.dtype)
        self.text = make_text(narrow).to(DEVICE, self.dtype)
        self.batch, self.side = batch, resolution // 8
        self.attentions = self.cross_attentions()
        self.rows = len(self.attentions) * batch
        self.contexts = None
        for layer, attention in enumerate(self.attentions):
            attention.to_k.register_forward_pre_hook(lambda m, a, i=layer: self.contexts and (self.contexts[0][i],))
            attention.to_v.register_forward_pre_hook(lambda m, a, i=layer: self.contexts and (self.contexts[1][i],))
        self.sample, self.target = (self.random(batch, 4, self.side, self.side) for _ in range(2))
        self.timestep = torch.full((batch,), 500, device=DEVICE)
        self.vectors = [self.random(self.rows, self.width).requires_grad_() for _ in range(2)]

    @property
    def width(self):
        return self.unet.config.cross_attention_dim

    def random(self, *shape):
        return torch.randn(*shape, device=DEVICE, dtype=self.dtype)

    def cross_attentions(self):
        """In order of execution."""
        found, hooks = [], []
        for module in self.unet.modules():
            if getattr(module, "is_cross_attention", False):
                hooks.append(module.to_k.register_forward_pre_hook(lambda m, a, module=module: found.append(module)))
        with torch.no_grad():
            self.unet(self.random(1, 4, self.side, self.side), 1, self.random(1, TOKENS, self.width))
        for hook in hooks:
            hook.remove()
        return found

    def forward(self):
        self.contexts = None
        with torch.no_grad():
            self.unet(self.sample, self.timestep, self.random(self.batch, TOKENS, self.width))

    def train(self):
        keys, values = self.encode(*self.vectors)
        shape = (len(self.attentions), self.batch, TOKENS, self.width)
        self.contexts = keys.reshape(shape), values.reshape(shape)
        answer = self.unet(self.sample, self.timestep, self.contexts[0][0]).sample
        torch.nn.functional.mse_loss(answer.float(), self.target.float()).backward()

    def encode(self, base, bypass):
        inner = getattr(self.text, "text_model", self.text)
        kept = {}

        def place(module, args, out):
            out = out.clone()
            out[:, PLACE] = base
            return out

        hooks = [inner.embeddings.token_embedding.register_forward_hook(place),
                 inner.final_layer_norm.register_forward_pre_hook(lambda m, a: kept.update(hidden=a[0]))]
        keys = self.text(input_ids=prompts(self.rows)).last_hidden_state
        for hook in hooks:
            hook.remove()
        hidden = kept["hidden"].clone()
        state, unit = kept["hidden"][:, PLACE], bypass / bypass.norm(dim=-1, keepdim=True)
        hidden[:, PLACE] = state + 0.2 * unit * state.norm(dim=-1, keepdim=True)
        return keys, inner.final_layer_norm(hidden)


def seconds(run, steps):
    times = []
    for index in range(-2, steps):
        start = time.perf_counter()
        run()
        if ON_CARD:
            torch.accelerator.synchronize()
        if index >= 0:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(narrow, resolution, batch, steps):
    step = Step(narrow, resolution, batch)
    forward, training = seconds(step.forward, steps), seconds(step.train, steps)
    peak = torch.cuda.max_memory_allocated() / 2**30 if DEVICE == "cuda" else None
    print(json.dumps({"device": device_name(), "onCard": ON_CARD, "precision": str(step.dtype).removeprefix("torch."),
                      "forward": forward / batch, "training": training / batch, "peakGib": peak}))


def device_name():
    return torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE if ON_CARD else "processor"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["export", "time"])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.command == "export":
        export(options.folder, options.narrow, options.resolution)
    else:
        measure(options.narrow, options.resolution, options.batch, options.steps)


if __name__ == "__main__":
    main()
