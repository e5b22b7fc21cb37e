"""Layers that draw random numbers in evaluations too: repeated, they give the same figures."""

import json
import shutil

from support import NncTest

NOISY = {
    "    - dense: {units: 17, activation: relu}\n":
        "    - gaussian_noise: 30\n      when: [train, eval]\n"
        "    - dense: {units: 17, activation: relu}\n"
        "    - dropout: 0.3\n      when: [train, eval]\n",
}


class When(NncTest):
    def model(self, batch):
        """1,200 pictures, 300 of them for validation: more than an evaluation takes at once, unless
        the batches of training are as large."""
        model = self.small_model(replace=dict(NOISY, **{"batch: 32": f"batch: {batch}"}))
        self.small_pictures(rows=1200)
        return model

    def last_epoch(self, run):
        return json.loads(self.path(f"{run}/metrics.jsonl").read_text().splitlines()[-1])["valid"]

    def test_an_evaluation_repeated(self):
        model = self.model(batch=300)
        self.run_nnc("train", model, "-o", "run", "--epochs", 2, "--set", "train.keep=last")
        then = self.last_epoch("run")
        again = [self.json_of("eval", "run", "--split", "valid", "--json", "--threads", threads)
                 for threads in (1, 2, 3)]
        self.assertEqual(again[0], again[1])
        self.assertEqual(again[0], again[2])
        # Then 300 rows at once, now 256 and 44.
        self.assertAlmostEqual(then["loss"], again[0]["loss"], places=6)
        without = self.json_of("eval", "run", "--split", "valid", "--json", "--set",
                               "model.layers.1.when=train", "--set", "model.layers.3.when=train")
        self.assertNotAlmostEqual(then["loss"], without["loss"], places=3)

    def test_the_run_keeps_it_and_a_prediction_draws_nothing(self):
        self.run_nnc("train", self.model(batch=64), "-o", "run", "--epochs", 1)
        self.assertEqual(self.path("run/model.yaml").read_text().count("when: [train, eval]"), 2)
        shutil.copytree(self.path("run"), self.path("quiet"))
        resolved = self.path("quiet/model.yaml")
        text = resolved.read_text()
        self.assertIn("stddev: 30", text)
        resolved.write_text(text.replace("stddev: 30", "stddev: 0").replace("rate: 0.3", "rate: 0"))
        for run in ("run", "quiet"):
            self.run_nnc("predict", run, "--in", "test-images.gz", "--out", f"{run}.npy")
        self.assertEqual(self.path("run.npy").read_bytes(), self.path("quiet.npy").read_bytes())
