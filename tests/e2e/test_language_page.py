"""docs/language.md: what the command prints, and every model and step in it as a user would try it."""

import re

from support import NncTest, ROOT

PAGE = (ROOT / "docs/language.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

# A small field for each step: words for category, indices for one_hot, numbers or pictures else.
WORDS = "[cat, dog, cat, fox]"
INDICES = "[0, 2, 1, 2]"
NUMBERS = "[[1, 2], [3, 4], [5, 7], [8, 9]]"
PICTURE = "[[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]]"
STEP = """nnc: 1
data:
  train: {inline: {x: %s, y: [0.5, 1, 2, 3]}}
  fields: {x: {%s}}
model:
  inputs: [x]
  layers: [%s{dense: {units: 1}, name: y_hat}]
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 1, optimizer: sgd}
"""


class LanguagePage(NncTest):
    def test_the_command_prints_it(self):
        self.assertTrue(self.run_nnc("help", "--markdown").stdout == PAGE,
                        "docs/language.md is not what the command prints now; renew it: "
                        "build/nnc help --markdown > docs/language.md")

    def test_every_model_in_it_trains(self):
        models = [block for block in BLOCKS if block.startswith("nnc: 1")]
        self.assertGreaterEqual(len(models), 13)
        for number, text in enumerate(models):
            model = self.write(f"model{number}.yaml", text)
            self.run_nnc("check", "--strict", model)
            self.run_nnc("train", model, "-o", f"run{number}", "--quiet")

    def test_steps_can_stand_where_the_page_has_them(self):
        steps = [block for block in BLOCKS if re.match("prepare:|augment:", block)]
        self.assertGreaterEqual(len(steps), 17)
        for number, text in enumerate(steps):
            step, rows, flatten = text.strip(), NUMBERS, ""
            if step.startswith("augment"):
                rows, flatten = f"[{', '.join([PICTURE] * 4)}]", "flatten, "
            elif "category" in step:
                rows, step = WORDS, step.replace("]", ", one_hot]")
            elif "one_hot" in step:
                rows, step = INDICES, "classes: 3, " + step
            self.run_nnc("check", self.write(f"step{number}.yaml", STEP % (rows, step, flatten)))
