"""The picture networks of models/ as C++: each passes its own self-test, whoever compiles it."""

import gzip
import math
import os
import subprocess

from support import NNC, ROOT, idx
from test_emit import COMPILERS, Compiled

FASHION = "/usr/share/datasets/fashion-mnist"


class EmittedModels(Compiled):
    def few_pictures(self):
        """A folder like Debian's Fashion-MNIST, of its first 96 training and 32 test pictures."""
        for split, count in (("train", 96), ("t10k", 32)):
            for kind, head, shape in (("images-idx3", 16, (count, 28, 28)),
                                      ("labels-idx1", 8, (count,))):
                name = f"{split}-{kind}-ubyte.gz"
                with gzip.open(f"{FASHION}/{name}") as file:
                    content = file.read(head + math.prod(shape))[head:]
                self.write(f"few/{name}", gzip.compress(idx(content, shape)))
        return self.path("few")

    def train_a_little(self, name, *more):
        self.run_nnc("train", ROOT / "models" / f"{name}.yaml", "-o", name, "--epochs", 2,
                     "--set", f"dir={self.few_pictures()}", "--set", "train.batch=32", "--quiet",
                     *more)
        return name

    def check_self_test(self, run, name, *options):
        self.run_nnc("emit", run, "-o", f"{name}.hpp", "--self-test", *options)
        for compiler in COMPILERS:
            self.build(compiler, [], f"{name.replace('-', '_')}_selftest.cpp", "selftest")
            done = subprocess.run(["./selftest"], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{name}, {compiler}: {done.stdout}")
            for function in ("(predict)", "(predict_batch)"):
                self.assertIn(function, done.stdout)

    def test_lenet5(self):
        self.check_self_test(self.train_a_little("lenet5"), "lenet5")

    def test_cnn(self):
        self.check_self_test(self.train_a_little("cnn"), "cnn")

    def test_alexnet_32(self):
        # In a file: compilers take minutes to read that many numbers.
        self.check_self_test(self.train_a_little("alexnet-32"), "alexnet-32", "--weights", "file")

    def test_generators(self):
        # Their functions stand beside predict; weights in a file, as above.
        for name, function in (("vae", "decode"), ("conditional-vae", "decode"), ("gan", "make"),
                               ("wgan-gp", "generate")):
            self.check_self_test(self.train_a_little(name), name, "--weights", "file")
            header = self.path(f"{name}.hpp").read_text()
            self.assertIn(f"{function}_batch(", header)

    def test_transfer(self):
        base = self.path(self.train_a_little("lenet5"))
        run = self.train_a_little("transfer", "--set", f"settings.run={base}")
        self.check_self_test(run, "transfer")

    def test_resnet_small(self):
        self.check_self_test(self.train_a_little("resnet-small"), "resnet-small")
        header = self.path("resnet-small.hpp").read_text()
        self.assertIn("entry_conv_kernel_folded", header)
        for name in ("variance", "conv0_kernel["):  # what was folded is gone
            self.assertNotIn(name, header)

    def test_sobel(self):
        self.check_self_test(ROOT / "models" / "sobel.yaml", "sobel")

    def test_alexnet_in_full(self):
        """A step of 32 pictures in 4 GB; then as C++, with its 244 MB of weights in a file."""
        process = subprocess.Popen(
            [NNC, "train", ROOT / "models" / "alexnet.yaml", "-o", "run", "--epochs", "1", "--set",
             "train.batch=32", "--quiet"], cwd=self.folder, env=self.environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss * 1024, 4e9)
        self.check_self_test("run", "alexnet", "--weights", "file")
        self.assertGreater(self.path("alexnet.weights").stat().st_size, 4 * 60965224 - 1)
