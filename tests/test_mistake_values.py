"""What the mistakes beside the catalogue give, by formulas of our own: each that is written once is tried by name."""

import numpy as np
import pytest

import cbam_np
from cbam_np.teach.calculation.steps import trace_cbam
from cbam_np.teach.mistakes import further_occurrences, occurrences

TRACE = cbam_np.worksheet(61, "full").trace
V = {step.name: np.asarray(step.value, float) for step in TRACE}
C, H, W = V["F"].shape
MAPS = np.stack([V["Fs_avg"], V["Fs_max"]])


def s(z):
    return 1 / (1 + np.exp(-z))


def of_scores(f):
    return {"M_c": [f(V["z_c"])], "M_s": [f(V["z_s"])]}


def of_slopes(f):
    return {"dz_c": [f(V["dM_c"], V["M_c"])], "dz_s": [f(V["dM_s"], V["M_s"])]}


def convolved(kernel):
    """Cross-correlate both maps with a kernel (2, k, k), one number at a time, zeros around."""
    k = kernel.shape[-1]
    padded = np.pad(MAPS, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    return np.array([[(padded[:, i : i + k, j : j + k] * kernel).sum() for j in range(W)] for i in range(H)])


def each(step, results):
    return {step: list(results)}


def both(step, results):
    """Return what a mistake gives in one branch or in both; results for the average and for the maximum."""
    return {f"{step}_{pool}": list(found) * 2 for pool, found in results.items()}


F, F1, M_c, M_s = V["F"], V["F'"], V["M_c"], V["M_s"]
M_c1 = M_c[:, None, None]
HALVES = {pool: V[f"a_{pool}"] for pool in ("avg", "max")}
EXPECTED = {
    "the average used in both branches": {"h_max": [V["h_avg"]], "z_max": [V["z_avg"]]},
    "the maximum used in both branches": {"h_avg": [V["h_max"]], "z_avg": [V["z_max"]]},
    "two forms of the sigmoid mixed: e^z / (1 + e^(-z))": of_scores(lambda z: np.exp(z) / (1 + np.exp(-z))),
    "two forms of the sigmoid mixed: e^(-z) / (1 + e^z)": of_scores(lambda z: np.exp(-z) / (1 + np.exp(z))),
    "the sigmoid not inverted: 1 + e^(-z)": of_scores(lambda z: 1 + np.exp(-z)),
    "the sigmoid neither inverted nor with its minus: 1 + e^z": of_scores(lambda z: 1 + np.exp(z)),
    "only e^(-z) of the sigmoid": of_scores(lambda z: np.exp(-z)),
    "the sigmoid's derivative instead of the sigmoid": of_scores(lambda z: s(z) - s(z) ** 2),
    "10 instead of e in the sigmoid: 1/(1 + 10^(-z))": of_scores(lambda z: 1 / (1 + 10**-z)),
    "a minus instead of the plus in the sigmoid: 1/(1 - e^(-z))": of_scores(lambda z: 1 / (1 - np.exp(-z))),
    "the 1 forgotten in the sigmoid: 1/e^(-z)": of_scores(np.exp),
    "the gradient from above forgotten in the sigmoid's derivative": of_slopes(lambda d, M: M - M**2),
    "the derivative of tanh, 1 - M², instead of the sigmoid's": of_slopes(lambda d, M: d - d * M**2),
    "M² instead of M (1 - M)": of_slopes(lambda d, M: d * M**2),
    "M (1 + M) instead of M (1 - M)": of_slopes(lambda d, M: d * M + d * M**2),
    "the brackets forgotten in M (1 - M)": of_slopes(lambda d, M: d * M - M),
    "the maximum over space instead of channels": each(
        "Fs_max", [np.full((H, W), F1[c].max()) for c in range(C)] + [np.full((H, W), F1.max())]
    ),
    "the maximum over one row or column only": each(
        "F_max", [F[:, i].max(axis=1) for i in range(H)] + [F[:, :, j].max(axis=1) for j in range(W)]
    ),
    "the average over one row or column only": each(
        "F_avg", [F[:, i].mean(axis=1) for i in range(H)] + [F[:, :, j].mean(axis=1) for j in range(W)]
    ),
    "a channel left out of the maximum": each("Fs_max", [np.delete(F1, c, 0).max(axis=0) for c in range(C)]),
    "a channel left out of the average": each("Fs_avg", [np.delete(F1, c, 0).mean(axis=0) for c in range(C)]),
    "one channel's weight used for every channel": each("F'", [M_c[c] * F for c in range(C)]),
    "the average over all channels at once": each("F_avg", [np.full(C, F.mean())]),
    "the maximum over all channels at once": each("F_max", [np.full(C, F.max())]),
    "the average over space divided by one too many": each("F_avg", [F.sum(axis=(1, 2)) / (H * W + 1)]),
    "the average over space divided by one too few": each("F_avg", [F.sum(axis=(1, 2)) / (H * W - 1)]),
    "the average over space divided by C·H·W": each("F_avg", [F.sum(axis=(1, 2)) / F.size]),
    "the average over channels divided by one too many": each("Fs_avg", [F1.sum(axis=0) / (C + 1)]),
    "the average over channels divided by one too few": each("Fs_avg", [F1.sum(axis=0) / (C - 1)]),
    "the average over channels divided by C·H·W": each("Fs_avg", [F1.sum(axis=0) / F.size]),
    "absolute values in the average over space": each("F_avg", [abs(F).mean(axis=(1, 2))]),
    "absolute values in the average over channels": each("Fs_avg", [abs(F1).mean(axis=0)]),
    "negative numbers counted as 0 in the average over space": each("F_avg", [F.clip(0).mean(axis=(1, 2))]),
    "negative numbers counted as 0 in the average over channels": each("Fs_avg", [F1.clip(0).mean(axis=0)]),
    "halfway between minimum and maximum instead of the average over space": each(
        "F_avg", [(F.min(axis=(1, 2)) + F.max(axis=(1, 2))) / 2]
    ),
    "halfway between minimum and maximum instead of the average over channels": each(
        "Fs_avg", [(F1.min(axis=0) + F1.max(axis=0)) / 2]
    ),
    "the second largest number over space": each("F_max", [np.sort(F.reshape(C, -1))[:, -2]]),
    "the second largest number over channels": each("Fs_max", [np.sort(F1, axis=0)[-2]]),
    "the brackets forgotten in the average over space": each(
        "F_avg", [F.sum(axis=(1, 2)) - F[:, -1, -1] + F[:, -1, -1] / (H * W)]
    ),
    "the brackets forgotten in the average over channels": each("Fs_avg", [F1[:-1].sum(axis=0) + F1[-1] / C]),
    "the maximum's gradient divided as well": {
        "dF_via_F_max": [V["dF_via_F_max"] / (H * W)],
        "dF'_via_Fs_max": [V["dF'_via_Fs_max"] / C],
    },
    "the maximum's gradient always to the same channel": each(
        "dF'_via_Fs_max", [np.eye(C)[c][:, None, None] * V["dFs_max"] for c in range(C)]
    ),
    "one row of W_0 used for every hidden unit": both(
        "h", {p: [V["W0"][i] @ V[f"F_{p}"] * np.ones(len(V["W0"])) for i in range(len(V["W0"]))] for p in HALVES}
    ),
    "one row of W_1 used for every channel": both(
        "z", {p: [V["W1"][i] @ a * np.ones(C) for i in range(C)] for p, a in HALVES.items()}
    ),
    "the hidden units in the wrong order": both("z", {p: [V["W1"] @ a[::-1]] for p, a in HALVES.items()}),
    "the average of two sigmoids, one for each branch": each("M_c", [0.5 * s(V["z_avg"]) + 0.5 * s(V["z_max"])]),
    "the product of two sigmoids, one for each branch": each("M_c", [s(V["z_avg"]) * s(V["z_max"])]),
    "the channel weights divided by their sum": each("M_c", [M_c / M_c.sum()]),
    "the pooled maps added instead of convolved": each("z_s", [V["Fs_avg"] + V["Fs_max"]]),
    "only the middle of the kernel used": each(
        "z_s", [np.tensordot(V["W7"][:, *(n // 2 for n in V["W7"].shape[1:])], MAPS, axes=1)]
    ),
    "the kernel's signs lost": each("z_s", [convolved(abs(V["W7"]))]),
    "1 - M in place of M": {"F'": [F - F * M_c1], "F''": [F1 - F1 * M_s]},
    "M_c multiplied on a second time": {"F''": [F * M_c1**2 * M_s]},
    "dM_s from one channel only": each("dM_s", [V["dF''"][c] * F1[c] for c in range(C)]),
    "the attention map on the paths through the pools, too": {
        "dF'": [V["dF'_direct"] + M_s * (V["dF'_via_Fs_avg"] + V["dF'_via_Fs_max"])],
        "dF": [V["dF_direct"] + M_c1 * (V["dF_via_F_avg"] + V["dF_via_F_max"])],
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_it_gives(name):
    found = {}
    for mistake, _, change in further_occurrences(TRACE):
        if mistake.name == name:
            for step, rule in change.items():
                found.setdefault(step, []).append(rule.compute(*(V[i] for i in rule.inputs)))
    assert found.keys() == EXPECTED[name].keys()
    for step, results in EXPECTED[name].items():
        assert len(found[step]) == len(results), step
        for result in results:
            assert any(np.allclose(result, one, rtol=1e-9) for one in found[step]), (step, result, found[step])
        for one in found[step]:
            assert any(np.allclose(result, one, rtol=1e-9) for result in results), (step, one, results)


def made(trace, step):
    return {occurrence.mistake.name for occurrence in further_occurrences(trace) if step in occurrence.changes}


def test_with_one_channel_there_is_no_other_one_to_mix_up(rng):
    """What gives the right numbers is no mistake, and nothing is divided by 0."""
    params = {"W0": rng.normal(size=(1, 1)), "W1": rng.normal(size=(1, 1)), "W7": rng.normal(size=(1, 2, 3, 3))}
    trace = trace_cbam(rng.normal(size=(1, 2, 3)), params, rng.normal(size=(1, 2, 3)))
    assert "one channel's weight used for every channel" not in made(trace, "F'")
    assert {name for name in made(trace, "Fs_avg") if "one too" in name} == {
        "the average over channels divided by one too many"
    }
    assert "a channel left out of the average" not in made(trace, "Fs_avg")
    assert "dM_s from one channel only" not in made(trace, "dM_s")


D1, D2 = V["dF'"], V["dF''"]
ON_THE_WAY_BACK = {  # of the catalogue, by name: what a step becomes in one of its variants
    "the sigmoid's derivative forgotten": of_slopes(lambda d, M: d),
    "M instead of M (1 - M)": of_slopes(lambda d, M: d * M),
    "1 - M instead of M (1 - M)": of_slopes(lambda d, M: d - d * M),
    "the sigmoid's derivative taken at M instead of z": of_slopes(lambda d, M: d * s(M) - d * s(M) ** 2),
    "z (1 - z) instead of M (1 - M)": {
        "dz_c": [V["dM_c"] * (V["z_c"] - V["z_c"] ** 2)],
        "dz_s": [V["dM_s"] * (V["z_s"] - V["z_s"] ** 2)],
    },
    "the map's gradient with the result of the product": {
        "dM_c": [(D1 * F1).sum(axis=(1, 2))],
        "dM_s": [(D2 * V["F''"]).sum(axis=0)],
    },
    "the map's gradient with F instead of F'": {"dM_s": [(D2 * F).sum(axis=0)]},
    "the map's gradient averaged instead of added": {
        "dM_c": [(D1 * F).mean(axis=(1, 2))],
        "dM_s": [(D2 * F1).mean(axis=0)],
    },
    "the feature map forgotten in the map's gradient": {"dM_c": [D1.sum(axis=(1, 2))], "dM_s": [D2.sum(axis=0)]},
    "the attention map forgotten in the direct path": {"dF'_direct": [D2], "dF_direct": [D1]},
    "the other attention map in the direct path": {"dF'_direct": [D2 * M_c1], "dF_direct": [D1 * M_s]},
    "the ReLU mask forgotten": {"dh_avg": [V["da_avg"]], "dh_max": [V["da_max"]]},
    "the ReLU mask of the other branch": {
        "dh_avg": [V["da_avg"] * (V["h_max"] > 0)],
        "dh_max": [V["da_max"] * (V["h_avg"] > 0)],
    },
    "multiplied by a instead of the ReLU mask": {
        "dh_avg": [V["da_avg"] * V["a_avg"]],
        "dh_max": [V["da_max"] * V["a_max"]],
    },
}


@pytest.mark.parametrize("name", ON_THE_WAY_BACK)
def test_what_it_gives_on_the_way_back(name):
    found = {}
    for mistake, _, change in occurrences(TRACE):
        if mistake.name == name:
            for step, rule in change.items():
                found.setdefault(step, []).append(rule.compute(*(V[i] for i in rule.inputs)))
    for step, (result,) in ON_THE_WAY_BACK[name].items():
        assert any(np.allclose(result, one, rtol=1e-9) for one in found[step]), (step, result, found[step])
