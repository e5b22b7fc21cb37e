"""nnc emit: the header compiles everywhere, passes its self-test, and predicts the same bits."""

import ctypes
import gzip
import shutil
import struct
import subprocess

from support import NncTest, ROOT, idx, make_pictures, read_npy

WARNINGS = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
COMPILERS = [name for name in ("g++", "clang++-19", "clang++") if shutil.which(name)][:2]
# Levels of the instruction set, each with what the processor must have.
LEVELS = {"any": ([], ""), "generic": (["-DTINY_DISPATCH=0"], ""), "avx2": (["-mavx2", "-mfma"], "avx2"),
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

# The same with the header of an object file, C99 and C++.
C_MAIN = """
#include <stdio.h>
#include "small.h"
static unsigned char row[TINY_IMAGE_SIZE], workspace[TINY_WORKSPACE_SIZE + 1];
static float in[131 * TINY_IMAGE_SIZE], out[131 * TINY_PROBABILITY_SIZE];
int main(int argc, char** argv) {
  size_t rows = 0, i;
  (void)argv;
  while (fread(row, 1, sizeof row, stdin) == sizeof row) {
    for (i = 0; i < sizeof row; ++i) in[rows * TINY_IMAGE_SIZE + i] = (float)row[i];
    ++rows;
  }
  if (argc > 1) {
    tiny_predict_batch(in, out, rows, workspace + 1);
  } else {
    for (i = 0; i < rows; ++i)
      tiny_predict(in + i * TINY_IMAGE_SIZE, out + i * TINY_PROBABILITY_SIZE, workspace + 1);
  }
  fwrite(out, sizeof(float), rows * TINY_PROBABILITY_SIZE, stdout);
  return 0;
}
"""


# Bytes as input: one by one, many at once, and with the header of the object.
BYTES_MAIN = """
#include <cstdio>
#include "tiny.hpp"
#include "small.h"
unsigned char in[131 * 36], workspace[TINY_WORKSPACE_SIZE];
float out[3][131 * 3];
int main() {
  if (std::fread(in, 36, 131, stdin) != 131) return 1;
  for (std::size_t r = 0; r < 131; ++r) {
    tiny::predict(in + r * 36, out[0] + r * 3);
    tiny_predict_bytes(in + r * 36, out[2] + r * 3, workspace);
  }
  tiny::predict_batch(in, out[1], 131);
  std::fwrite(out, sizeof out, 1, stdout);
}
"""


class Compiled(NncTest):
    def build(self, compiler, flags, source, program):
        done = subprocess.run([compiler, *WARNINGS, *flags, source, "-o", program],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{compiler} {flags}\n{done.stderr[:4000]}")


class Emit(Compiled):
    def setUp(self):
        super().setUp()
        self.run_nnc("train", self.small_model(), "-o", "run", "--epochs", 5, "--quiet")

    def levels(self):
        features = open("/proc/cpuinfo").read()
        return {name: flags for name, (flags, needs) in LEVELS.items() if needs in features}

    def test_words_are_given_with_their_indices(self):
        self.write("rows.csv", "town,M_PI,y\n" + "Ulm,1,2\n\"New \"\"Y\"\"?\",2,3\nRom,3,4\n" * 4)
        model = self.write("words.yaml", """nnc: 1
data:
  train: {csv: {file: rows.csv, columns: {town: town, M_PI: M_PI, y: y}}}
  fields: {town: {prepare: [category, one_hot]}}
model:
  inputs: [town, M_PI]
  layers:
    - concat: [town, M_PI]
    - dense: 1
      name: out
loss: {mean_squared_error: {prediction: out, target: y}}
train: {epochs: 2, batch: 4, optimizer: sgd}
""")
        self.run_nnc("train", model, "-o", "words")
        self.run_nnc("emit", "words", "-o", "words.hpp")
        text = self.path("words.hpp").read_text()
        self.assertTrue("town: std::int32_t[1], an index, 0 … 2: 0 for " in text)
        self.write("main.cpp", """#include "words.hpp"
#include <cmath>
#include <cstdio>
int main() {
  for (const char* word : words::town_words) std::puts(word);
}
""")
        done = subprocess.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                               "main.cpp", "-o", "main"], cwd=self.folder, capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:2000])
        said = subprocess.run(["./main"], cwd=self.folder, capture_output=True, text=True).stdout
        self.assertEqual(sorted(said.splitlines()), ['New "Y"?', "Rom", "Ulm"])

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
                # Compiled for any processor, it takes the best kernels that this one can run.
                if "-mfma" in flags or (name == "any" and "avx2" in self.levels()):
                    self.assertEqual(values, expected, f"{name} {arguments}")
                for ours, theirs in zip(values, expected):
                    self.assertLess(abs(ours - theirs), 1e-5)

    def test_any_number_of_pictures(self):
        """Vectors run along the rows of a block; what is left over goes row by row."""
        layers = """    - conv2d: {filters: 5, kernel: 3, padding: same, activation: tanh}
    - maxpool2d: 2
    - conv2d: {filters: 3, kernel: 2, activation: relu}
    - flatten
"""
        self.run_nnc("train", self.small_model("pictures.yaml", replace={"    - flatten\n": layers}),
                     "-o", "pictures", "--epochs", 1, "--quiet")
        pictures, _ = make_pictures(301, seed=4)
        self.write("x-idx", idx(pictures, (301, 6, 6)))
        self.run_nnc("predict", "pictures", "--in", "x-idx", "--out", "y.npy")
        _, expected = read_npy(self.path("y.npy").read_bytes())
        self.run_nnc("emit", "pictures", "-o", "tiny.hpp")
        self.assertIn("if (count < 8)", self.path("tiny.hpp").read_text())
        self.write("main.cpp", MAIN.replace("tiny::", "pictures::"))
        for name, flags in self.levels().items():
            flags = [flag.replace("TINY", "PICTURES") for flag in flags]
            self.build("g++", flags, "main.cpp", "main")
            for rows in (1, 7, 8, 31, 33, 64, 71, 72, 301):
                outs = [list(struct.unpack(f"<{rows * 3}f", subprocess.run(
                    ["./main", *arguments], cwd=self.folder, input=pictures[:36 * rows],
                    capture_output=True, check=True).stdout)) for arguments in ([], ["batch"])]
                self.assertEqual(*outs, f"{name} {rows}")
                if "-mfma" in flags:
                    self.assertEqual(outs[0], expected[:rows * 3], f"{name} {rows}")

    def test_object_with_c_header(self):
        rows = 131
        pictures, _ = make_pictures(rows, seed=4)
        self.write("x-idx", idx(pictures, (rows, 6, 6)))
        self.run_nnc("predict", "run", "--in", "x-idx", "--out", "y.npy")
        _, expected = read_npy(self.path("y.npy").read_bytes())
        said = self.run_nnc("emit", "run", "--object", "-o", "small.o").stdout
        for name in ("small.o", "small_weights.o", "small.h"):
            self.assertIn(name, said)
        self.write("main.c", C_MAIN)
        self.write("main.cpp", C_MAIN)
        warnings = ["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
        objects = ["small.o", "small_weights.o"]
        for compiler in (["gcc", "-std=c99", "main.c"], ["g++", "-std=c++17", "main.cpp"]):
            done = subprocess.run([*compiler, *warnings, *objects, "-o", "main"], cwd=self.folder,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{compiler}\n{done.stderr[:4000]}")
            for arguments in ([], ["batch"]):
                out = subprocess.run(["./main", *arguments], cwd=self.folder, input=pictures,
                                     capture_output=True, check=True).stdout
                self.assertEqual(list(struct.unpack(f"<{rows * 3}f", out)), expected)

    def test_two_runs_in_one_program(self):
        """Headers, weights in objects, and objects: each source file has its own answers."""
        self.run_nnc("train", self.path("tiny.yaml"), "-o", "other", "--epochs", 1, "--seed", 9,
                     "--quiet")
        pictures, _ = make_pictures(1, seed=4)
        self.write("x-idx", idx(pictures, (1, 6, 6)))
        expected = []
        for run in ("run", "other"):
            self.run_nnc("predict", run, "--in", "x-idx", "--out", "y.npy")
            expected.append(list(read_npy(self.path("y.npy").read_bytes())[1]))
        self.assertNotEqual(*expected)
        header = """#include "{}.hpp"
void {}(const float* x, float* y) {{ tiny::predict(x, y); }}
"""
        small = """#include "{0}.h"
static unsigned char workspace[TINY_WORKSPACE_SIZE];
void {1}(const float* x, float* y);
void {1}(const float* x, float* y) {{ tiny_predict(x, y, workspace); }}
"""
        main = """#include <stdio.h>
#ifdef __cplusplus
#define C extern
#else
#define C
#endif
C void run(const float* x, float* y);
C void other(const float* x, float* y);
int main(void) {
  float x[36], y[6];
  int i;
  for (i = 0; i < 36; ++i) x[i] = (float)getchar();
  run(x, y);
  other(x, y + 3);
  fwrite(y, sizeof(float), 6, stdout);
  return 0;
}
"""
        ways = (("cpp", header, ["g++", "-std=c++17"], [], []),
                ("cpp", header, ["g++", "-std=c++17"], ["--weights", "object"], ["weights"]),
                ("c", small, ["gcc", "-std=c99"], ["--object"], ["weights", ""]))
        for ending, source, compiler, options, objects in ways:
            linked = []
            for run in ("run", "other"):
                file = f"{run}.o" if "--object" in options else f"{run}.hpp"
                self.run_nnc("emit", run, "-o", file, *options)
                self.write(f"{run}_main.{ending}", source.format(run, run))
                linked += [f"{run}_{name}.o" if name else f"{run}.o" for name in objects]
            self.write(f"main.{ending}", main)
            done = subprocess.run([*compiler, "-O1", "-march=native", "-Wall", f"main.{ending}",
                                   f"run_main.{ending}", f"other_main.{ending}", *linked, "-o",
                                   "main"], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{options}\n{done.stderr[:4000]}")
            out = subprocess.run(["./main"], cwd=self.folder, input=pictures, capture_output=True,
                                 check=True).stdout
            got = list(struct.unpack("<6f", out))
            for ours, theirs in zip(got, expected[0] + expected[1]):
                self.assertLess(abs(ours - theirs), 1e-6, options)

    def test_another_name(self):
        self.run_nnc("emit", "run", "--name", "second")
        self.assertIn("second::predict(image, probability)", self.path("second.hpp").read_text())
        said = self.run_nnc("emit", "run", "--name", "a b", expect=2).stderr
        self.assertIn("--name: 'a b' cannot be a namespace of C++", said)
        self.assertIn("such as a_b", said)
        self.run_nnc("emit", "run", "--name", "class", expect=2)
        said = self.run_nnc("emit", "run", "-o", 'a"b.hpp', expect=2).stderr
        self.assertIn("""-o: no #include can name 'a"b.hpp'""", said)

    def test_self_test_of_objects_and_libraries(self):
        for out in (["-o", "small.o"], ["-o", "small.h", "--language", "c"], ["-o", "small.so"]):
            said = self.run_nnc("emit", "run", *out, "--self-test").stdout
            self.assertIn(", for x86-64 " if "avx2" in self.levels() else ", for ", said)
            command = said.split("To test it:\n")[1].strip()
            done = subprocess.run(command, shell=True, cwd=self.folder, capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
            self.assertIn("probability (predict_batch): largest error 0,", done.stdout)
        # It can fail: an answer that is not the program's.
        test = self.path("small_selftest.c")
        text = test.read_text()
        first = text.index("trained_0[48] = {") + len("trained_0[48] = {")
        test.write_text(text[:first] + " 3.0f + " + text[first:])
        self.assertNotEqual(subprocess.run(command, shell=True, cwd=self.folder,
                                           stdout=subprocess.DEVNULL).returncode, 0)

    def test_a_shared_library_for_other_languages(self):
        self.run_nnc("emit", "run", "--shared", "--name", "seen")
        pictures, _ = make_pictures(3, seed=4)
        self.write("x-idx", idx(pictures, (3, 6, 6)))
        self.run_nnc("predict", "run", "--in", "x-idx", "--out", "y.npy")
        _, expected = read_npy(self.path("y.npy").read_bytes())
        library = ctypes.CDLL(str(self.path("seen.so")))
        x = (ctypes.c_float * len(pictures))(*pictures)
        size = int(self.path("seen.h").read_text().split("SEEN_WORKSPACE_SIZE ")[1].split()[0])
        workspace = ctypes.create_string_buffer(size)
        one, batch = (ctypes.c_float * 3)(), (ctypes.c_float * 9)()
        library.seen_predict(x, one, workspace)
        library.seen_predict_batch(x, batch, ctypes.c_size_t(3), workspace)
        self.assertEqual(list(one), list(expected[:3]))
        self.assertEqual(list(batch), list(expected))

    def test_bytes(self):
        """Pictures need not be made floats first."""
        pictures, _ = make_pictures(131, seed=4)
        self.write("x-idx", idx(pictures, (131, 6, 6)))
        self.run_nnc("predict", "run", "--in", "x-idx", "--out", "y.npy")
        _, expected = read_npy(self.path("y.npy").read_bytes())
        self.run_nnc("emit", "run", "-o", "tiny.hpp")
        self.run_nnc("emit", "run", "-o", "small.o")
        self.write("main.cpp", BYTES_MAIN)
        done = subprocess.run(["g++", *WARNINGS, "-march=native", "main.cpp", "small.o",
                               "small_weights.o", "-o", "main"], cwd=self.folder,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])
        out = subprocess.run(["./main"], cwd=self.folder, input=pictures, capture_output=True,
                             check=True).stdout
        values = list(struct.unpack(f"<{3 * 131 * 3}f", out))
        for ours, theirs in zip(values, list(expected) * 3):
            self.assertLess(abs(ours - theirs), 1e-6)
        if "avx2" in self.levels():
            self.assertEqual(values, list(expected) * 3)

    def test_what_cannot_be_written_is_refused(self):
        for arguments, message in (
                (["-o", "x.onnx"], "-o: nnc cannot write 'x.onnx'"),
                (["-o", "x"], "-o: 'x' has no ending"),
                (["--object", "-o", "x.hpp"], "-o: nnc cannot write 'x.hpp'"),
                (["--shared", "-o", "x.o"], "-o: nnc cannot write 'x.o'"),
                (["--shared", "--object"], "--object and --shared are two things"),
                (["--shared", "--weights", "file"], "--weights is for the C++ header")):
            self.assertIn(message, self.run_nnc("emit", "run", *arguments, expect=2).stderr)
        self.assertEqual([path.name for path in self.folder.glob("x*")], [])

    def test_object_for_aarch64(self):
        self.run_nnc("emit", "run", "--object", "--target", "neon", "-o", "tiny.o")
        header = self.path("tiny.o").read_bytes()[:20]
        self.assertEqual(header[:4], b"\x7fELF")
        self.assertEqual(struct.unpack("<H", header[18:20])[0], 183)  # EM_AARCH64


CLASSIFY = """
#include <cstdio>
#include <vector>
#include "fashion_mlp.hpp"
int main() {
  using namespace fashion_mlp;
  std::vector<float> in, out;
  unsigned char row[image_size];
  while (std::fread(row, 1, sizeof row, stdin) == sizeof row) {
    for (unsigned char b : row) in.push_back(b);
  }
  const std::size_t rows = in.size() / image_size;
  out.resize(rows * probability_size);
  predict_batch(in.data(), out.data(), rows);
  std::fwrite(out.data(), sizeof(float), out.size(), stdout);
}
"""


class FashionHeader(Compiled):
    """The default model: its header and nnc agree on all 10,000 test pictures."""

    PICTURES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"

    def setUp(self):
        super().setUp()
        self.run_nnc("train", ROOT / "models" / "fashion-mlp.yaml", "-o", "run", "--epochs", 2,
                     "--quiet")

    def test_all_test_pictures(self):
        self.run_nnc("predict", "run", "--in", self.PICTURES, "--out", "y.npy")
        shape, expected = read_npy(self.path("y.npy").read_bytes())
        self.assertEqual(shape, (10000, 10))
        self.run_nnc("emit", "run", "-o", "fashion_mlp.hpp", "--self-test")
        self.write("main.cpp", CLASSIFY)
        pictures = gzip.open(self.PICTURES).read()[16:]
        for compiler, flags in zip(COMPILERS, (["-march=native"], [])):
            self.build(compiler, flags, "fashion_mlp_selftest.cpp", "selftest")
            self.assertEqual(subprocess.run(["./selftest"], cwd=self.folder,
                                            stdout=subprocess.DEVNULL).returncode, 0)
            self.build(compiler, flags, "main.cpp", "main")
            out = subprocess.run(["./main"], cwd=self.folder, input=pictures, capture_output=True,
                                 check=True).stdout
            values = struct.unpack("<100000f", out)
            if flags and "avx2" in open("/proc/cpuinfo").read():
                self.assertEqual(list(values), expected)
            self.assertLess(max(abs(a - b) for a, b in zip(values, expected)), 1e-5)
            for row in range(10000):
                ours, theirs = (v[10 * row:10 * row + 10] for v in (values, expected))
                self.assertEqual(max(range(10), key=lambda c: ours[c]),
                                 max(range(10), key=lambda c: theirs[c]), f"picture {row}")
