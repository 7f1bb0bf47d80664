"""Exported files in the hands of others: the ONNX checker accepts them, and ONNX Runtime gives our numbers with them.

Every golden folder is written and run on its golden inputs. The packages come from tools/fetch_runtimes.sh, whose Python
ACCELERATE_RUNTIMES_PYTHON names; without it nothing is verified and that is said.
"""
import json
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
TEXT_TO_TEXT = ROOT / "tests/goldens/text_to_text"
SENTENCES = ROOT / "tests/goldens/real/all-minilm-l6-v2/embed.safetensors"
PYTHON = "ACCELERATE_RUNTIMES_PYTHON"
MINILM = "ACCELERATE_MINILM"
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


def cosine(found, wanted):
    """Of the worst row."""
    found, wanted = (each.reshape(-1, each.shape[-1]).astype(float) for each in (found, wanted))
    return ((found * wanted).sum(1) / numpy.linalg.norm(found, axis=1) / numpy.linalg.norm(wanted, axis=1)).min()


class Exported(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def session(self, model, outputs, options=()):
        """ONNX Runtime's session of an exported file, which the checker accepts."""
        call("export", model, self.folder / "onnx", "--outputs", ",".join(outputs), "--quiet", "--force", *options)
        # It knows no shapes behind the runtime's own operators.
        onnx.checker.check_model(str(self.folder / "onnx/model.onnx"), full_check="--operators" not in options)
        return onnxruntime.InferenceSession(self.folder / "onnx/model.onnx", providers=["CPUExecutionProvider"])

    def computed(self, model, options=(), case="*"):
        """Every output of the model's first such golden case, from its exported file and from our program in f32."""
        with safetensors.safe_open(sorted((model / "golden").glob(f"{case}.safetensors"))[0], "numpy") as file:
            names = list(file.keys())
            inputs = {name: file.get_tensor(f"inputs.{name}") for name in GIVEN if f"inputs.{name}" in names}
        outputs = [name.removeprefix("outputs.") for name in names if name.startswith("outputs.")]
        outputs = [name for name in outputs if name not in GENERATED]
        inputs.setdefault("attention_mask", numpy.ones_like(inputs["input_ids"]))
        session = self.session(model, outputs, options)
        wanted = {each.name for each in session.get_inputs()}
        given = {name: inputs.get(name, numpy.zeros_like(inputs["input_ids"])) for name in wanted - {"prompt_length"}}
        if "prompt_length" in wanted:
            given["prompt_length"] = numpy.zeros(len(inputs["input_ids"]), dtype=numpy.int64)
        theirs = dict(zip(outputs, session.run(outputs, given)))
        safetensors.numpy.save_file(inputs, self.folder / "in.safetensors")
        call("run", model, "--inputs", self.folder / "in.safetensors", "--save-tensors",
             self.folder / "out.safetensors", "--tensors", ",".join(outputs), "--quiet")
        ours = safetensors.numpy.load_file(self.folder / "out.safetensors")
        mask = inputs["attention_mask"]
        return {name: (seen(theirs[name], mask), seen(ours[name], mask)) for name in outputs}

    def agree(self, model, options=(), relative=1e-4, absolute=5e-5, case="*"):
        computed = self.computed(model, options, case)
        for name, (theirs, ours) in computed.items():
            with self.subTest(model=model.name, output=name):
                numpy.testing.assert_allclose(theirs, ours, rtol=relative, atol=absolute)
        return computed

    def test_every_golden_in_f32(self):
        compared = sum(len(self.agree(model)) for model in sorted(GOLDENS.iterdir()))
        self.assertGreater(compared, 100)

    def test_every_decoder_in_f32(self):
        # Their first case has texts of several lengths, padded on the left.
        for model in sorted(DECODERS.iterdir()):
            self.assertTrue(self.agree(model, relative=3e-4, absolute=3e-4), model)

    def test_every_encoder_of_encoder_decoders(self):
        # What Transformers' encoder gives, from the exported file.
        for model in sorted(TEXT_TO_TEXT.iterdir()):
            with self.subTest(model=model.name):
                golden = safetensors.numpy.load_file(model / "golden/batch_padded.safetensors")
                given = {name: golden[f"inputs.{name}"] for name in ("input_ids", "attention_mask")}
                found = self.session(model, ["last_hidden_state"]).run(None, given)[0]
                wanted, mask = golden["outputs.encoder_last_hidden_state"], given["attention_mask"]
                numpy.testing.assert_allclose(seen(found, mask), seen(wanted, mask), rtol=1e-4, atol=5e-5)

    def test_every_decoder_of_encoder_decoders(self):
        # The tokens that Transformers generated, all at once: the same logits as it had step by step.
        for model in sorted(TEXT_TO_TEXT.iterdir()):
            with self.subTest(model=model.name):
                golden = safetensors.numpy.load_file(model / "golden/batch_padded.safetensors")
                generated, steps = golden["outputs.generated_ids"], golden["outputs.step_logits"]
                session = self.session(model, ["logits"])
                given = {"input_ids": generated[:, :-1],
                         "attention_mask": numpy.ones_like(generated[:, :-1]),
                         "encoder_hidden_states": golden["outputs.encoder_last_hidden_state"],
                         "encoder_attention_mask": golden["inputs.attention_mask"]}
                self.assertEqual({each.name for each in session.get_inputs()}, set(given))
                logits = session.run(None, given)[0]
                self.assertEqual(logits.shape[:2], given["input_ids"].shape)
                numpy.testing.assert_allclose(logits[:, :steps.shape[1]], steps, rtol=1e-4, atol=5e-5)

    def grown(self, session, ids, mask, parts, extra=()):
        """Logits of `ids` where the text is fed in parts of so many tokens, each with what the one before gave."""
        dtypes = {"tensor(float)": numpy.float32, "tensor(float16)": numpy.float16}
        past = {each.name: numpy.zeros((len(ids), each.shape[1], 0, each.shape[3]), dtypes[each.type])
                for each in session.get_inputs() if each.name.startswith("past_key_values.")}
        self.assertTrue(past)
        outputs = [each.name for each in session.get_outputs()]
        self.assertEqual({name.replace("past_key_values", "present") for name in past}, set(outputs) - {"logits"})
        logits, at = [], 0
        for part in parts:
            given = {"input_ids": ids[:, at:at + part], "attention_mask": mask[:, :at + part], **past, **dict(extra)}
            found = dict(zip(outputs, session.run(None, given)))
            logits.append(found["logits"])
            past = {name: found[name.replace("past_key_values", "present")] for name in past}
            at += part
        return numpy.concatenate(logits, 1)

    def generated(self, model):
        """What Transformers generated, case by case: its name, all ids, their mask, the prompts' length and the logits of
        each step."""
        for case in sorted((model / "golden").glob("*.safetensors")):
            golden = safetensors.numpy.load_file(case)
            if "outputs.step_logits" not in golden:
                continue
            steps = golden["outputs.step_logits"]
            new = golden["outputs.generated_ids"][:, :steps.shape[1] - 1]
            ids = numpy.concatenate([golden["inputs.input_ids"], new], 1)
            mask = numpy.concatenate([golden["inputs.attention_mask"], numpy.ones_like(new)], 1)
            yield case.stem, ids, mask, golden["inputs.input_ids"].shape[1], steps

    def continues(self, model, session, firsts):
        """The tokens that Transformers generated, one by one behind its prompts: the same logits as it had. `firsts`
        gives the parts that a prompt of so many tokens is fed in."""
        compared = 0
        for case, ids, mask, prompt, steps in self.generated(model):
            for first in firsts(prompt):
                with self.subTest(model=model.name, case=case, parts=first):
                    parts = first + [1] * (steps.shape[1] - 1)
                    logits = self.grown(session, ids, mask, parts)[:, prompt - 1:]
                    numpy.testing.assert_allclose(logits, steps, rtol=3e-4, atol=3e-4)
                    compared += 1
        self.assertGreater(compared, 0, model.name)

    def test_every_decoder_continues_as_transformers(self):
        for model in sorted(DECODERS.iterdir()):
            # Phi-3's angles are those of the length that is reached when a token is run.
            in_two = [] if model.name == "phi3" else [2]
            self.continues(model, self.session(model, ["logits"], ["--past"]),
                           lambda prompt: [[prompt]] + [[prompt - n, n] for n in in_two])

    def own_operators(self):
        """Those of ONNX Runtime's own in the file that was written last."""
        model = onnx.load(self.folder / "onnx/model.onnx", load_external_data=False)
        return {node.op_type for node in model.graph.node if node.domain == "com.microsoft"}

    def test_the_runtimes_own_operators(self):
        own = ["--operators", "onnxruntime"]
        self.agree(GOLDENS / "bert", own)
        self.assertEqual(self.own_operators(), {"BiasGelu", "MultiHeadAttention", "SkipLayerNormalization"})
        self.agree(GOLDENS / "modernbert", own)
        self.assertLess({"RotaryEmbedding", "MultiHeadAttention"}, self.own_operators())

    def test_products_of_bytes_by_the_runtimes_own_operator(self):
        # What it makes of standard operators by itself.
        int8 = ["--precision", "int8"]
        joined = self.computed(GOLDENS / "bert", int8)
        written = self.computed(GOLDENS / "bert", [*int8, "--operators", "onnxruntime"])
        self.assertIn("MatMulNBits", self.own_operators())
        for name, (theirs, _) in written.items():
            numpy.testing.assert_allclose(theirs, joined[name][0], rtol=1e-3, atol=1e-3)

    def test_every_decoder_continues_with_the_runtimes_own_operators(self):
        used = set()
        for model in sorted(DECODERS.iterdir()):
            session = self.session(model, ["logits"], ["--past", "--operators", "onnxruntime"])
            used |= self.own_operators()
            self.continues(model, session, lambda prompt: [[prompt]])
        self.assertLess({"MultiHeadAttention", "GroupQueryAttention", "RotaryEmbedding", "SkipLayerNormalization",
                         "SkipSimplifiedLayerNormalization"}, used)

    def test_every_encoder_decoder_continues_as_transformers(self):
        for model in sorted(TEXT_TO_TEXT.iterdir()):
            with self.subTest(model=model.name):
                golden = safetensors.numpy.load_file(model / "golden/batch_padded.safetensors")
                source = {name: golden[f"inputs.{name}"] for name in ("input_ids", "attention_mask")}
                encoder = self.session(model, ["last_hidden_state"], ["--past"])
                cross = dict(zip([each.name for each in encoder.get_outputs()], encoder.run(None, source)))
                del cross["last_hidden_state"]
                self.assertTrue(cross)
                cross["encoder_attention_mask"] = source["attention_mask"]
                steps = golden["outputs.step_logits"]
                text = golden["outputs.generated_ids"][:, :steps.shape[1]]
                logits = self.grown(self.session(model, ["logits"], ["--past"]), text, numpy.ones_like(text),
                                    [1] * text.shape[1], cross)
                numpy.testing.assert_allclose(logits, steps, rtol=3e-4, atol=3e-4)

    def test_a_past_of_halves(self):
        golden = safetensors.numpy.load_file(DECODERS / "llama/golden/chat.safetensors")
        ids, mask = golden["inputs.input_ids"], golden["inputs.attention_mask"]
        session = self.session(DECODERS / "llama", ["logits"], ["--past", "--precision", "f16"])
        halves = {each.name for each in session.get_outputs() if each.type == "tensor(float16)"}
        self.assertEqual(halves, {each.name for each in session.get_outputs()} - {"logits"})
        found = self.grown(session, ids, mask, [ids.shape[1] - 2, 1, 1])
        self.assertGreater(cosine(found, golden["outputs.logits"]), 0.999)

    def test_angles_that_change_with_the_length(self):
        # longrope: one list of factors up to a limit, one beyond.
        for case in ("single_short", "long"):
            self.assertTrue(self.agree(DECODERS / "phi3", relative=3e-4, absolute=3e-4, case=case), case)

    def test_every_opset(self):
        for opset in range(18, 24):
            for name in ("bert", "modernbert"):
                self.agree(GOLDENS / name, ["--opset", opset])
            for name in ("gemma2", "mixtral", "qwen3"):  # norms of each head, caps, experts
                self.agree(DECODERS / name, ["--opset", opset], relative=3e-4, absolute=3e-4)

    def test_half_precision(self):
        # Halves have 11 bits: what a few layers of them lose.
        self.agree(GOLDENS / "bert", ["--precision", "f16"], relative=0.05, absolute=0.02)
        halves = onnx.load(self.folder / "onnx/model.onnx", load_external_data=False)
        types = {each.data_type for each in halves.graph.initializer if len(each.dims) == 2}
        self.assertEqual(types, {onnx.TensorProto.FLOAT16})

    def test_every_golden_in_int8(self):
        # Random weights have no bound (docs/precision.md): near, and not the same.
        for model in sorted(GOLDENS.iterdir()):
            for name, (theirs, ours) in self.computed(model, ["--precision", "int8"]).items():
                with self.subTest(model=model.name, output=name):
                    self.assertGreater(cosine(theirs, ours), 0.9)
                    self.assertGreater(numpy.abs(theirs - ours).max(), 0)
            model = onnx.load(self.folder / "onnx/model.onnx", load_external_data=False)
            self.assertEqual({each.domain for each in model.opset_import}, {""})
            self.assertIn(onnx.TensorProto.INT8, {each.data_type for each in model.graph.initializer})

    def test_real_minilm_in_int8(self):
        if MINILM not in os.environ:
            print(f"[  SKIPPED ] tools.export.minilm (0 ms): {MINILM} is not set, tools/fetch_minilm.sh prints the folder")
            self.skipTest(MINILM)
        wanted = safetensors.numpy.load_file(SENTENCES)
        inputs = {name: wanted[f"inputs.{name}"] for name in ("input_ids", "attention_mask")}
        inputs["token_type_ids"] = numpy.zeros_like(inputs["input_ids"])
        f32 = self.size(os.environ[MINILM])
        self.assertLess(self.size(os.environ[MINILM], ["--precision", "int8"]), 0.3 * f32)
        session = self.session(os.environ[MINILM], ["sentence_embedding"], ["--precision", "int8"])
        # What it does by itself multiplies bytes; told not to, it multiplies the same weights in f32.
        weights_only = onnxruntime.SessionOptions()
        weights_only.add_session_config_entry("session.disable_quant_qdq", "1")
        for each in (session, onnxruntime.InferenceSession(self.folder / "onnx/model.onnx", weights_only,
                                                           providers=["CPUExecutionProvider"])):
            found = each.run(["sentence_embedding"], inputs)[0]
            self.assertGreaterEqual(cosine(found, wanted["outputs.sentence_embedding"]), 0.999)

    def size(self, model, options=()):
        return json.loads(call("export", model, self.folder / "onnx", "--force", "--json", *options))["bytes"]


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
