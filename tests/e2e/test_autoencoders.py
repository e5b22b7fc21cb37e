"""The autoencoders of models/: as C++, and the score that tells anomalies."""

import subprocess
import zipfile

from support import ROOT, idx, read_npy
from test_emit import COMPILERS, Compiled


class Autoencoders(Compiled):
    def test_self_tests(self):
        for name in ("autoencoder", "denoising-autoencoder", "anomaly"):
            self.run_nnc("train", ROOT / "models" / f"{name}.yaml", "-o", name, "--epochs", 0)
            self.run_nnc("emit", name, "-o", f"{name}.hpp", "--self-test")
            for compiler in COMPILERS:
                source = name.replace("-", "_") + "_selftest.cpp"
                self.build(compiler, [], source, "selftest")
                done = subprocess.run(["./selftest"], cwd=self.folder, capture_output=True,
                                      text=True)
                self.assertEqual(done.returncode, 0, f"{name}, {compiler}: {done.stdout}")
                self.assertIn("restored", done.stdout)

    def test_the_score_is_the_distance_of_the_restored_picture(self):
        rows = 3
        pixels = bytes((7 * i * i + 31 * i) % 256 for i in range(rows * 784))
        self.write("x-idx", idx(pixels, (rows, 28, 28)))
        self.run_nnc("train", ROOT / "models" / "anomaly.yaml", "-o", "run", "--epochs", 0)
        self.run_nnc("predict", "run", "--in", "x-idx", "--out", "y.npz")
        with zipfile.ZipFile(self.path("y.npz")) as arrays:
            restored, score = (read_npy(arrays.read(f"{name}.npy"))[1]
                               for name in ("restored", "score"))
        for row in range(rows):
            # What is restored comes back in the picture's own units, bytes.
            squares = [((restored[i] - pixels[i]) / 255) ** 2
                       for i in range(row * 784, (row + 1) * 784)]
            self.assertAlmostEqual(score[row], sum(squares) / 784, places=5)
