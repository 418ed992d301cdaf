"""The public implementations of CBAM in PyTorch, each written from what is known of it, not from the project's code.

Each takes the feature map, the parameters by name, and the running mean and variance of its batch normalisation, None
in training. Nothing is shared between them but PyTorch, so that each can only be wrong by itself.
"""

import torch
import torch.nn.functional as nnf


def official(x, W0, W1, b0, b1, W7, gamma, beta, running, channel_pools=("avg", "max")):
    """Jongchan/attention-module: biases, max before mean, batch normalisation, pools by windows as large as the map."""
    size = x.shape[2:]
    total = None
    for kind in channel_pools:
        if kind == "avg":
            pooled = nnf.avg_pool2d(x, size, stride=size)
        elif kind == "max":
            pooled = nnf.max_pool2d(x, size, stride=size)
        elif kind == "lp":
            pooled = nnf.lp_pool2d(x, 2, size, stride=size)
        else:
            flat = x.flatten(2)
            largest = flat.max(dim=2, keepdim=True).values
            pooled = largest + (flat - largest).exp().sum(dim=2, keepdim=True).log()
        score = nnf.linear(torch.relu(nnf.linear(pooled.flatten(1), W0, b0)), W1, b1)
        total = score if total is None else total + score
    x = x * torch.sigmoid(total)[:, :, None, None].expand_as(x)
    maps = torch.cat((torch.max(x, 1)[0].unsqueeze(1), torch.mean(x, 1).unsqueeze(1)), dim=1)
    scores = nnf.batch_norm(
        nnf.conv2d(maps, W7, padding=W7.shape[-1] // 2), *_running(running), gamma, beta, running is None
    )
    return x * torch.sigmoid(scores)


def timm(x, W0, W1, W7, gamma, beta, running):
    """timm, CbamModule: 1×1 convolutions without bias, mean and amax, batch normalisation."""

    def fc(v):
        return nnf.conv2d(torch.relu(nnf.conv2d(v, W0[:, :, None, None])), W1[:, :, None, None])

    x = x * torch.sigmoid(fc(x.mean((2, 3), keepdim=True)) + fc(x.amax((2, 3), keepdim=True)))
    maps = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
    scores = nnf.conv2d(maps, W7, padding=W7.shape[-1] // 2)
    return x * torch.sigmoid(nnf.batch_norm(scores, *_running(running), gamma, beta, running is None))


def timm_light(x, W0, W1, W7, gamma, beta, running):
    """timm, LightCbamModule: half the mean and half the amax, before one MLP and before the convolution."""
    pooled = 0.5 * x.mean((2, 3), keepdim=True) + 0.5 * x.amax((2, 3), keepdim=True)
    x = x * torch.sigmoid(nnf.conv2d(torch.relu(nnf.conv2d(pooled, W0[:, :, None, None])), W1[:, :, None, None]))
    pooled = 0.5 * x.mean(dim=1, keepdim=True) + 0.5 * x.amax(dim=1, keepdim=True)
    scores = nnf.conv2d(pooled, W7, padding=W7.shape[-1] // 2)
    return x * torch.sigmoid(nnf.batch_norm(scores, *_running(running), gamma, beta, running is None))


def keras(x, W0, W1, b0, b1, W7, running):
    """kobiso/CBAM-keras: two shared dense layers with biases, average before maximum, a convolution alone."""

    def shared(v):
        return torch.relu(v @ W0.T + b0) @ W1.T + b1

    x = x * torch.sigmoid(shared(x.mean(dim=(2, 3))) + shared(x.amax(dim=(2, 3))))[:, :, None, None]
    maps = torch.stack([x.mean(dim=1), x.amax(dim=1)], dim=1)
    return x * torch.sigmoid(nnf.conv2d(maps, W7, padding="same"))


def luuuyi(x, W0, W1, W7, running):
    """luuuyi/CBAM.PyTorch: adaptive pools over space, first maxima, no bias and no normalisation."""
    scores = 0
    for pooled in (nnf.adaptive_avg_pool2d(x, 1), nnf.adaptive_max_pool2d(x, 1)):
        scores = scores + nnf.conv2d(torch.relu(nnf.conv2d(pooled, W0[:, :, None, None])), W1[:, :, None, None])
    x = torch.sigmoid(scores) * x
    largest, _ = torch.max(x, dim=1, keepdim=True)
    maps = torch.cat([torch.mean(x, dim=1, keepdim=True), largest], dim=1)
    return torch.sigmoid(nnf.conv2d(maps, W7, padding=W7.shape[-1] // 2)) * x


def paper(x, W0, W1, W7, running):
    """Woo et al., equations 1 to 3; of tied maxima, the first."""
    return luuuyi(x, W0, W1, W7, running)


REFERENCES = {
    "paper": paper,
    "official": official,
    "timm": timm,
    "timm-light": timm_light,
    "keras": keras,
    "luuuyi": luuuyi,
}


def _running(running):
    """Return mean and variance; both None in training, where a batch has its own."""
    return (None, None) if running is None else running
