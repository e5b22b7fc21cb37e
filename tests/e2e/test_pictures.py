"""Folders of pictures, augmentation, and the metrics of classes and pictures."""

import json
import random
import shutil
import struct
import zlib

from support import NncTest

MODEL = """nnc: 1
data:
  train: {images: {folder: pictures, size: [8, 8], channels: 1}}
  valid: {fraction: 0.25, stratify: label, seed: 3}
  fields:
    image: {prepare: [{scale: 1/255}], augment: [AUGMENT]}
model:
  inputs: [image]
  layers:
    - flatten:
      name: x
    - dense: {units: 12, activation: tanh}
      name: code
    - dense: 3
      name: logits
    - dense: {units: 64, activation: sigmoid}
      from: code
      name: copy
    - expr: "mean((copy - x)^2)"
      name: distance
  outputs: {probability: "softmax(logits)"}
loss:
  terms:
    classes: {cross_entropy: {logits: logits, target: label}}
    pictures: {mean_squared_error: {prediction: copy, target: x}}
metrics:
  - accuracy: {logits: logits, target: label}
  - top_k: {logits: logits, target: label, k: 2}
  - precision: {logits: logits, target: label}
  - recall: {logits: logits, target: label}
  - f1: {logits: logits, target: label, class: 1}
  - auc: {logits: logits, target: label}
  - auc: {score: distance, positive: "label == 2"}
  - roc: {logits: logits, target: label, class: 0}
  - psnr: {prediction: copy, target: x}
  - ssim: {prediction: copy, target: x, shape: [8, 8], window: 5}
train:
  epochs: 6
  batch: 16
  optimizer: {adam: {rate: 0.01}}
  seed: 5
"""

EVERY_STEP = ("{shift: 1}, {flip: vertical}, {rotate: 10}, {zoom: 0.1}, {brightness: 0.1}, "
              "{contrast: 0.2}, {noise: 0.05}, {cutout: 3}, {mixup: 0.3}")


def png(width, height, pixels):
    """A grey PNG of 8 bits."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + bytes(pixels[y * width:(y + 1) * width]) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0,
                                                             0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Pictures(NncTest):
    def pictures(self, folder="pictures", each=40):
        """Three classes of 12x16 pictures: bright on the left, in the middle, on the right."""
        source = random.Random(4)
        for place, name in enumerate(("left", "middle", "right")):
            for number in range(each):
                pixels = []
                for _ in range(12):
                    for x in range(16):
                        bright = (x * 3) // 16 == place
                        pixels.append(source.randrange(150, 256) if bright
                                      else source.randrange(0, 120))
                self.write(f"{folder}/{name}/{number:03}.png", png(16, 12, pixels))

    def model(self, augment="", name="small.yaml", **replace):
        text = MODEL.replace("AUGMENT", augment)
        for old, new in replace.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return self.write(name, text)

    def weights(self, run):
        return self.path(f"{run}/weights.safetensors").read_bytes()

    def test_a_folder_of_pictures_is_learned(self):
        self.pictures()
        said = self.run_nnc("train", self.model(), "-o", "run", "--epochs", 20).stdout
        self.assertIn("90 train, 30 valid", said)
        result = self.json_of("eval", "run", "--split", "valid", "--json")
        metrics = result["metrics"]
        self.assertGreater(metrics["accuracy"], 0.95)
        self.assertGreater(metrics["top_2"], 0.95)
        self.assertGreater(metrics["auc"], 0.99)
        self.assertEqual(len(metrics["auc.classes"]), 3)
        self.assertTrue(0 <= metrics["auc_2"] <= 1)
        self.assertEqual(len(metrics["precision.classes"]), 3)
        self.assertNotIn("f1.classes", metrics)
        curve, = metrics["roc_class_0"]
        self.assertEqual(curve["threshold"][0], None)
        self.assertEqual((curve["false_positive_rate"][0], curve["true_positive_rate"][0]), (0, 0))
        self.assertEqual((curve["false_positive_rate"][-1], curve["true_positive_rate"][-1]),
                         (1, 1))
        self.assertGreater(metrics["psnr"], 10)
        self.assertGreater(metrics["ssim"], 0.1)
        text = self.run_nnc("eval", "run", "--split", "valid").stdout
        self.assertRegex(text, r"class +precision +recall +auc\n")
        self.assertRegex(text, r"\n +middle ")
        self.assertIn("--json prints them", text)
        line = json.loads(self.path("run/metrics.jsonl").read_text().splitlines()[-1])
        self.assertIn("auc", line["train"])
        self.assertNotIn("roc_class_0", line["valid"])

    def test_numbers_do_not_depend_on_threads(self):
        self.pictures()
        self.run_nnc("train", self.model(), "-o", "run")
        texts = {self.run_nnc("eval", "run", "--split", "valid", "--json", "--threads",
                              threads).stdout for threads in (1, 2, 3)}
        self.assertEqual(len(texts), 1)

    def test_augmentation_gives_the_same_bits(self):
        """For any number of threads, and after an interruption between two epochs."""
        self.pictures()
        model = self.model(EVERY_STEP)
        last = ("--set", "train.keep=last")
        for threads in (1, 2, 3):
            self.run_nnc("train", model, "-o", f"run{threads}", "--threads", threads, *last)
        self.assertEqual(self.weights("run1"), self.weights("run2"))
        self.assertEqual(self.weights("run1"), self.weights("run3"))
        self.run_nnc("train", model, "-o", "parts", "--epochs", 2, *last)
        self.run_nnc("train", "--resume", "parts", "--epochs", 6)
        self.assertEqual(self.weights("run1"), self.weights("parts"))
        self.run_nnc("train", self.model(), "-o", "plain", *last)
        self.assertNotEqual(self.weights("run1"), self.weights("plain"))

    def test_only_training_rows_change(self):
        """The initial weights give the same loss on valid rows, whatever the steps are."""
        self.pictures()
        losses = set()
        for number, steps in enumerate(("", EVERY_STEP)):
            self.run_nnc("train", self.model(steps), "-o", f"run{number}", "--epochs", 0)
            losses.add(self.run_nnc("eval", f"run{number}", "--split", "valid", "--json").stdout)
        self.assertEqual(len(losses), 1)

    def test_a_run_needs_no_pictures_any_more(self):
        self.pictures()
        self.pictures("others", each=5)
        self.run_nnc("train", self.model(), "-o", "run")
        before = self.json_of("eval", "run", "--json", "--data",
                              "test={images: {folder: others, size: [8, 8], channels: 1}}")
        self.assertEqual(before["rows"], 15)
        shutil.rmtree(self.path("pictures"))
        after = self.json_of("eval", "run", "--json", "--data",
                             "test={images: {folder: others, size: [8, 8], channels: 1}}")
        self.assertEqual(before, after)
        said = self.error_of("eval", "run", "--split", "valid")
        self.assertIn("pictures: there is no such folder", said)

    def test_two_classes_are_mixed_for_one_score(self):
        self.small_pictures()
        text = """nnc: 1
