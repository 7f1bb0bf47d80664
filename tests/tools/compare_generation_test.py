"""bench/compare for text generation without any peer: made-up checkpoints, its arithmetic, and a pretended program."""

import argparse
import json
import math
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPARE = ROOT / "bench/compare"
sys.path.insert(0, str(COMPARE))

import decoders  # noqa: E402
import generation  # noqa: E402
import generation_peers  # noqa: E402
import tensors  # noqa: E402

PROGRAM = """#!{python}
import json, sys
words = sys.argv[1:]
if words == ["--version"]:
    print("pretended 1"); sys.exit()
phase, tokens = words[words.index("--phase") + 1], words[words.index("--tokens") + 1].split(",")
rows = [{{"p50_ms": float(count), "limit_ms": float(count) / 2, "phase": phase}} for count in tokens]
print(json.dumps({{"rows": rows}}))
"""


class MadeCheckpoints(unittest.TestCase):
    def test_sizes_are_those_that_were_published(self):
        for name, published in (("gpt2", 124_439_808), ("opt-125m", 125_239_296), ("qwen2-0.5b", 494_032_768)):
            config, shapes_of, _ = decoders.RANDOM[name]
            self.assertEqual(sum(math.prod(shape) for shape in shapes_of(config).values()), published, name)

    def test_every_id_has_a_name_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            decoders._write_tokenizer(Path(folder), 1000, 2)
            vocabulary = json.loads(Path(folder, "tokenizer.json").read_text())["model"]["vocab"]
        self.assertEqual(sorted(vocabulary.values()), list(range(1000)))
        self.assertEqual(vocabulary["<|endoftext|>"], 2)
        self.assertEqual(len([symbol for symbol in vocabulary if len(symbol) == 1]), 256)

    def test_bf16_is_the_upper_half(self):
        import array

        self.assertEqual(list(tensors.as_bf16(array.array("f", [1.0, -2.0]))), [0x3F80, 0xC000])


class Arithmetic(unittest.TestCase):
    class Ours:
        limits = {("decode", 32): [6.0, 5.0], ("prefill", 32): [4.0, 4.0]}
        ids = None

    def rows(self):
        rounds = [{generation.OURS: {("prefill", 32): 8.0, ("decode", 32): 10.0},
                   "pytorch": {("prefill", 32): 4.0, ("decode", 32): 30.0},
                   "llama.cpp": {("prefill", 32): 1.0, ("decode", 32): 1.0}},
                  {generation.OURS: {("prefill", 32): 8.0, ("decode", 32): 20.0},
                   "pytorch": {("prefill", 32): 4.0, ("decode", 32): 20.0},
                   "llama.cpp": {("prefill", 32): 1.0, ("decode", 32): 1.0}}]
        options = argparse.Namespace(prompts=[32], threads=2)
        return generation.rows_of("gpt2", rounds, dict.fromkeys(rounds[0], self.Ours()), options)

    def test_ratios_and_shares_are_taken_within_a_round(self):
        decode = self.rows()[1]
        self.assertEqual(decode["results"]["pytorch"]["over_ours"], 2.0)  # 3 and 1, not 25 over 15
        self.assertAlmostEqual(decode["share"], (6 / 10 + 5 / 20) / 2)
        self.assertEqual(decode["limit_ms"], 5.5)

    def test_another_precision_is_no_best_peer(self):
        self.assertEqual([row["best"] for row in self.rows()], ["pytorch", "pytorch"])
        self.assertIn("| gpt2 | prefill 32 | 8.0 | 50 % | pytorch | 4.0 | 0.50x |", generation.table_of(self.rows()))

    def test_a_token_is_what_passes_between_two(self):
        clock = generation_peers.Clock()
        clock.times = [5.0, 7.0, 10.0]
        self.assertEqual(clock.steps(), [5.0, 2.0, 3.0])


class FromOutside(unittest.TestCase):
    def test_ours_alone_and_every_peer_named(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "program")
            program.write_text(PROGRAM.format(python=sys.executable))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            for name in ("torch", "transformers", "ctranslate2", "optimum", "llama_cpp", "onnxruntime"):
                Path(folder, f"{name}.py").write_text(f"raise ModuleNotFoundError('no', name={name!r})\n")
            file = Path(folder, "model.gguf")
            file.write_bytes(b"GGUF")
            out = Path(folder, "out.json")
            done = subprocess.run([sys.executable, COMPARE / "generation.py", "--models", "smollm2-135m", "--program",
                                   program, "--rounds", "2", "--json", out], text=True, capture_output=True, check=False,
                                  env={**os.environ, "PYTHONPATH": folder, "ACCELERATE_SMOLLM2": str(file),
                                       "COMPARE_CACHE": folder})
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = json.loads(out.read_text())["rows"]
        # Decoding is measured in the middle of the 64 tokens that peers make.
        self.assertEqual([row["results"][generation.OURS]["milliseconds"] for row in rows], [32, 512, 64, 544])
        self.assertEqual({row["share"] for row in rows}, {0.5})
        for name in generation.PEERS:
            self.assertIn(f"smollm2-135m: {name}: absent:", done.stdout)


if __name__ == "__main__":
    unittest.main()
