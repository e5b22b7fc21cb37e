"""The checks of the sources find what they are there to find."""

import subprocess
import sys

from support import NncTest, ROOT


class Checks(NncTest):
    def run_check(self, script):
        done = subprocess.run([sys.executable, ROOT / "tools" / script, self.folder],
                              capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()

    def test_layers(self):
        self.write("compiler/support/text.h", "")
        self.write("compiler/ir/graph.h", '#include "compiler/support/text.h"\n')
        self.write("runtime/abi.h", "")
        self.write("compiler/language/parse.cpp", '#include "runtime/abi.h"\n'
                                              '#include "compiler/ir/graph.h"\n')
        self.assertEqual(self.run_check("check_layers.py")[0], 0)
        self.write("runtime/trainer.h", '#include "compiler/ir/graph.h"\n')
        self.write("compiler/support/low.cpp", '\n#include "compiler/ir/graph.h"\n')
        self.write("compiler/ops/op.cpp", '#include <llvm/IR/Module.h>\n#include "gone.h"\n')
        self.write("tools/nnc/command.cpp", '#include "tools/workbench/job.h"\n')
        self.write("tools/workbench/job.h", '#include "tools/nnc/exit.h"\n')
        self.write("tools/nnc/exit.h", "")
        self.write("compiler/ir/a.h", '#include "compiler/ir/b.h"\n')
        self.write("compiler/ir/b.h", '#include "compiler/ir/a.h"\n')
        code, lines = self.run_check("check_layers.py")
        self.assertEqual(code, 1)
        places = [line.split(": ")[0] for line in lines]
        self.assertEqual(places, ["compiler/ops/op.cpp:1", "compiler/ops/op.cpp:2",
                                  "compiler/support/low.cpp:2", "runtime/trainer.h:1",
                                  "tools/workbench/job.h:1",
                                  "files include each other in a circle"])

    def test_sizes(self):
        self.write("compiler/short.cpp", "int f() {\n  return 1;\n}\n")
        self.assertEqual(self.run_check("check_sizes.py")[0], 0)
        self.write("compiler/long.cpp", "int f() {\n" + "  g();\n" * 60 + "}\n")
        self.write("compiler/wide.cpp", "// " + "x" * 98 + "\n")
        self.write("compiler/huge.cpp", "//\n" * 501)
        self.write("compiler/open.cpp", "// TO" "DO: write this\n")
        code, lines = self.run_check("check_sizes.py")
        self.assertEqual(code, 1)
        self.assertEqual([line.split(": ")[0] for line in lines],
                         ["compiler/huge.cpp", "compiler/long.cpp:1", "compiler/open.cpp:1",
                          "compiler/wide.cpp:1"])
