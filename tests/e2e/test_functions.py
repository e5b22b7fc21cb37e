"""Functions of a model: predicted on their own, and emitted beside predict."""

import ctypes
import shutil
import struct
import subprocess
import zipfile

from support import NncTest, npy, read_npy

MODEL = """nnc: 1
data:
  train: {csv: {file: rows.csv, columns: {x: [a, b, c], kind: kind}}}
  fields:
    x: {prepare: [standardize]}
    kind: {names: [low, middle, high]}
model:
  inputs: [x]
  layers:
    - {dense: {units: 8, activation: tanh}, name: e}
    - {dense: {units: 5, activation: relu}, name: h}
    - {dense: 3, name: logits}
  outputs: {p: "softmax(logits)", code: e}
functions:
  encode: {inputs: [x], outputs: {code: e}}
  decode: {inputs: [e], outputs: {p: "softmax(logits)", size: "sum(h)"}}
  both: {inputs: [x, e], outputs: {s: "sum(x) + sum(e)"}}
loss: {cross_entropy: {logits: logits, target: kind}}
train: {epochs: 3, batch: 16, optimizer: {adam: {rate: 0.01}}, seed: 2}
"""

ROWS = 90


def rows_text():
    lines = ["a,b,c,kind"]
    for i in range(ROWS):
        a, b, c = (i * 37 % 101) / 10, (i * 53 % 97) / 7 - 5, (i * 71 % 89) / 3
        lines.append(f"{a},{b},{c},{['low', 'middle', 'high'][int(a + b) % 3]}")
    return "\n".join(lines) + "\n"


class Functions(NncTest):
    def setUp(self):
        super().setUp()
        self.write("rows.csv", rows_text())
        self.run_nnc("train", self.write("m.yaml", MODEL), "-o", "run", "--quiet")

    def arrays(self, *arguments):
        """What a prediction writes: (shape, numbers) by name."""
        self.run_nnc("predict", "run", *arguments, "-o", "out.npz")
        with zipfile.ZipFile(self.path("out.npz")) as file:
            return {name[:-4]: read_npy(file.read(name)) for name in file.namelist()
                    if b"'<U" not in file.read(name)[:100]}


class Predict(Functions):
    def test_functions_are_parts_of_predict(self):
        whole = self.arrays("--in", "rows.csv")
        code = self.arrays("--function", "encode", "--in", "rows.csv")
        self.assertEqual(code, {"code": whole["code"]})
        self.write("codes.npy", npy(code["code"][1], (ROWS, 8)))
        for arguments in (["codes.npy"], ["e=codes.npy"]):
            decoded = self.arrays("--function", "decode", "--in", *arguments)
            self.assertEqual(decoded["p"], whole["p"])
            self.assertEqual(decoded["size"][0], (ROWS,))
        self.assertEqual(self.arrays("--function", "predict", "--in", "rows.csv"), whole)

    def test_cut_values_come_in_every_format(self):
        self.run_nnc("predict", "run", "--function", "encode", "--in", "rows.csv", "-o",
                     "codes.csv")
        # An npz file of several arrays has one of the input's name.
        code = self.arrays("--function", "encode", "--in", "rows.csv")["code"]
        with zipfile.ZipFile(self.path("codes.npz"), "w") as file:
            file.writestr("e.npy", npy(code[1], code[0]))
            file.writestr("other.npy", npy([0.0], (1,)))
        from_csv = self.arrays("--function", "decode", "--in", "codes.csv")
        self.assertEqual(self.arrays("--function", "decode", "--in", "codes.npz"), from_csv)

    def test_fields_stay_raw_beside_cut_values(self):
        self.write("zero.npy", npy([0.0] * 8 * ROWS, (ROWS, 8)))
        self.write("x.npy", npy([1.0, 2.0, 3.0] * ROWS, (ROWS, 3), "<f8"))
        first = self.arrays("--function", "both", "--in", "x=x.npy", "e=zero.npy")["s"]
        self.write("one.npy", npy([1.0] * 8 * ROWS, (ROWS, 8)))
        second = self.arrays("--function", "both", "--in", "x=x.npy", "e=one.npy")["s"]
        self.assertNotEqual(round(first[1][0], 3), 6)  # x was standardized
        self.assertAlmostEqual(second[1][0] - first[1][0], 8, places=4)

    def test_classes_have_their_names(self):
        code = self.arrays("--function", "encode", "--in", "rows.csv")["code"]
        self.write("codes.npy", npy(code[1], code[0]))
        said = self.run_nnc("predict", "run", "--function", "decode", "--in", "codes.npy", "-o",
                            "-").stdout
        self.assertEqual(said.splitlines()[0], "kind,p.low,p.middle,p.high,size")
        self.assertIn(said.splitlines()[1].split(",")[0], ("low", "middle", "high"))

    def test_mistakes(self):
        def error(*arguments, expect=2):
            return self.error_of("predict", "run", "--in", *arguments, "-o", "out.npz",
                                 expect=expect)
        self.assertEqual(error("rows.csv", "--function", "decod"),
                         "nnc: error: --function: the model has no function 'decod'\n"
                         "  one of predict, encode, decode and both\n")
        self.assertEqual(error("x=rows.csv", "--function", "decode"),
                         "nnc: error: --in: the function 'decode' has no input 'x'\n"
                         "  its inputs are e\n")
        self.assertIn("--in: no file for e", error("x=rows.csv", "--function", "both"))
        self.write("codes.npy", npy([0.0] * 14, (2, 7)))
        self.assertIn("expected  8 numbers a row",
                      error("codes.npy", "--function", "decode", expect=1))
        self.assertIn("an npy file holds one output", self.error_of(
            "predict", "run", "--in", "codes.npy", "--function", "decode", "-o", "p.npy", expect=2))


