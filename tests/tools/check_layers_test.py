"""tools/check_layers.py finds each kind of fault in a small tree, finds none in a good one, and none in ours."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD = {
    "README.md": "",
    "include/accelerate/a.hpp": "#include <string>\n",
    "include/accelerate/b.hpp": '#include "accelerate/a.hpp"\n',
    "src/core/file.hpp": '#include "accelerate/a.hpp"\n',
    "src/graph/graph.hpp": '#include "core/file.hpp"\n#include <vector>\n',
    "src/models/bert.cpp": '#include "graph/graph.hpp"\nconst char* kName = "bert";\n',
    "src/backends/cpu/plan.cpp": '#include "graph/graph.hpp"\n// as in "bert"\nint x;  // "bert" again\n',
    "src/backends/registry.cpp": '#include "backends/cpu/plan.hpp"\n',
}


class CheckLayers(unittest.TestCase):
    def run_on(self, extra):
        """Returns (exit code, output) for the good tree with `extra` files in it."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**GOOD, **extra}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return self.check(folder)

    def check(self, folder):
        done = subprocess.run([sys.executable, "-B", str(ROOT / "tools/check_layers.py"), str(folder)],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def assert_found(self, extra, expected):
        code, output = self.run_on(extra)
        self.assertEqual(code, 1, output)
        self.assertIn(expected, output)
        self.assertIn("layers: 1 findings", output)

    def test_a_good_tree_passes(self):
        self.assertEqual(self.run_on({}), (0, "layers: as drawn\n"))

    def test_our_own_tree_passes(self):
        code, output = self.check(ROOT)
        self.assertEqual(code, 0, output)

    def test_a_layer_below(self):
        self.assert_found({"src/core/bad.cpp": '\n#  include "graph/graph.hpp"\n'},
                          "src/core/bad.cpp:2: core includes graph, a layer below it")

    def test_a_peer(self):
        self.assert_found({"src/text/bad.cpp": '#include "image/resize.hpp"\n'},
                          "src/text/bad.cpp:1: text includes image, its peer")

    def test_another_backend(self):
        self.assert_found({"src/backends/onnx/bad.cpp": '#include "backends/cpu/plan.hpp"\n'},
                          "backend onnx includes cpu, another backend")

    def test_a_path_that_is_no_layer(self):
        self.assert_found({"src/core/bad.cpp": '#include "file.hpp"\n'}, 'includes "file.hpp", expected a path')

    def test_a_folder_that_is_no_layer(self):
        self.assert_found({"src/utils/bad.cpp": ""}, "utils is no layer")

    def test_a_model_name_outside_models(self):
        self.assert_found({"src/runtime/bad.cpp": 'if (type == "roberta") return;\n'},
                          'src/runtime/bad.cpp:1: names the model "roberta"')

    def test_a_private_header_in_a_public_one(self):
        self.assert_found({"include/accelerate/c.hpp": '#include "core/file.hpp"\n'},
                          'includes "core/file.hpp", which is not a public header')

    def test_a_dependency_in_a_public_header(self):
        self.assert_found({"include/accelerate/c.hpp": "#include <nlohmann/json.hpp>\n"},
                          "users would need another library's headers")

    def test_a_stranger_at_the_top(self):
        self.assert_found({"notes.txt": ""}, "notes.txt:1: lies at the top level")


if __name__ == "__main__":
    unittest.main()