data:
  train: {idx: {image: train-images.gz, label: train-labels.gz}, where: "label < 2"}
  fields:
    image: {shape: [6, 6, 1], prepare: [{scale: 1/255}], augment: [{mixup: 0.4}]}
    label: {classes: COUNT}
model:
  inputs: [image]
  layers: [flatten, {dense: SCORES, name: score}]
loss: {LOSS: {logits: score, target: label}}
metrics: [accuracy]
train: {epochs: 5, batch: 16, optimizer: {adam: {rate: 0.02}}}
"""
        def model(count, scores, loss):
            return self.write("m.yaml", text.replace("COUNT", count).replace("SCORES", scores)
                              .replace("LOSS", loss))
        self.run_nnc("train", model("2", "1", "binary_cross_entropy"), "-o", "run")
        result = self.json_of("eval", "run", "--split", "train", "--json")
        self.assertGreater(result["metrics"]["accuracy"], 0.95)
        said = self.error_of("check", model("3", "5", "cross_entropy"), expect=2)
        self.assertIn("expected  an index of 5 classes for [5] (output of 'score', line 9)\n"
                      "  got       shares of 3 classes, by mixup (field 'label')", said)

    def test_a_class_is_held_back(self):
        """Trained without one class; how far its pictures are from their copies tells it."""
        self.pictures()
        text = MODEL.replace("AUGMENT", "").replace(
            "channels: 1}}\n", "channels: 1}, where: \"label != 2\"}\n"
            "  test: {images: {folder: pictures, size: [8, 8], channels: 1}}\n", 1)
        said = self.run_nnc("train", self.write("held.yaml", text), "-o", "run", "--epochs",
                            30).stdout
        self.assertIn("60 train, 20 valid", said)
        result = self.json_of("eval", "run", "--json")
        self.assertEqual(result["rows"], 120)
        self.assertGreater(result["metrics"]["auc_2"], 0.95)

    def test_a_new_class_is_refused(self):
        self.pictures()
        self.pictures("others", each=2)
        self.path("others/left").rename(self.path("others/above"))
        self.run_nnc("train", self.model(), "-o", "run", "--epochs", 1)
        said = self.error_of("eval", "run", "--data",
                             "test={images: {folder: others, size: [8, 8], channels: 1}}")
        self.assertIn("others/above/000.png", said)
        self.assertIn("above", said)

    def test_a_damaged_picture_is_named(self):
        self.pictures(each=6)
        path = self.path("pictures/middle/003.png")
        path.write_bytes(path.read_bytes()[:70])
        said = self.error_of("train", self.model())
        self.assertIn("pictures/middle/003.png: the PNG picture is damaged or truncated", said)

    def test_predictions_for_pictures_and_folders(self):
        self.pictures()
        self.run_nnc("train", self.model(), "-o", "run", "--epochs", 20)
        self.run_nnc("predict", "run", "--in", "pictures/right", "--out", "all.csv")
        self.run_nnc("predict", "run", "--in", "pictures/right/001.png", "--out", "one.csv")
        rows = self.path("all.csv").read_text().splitlines()
        self.assertEqual(len(rows), 41)
        self.assertEqual(rows[0],
                         "file,label,probability.left,probability.middle,probability.right")
        self.assertEqual(self.path("one.csv").read_text().splitlines(), [rows[0], rows[2]])
        self.assertTrue(rows[2].startswith("pictures/right/001.png,right,"), rows[2])
        scores = [[float(cell) for cell in row.split(",")[2:]] for row in rows[1:]]
        self.assertGreater(sum(max(row) == row[2] for row in scores), 35)
        self.assertIn("no-pictures", self.error_of("predict", "run", "--in", "no-pictures", "--out",
                                                   "x.csv"))