COMPILERS = [name for name in ("g++", "clang++-19", "clang++") if shutil.which(name)][:2]

# Reads rows of three floats; predict's answers, and those of decode behind encode, one by one, all
# at once, and in four threads.
MAIN = """
#include <cstdio>
#include <thread>
#include <vector>
#include "m.hpp"
#ifdef LOADED
std::vector<unsigned char> memory(m::weights_size);
#define WEIGHTS memory.data(),
#else
#define WEIGHTS
#endif
constexpr std::size_t rows = 90;
constexpr std::size_t n = m::encode_code_size, k = m::decode_p_size;
static float x[rows * m::x_size], code[rows * n], p[5][rows * k], size[rows];
void decode_some(std::size_t first, std::size_t count, float* to) {
  float numbers[rows];
  m::encode_batch(WEIGHTS x + first * m::x_size, code + first * n, count);
  m::decode_batch(WEIGHTS code + first * n, to + first * k, numbers, count);
}
int main() {
  static_assert(m::encode_x_size == m::x_size && m::decode_e_size == n && m::code_size == n);
#ifdef LOADED
  if (!m::load_weights("m.weights", memory.data())) return 1;
#endif
  if (std::fread(x, sizeof x, 1, stdin) != 1) return 1;
  m::predict_batch(WEIGHTS x, p[0], code, rows);
  for (std::size_t r = 0; r < rows; ++r) {
    m::encode(WEIGHTS x + r * m::x_size, code + r * n);
    m::decode(WEIGHTS code + r * n, p[1] + r * k, size + r);
  }
  decode_some(0, rows, p[2]);
  std::vector<std::thread> threads;
  for (std::size_t first = 0; first < rows; first += 25)
    threads.emplace_back([=] { decode_some(first, first + 25 < rows ? 25 : rows - first, p[3]); });
  for (std::thread& thread : threads) thread.join();
  for (const char* word : m::decode_p_classes) std::fprintf(stderr, "%s ", word);
  std::fwrite(p, sizeof p[0], 4, stdout);
}
"""

C_MAIN = """
#include <stdio.h>
#include "m.h"
static char workspace[M_WORKSPACE_SIZE];
static float x[90 * M_X_SIZE], code[90 * M_ENCODE_CODE_SIZE], p[90 * M_DECODE_P_SIZE], size[90];
int main(void) {
  if (fread(x, sizeof x, 1, stdin) != 1) return 1;
  m_encode_batch(x, code, 90, workspace);
  m_decode_batch(code, p, size, 90, workspace);
  fprintf(stderr, "%s", m_decode_p_classes[2]);
  fwrite(p, sizeof p, 1, stdout);
  return 0;
}
"""


