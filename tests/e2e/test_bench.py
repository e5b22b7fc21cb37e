"""nnc bench: the machine, the parts of compiling, the groups of a step."""

import json
import os
import re
import stat

from support import NncTest, alone


@alone
class Machine(NncTest):
    """Measured once, then kept: one measurement serves all of it."""

    def test_measured_once_and_kept(self):
        first = self.json_of("bench", "--machine", "--json")
        kept = self.path("cache") / "nnc" / os.path.basename(first["kept"])
        self.assertEqual(str(kept), first["kept"])
        self.assertEqual(json.loads(kept.read_text())["measured"], first["measured"])
        # The object cache shares the folder and wants it private.
        self.assertEqual(stat.S_IMODE(kept.parent.stat().st_mode) & 0o022, 0)
        self.assertEqual([name for name in os.listdir(kept.parent) if "machine" not in name], [])
        self.check_figures(first)
        self.check_text(first)
        self.check_profile_uses_them(kept)
        self.check_damaged(kept)

    def check_figures(self, machine):
        self.assertEqual(machine["read"][0]["name"], "L1")
        self.assertEqual(machine["read"][-1]["name"], "memory")
        self.assertGreater(machine["read"][0]["one_gbs"], machine["read"][-1]["one_gbs"])
        self.assertGreater(machine["peak_gflops"]["one"], 1)
        several = machine["cores"] > 1
        for figure in ("barrier_ns", "give_gbs", "take_gbs"):
            self.assertEqual(machine[figure] > 0, several, figure)

    def check_text(self, machine):
        again = self.json_of("bench", "--machine", "--json")
        for figures in (again, machine):
            figures.pop("age_seconds", None)
        self.assertEqual(again, machine)  # to the last digit: from the file
        said = self.run_nnc("bench", "--machine").stdout
        for words in (machine["cpu"], "multiply-adds", "reading memory", machine["kept"],
                      "  measured ", "nnc bench --machine --renew"):
            self.assertIn(words, said)
        self.assertIn(f"{machine['peak_gflops']['one']:.0f} GFLOP/s", said)

    def check_profile_uses_them(self, kept):
        # On a machine that computes one flop in a second, compute is the bound.
        machine = json.loads(kept.read_text())
        machine["peak_gflops"] = {"one": 1e-9, "all": 1e-9}
        machine["barrier_ns"] = -100  # nothing is small
        kept.write_text(json.dumps(machine))
        done = self.run_nnc("bench", self.small_model(), "--threads", 1, "--seconds", "0.05",
                            "--profile", "--json")
        self.assertEqual(done.stderr, "")
        groups = json.loads(done.stdout)["profile"]["groups"]
        for group in groups:
            if group["flops"] > 0:
                self.assertEqual((group["bound"], group["share_of_bound"]), ("compute", 1))
            else:
                self.assertNotEqual(group["bound"], "compute")
        self.assertTrue(any(group["flops"] > 0 for group in groups))

    def check_damaged(self, kept):
        kept.write_text(kept.read_text()[:-20])
        again = self.json_of("bench", "--machine", "--json")
        self.check_figures(again)
        self.assertEqual(json.loads(kept.read_text())["measured"], again["measured"])


@alone
class Profile(NncTest):
    def test_adds_up(self):
        model = self.small_model()
        done = self.run_nnc("bench", model, "--batch", 128, "--threads", 1, "--seconds", "0.05",
                            "--profile", "--json")
        self.assertIn("measuring this machine", done.stderr)
        profile = json.loads(done.stdout)["profile"]
        parts = sum(group["us"] + group["waiting_us"] for group in profile["groups"])
        self.assertAlmostEqual(parts + profile["other_us"], profile["step_us"],
                               delta=0.03 * profile["step_us"])
        for group in profile["groups"]:
            self.assertIn(group["bound"], ("compute", "L2", "L3", "memory", "barrier", "small"))
            self.assertTrue(0 <= group["share_of_bound"] <= 1)
        said = self.run_nnc("bench", model, "--threads", 1, "--seconds", "0.05", "--profile")
        self.assertEqual(said.stderr, "")
        self.assertRegex(said.stdout, r"group +line +result +schedule .* bound +wait")


@alone
class AllRows(NncTest):
    def test_a_batch_of_all_rows_is_measured_as_one(self):
        model = self.small_model(replace={"batch: 32": "batch: all",
                                          "stratify: label, ": ""})
        result = self.json_of("bench", model, "--seconds", "0.02", "--json")
        self.assertEqual(result["batch"], 180)  # 240 rows without the quarter for validation
        said = self.run_nnc("bench", model, "--seconds", "0.02").stdout
        self.assertIn("tiny  batch 180, ", said)
        self.assertEqual(self.json_of("bench", model, "--batch", 7, "--seconds", "0.02",
                                      "--json")["batch"], 7)


@alone
class CompileTimes(NncTest):
    def test_adds_up(self):
        model = self.small_model()
        times = self.json_of("bench", model, "--time-passes", "--json")
        self.assertEqual(list(times), ["model", "repeats", "cold", "warm"])
        names = {}
        for state in ("cold", "warm"):
            phases = times[state]["phases"]
            total = times[state]["total_ms"]
            # The rest is what others had of the processor, which may be much on a busy machine.
            self.assertAlmostEqual(sum(phase["ms"] for phase in phases), total, delta=0.01,
                                   msg=state)
            self.assertTrue(all(phase["ms"] >= 0 for phase in phases if phase["stage"] != "rest"))
            names[state] = {phase["name"]: phase["ms"] for phase in phases}
            for name in ("start to main", "read and check", "derivatives", "fuse", "plan",
                         "cache", "linking"):
                self.assertIn(name, names[state])
        for name in ("kernel IR", "machine code"):  # neither is made where code was kept
            self.assertGreater(names["cold"][name], 0)
            self.assertNotIn(name, names["warm"])

    def test_table(self):
        said = self.run_nnc("bench", self.small_model(), "--time-passes").stdout
        line = re.search(r"process start to the first call +([0-9.]+) +100.0% +([0-9.]+)\n$", said)
        self.assertIsNotNone(line, said)
        shares = [float(share) for share in re.findall(r" ([0-9.]+)% ", said)]
        self.assertAlmostEqual(sum(shares[:-1]), 100, delta=3)

    def test_wrong_model(self):
        model = self.small_model(replace={"adam": "adem"})
        said = self.error_of("bench", model, "--time-passes", expect=2)
        self.assertIn("did you mean", said)
        self.assertEqual(said.count("error:"), 1)


@alone
class Bench(NncTest):
    def test_no_model(self):
        self.assertEqual(self.error_of("bench", expect=2),
                         "nnc: error: which model? nnc bench FILE\n"
                         "  nnc bench --machine measures this machine\n")
