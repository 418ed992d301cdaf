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
