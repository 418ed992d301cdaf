"""What the benchmark of speed found, as Markdown."""

PARTS = {
    "a": "CBAM block, forward and backward",
    "b": "7×7 convolution of the two maps, forward and backward",
    "c": "3×3 convolutions, forward and backward",
    "d": "training step of SmallCNN",
    "e": "inference of SmallCNN",
    "f": "loops against whole arrays",
    "g": "growth of CBAM's cost with N, C, H·W",
    "h": "peak memory of a training step",
    "i": "share of the machine's GEMM peak",
    "j": "inference of ResNet-50 with CBAM at 224×224",
    "k": "where the time of SmallCNN goes, layer by layer",
}
MEASURED = """\
Milliseconds: median, quartiles in brackets. PyTorch eager is the fastest of its ways by median: NCHW and
channels-last, and with CBAM also amax or adaptive_max_pool2d over space, amax or max over channels. Every convolution
of b and c includes the gradient of its input, on both sides, the first layer's too. A training step is forward, loss,
backward and SGD with Nesterov momentum, from uint8 images, without the gradient of the images. Inference is without
softmax. Where other processes kept cores busy meanwhile, a ratio says nothing: threads that wait for each other, as
PyTorch's do, then lose many times over."""
LAYERS = """\
Where the time of a training step and of inference goes, by kind of layer, forward and backward: of NumPy's pieces,
which run side by side, the processor's time divided by the number of threads, and how long they waited for each other
or for the interpreter's lock; of PyTorch's layers, one after the other, the time from the beginning of each to that of
the next. Means; the clocks take a little themselves."""
MEMORY = """\
Peak memory of the training step with CBAM, each in a fresh process: the largest resident set during three steps minus
what was resident before the first, when libraries, batch and network were there."""


def table(head, rows):
    """Return a Markdown table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def threads(count):
    """Write a number of threads."""
    return f"{count} thread{'s' * (count > 1)}"


def milliseconds(found):
    """Write median and quartiles."""
    return "{:.3g} ({:.3g}–{:.3g})".format(*(1000 * found[key] for key in ("median", "q1", "q3"))) if found else "–"


def times(result):
    """Return the table of the parts against PyTorch."""
    head = ["case", "NumPy", "PyTorch eager", "NumPy / eager", "compiled", "NumPy / compiled"]
    head += ["cores of others", "eager's fastest way"]
    rows = []
    for row in result["cases"]:
        ratios = [f"{row[ratio]:.2f}" if ratio in row else "–" for ratio in ("ratio", "ratio_compiled")]
        ours, eager, compiled = (milliseconds(row.get(kind)) for kind in ("NumPy", "eager", "compiled"))
        way = row["eager"]["way"] if "eager" in row else "–"
        others = "?" if row["cores_of_others"] is None else f"{row['cores_of_others']:.1f}"
        rows.append([f"{row['part']}: {row['name']}", ours, eager, ratios[0], compiled, ratios[1], others, way])
    return table(head, rows)


def shares(result):
    """Return the table of what part of the GEMM peak the convolutions reach."""
    (peak,) = (peak["flops_per_second"] for peak in result["gemm"] if peak["threads"] == result["threads"])
    head = ["GFLOP/s in the 3×3 convolutions (share of NumPy's GEMM peak)", "NumPy", "PyTorch eager", "compiled"]
    rows = []
    for row in result["cases"]:
        if row["part"] not in "cd":
            continue
        speeds = [
            row["flops"] / row[kind]["median"] if kind in row else None for kind in ("NumPy", "eager", "compiled")
        ]
        cells = [f"{speed / 1e9:.1f} ({speed / peak:.0%})" if speed else "–" for speed in speeds]
        rows.append([f"{row['part']}: {row['name']}", *cells])
    return table(head, rows)


def peaks(result):
    """Say what the GEMM peak is, and how operations were counted."""
    found = [
        f"{peak['flops_per_second'] / 1e9:.0f} GFLOP/s on {threads(peak['threads'])} ({peak['size']}×{peak['size']})"
        for peak in result["gemm"]
    ]
    return (
        f"NumPy's float32 matrix products reach {', '.join(found)}. Operations counted: 2·N·H·W·O·C·k² for a "
        "convolution forward, twice that backward, for the first layer, too, and where Winograd's ways do with half or "
        "a quarter of the products."
    )


def growth(result):
    """Return the table of CBAM's cost."""
    head = ["CBAM forward and backward", "exponent p of time ∝ size^p", "milliseconds by size"]
    rows = []
    for row in result["growth"]:
        sizes = ", ".join(f"{point['size']}: {1000 * point['median']:.3g}" for point in row["points"])
        rows.append([row["name"], f"{row['exponent']:.2f}", sizes])
    return table(head, rows)


