"""The public CIFAR-10 recipe of `cbam_np train --network whitened`, in PyTorch: what ours has to reach.

    python -m benchmarks.recipe_in_torch --seeds 3 --out results/recipe-in-torch

It needs PyTorch. Each seed trains the network once on all training images and looks at the test images once, at the
end. The data are found as `cbam-np train` finds them. A seed that is in the result already is not trained again.
Source of the recipe: github.com/KellerJordan/cifar10-airbench, airbench94_muon.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cbam_np.data import LabelledImages, load_cifar10
from cbam_np.files import write_json, write_text
from cbam_np.nn.whitened import MEAN, STD
from cbam_np.train.machine import describe_machine
from cbam_np.train.settings import WHITENED_RECIPE as RECIPE

RESULT = "runs.json"
SHIFT = 2


class Network(nn.Module):
    """Whitening, three groups, the largest numbers, a scaled head."""

    def __init__(self, images: torch.Tensor, widths: tuple[int, ...] = (64, 256, 256)) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        with torch.no_grad():
            self.whiten.weight[:] = whitening(images)
            self.whiten.bias.zero_()
        layers: list[nn.Module] = []
        inputs = 24
        for width in widths:
            for at in (1, 2):
                conv = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
                nn.init.dirac_(conv.weight[:inputs])
                layers += [conv, *([nn.MaxPool2d(2)] if at == 1 else []), norm(width), nn.GELU()]
                inputs = width
        self.groups = nn.Sequential(*layers, nn.MaxPool2d(3))
        self.head = nn.Linear(inputs, 10, bias=False)
        with torch.no_grad():
            self.head.weight /= self.head.weight.std()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        return self.head(self.groups(F.gelu(self.whiten(x))).flatten(1)) / self.head.in_features


def norm(width: int) -> nn.BatchNorm2d:
    """Return a batch normalisation without scale."""
    layer = nn.BatchNorm2d(width, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


def whitening(images: torch.Tensor) -> torch.Tensor:
    """Return the eigenvectors of the 2×2 patches' second moments, scaled, and their negatives."""
    patches = images.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / torch.sqrt(values + 5e-4)).T.reshape(12, 3, 2, 2).flip(0)
    return torch.cat([filters, -filters]).float()


class Muon(torch.optim.Optimizer):
    """Orthogonalised steps for kernels."""

    def __init__(self, params: Any, lr: float, momentum: float) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Move every kernel once."""
        for group in self.param_groups:
            for p in group["params"]:
                v = self.state[p].setdefault("v", torch.zeros_like(p))
                v.mul_(group["momentum"]).add_(p.grad)
                u = (p.grad + group["momentum"] * v).flatten(1)
                p.mul_(len(p) ** 0.5 / p.norm())
                p.sub_(group["lr"] * newton_schulz(u).view_as(p))


def newton_schulz(G: torch.Tensor) -> torch.Tensor:
    """Return a matrix with G's singular vectors and singular values near 1."""
    X = G.T if len(G) > G.shape[1] else G
    X = X / (X.norm() + 1e-7)
    for _ in range(3):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X.T if len(G) > G.shape[1] else X


def optimisers(model: Network) -> tuple[torch.optim.SGD, Muon]:
    """Return what moves shifts, head and whitening biases, in this order, and what moves kernels."""
    kernels = [p for p in model.groups.parameters() if p.ndim == 4]
    shifts = [p for p in model.groups.parameters() if p.ndim == 1 and p.requires_grad]
    rates = [(shifts, RECIPE.vector_lr), ([model.head.weight], RECIPE.head_lr), ([model.whiten.bias], RECIPE.vector_lr)]
    sgd = torch.optim.SGD(
        [{"params": params, "lr": lr, "weight_decay": RECIPE.weight_decay / lr} for params, lr in rates],
        momentum=RECIPE.momentum,
        nesterov=True,
    )
    return sgd, Muon(kernels, RECIPE.lr, RECIPE.muon_momentum)


def normalised(data: LabelledImages) -> torch.Tensor:
    """Return the images with the mean 0 and the deviation 1 of the training set."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (torch.tensor(data.images).float() / 255 - mean) / std


def shifted(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return each image shifted at random, with a mirrored border."""
    padded = F.pad(images, (SHIFT,) * 4, mode="reflect")
    out = torch.empty_like(images)
    places = rng.integers(2 * SHIFT + 1, size=(len(images), 2))
    for top in range(2 * SHIFT + 1):
        for left in range(2 * SHIFT + 1):
            these = torch.tensor((places == (top, left)).all(1))
            out[these] = padded[these, :, top : top + 32, left : left + 32]
    return out


