"""Little memory, few threads, streams that are closed or full: words and an exit code, nothing lost."""

import os
import resource
import signal
import struct
import subprocess
import time
import zlib

from support import NNC, NncTest

GENERATED = """nnc: 1
data:
  train: {{generate: {{rows: {rows}, seed: 3, x: "uniform(-1, 1, [{width}])", y: "x[0]"}}}}
model:
  inputs: [x]
  layers:
    - dense: 4
    - dense: 1
      name: o
  outputs: {{p: "o[0]"}}
loss: {{mean_squared_error: {{prediction: o, target: y}}}}
train: {{{length}, batch: 32, optimizer: adam}}
"""

PICTURES = """nnc: 1
data:
  train: {images: {folder: pics, size: [8, 8], channels: 3}}
  fields: {image: {prepare: [{scale: 1/255}]}}
model:
  inputs: [image]
  layers:
    - flatten
    - dense: 2
      name: o
  outputs: {p: "softmax(o)"}
loss: {cross_entropy: {logits: o, target: label}}
train: {epochs: 1, batch: 8, optimizer: adam}
"""


def png(width, height):
    """A black picture."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    compress = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    data = b"".join(compress.compress(row) for _ in range(height)) + compress.flush()
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", data) + chunk(b"IEND", b""))


def generated(rows=1000, width=8, length="epochs: 2"):
    return GENERATED.format(rows=rows, width=width, length=length)


class Memory(NncTest):
    def peak_kb(self, *arguments, expect):
        """(what is said, the peak of resident memory in KB); 4 GB of address space are all there is."""
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        job = subprocess.Popen([NNC, *map(str, arguments)], cwd=self.folder, env=self.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limit,
                               text=True)
        said = job.stderr.read()
        _, status, usage = os.wait4(job.pid, 0)
        job.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(job.returncode, expect, said)
        return said, usage.ru_maxrss

    def test_generated_rows_count(self):
        model = self.write("m.yaml", generated(2_000_000, length="steps: 5"))
        said, peak = self.peak_kb("train", model, "-o", "r", "--max-memory", "20MB", expect=1)
        self.assertIn("at most 20.0 MB (--max-memory)", said)
        self.assertIn("m.yaml:3:", said)
        self.assertLess(peak, 200_000)
        self.assertFalse(self.path("r").exists())

    def test_what_the_system_refuses_has_words(self):
        model = self.write("m.yaml", generated(int(1e9), length="epochs: 1"))
        for limit in ([], ["--max-memory", "1GB"], ["--max-memory", "1000GB"]):
            said, _ = self.peak_kb("train", model, "-o", "r", *limit, expect=1)
            self.assertIn("memory", said)
        self.assertFalse(self.path("r").exists())

    def test_csv_and_its_compressed_form_count(self):
        text = "x,y\n" + "0.125,1\n" * 400_000
        self.write("rows.csv", text)
        compress = zlib.compressobj(9, wbits=31)
        self.write("rows.csv.gz", compress.compress(text.encode()) + compress.flush())
        model = generated().replace('{generate: {rows: 1000, seed: 3, x: "uniform(-1, 1, [8])", '
                                    'y: "x[0]"}}', "{csv: {file: FILE, columns: {x: [x], y: y}}}")
        for name in ("rows.csv", "rows.csv.gz"):
            path = self.write("m.yaml", model.replace("FILE", name))
            said, peak = self.peak_kb("train", path, "-o", "r", "--max-memory", "2MB", expect=1)
            self.assertIn(name, said)
            self.assertIn("at most 2.0 MB (--max-memory)", said)
            self.assertLess(peak, 150_000)
        self.run_nnc("train", path, "-o", "r", "--max-memory", "60MB", "--quiet")

    def test_pictures_count_while_they_are_decoded(self):
        for name in "ab":
            self.write(f"pics/{name}/0.png", png(8, 8))
        for name in ("a/1", "a/2", "b/1"):
            self.write(f"pics/{name}.png", png(5000, 4000))
        model = self.write("m.yaml", PICTURES)
        said, peak = self.peak_kb("train", model, "-o", "r", "--max-memory", "30MB", expect=1)
        self.assertIn("a/1.png", said)
        self.assertIn("the 4000 × 5000 pixels of this picture do not fit into memory", said)
        self.assertLess(peak, 200_000)
        _, peak = self.peak_kb("train", model, "-o", "r", "--max-memory", "100MB", expect=0)
        self.assertLess(peak, 300_000)

    def test_check_of_what_is_far_too_large_takes_no_time(self):
        model = generated().replace("    - dense: 4\n", """    - reshape: [2, 2, 2]
    - conv2d_transpose: {filters: 2, kernel: 2e4}
    - flatten
