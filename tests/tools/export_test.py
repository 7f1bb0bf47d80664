"""Exported files in the hands of others: the ONNX checker accepts them, and ONNX Runtime gives our numbers with them.

Every golden folder is written and run on its golden inputs. The packages come from tools/fetch_runtimes.sh, whose Python
ACCELERATE_RUNTIMES_PYTHON names; without it nothing is verified and that is said.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("ACCELERATE_PROGRAM", str(ROOT / "build/release/ipfs-accelerate"))
GOLDENS = ROOT / "tests/goldens/models"
DECODERS = ROOT / "tests/goldens/decoders"
PYTHON = "ACCELERATE_RUNTIMES_PYTHON"
# Transformers' names of inputs that a caller may give.
GIVEN = ("input_ids", "attention_mask", "token_type_ids")
# What comes of several runs.
GENERATED = ("generated_ids", "step_logits", "last_token_logits")


def call(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(values, mask):
    """Without padding, where outputs mean nothing."""
    return values[mask != 0] if values.shape[:2] == mask.shape else values


class Exported(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def agree(self, model, options=(), relative=1e-4, absolute=5e-5):
        """Exports every output of the model's first golden case and compares with what our program gives."""
        with safetensors.safe_open(sorted((model / "golden").glob("*.safetensors"))[0], "numpy") as file:
            names = list(file.keys())
            inputs = {name: file.get_tensor(f"inputs.{name}") for name in GIVEN if f"inputs.{name}" in names}
        outputs = [name.removeprefix("outputs.") for name in names if name.startswith("outputs.")]
        outputs = [name for name in outputs if name not in GENERATED]
        inputs.setdefault("attention_mask", numpy.ones_like(inputs["input_ids"]))
        call("export", model, self.folder / "onnx", "--outputs", ",".join(outputs), "--quiet", *options)
        onnx.checker.check_model(str(self.folder / "onnx/model.onnx"), full_check=True)
        session = onnxruntime.InferenceSession(self.folder / "onnx/model.onnx", providers=["CPUExecutionProvider"])
        wanted = {each.name for each in session.get_inputs()}
        given = {name: inputs.get(name, numpy.zeros_like(inputs["input_ids"])) for name in wanted - {"prompt_length"}}
        if "prompt_length" in wanted:
            given["prompt_length"] = numpy.zeros(len(inputs["input_ids"]), dtype=numpy.int64)
        theirs = dict(zip(outputs, session.run(outputs, given)))
        safetensors.numpy.save_file(inputs, self.folder / "in.safetensors")
        call("run", model, "--inputs", self.folder / "in.safetensors", "--save-tensors",
             self.folder / "out.safetensors", "--tensors", ",".join(outputs), "--quiet")
        ours = safetensors.numpy.load_file(self.folder / "out.safetensors")
        for name in outputs:
            with self.subTest(model=model.name, output=name):
                mask = inputs["attention_mask"]
                numpy.testing.assert_allclose(seen(theirs[name], mask), seen(ours[name], mask),
                                              rtol=relative, atol=absolute)
        return outputs

    def test_every_golden_in_f32(self):
        compared = sum(len(self.agree(model, ["--force"])) for model in sorted(GOLDENS.iterdir()))
        self.assertGreater(compared, 100)

    def test_every_decoder_in_f32(self):
        # Their first case has texts of several lengths, padded on the left.
        for model in sorted(DECODERS.iterdir()):
            self.assertTrue(self.agree(model, ["--force"], relative=3e-4, absolute=3e-4), model)

    def test_every_opset(self):
        for opset in range(18, 24):
            for name in ("bert", "modernbert"):
                self.agree(GOLDENS / name, ["--force", "--opset", opset])

    def test_half_precision(self):
        # Halves have 11 bits: what a few layers of them lose.
        self.agree(GOLDENS / "bert", ["--precision", "f16"], relative=0.05, absolute=0.02)
        halves = onnx.load(self.folder / "onnx/model.onnx", load_external_data=False)
        types = {each.data_type for each in halves.graph.initializer if len(each.dims) == 2}
        self.assertEqual(types, {onnx.TensorProto.FLOAT16})


if __name__ == "__main__":
    if PYTHON not in os.environ:
        print(f"[  SKIPPED ] tools.export (0 ms): {PYTHON} is not set, tools/fetch_runtimes.sh --variables says to what")
        sys.exit(0)
    if sys.executable != os.environ[PYTHON]:
        os.execv(os.environ[PYTHON], [os.environ[PYTHON], "-B", *sys.argv])
    import numpy
    import onnx
    import onnxruntime
    import safetensors
    import safetensors.numpy
    unittest.main()
