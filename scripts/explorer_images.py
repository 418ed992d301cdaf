"""Write the explorer's twelve images, and what the networks make of them: explorer_images.py [CIFAR-FOLDER]."""

import json
import sys

import numpy as np

from cbam_np.classroom.images import STORED, gather
from cbam_np.data import load_cifar10, make_shapes

if __name__ == "__main__":
    _, test = load_cifar10(*sys.argv[1:2])
    pictures = gather(test, make_shapes(10, rng=np.random.default_rng(0)))
    STORED.write_text(json.dumps(pictures, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{STORED}: {len(pictures)} images, {STORED.stat().st_size / 1000:.0f} kB")
