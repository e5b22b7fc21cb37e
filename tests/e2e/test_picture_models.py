"""The picture networks: the shapes and sizes of their source, their memory, their worked examples."""

import math
import re
import zipfile

from support import NncTest, ROOT, npy, read_npy

# Krizhevsky et al. 2012: what each layer makes, and its weights and biases.
ALEXNET = [("conv1", "[55, 55, 96]", 11 * 11 * 3 * 96 + 96),
           ("maxpool2d_1", "[27, 27, 96]", None),
           ("conv2", "[27, 27, 256]", 5 * 5 * 48 * 256 + 256),
           ("maxpool2d_2", "[13, 13, 256]", None),
           ("conv3", "[13, 13, 384]", 3 * 3 * 256 * 384 + 384),
           ("conv4", "[13, 13, 384]", 3 * 3 * 192 * 384 + 384),
           ("conv5", "[13, 13, 256]", 3 * 3 * 192 * 256 + 256),
           ("maxpool2d_3", "[6, 6, 256]", None),
           ("fc6", "[4096]", 9216 * 4096 + 4096),
           ("fc7", "[4096]", 4096 * 4096 + 4096),
           ("logits", "[1000]", 4096 * 1000 + 1000)]


class PictureModels(NncTest):
    def test_alexnet_layer_by_layer(self):
        said = self.run_nnc("check", ROOT / "models" / "alexnet.yaml").stdout
        for name, shape, parameters in ALEXNET:
            count = "-" if parameters is None else f"{parameters:,}"
            self.assertRegex(said, rf"(?m)^ *{name} +\S+ +{re.escape(shape)} +{count} ")
        self.assertIn("60,965,224", said)
        self.assertEqual(sum(p for _, _, p in ALEXNET if p), 60965224)

    def test_alexnet_trains_within_four_gigabytes(self):
        result = self.json_of("check", ROOT / "models" / "alexnet.yaml", "--set", "train.batch=32",
                              "--json")
        self.assertEqual(result["parameters"], 60965224)
        self.assertLess(result["memory_bytes"], 4e9)

    def test_sobel_of_the_notes(self):
        model = ROOT / "models" / "sobel.yaml"
        self.write("x.npy", npy([0, 1, 2, 3, 5, 6, 7, 8, 3, 2, 1, 0, 1, 2, 3, 4], (1, 4, 4, 1)))
        self.run_nnc("predict", model, "--in", "x.npy", "--out", "y.npz")
        expected = {"gx": [-4, -4, 0, 0], "gy": [-4, 4, 16, 16],
                    "magnitude": [math.sqrt(32), math.sqrt(32), 16, 16],
                    "direction": [math.pi / 4, -math.pi / 4, math.pi / 2, math.pi / 2]}
        with zipfile.ZipFile(self.path("y.npz")) as arrays:
            for name, wanted in expected.items():
                shape, values = read_npy(arrays.read(name + ".npy"))
                self.assertEqual(tuple(shape), (1, 2, 2))
                for ours, theirs in zip(values, wanted):
                    self.assertAlmostEqual(ours, theirs, places=5, msg=name)
