"""nnc emit: the header compiles everywhere, passes its self-test, and predicts the same bits."""

import shutil
import struct
import subprocess

from support import NncTest, idx, make_pictures, read_npy

WARNINGS = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
COMPILERS = [name for name in ("g++", "clang++-19", "clang++") if shutil.which(name)][:2]
# Levels of the instruction set, each with what the processor must have.
LEVELS = {"plain": ([], ""), "avx2": (["-mavx2", "-mfma"], "avx2"),
          "avx512": (["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"], "avx512bw")}

# Reads rows of 36 bytes from standard input, writes three floats for each.
MAIN = """
#include <cstdio>
#include <vector>
#include "tiny.hpp"
int main(int argc, char**) {
  std::vector<float> in, out;
  unsigned char row[36];
  while (std::fread(row, 1, 36, stdin) == 36) {
    for (unsigned char b : row) in.push_back(b);
  }
  const std::size_t rows = in.size() / 36;
  out.resize(rows * 3);
  if (argc > 1) {
    tiny::predict_batch(in.data(), out.data(), rows);
  } else {
    for (std::size_t r = 0; r < rows; ++r) tiny::predict(&in[r * 36], &out[r * 3]);
  }
  std::fwrite(out.data(), sizeof(float), out.size(), stdout);
}
"""


class Emit(NncTest):
    def setUp(self):
        super().setUp()
        self.run_nnc("train", self.small_model(), "-o", "run", "--epochs", 5, "--quiet")

    def build(self, compiler, flags, source, program):
        done = subprocess.run([compiler, *WARNINGS, *flags, source, "-o", program],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{compiler} {flags}\n{done.stderr[:4000]}")

    def levels(self):
        features = open("/proc/cpuinfo").read()
        return {name: flags for name, (flags, needs) in LEVELS.items() if needs in features}

    def test_self_test(self):
        said = self.run_nnc("emit", "run", "-o", "tiny.hpp", "--self-test").stdout
        self.assertIn("tiny_selftest.cpp", said)
        for compiler in COMPILERS:
            for name, flags in self.levels().items():
                self.build(compiler, flags, "tiny_selftest.cpp", "selftest")
                done = subprocess.run(["./selftest"], cwd=self.folder, capture_output=True,
                                      text=True)
                self.assertEqual(done.returncode, 0, f"{compiler} {name}: {done.stdout}")
                self.assertIn("probability", done.stdout)

    def test_self_test_can_fail(self):
        self.run_nnc("emit", "run", "-o", "tiny.hpp", "--self-test", "--weights", "file")
        weights = self.path("tiny.weights")
        data = bytearray(weights.read_bytes())
        # Bytes in the middle of the largest kernel.
        for at in range(len(data) // 3, len(data) // 3 + 400):
            data[at] = 0x3F
        weights.write_bytes(bytes(data))
        self.build("g++", [], "tiny_selftest.cpp", "selftest")
        done = subprocess.run(["./selftest"], cwd=self.folder, capture_output=True)
        self.assertNotEqual(done.returncode, 0)

    def test_same_bits_as_predict(self):
        rows = 301
        pictures, _ = make_pictures(rows, seed=4)
        self.write("x-idx", idx(pictures, (rows, 6, 6)))
        self.run_nnc("predict", "run", "--in", "x-idx", "--out", "y.npy")
        _, expected = read_npy(self.path("y.npy").read_bytes())
        self.run_nnc("emit", "run", "-o", "tiny.hpp")
        self.write("main.cpp", MAIN)
        for name, flags in self.levels().items():
            self.build("g++", flags, "main.cpp", "main")
            for arguments in ([], ["batch"]):
                out = subprocess.run(["./main", *arguments], cwd=self.folder, input=pictures,
                                     capture_output=True, check=True).stdout
                values = list(struct.unpack(f"<{rows * 3}f", out))
                if "-mfma" in flags:
                    self.assertEqual(values, expected, f"{name} {arguments}")
                for ours, theirs in zip(values, expected):
                    self.assertLess(abs(ours - theirs), 1e-5)

    def test_object_for_aarch64(self):
        self.run_nnc("emit", "run", "--object", "--target", "neon", "-o", "tiny.o")
        header = self.path("tiny.o").read_bytes()[:20]
        self.assertEqual(header[:4], b"\x7fELF")
        self.assertEqual(struct.unpack("<H", header[18:20])[0], 183)  # EM_AARCH64
