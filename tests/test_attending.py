"""The benchmark of where M_s selects: maps that are known, and runs of a comparison."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import attending
from cbam_np.data import LabelledImages
from cbam_np.explain import attention_maps
from cbam_np.train import Recipe, Settings, load_model
from cbam_np.train.compare import compare

from .helpers import Here


def test_maps_that_are_known(monkeypatch):
    masks = np.zeros((2, 4, 4), bool)
    masks[:, :2, :2] = True
    test = SimpleNamespace(images=None, masks=masks)
    select, even = np.full((2, 2, 2), 0.25), np.full((2, 4, 4), 0.5)
    select[:, 0, 0] = 0.75
    maps = [SimpleNamespace(name="stage1.attention", Ms=even), SimpleNamespace(name="stage2.attention", Ms=select)]
    monkeypatch.setattr(attending, "attention_maps", lambda model, images: (None, maps))
    found = attending.stages(None, test)
    assert found["stage1"] == {"on": 0.5, "beside": 0.5, "spread": 0, "favours": 0}
    assert found["stage2"] == {"on": 0.75, "beside": 0.25, "spread": pytest.approx(np.sqrt(3) / 8), "favours": 1}


def test_it_reads_the_seeds_of_a_comparison(tmp_path, monkeypatch):
    monkeypatch.setattr("cbam_np.train.run.SHAPES", {"train": (64, (0, 0)), "test": (30, (0, 1))})
    monkeypatch.setattr(attending, "IMAGES", 20)
    settings = Settings(recipe=Recipe(epochs=1, batch_size=32), channels=(4, 8), reduction=2, images=64)
    compare("start", settings, 2, tmp_path, executor=Here(), progress=False)
    found = attending.measure(tmp_path)
    assert [row["variant"] for row in found["rows"]] == ["all maps 1/2", "He"] and found["images"] == 20
    test = attending.load_data(settings)[2].subset(slice(20))
    _, maps = attention_maps(load_model(attending.run_folder(tmp_path, "He", 1)), test.images)
    assert found["rows"][1]["seeds"][1]["stage1"]["spread"] == pytest.approx(maps[0].Ms.std(axis=(1, 2)).mean())
    page = attending.markdown(found)
    assert page.count("| He | stage") == 2 and "compare start --data shapes --seeds 2" in page

    test = [LabelledImages(test.images, test.labels, test.classes)] * 3
    monkeypatch.setattr(attending, "load_data", lambda settings: test)
    with pytest.raises(SystemExit, match="has no masks"):
        attending.measure(tmp_path)
    with pytest.raises(SystemExit, match=r"holds no comparison\.json"):
        attending.measure(tmp_path / "He")
