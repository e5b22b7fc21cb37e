#!/usr/bin/env python3
"""Tests of the suite's own arithmetic and of compare.py's verdict, without any framework.

usage: python3 tools/bench/test_bench.py
"""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

import compare
import core_state
import kernels
import results
import stats
import workloads

# A stand-in for nnc: answers `bench` with the times that stand in a file beside it, one a call.
STAND_IN = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__)
times = json.loads(here.with_suffix(".json").read_text())
here.with_suffix(".json").write_text(json.dumps(times[1:] + times[:1]))
print(json.dumps({{"train_step_us": {{"min": times[0], "median": times[0]}},
                  "infer_us": {{"min": 1.0, "median": 1.0}},
                  "compile_ms": {{"cold": {cold}, "warm": 1.0}}}}))
"""


class Ratios(unittest.TestCase):
    def test_equal_times(self):
        self.assertEqual(stats.paired_ratio([2, 3, 4], [2, 3, 4]), stats.Ratio(1, 1, 1))

    def test_theirs_over_ours(self):
        ratio = stats.paired_ratio([1, 1, 1, 1], [3, 3, 3, 3])
        self.assertEqual(ratio, stats.Ratio(3, 3, 3))

    def test_a_slow_phase_hits_both_of_a_pair(self):
        ours, theirs = [10, 10, 16, 16, 10], [20, 20, 32, 32, 20]
        self.assertEqual(stats.paired_ratio(ours, theirs), stats.Ratio(2, 2, 2))

    def test_interval_holds_the_middle_and_grows_with_noise(self):
        ours = [10.0] * 10
        calm = stats.paired_ratio(ours, [20 + 0.1 * (i % 3) for i in range(10)])
        wild = stats.paired_ratio(ours, [20 + 3 * (i % 3) for i in range(10)])
        for ratio in (calm, wild):
            self.assertLessEqual(ratio.low, ratio.middle)
            self.assertLessEqual(ratio.middle, ratio.high)
        self.assertLess(calm.high - calm.low, wild.high - wild.low)

    def test_one_outlier_does_not_move_it(self):
        ratio = stats.paired_ratio([10] * 9, [11] * 8 + [500])
        self.assertAlmostEqual(ratio.middle, 1.1)
        self.assertAlmostEqual(ratio.high, 1.1)

    def test_interval_covers_the_truth_about_as_often_as_it_says(self):
        import random
        source, hits = random.Random(7), 0
        for _ in range(200):
            theirs = [1.5 * source.lognormvariate(0, 0.05) for _ in range(15)]
            ratio = stats.paired_ratio([1.0] * 15, theirs)
            hits += ratio.low <= 1.5 <= ratio.high
        self.assertGreater(hits, 200 * 0.88)

    def test_unpaired_rounds_are_refused(self):
        with self.assertRaises(ValueError):
            stats.paired_ratio([1, 2], [1])
        with self.assertRaises(ValueError):
            stats.paired_ratio([], [])

    def test_spread(self):
        self.assertAlmostEqual(stats.spread([4, 5, 6]), 0.5)


class Verdicts(unittest.TestCase):
    def test_slower_by_more_than_the_threshold(self):
        self.assertTrue(stats.is_slower(stats.Ratio(1.05, 1.02, 1.08), 0.03))

    def test_within_the_threshold(self):
        self.assertFalse(stats.is_slower(stats.Ratio(1.02, 1.01, 1.03), 0.03))

    def test_perhaps_by_chance(self):
        self.assertFalse(stats.is_slower(stats.Ratio(1.2, 0.97, 1.5), 0.03))

    def test_faster(self):
        self.assertFalse(stats.is_slower(stats.Ratio(0.8, 0.7, 0.9), 0.03))


class Curves(unittest.TestCase):
    def test_rounding_is_allowed(self):
        self.assertIsNone(stats.curve_problem([2.3, 2.2], [2.3001, 2.2001]))

    def test_a_difference_is_told_with_its_step(self):
        self.assertIn("step 2", stats.curve_problem([2.3, 2.2], [2.3, 2.1]))

    def test_nan_is_a_difference(self):
        self.assertIn("step 1", stats.curve_problem([float("nan")], [1.0]))

    def test_lengths_must_agree(self):
        with self.assertRaises(ValueError):
            stats.curve_problem([1.0], [1.0, 2.0])


class Workloads(unittest.TestCase):
    def test_flops_leave_out_the_first_input_gradient(self):
        # 784-32-10 at 32 rows: forward and weights for both layers, input gradient for the second.
        products = 2 * 784 * 32 + 3 * 32 * 10
        self.assertEqual(workloads.find("mlp-32").flops, 2 * 32 * products)

    def test_at_changes_nothing_but_the_batch(self):
        small, large = workloads.find("sine"), workloads.find("sine").at(1024)
        self.assertEqual((large.batch, large.layers, large.rate), (1024, small.layers, small.rate))


class PictureWorkloads(unittest.TestCase):
    def test_shapes_of_lenet5(self):
        shapes = [place.output for place in workloads.find("lenet5").places()]
        self.assertEqual(shapes, [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,),
                                  (120,), (84,), (10,)])

    def test_flops_count_border_taps_and_no_gradient_of_the_pictures(self):
        first, second = 28 * 28 * 25 * 6, 10 * 10 * 25 * 6 * 16
        dense = 400 * 120 + 120 * 84 + 84 * 10
        self.assertEqual(workloads.find("lenet5").flops,
                         2 * 128 * (2 * first + 3 * second + 3 * dense))

    def test_transposed_convolution_undoes_the_extents(self):
        places = workloads.find("autoencoder").places()
        self.assertEqual([place.output for place in places],
                         [(14, 14, 16), (7, 7, 32), (14, 14, 16), (28, 28, 1)])
        # Each of its inputs meets each tap of the kernel once.
        self.assertEqual(places[2].products, 7 * 7 * 9 * 32 * 16)

    def test_shortcuts_have_the_shape_of_what_they_go_around(self):
        for place in workloads.find("resnet-small").places():
            if place.layer.kind == "add":
                self.assertEqual(*place.inputs)

    def test_dense_layer_knows_what_was_flattened(self):
        pictures = {place.name: place.picture for place in workloads.find("conv-32-64").places()}
        self.assertEqual((pictures["fc1"], pictures["fc2"]), ((5, 5, 64), ()))


NEAR, FAR = ({"barrier_ns": 60, "give_gbs": 45, "take_gbs": 100},
             {"barrier_ns": 270, "give_gbs": 8, "take_gbs": 40})


def entry_of(probes, **more):
    times = [{"min": i, "median": i} for i in range(1, len(probes))]
    return {"threads": 2, "probes": probes, "times": {"nnc": times}, "build": "a", **more}


class StatesOfTheCores(unittest.TestCase):
    def minima(self, entry):
        return {state: results.minima(part["times"]["nnc"])
                for state, part in core_state.parts(entry).items()}

    def test_rounds_are_told_apart(self):
        probes = [NEAR, NEAR, NEAR, FAR, FAR, FAR]  # the third round saw both
        self.assertEqual(self.minima(entry_of(probes)), {"near": [1, 2], "far": [4, 5]})

    def test_a_single_round_is_no_state(self):
        self.assertEqual(self.minima(entry_of([NEAR, NEAR, NEAR, FAR, FAR])), {"near": [1, 2]})

    def test_one_thread_has_no_states(self):
        self.assertEqual(self.minima(entry_of([NEAR, NEAR, FAR, FAR], threads=1)),
                         {None: [1, 2, 3]})

    def test_the_other_state_of_an_older_run_stays(self):
        old, new = entry_of([FAR] * 4), entry_of([NEAR] * 3)
        both = results.with_other_state(new, old)
        self.assertEqual(self.minima(both), {"near": [1, 2], "far": [1, 2, 3]})
        again = results.with_other_state(entry_of([NEAR] * 4), both)
        self.assertEqual(self.minima(again), {"near": [1, 2, 3], "far": [1, 2, 3]})

    def test_another_build_does_not(self):
        old, new = entry_of([FAR] * 4, build="b"), entry_of([NEAR] * 3)
        self.assertEqual(self.minima(results.with_other_state(new, old)), {"near": [1, 2]})


class Kernels(unittest.TestCase):
    def test_three_kernels_of_a_convolution(self):
        def group(line, shape, flops, us):
            return {"line": line, "shape": shape, "flops": flops, "us": us}
        workload = workloads.find("lenet5")
        lines, loss = kernels.lines_of(workload)
        self.assertIn("fc3, target: y", workload.yaml("one.npz").splitlines()[loss - 1])
        self.assertIn("name: conv2", workload.yaml("one.npz").splitlines()[lines["conv2"] - 1])
        two = lines["conv2"]
        groups = [group(two, "f32[128b,10,10,16]", 5, 100), group(loss, "f32[128b,10]", 0, 1),
                  group(two, "f32[128b,18,18,16]", 0, 17), group(two, "f32[128b,14,14,6]", 9, 200),
                  group(two, "f32[128b,14,14,6]", 9, 50), group(two, "f32[5,5,6,16]", 7, 400)]
        row = kernels.table_of(workload, {"profile": {"groups": groups}, "peak_gflops": 100})[1]
        found = {kind: kernel["us"] for kind, kernel in row["kernels"].items()}
        self.assertEqual(found, {"forward": 100, "input gradient": 250, "weight gradient": 400})
        self.assertEqual(row["other_us"], 17)
        # 61.44 million flops in 100 microseconds are 614.4 GFLOP/s.
        self.assertAlmostEqual(row["kernels"]["forward"]["share"], 6.144)


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, name, times, cold=50.0):
        path = self.folder / name
        path.write_text(STAND_IN.format(python=sys.executable, cold=cold))
        path.chmod(0o755)
        path.with_suffix(".json").write_text(json.dumps(times))
        return str(path)

    def status(self, old, new, *more):
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said), contextlib.redirect_stderr(self.said):
            return compare.main([old, new, "model.yaml", "--rounds", "6", "--threads", "1", *more])

    def test_a_slower_build_is_found(self):
        old, new = self.build("old", [10.0, 10.1]), self.build("new", [11.0, 11.1])
        self.assertEqual(self.status(old, new), 1)
        self.assertIn("steps: 1 slower by more than 2%", self.said.getvalue())
        self.assertIn("compiling: 0 slower by more than 3%", self.said.getvalue())

    def test_the_limit_counts(self):
        old, new = self.build("old", [10.0, 10.1]), self.build("new", [11.0, 11.1])
        self.assertEqual(self.status(old, new, "--steps", "0.15"), 0)

    def test_a_faster_build_passes(self):
        old, new = self.build("old", [10.0]), self.build("new", [5.0])
        self.assertEqual(self.status(old, new), 0)
        self.assertIn("0.50x", self.said.getvalue())

    def test_noise_alone_passes(self):
        old, new = self.build("old", [10.0, 14.0, 10.5]), self.build("new", [14.0, 10.0, 10.6])
        self.assertEqual(self.status(old, new), 0)

    def test_slower_in_the_first_measurement_alone_passes(self):
        old, new = self.build("old", [10.0]), self.build("new", [11.0] * 6 + [10.0] * 6)
        self.assertEqual(self.status(old, new), 0)
        self.assertIn("once more", self.said.getvalue())

    def test_steps_and_compiling_are_judged_apart(self):
        old, new = self.build("old", [10.0]), self.build("new", [10.0], cold=51.2)
        self.assertEqual(self.status(old, new), 0)
        new = self.build("new", [10.0], cold=52.0)
        self.assertEqual(self.status(old, new), 1)
        self.assertIn("steps: 0 slower", self.said.getvalue())
        self.assertIn("compiling: 1 slower", self.said.getvalue())
        self.assertEqual(self.status(old, new, "--judge", "steps"), 0)
        self.assertIn("compiling: 1 slower by more than 3% (not judged)", self.said.getvalue())
        self.assertEqual(self.status(old, new, "--judge", "compiling"), 1)

    def test_a_build_that_does_not_run_is_an_error(self):
        old = self.build("old", [10.0])
        self.assertEqual(self.status(old, str(self.folder / "none")), 2)


if __name__ == "__main__":
    unittest.main()
