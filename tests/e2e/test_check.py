"""nnc check: the table, the JSON contract, errors at their place."""

import json

from support import NncTest


class Check(NncTest):
    def test_table(self):
        said = self.run_nnc("check", self.small_model()).stdout
        for word in ("image", "[6, 6, 1]", "dense_1", "logits", "[17]", "629", "162", "30", "821"):
            self.assertIn(word, said)
        self.assertIn("60 test", said)

    def test_json(self):
        result = self.json_of("check", self.small_model(), "--json")
        self.assertEqual(list(result), ["ok", "diagnostics", "parameters", "flops",
                                        "memory_bytes", "arena_bytes", "live_bytes"])
        self.assertEqual((result["ok"], result["diagnostics"]), (True, []))
        self.assertEqual(result["parameters"], 36 * 17 + 17 + 17 * 9 + 9 + 9 * 3 + 3)
        # Forward and weight gradients of three products, input gradients of the last two.
        products = 36 * 17 * 2 + 17 * 9 * 3 + 9 * 3 * 3
        self.assertEqual(result["flops"], 2 * 32 * products)
        # At least the weights and Adam's two moments.
        self.assertGreaterEqual(result["memory_bytes"],
                                3 * 4 * result["parameters"] + result["arena_bytes"])
        # Backward needs what each layer made, in whole lines of 64 bytes.
        self.assertGreaterEqual(result["live_bytes"], 4 * 32 * (17 + 9) + 64)
        self.assertGreaterEqual(result["arena_bytes"], result["live_bytes"])

    def test_errors_in_json(self):
        model = self.small_model(replace={"- dense: 3\n": "- dens: 3\n", "batch: 32": "batch: 0"})
        result = json.loads(self.run_nnc("check", model, "--json", expect=2).stdout)
        self.assertFalse(result["ok"])
        places = [(d["severity"], d["line"], d["column"]) for d in result["diagnostics"]]
        text = model.read_text().splitlines()
        expected = []
        for word, offset in (("dens:", 0), ("batch: 0", 7)):
            line = next(i for i, l in enumerate(text, 1) if word in l)
            expected.append(("error", line, text[line - 1].index(word) + offset + 1))
        self.assertEqual(places[:2], expected)
        self.assertEqual(set(result["diagnostics"][0]),
                         {"severity", "file", "line", "column", "message", "expected", "got"})
        self.assertTrue(result["diagnostics"][0]["file"].endswith("tiny.yaml"))

    def test_shapes_that_do_not_fit(self):
        model = self.small_model(replace={
            "    - dense: 3\n      name: logits\n":
                "    - dense: 4\n      name: a\n    - dense: 3\n      name: b\n      from: a\n"
                "    - add: [a, b]\n      name: logits\n"})
        said = self.error_of("check", model, expect=2)
        self.assertIn("[4]", said)
        self.assertIn("[3]", said)

    def test_data_that_is_not_there(self):
        model = self.small_model()
        self.path("train-images.gz").unlink()
        said = self.error_of("check", model, expect=1)
        self.assertIn("train-images.gz", said)
        self.assertIn("[6, 6, 1]", self.run_nnc("check", model, "--no-data").stdout)

    def test_strict(self):
        model = self.small_model(replace={
            "    - dense: {units: 9, activation: tanh}\n":
                "    - dense: {units: 9, activation: tanh}\n      name: used\n"
                "    - dense: 2\n      name: spare\n      from: used\n",
            "      name: logits\n": "      name: logits\n      from: used\n"})
        done = self.run_nnc("check", model)
        self.assertIn("warning:", done.stderr)
        self.assertIn("spare", done.stderr)
        self.run_nnc("check", model, "--strict", expect=2)