def train(train_data: LabelledImages, test_data: LabelledImages, seed: int) -> dict[str, Any]:
    """Train once and look at the test images once."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    images, labels = normalised(train_data), torch.tensor(train_data.labels, dtype=torch.long)
    model = Network(images[:5000]).train().to(memory_format=torch.channels_last)  # faster than NCHW
    images = torch.where(torch.tensor(rng.random(len(images)) < 0.5)[:, None, None, None], images.flip(3), images)
    sgd, muon = optimisers(model)
    peaks = [(group, group["lr"]) for optimiser in (sgd, muon) for group in optimiser.param_groups]
    B = RECIPE.batch_size
    steps, start = len(images) // B, time.perf_counter()
    for epoch in range(RECIPE.epochs):
        seen = shifted(images.flip(3) if epoch % 2 else images, rng)
        for step, batch in enumerate(torch.tensor(rng.permutation(len(images))[: steps * B]).split(B)):
            done = (epoch * steps + step) / (RECIPE.epochs * steps)
            for group, peak in peaks:
                group["lr"] = peak * (1 - done)
            sgd.param_groups[2]["lr"] = RECIPE.vector_lr * max(0, 1 - done * RECIPE.epochs / RECIPE.input_epochs)
            scores = model(seen[batch].contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(scores, labels[batch], label_smoothing=RECIPE.label_smoothing, reduction="sum")
            model.zero_grad(set_to_none=True)
            loss.backward()
            sgd.step()
            muon.step()
        print(f"seed {seed}, epoch {epoch + 1}: loss {loss.item() / B:.3f}", flush=True)
    seconds = time.perf_counter() - start
    return {"seed": seed, "seconds": seconds, **test(model.eval(), test_data)}


@torch.no_grad()
def test(model: Network, data: LabelledImages) -> dict[str, float]:
    """Return the accuracy, alone and with five copies of each image."""
    images, labels = normalised(data), torch.tensor(data.labels)

    def scores(of: torch.Tensor) -> torch.Tensor:
        return torch.cat([(model(part) + model(part.flip(3))) / 2 for part in of.split(500)])

    alone = torch.cat([model(part) for part in images.split(500)])
    padded = F.pad(images, (1,) * 4, mode="reflect")
    six = scores(images) / 2 + scores(padded[..., :32, :32]) / 4 + scores(padded[..., 2:, 2:]) / 4
    return {
        "test_accuracy": (alone.argmax(1) == labels).float().mean().item(),
        "test_accuracy_six_copies": (six.argmax(1) == labels).float().mean().item(),
    }


def page(runs: list[dict[str, Any]]) -> str:
    """Return the Markdown page about the runs."""
    rows = [(str(run["seed"]), run["test_accuracy"], run["test_accuracy_six_copies"], run["seconds"]) for run in runs]
    rows.append(("mean", *(float(np.mean(column)) for column in list(zip(*rows, strict=True))[1:])))
    lines = [f"| {seed} | {alone:.2%} | {six:.2%} | {seconds / 60:.1f} |" for seed, alone, six, seconds in rows]
    return "\n".join(
        [
            "# The fastest public recipe, in PyTorch",
            "",
            f"{RECIPE.epochs} epochs on all training images, float32; the test images were looked at once, at the end.",
            "`runs.json` has machine and threads. In this repository, all images are the JPEG-recompressed copy of",
            "CIFAR-10.",
            "",
            "| seed | test accuracy | six copies | minutes |",
            "|---|---:|---:|---:|",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Train the seeds that are missing and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipe_in_torch", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), metavar="N")
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / RESULT
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    train_data, test_data = load_cifar10(options.data_root)
    for seed in sorted(set(range(options.seeds)) - {run["seed"] for run in runs}):
        runs.append(train(train_data, test_data, seed))
        about = {"torch": torch.__version__, "threads": torch.get_num_threads(), "machine": describe_machine()}
        write_json(path, about | {"runs": runs})
        write_text(options.out / "README.md", page(runs))


if __name__ == "__main__":
    main()
