"""README's first example, typed as it stands there."""

import re
import shutil
import subprocess

from support import NNC, NncTest, ROOT


class Readme(NncTest):
    def test_the_first_example_can_be_typed(self):
        text = (ROOT / "README.md").read_text()
        lines = re.search(r"```\n(export PATH=.*?)```", text, re.DOTALL).group(1).splitlines()
        self.assertGreaterEqual(len(lines), 5)
        self.path("models").mkdir()
        for name in ("iris.yaml", "iris.csv"):
            shutil.copy(ROOT / "models" / name, self.path("models"))
        self.path("build").mkdir()
        self.path("build/nnc").symlink_to(NNC)
        for line in lines[1:]:
            done = subprocess.run(["bash", "-ec", f"{lines[0]}\n{line}"], cwd=self.folder, text=True,
                                  env=self.environment, capture_output=True, timeout=120)
            self.assertEqual(done.returncode, 0, f"{line}\n{done.stderr}")
            if line.startswith("nnc predict"):
                self.assertEqual(len(done.stdout.splitlines()), 151)
        header = self.path("iris.hpp").read_text()
        self.assertIn("namespace iris", header)
        self.assertIn("predict(const float* x, float* probability", header)
