"""What the command says when it is called in a wrong way, or without saying what to do."""

import json
import os
import subprocess

from support import NNC, NncTest, npy


class CommandLine(NncTest):
    def test_overview(self):
        for arguments in ([], ["--help"]):
            said = self.run_nnc(*arguments).stdout
            for command in ("check", "train", "eval", "predict", "emit", "bench", "dump", "help",
                            "schema"):
                self.assertIn(f"nnc {command}", said)
            self.assertIn("nnc train models/fashion-mlp.yaml", said)
            self.assertLess(max(map(len, said.splitlines())), 101)

    def test_version(self):
        self.assertRegex(self.run_nnc("--version").stdout, r"^nnc \d+\.\d+\.\d+\n$")

    def test_wrong_command(self):
        self.assertEqual(self.error_of("trian", "x.yaml", expect=2),
                         "nnc: error: there is no command 'trian'\n  did you mean `nnc train`?\n")
        self.assertEqual(self.error_of("frobnicate", expect=2),
                         "nnc: error: there is no command 'frobnicate'\n"
                         "  `nnc` alone lists the commands\n")

    def test_wrong_option(self):
        said = self.error_of("check", "x.yaml", "--jsn", expect=2)
        self.assertIn("--jsn", said)
        self.assertIn("`nnc check --help` lists its options", said)
        self.assertIn("FILE", self.error_of("check", expect=2))

    def test_every_command_has_help(self):
        for command in ("check", "train", "eval", "predict", "emit", "bench", "dump", "help",
                        "schema"):
            said = self.run_nnc(command, "--help").stdout
            self.assertIn(command, said)
            self.assertIn("--help", said)

    def test_help_explains_words(self):
        everything = self.run_nnc("help").stdout
        for word in ("dense", "adam", "cross_entropy", "cosine", "idx", "standardize"):
            self.assertIn(word, everything)
            self.assertIn(word, self.run_nnc("help", word).stdout)
        for word, said in (("where", "keep only the rows"), ("early_stop", "patience: an integer"),
                           ("fields", "classes: an integer"), ("rate", "  adam: learning rate"),
                           ("when", "(beside a layer)"), ("formulas", "log_softmax"),
                           ("sqrt", "square root")):
            self.assertIn(said, self.run_nnc("help", word).stdout)
        self.assertEqual(self.error_of("help", "dens", expect=2),
                         "nnc: error: nothing is called 'dens'\n  did you mean `nnc help dense`?\n")

    def test_schema_is_json(self):
        schema = json.loads(self.run_nnc("schema").stdout)
        self.assertIn("$schema", schema)
        self.assertIn("model", schema["properties"])

    def test_model_that_is_not_there(self):
        for command in ("check", "train", "dump"):
            said = self.error_of(command, "nowhere.yaml", expect=2)
            self.assertIn("nowhere.yaml", said)

    def test_instruction_set_of_another_machine(self):
        foreign = "sse2" if os.uname().machine == "aarch64" else "neon"
        model = self.small_model()
        self.assertEqual(self.error_of("train", model, "--isa", foreign, expect=2),
                         f"nnc: error: --isa: this machine cannot run {foreign}\n"
                         "  `nnc emit` and `nnc dump` make code for other machines\n")
        self.run_nnc("dump", model, "--stage", "llvm", "--isa", foreign)

    def test_standard_output_that_is_full(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run([NNC, "schema"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)
        self.run_nnc("train", self.small_model(), "-o", "run", "--epochs", 0)
        with open("/dev/full", "w") as full:
            rows = self.write("x.npy", npy([0] * 3600, (100, 6, 6, 1)))
            done = subprocess.run([NNC, "predict", self.path("run"), "--in", rows, "--out", "-"],
                                  stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)