def loops(result):
    """Return the table of the loops."""
    rows = [
        [row["name"], milliseconds(row["loops"]), milliseconds(row["arrays"]), f"{row['ratio']:.0f}"]
        for row in result["loops"]
    ]
    return table(["case", "loops", "whole arrays", "times faster"], rows)


def layers(result):
    """Return the table of what each kind of layer takes."""
    rows = []
    for row in result["shares"]:
        ours, theirs = row["NumPy"], row.get("eager", {})
        for kind in ours:
            cells = [f"{1000 * found[kind]:.2f}" if kind in found else "–" for found in (ours, theirs)]
            ratio = f"{ours[kind] / theirs[kind]:.2f}" if kind in theirs else "–"
            rows.append([f"{row['part']}: {row['name']}, {kind}", *cells, ratio])
    return table(["milliseconds", "NumPy", "PyTorch eager", "NumPy / eager"], rows)


def memory(result):
    """Return the table of peak memory."""
    ours, *theirs = sorted(result["memory"], key=lambda row: (row["kind"] != "NumPy", row["bytes"]))
    rows = [["NumPy", f"{ours['bytes'] / 2**20:.0f}", ""]]
    for name, row in zip(("least", "most"), (theirs[0], theirs[-1]) if theirs else (), strict=False):
        ratio = ours["bytes"] / row["bytes"]
        rows.append([f"PyTorch eager, {name}: {row['way']}", f"{row['bytes'] / 2**20:.0f}", f"{ratio:.2f}"])
    return table(["case", "MiB", "NumPy / PyTorch"], rows)


def markdown(result):
    """Return all that was found.

    Parameters
    ----------
    result : dict
        What `benchmarks.speed.measure` returned; parts that were not measured are left out.

    Returns
    -------
    str
        Markdown.
    """
    machine = result["machine"]
    about = [
        f"{threads(result['threads'])} for NumPy{' and as many for PyTorch' if result['torch'] else ''}",
        f"{result['repeats']} interleaved repeats, each after an untimed one of the same",
        result["dtype"],
        f"{machine['cores']} cores ({machine['processor']})",
        f"NumPy {machine['numpy']} (BLAS kernels: {', '.join(result['blas_kernels']) or '?'})",
        f"PyTorch {result['torch']}" if result["torch"] else "no PyTorch, so NumPy alone",
    ]
    if result["torch"] and result["not_compiled"]:
        about.append(f"torch.compile: {result['not_compiled']}")
    blocks = ["# Speed", ", ".join(about) + ".", f"`{result['command']}`"] if "command" in result else []
    if result["cases"]:
        blocks += [times(result), MEASURED]
    if "gemm" in result:
        blocks += [peaks(result)] + ([shares(result)] if any(row["part"] in "cd" for row in result["cases"]) else [])
    if "shares" in result:
        blocks += [LAYERS, layers(result)]
    if "loops" in result:
        blocks += [loops(result)]
    if "growth" in result:
        blocks += [growth(result)]
    if "memory" in result:
        blocks += (
            [MEMORY, memory(result)] if result["memory"] else ["Peak memory: not measured, there is no /proc here."]
        )
    return "\n\n".join(blocks)
