"""Attention maps are the ones that the network used."""

import numpy as np
import pytest

from cbam_np import SmallCNN, attention_maps


@pytest.mark.parametrize(("attention", "blocks"), [(None, 0), ("se", 2), ("cbam", 2)])
def test_maps_of_every_block(rng, attention, blocks):
    model = SmallCNN(attention, rng=rng, channels=(4, 8), reduction=2, start="he")
    images = rng.integers(0, 256, (3, 3, 8, 8), dtype=np.uint8)
    p, maps = attention_maps(model, images)
    np.testing.assert_array_equal(p, model.predict(images))
    assert [m.name for m in maps] == ["stage1.attention", "stage2.attention"][:blocks]
    for m, width, side in zip(maps, (4, 8), (8, 4), strict=False):
        assert m.Mc.shape == (3, width) and ((m.Mc > 0) & (m.Mc < 1)).all()
        assert (m.Ms is None) if attention == "se" else (m.Ms.shape == (3, side, side))


def test_maps_of_a_batch_so_large_that_it_is_run_in_slices(rng):
    model = SmallCNN("cbam", rng=rng, channels=(64,), reduction=2, start="he")
    images = rng.integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)
    (whole,) = attention_maps(model, images)[1]
    assert hasattr(model.stage1.attention.cache, "slices")
    for name in ("Mc", "Ms"):
        parts = [getattr(attention_maps(model, images[at : at + 5])[1][0], name) for at in range(0, 40, 5)]
        np.testing.assert_allclose(getattr(whole, name), np.concatenate(parts), rtol=1e-4, atol=1e-6)