class Emit(Functions):
    def build(self, compiler, *rest):
        done = subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", *rest], text=True,
                              cwd=self.folder, capture_output=True)
        self.assertEqual(done.returncode, 0, f"{compiler} {rest}\n{done.stderr[:4000]}")

    def start(self, program, stdin=b""):
        done = subprocess.run([f"./{program}"], cwd=self.folder, input=stdin, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout[:2000])
        return done

    def rows(self):
        """The bytes of the rows as floats, and the probabilities that nnc predicts."""
        lines = [line.split(",") for line in rows_text().splitlines()[1:]]
        x = struct.pack(f"<{3 * ROWS}f", *(float(cell) for line in lines for cell in line[:3]))
        return x, self.arrays("--in", "rows.csv")["p"][1]

    def assert_close(self, ours, theirs):
        self.assertEqual(len(ours), len(theirs))
        for a, b in zip(ours, theirs):
            self.assertLess(abs(a - b), 1e-5)

    def test_decode_of_encode_is_predict(self):
        x, expected = self.rows()
        self.write("main.cpp", MAIN)
        for weights, flags in (("header", []), ("file", ["-DLOADED", "-DM_DISPATCH=0"])):
            self.run_nnc("emit", "run", "-o", "m.hpp", "--weights", weights)
            for compiler in COMPILERS:
                self.build(compiler, "-std=c++17", "-pthread", *flags, "main.cpp", "-o", "main")
                done = self.start("main", x)
                self.assertEqual(done.stderr.split(), [b"low", b"middle", b"high"])
                values = struct.unpack(f"<{4 * 3 * ROWS}f", done.stdout)
                for way in range(4):
                    self.assert_close(values[way * 3 * ROWS:][:3 * ROWS], expected)

    def test_self_tests(self):
        expected = [f"{output} ({name})" for name, outputs in
                    (("predict", ["p", "code"]), ("encode", ["code"]), ("decode", ["p", "size"]),
                     ("both", ["s"])) for call in ("", "_batch")
                    for output, name in [(output, name + call) for output in outputs]]
        for weights, more in (("header", []), ("object", ["m_weights.o"]), ("file", [])):
            self.run_nnc("emit", "run", "-o", "m.hpp", "--self-test", "--weights", weights)
            for compiler in COMPILERS:
                self.build(compiler, "-std=c++17", "-Wshadow", "-DM_DISPATCH=0", "m_selftest.cpp", *more,
                           "-o", "selftest")
                said = self.start("selftest").stdout.decode()
                self.assertEqual([line.split(":")[0] for line in said.splitlines()], expected)
        self.run_nnc("emit", "run", "-o", "m.o", "--self-test")
        self.build("cc", "-std=c99", "m_selftest.c", "m.o", "m_weights.o", "-lm", "-o", "selftest")
        said = self.start("selftest").stdout.decode()
        self.assertEqual([line.split(":")[0] for line in said.splitlines()], expected)

    def test_objects_and_libraries(self):
        x, expected = self.rows()
        self.write("main.c", C_MAIN)
        self.run_nnc("emit", "run", "-o", "m.o")
        self.build("cc", "-std=c99", "main.c", "m.o", "m_weights.o", "-o", "main")
        done = self.start("main", x)
        self.assertEqual(done.stderr, b"high")
        self.assert_close(struct.unpack(f"<{3 * ROWS}f", done.stdout), expected)
        # A library has plain names, and so has a header that exports its functions.
        self.run_nnc("emit", "run", "-o", "m.so")
        self.run_nnc("emit", "run", "-o", "m.hpp", "--function", "encode")
        self.build("g++", "-std=c++17", "-shared", "-fPIC", "-DM_EXPORT", "-x", "c++", "m.hpp",
                   "-o", "header.so")
        codes = (ctypes.c_float * (8 * ROWS))()
        ctypes.CDLL(self.path("header.so")).m_encode_batch(x, codes, ctypes.c_size_t(ROWS))
        p, size = (ctypes.c_float * (3 * ROWS))(), (ctypes.c_float * ROWS)()
        workspace = ctypes.create_string_buffer(1 << 20)
        ctypes.CDLL(self.path("m.so")).m_decode_batch(codes, p, size, ctypes.c_size_t(ROWS),
                                                      workspace)
        self.assert_close(list(p), expected)

    def test_chosen_functions(self):
        self.run_nnc("emit", "run", "--function", "decode", "-o", "d.hpp", "--self-test")
        text = self.path("d.hpp").read_text()
        self.assertIn("inline void decode(const float* e, float* p, float* size)", text)
        self.assertNotIn("predict(", text)
        self.assertNotIn("e_kernel", text)  # weights that only encode reads
        self.build("g++", "-std=c++17", "d_selftest.cpp", "-o", "selftest")
        self.start("selftest")
        self.run_nnc("emit", "--function", "decode", "--function", "predict", "run", "-o", "d.hpp")
        text = self.path("d.hpp").read_text()
        self.assertIn("inline void predict(", text)
        self.assertNotIn("inline void encode(", text)
        self.assertEqual(self.error_of("emit", "run", "--function", "ghost", expect=2),
                         "nnc: error: --function: the model has no function 'ghost'\n"
                         "  one of predict, encode, decode and both\n")


class EmitPictures(NncTest):
    def test_bytes_and_drawn_values(self):
        self.run_nnc("train", self.small_model(replace={"loss: {cross": """functions:
  look: {inputs: [image], outputs: {p: "softmax(logits)"}}
  finish: {inputs: [dense, image], outputs: {p: "softmax(logits) + 0*mean(image)"},
           draw: {dense: "normal()"}}
loss: {cross""", "    - dense: {units: 9, activation: tanh}":
                     "    - {dense: {units: 9, activation: tanh}, name: dense}"}),
                     "-o", "run", "--epochs", 1, "--quiet")
        self.run_nnc("emit", "run", "-o", "tiny.hpp", "--self-test")
        self.write("main.cpp", """#include "tiny.hpp"
#include <cstdio>
int main() {
  unsigned char bytes[2 * tiny::look_image_size];
  float numbers[2 * tiny::look_image_size], p[2 * 3], q[2 * 3];
  for (int i = 0; i < 72; ++i) numbers[i] = bytes[i] = static_cast<unsigned char>(i * 3);
  tiny::look_batch(bytes, p, 2);
  tiny::predict_batch(numbers, q, 2);
  for (int i = 0; i < 6; ++i) if (!(p[i] == q[i])) return 1;
  tiny::look(bytes, p);
  return p[0] == q[0] ? 0 : 1;
}
""")
        for source in ("main.cpp", "tiny_selftest.cpp"):
            done = subprocess.run(["g++", "-std=c++17", "-O1", source, "-o", "main"],
                                  cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr[:2000])
            done = subprocess.run(["./main"], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("p (finish_batch): largest error", done.stdout)