""")
        start = time.monotonic()
        said = self.error_of("check", self.write("m.yaml", model), "--max-memory", "8GB", expect=2)
        self.assertLess(time.monotonic() - start, 5)
        self.assertIn("at most 8.0 GB (--max-memory)", said)
        said = self.error_of("check", self.write("m.yaml", generated(100, int(1e9))), expect=1)
        self.assertIn("memory", said)

    def test_little_address_space_has_words(self):
        model = self.write("m.yaml", generated())
        for megabytes in (160, 180, 200, 220, 260, 300, 400):
            def limit(bytes_=megabytes << 20):
                resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))
            done = subprocess.run([NNC, "train", model, "-o", f"r{megabytes}", "--no-cache",
                                   "--quiet"], cwd=self.folder, env=self.environment,
                                  preexec_fn=limit, capture_output=True, text=True, timeout=60)
            self.assertIn(done.returncode, (0, 1, 127), done.stderr)  # 127: no room to load
            if done.returncode == 1:
                self.assertIn("memory", done.stderr)


class Streams(NncTest):
    def setUp(self):
        super().setUp()
        self.model = self.write("m.yaml", generated(4000, length="epochs: 30"))

    def shell(self, line, **more):
        return subprocess.run(["bash", "-c", line], cwd=self.folder, text=True, timeout=60,
                              env=dict(self.environment, NNC=str(NNC)), capture_output=True, **more)

    def test_standard_error_closed_or_full(self):
        for ending in ("2>&-", "2>/dev/full"):
            self.assertEqual(self.shell(f"$NNC check nothing.yaml {ending}").returncode, 2)
        self.assertEqual(self.shell("$NNC check m.yaml >&- 2>&-").returncode, 1)
        self.assertEqual(self.shell("$NNC train m.yaml -o r <&- 2>&-").returncode, 0)
        self.run_nnc("eval", "r", "--split", "train")

    def test_no_file_becomes_a_closed_stream(self):
        self.shell("$NNC train m.yaml -o r --quiet <&- >&- 2>&-")
        first = self.run_nnc("eval", "r", "--split", "train", "--json").stdout
        self.shell("$NNC train m.yaml -o s --quiet")
        second = self.run_nnc("eval", "s", "--split", "train", "--json").stdout
        self.assertEqual(first, second)

    def test_a_full_disk_behind_standard_output(self):
        self.run_nnc("train", self.model, "-o", "r", "--quiet")
        self.write("x.csv", "x0,x1,x2,x3,x4,x5,x6,x7\n" + "0,0,0,0,0,0,0,0\n" * 10)
        for line in ("check m.yaml", "check m.yaml --json", "eval r --split train",
                     "eval r --split train --json", "predict r --in x.csv --out -",
                     "dump m.yaml --stage step", "dump m.yaml --stage asm", "help", "help dense",
                     "schema", "--version", "--help", "train --help", "",
                     "bench m.yaml --seconds 0.01 --no-cache"):
            done = self.shell(f"$NNC {line} >/dev/full")
            self.assertEqual(done.returncode, 1, line)
            self.assertIn("standard output could not be written: No space left", done.stderr, line)

    def test_a_reader_that_ends(self):
        done = self.shell("set -o pipefail; $NNC train m.yaml -o r | head -3; echo ${PIPESTATUS[0]}")
        self.assertEqual(done.stdout.splitlines()[-1], "0", done.stderr)
        self.assertIn("r is complete", done.stderr)
        done = self.shell("$NNC help | head -1; echo ${PIPESTATUS[0]}")
        self.assertIn(done.stdout.splitlines()[-1], ("0", "1"))
        self.assertEqual(done.stderr, "")

    def test_a_terminal_that_closes(self):
        model = self.write("long.yaml", generated(4000, length="epochs: 100000"))
        # These tests may run under nohup themselves; what it has them ignore, nnc would ignore too.
        job = subprocess.Popen([NNC, "train", model, "-o", "r", "--quiet"], cwd=self.folder,
                               env=self.environment, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
        try:
            while not self.path("r/metrics.jsonl").exists() and job.poll() is None:
                time.sleep(0.02)
        finally:
            job.send_signal(signal.SIGHUP)
            said = job.communicate(timeout=20)[1]
        self.assertEqual(job.returncode, 130, said)
        self.assertIn("to go on: nnc train --resume r", said)
        self.assertTrue(self.path("r/checkpoint/last.safetensors").exists())

    def test_pipes_and_devices_are_no_data(self):
        os.mkfifo(self.path("pipe"))
        text = generated().replace('{generate: {rows: 1000, seed: 3, x: "uniform(-1, 1, [8])", '
                                   'y: "x[0]"}}', "{csv: {file: FILE, columns: {x: [x], y: y}}}")
        for name, kind in (("pipe", "a pipe"), ("/dev/zero", "a device"), (".", "a folder")):
            path = self.write("m.yaml", text.replace("FILE", name))
            for command in ("check", "train"):
                self.assertIn(kind, self.error_of(command, path, expect=1))
        for command in ("check", "train"):
            self.assertIn("too large for a model file",
                          self.error_of(command, "/dev/zero", expect=2))


    def test_a_folder_that_cannot_be_written(self):
        if os.geteuid() != 0:
            self.skipTest("only root may become somebody else")
        self.folder.chmod(0o755)
        for more in ("", "-o run", "-o run/below"):
            done = self.shell("XDG_CACHE_HOME=/nowhere setpriv --reuid=64999 --regid=64999 "
                              f"--clear-groups $NNC train m.yaml {more}")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("cannot be made: Permission denied", done.stderr)


class Threads(NncTest):
    def test_threads_that_cannot_start(self):
        if os.geteuid() != 0:
            self.skipTest("only root may become a user without other processes")
        self.write("m.yaml", generated(4000))
        self.folder.chmod(0o777)
        self.environment["HOME"] = str(self.folder)
        line = ("setpriv --reuid=64999 --regid=64999 --clear-groups bash -c "
                "'ulimit -u {most}; exec \"$0\" train m.yaml -o {run} --quiet --no-cache {more}' {nnc}")
        for most, run, more in ((1, "a", ""), (3, "b", ""), (40, "c", "--threads 64")):
            done = subprocess.run(["bash", "-c", line.format(most=most, run=run, more=more, nnc=NNC)],
                                  cwd=self.folder, env=self.environment, capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the system starts no more than", done.stderr)
        weights = {self.path(f"{run}/weights.safetensors").read_bytes() for run in "abc"}
        self.assertEqual(len(weights), 1)
