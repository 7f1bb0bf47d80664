"""bench/compare without any peer: its arithmetic, its tables, and whole runs with a program that only pretends."""
import array
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPARE = ROOT / "bench/compare"
sys.path.insert(0, str(COMPARE))

import compare  # noqa: E402
import contenders  # noqa: E402
import figures  # noqa: E402
import limits  # noqa: E402
import measure  # noqa: E402
import models  # noqa: E402
import report  # noqa: E402
import tensors  # noqa: E402
import workloads  # noqa: E402

PROGRAM = os.environ.get("ACCELERATE_PROGRAM", str(ROOT / "build/release/ipfs-accelerate"))
PEERS = ("torch", "transformers", "onnxruntime", "openvino", "nncf", "ctranslate2", "tokenizers")

# Answers as the program does: every run takes what PRETENDED_MS says, the vector of a batch is all ones.
PRETENDER = '''#!{python}
import array, json, os, pathlib, sys, time
sys.path.insert(0, {compare!r})
import tensors
arguments = sys.argv[1:]
def option(name):
    return arguments[arguments.index(name) + 1]
if arguments[0] == "--version":
    print("pretender 1.0")
elif option("--precision") == "int8":
    print("error: precision int8 is not there", file=sys.stderr)
    sys.exit(6)
elif arguments[0] == "bench":
    print(json.dumps({{"rows": [{{"precision": "f32", "state": "measured", "limit_ms": 1.0, "limit_gflops": 100.0,
                                  "limit_gbytes": 10.0}}]}}))
elif "--repeat" in arguments:
    if os.environ.get("PRETENDED_STOP", "never") in option("--inputs"):
        print("waiting", file=open(os.environ["PRETENDED_PIPE"], "w"), flush=True)
        time.sleep(600)
    milliseconds = {{"1": 4.0, "2": 2.0}}[option("--threads")]
    print(json.dumps({{"milliseconds": [milliseconds] * int(option("--repeat"))}}))
elif "--save-tensors" in arguments:
    (rows, _), _ = tensors.read(pathlib.Path(option("--inputs")), "input_ids")
    vectors = ("F32", (rows, 4), array.array("f", [1.0] * (4 * rows)))
    tensors.write(pathlib.Path(option("--save-tensors")), {{"sentence_embedding": vectors}})
    print("{{}}")
else:
    print("{{}}")
'''


def turn(*wall):
    return contenders.Turn(list(wall), [], 0.0)


def result(precision, milliseconds, over_ours=None, share=None, over_f32=None, cosine=1.0):
    return {"precision": precision, "milliseconds": milliseconds, "over_ours": over_ours, "over_our_f32": over_f32,
            "share": share, "worst_cosine": cosine, "mean_cosine": cosine, "rounds": [milliseconds], "spread": 0.0,
            "calls": 1, "split": 0}


def row(workload="minilm 1x16", **results):
    model, shape = workload.split(" ")
    return {"workload": workload, "model": model, "shape": shape, "threads": 2, "tokens": 16, "limits": {},
            "other_cores": 0.0, "reference": None, "interrupted": False, "unavailable": {},
            "results": {name.replace("_", "-"): value for name, value in results.items()}}


class Files(unittest.TestCase):
    def test_tensors_come_back_as_they_were_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "new/file.safetensors")
            tensors.write(path, {"ids": ("I64", (2, 2), array.array("q", [1, -2, 3, 4])),
                                 "x": ("F32", (3,), array.array("f", [0.5, 1, 2]))})
            self.assertEqual(tensors.read(path, "x"), ((3,), array.array("f", [0.5, 1, 2])))
            self.assertEqual(tensors.read(path, "ids"), ((2, 2), array.array("q", [1, -2, 3, 4])))

    def test_a_shape_that_does_not_fit_is_refused(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(ValueError, "x: 1 values for shape"):
            tensors.write(pathlib.Path(folder, "file"), {"x": ("F32", (2,), array.array("f", [1]))})

    def test_weights_are_seeded_and_go_on_across_the_end_of_their_list(self):
        with mock.patch.object(models, "DISTINCT", 7):
            one, other = models.Weights(), models.Weights()
            self.assertEqual(one.take(5) + one.take(20), other.take(25))

    def test_32_sentences(self):
        sentences = workloads.SENTENCES_FILE.read_text().splitlines()
        self.assertEqual(len(set(sentences)), 32)
        self.assertTrue(all(sentence.isascii() and sentence.strip() == sentence != "" for sentence in sentences))

    def test_every_goal_is_of_a_workload_that_is_measured_by_default(self):
        goals = json.loads((COMPARE / "goals.json").read_text())
        measured = {f"{model} {shape}" for model, shapes in workloads.STANDARD.items() for shape in shapes}
        self.assertEqual(measured - {goal["workload"] for goal in goals["workloads"]}, {"minilm sentences-sorted"})
        self.assertLessEqual({goal["workload"] for goal in goals["workloads"]}, measured)


class Figures(unittest.TestCase):
    def test_medians_of_rounds(self):
        found = figures.figure_of([turn(1, 2, 9), turn(3), turn(4)], "median")
        self.assertEqual((found["milliseconds"], found["least"], found["rounds"], found["calls"]), (3, 1, [2, 3, 4], 5))
        self.assertAlmostEqual(found["spread"], 0.5 / 3)
        self.assertIsNone(figures.figure_of([turn(1)], "cpu")["milliseconds"])

    def test_ratios_are_taken_round_by_round(self):
        # The machine became ten times slower in between, for both.
        ours, peer = (figures.figure_of(turns, "median") for turns in ([turn(1), turn(10), turn(10)],
                                                                       [turn(2), turn(20), turn(30)]))
        self.assertEqual(figures.ratio(peer, ours, "median"), 2)
        self.assertEqual(figures.ratio(peer, ours, "least"), 2)
        self.assertIsNone(figures.ratio(peer, ours, "cpu"))

    def test_cosines(self):
        self.assertEqual(figures.cosines([[1, 0], [2, 2], [0, 0]], [[0, 3], [1, 1], [1, 0]])[0], 0)
        self.assertAlmostEqual(figures.cosines([[2, 2]], [[1, 1]])[0], 1)
        self.assertEqual(figures.cosines([[0, 0]], [[1, 0]]), [0])

    def test_a_row_of_a_measurement(self):
        vectors = {"ipfs-accelerate": [[1, 0]], "pytorch": [[2, 0]], "openvino-int8": [[1, 1]], "ctranslate2": [[0, 1]]}
        rounds = [{"ipfs-accelerate": turn(2), "pytorch": turn(6), "openvino-int8": turn(1),
                   "ctranslate2": turn(3)}] * 3
        measured = measure.Measured(rounds, dict.fromkeys(vectors, 0), vectors, {"onnxruntime": "failed: why"}, 0.0)
        workload = workloads.Workload("minilm", "1x16", pathlib.Path("-"), (16,))
        limit = {"f32": {"milliseconds": 1.5}}
        made = figures.row_of(workload, 2, measured, "median", limit)
        self.assertEqual(made["results"]["pytorch"]["over_ours"], 3)
        self.assertEqual(made["results"]["openvino-int8"]["over_our_f32"], 0.5)
        self.assertIsNone(made["results"]["openvino-int8"]["over_ours"])  # there is no int8 of ours
        self.assertEqual(made["results"]["ipfs-accelerate"]["share"], 0.75)
        self.assertIsNone(made["results"]["openvino-int8"]["share"])  # and no limit of int8
        self.assertAlmostEqual(made["results"]["openvino-int8"]["worst_cosine"], 0.5 ** 0.5)
        self.assertEqual(made["unavailable"], {"onnxruntime": "failed: why"})
        self.assertEqual(figures.strangers(made), ["ctranslate2"])
        self.assertIn("WARNING: ctranslate2", report.row_text(made))

    def test_limits_of_bench(self):
        def answered(state, milliseconds):
            return {"rows": [{"precision": "f32", "state": state, "limit_ms": milliseconds, "limit_gflops": 1.0,
                              "limit_gbytes": 1.0}]}
        self.assertEqual(limits.parsed(answered("unsupported", None)), {})
        one, other = (limits.parsed(answered("measured", value)) for value in (2.0, 1.0))
        self.assertEqual(limits.best_of(one, other)["f32"]["milliseconds"], 1.0)
        self.assertEqual(limits.best_of({}, one), one)


class Goals(unittest.TestCase):
    GOALS = {"workloads": [{"workload": "minilm 1x16", "f32": {"share": 0.8, "ratio": 1.5}, "int8": {"ratio": 1.3}}],
             "bf16_over_f32": {"with_instructions": 1.7, "without": 1.0},
             "two_threads_over_one": {"from_tokens": 128, "ratio": 1.8, "never_below": 1.0},
             "through_runtimes": 0.98, "worst_cosine": {"int8": 0.999}, "start_milliseconds": {"model": "minilm", "most": 60}}

    def test_the_best_peer_of_each_precision_is_named(self):
        lines = figures.against_peers([row(ipfs_accelerate=result("f32", 2.0, share=0.9),
                                           pytorch=result("f32", 9.0, 4.5), openvino=result("f32", 4.0, 2.0),
                                           openvino_int8=result("int8", 1.0))], self.GOALS)
        self.assertEqual([(line["precision"], line["best_peer"], line["ratio"], line["verdict"]) for line in lines],
                         [("f32", "openvino", 2.0, "reached"), ("int8", "openvino-int8", None, "not measured")])

    def test_one_missed_goal_of_two_is_a_miss(self):
        lines = figures.against_peers([row(ipfs_accelerate=result("f32", 2.0, share=0.7),
                                           openvino=result("f32", 4.0, 2.0))], self.GOALS)
        self.assertEqual(lines[0]["verdict"], "missed")

    def test_without_peers_nothing_is_reached(self):
        lines = figures.against_peers([row(ipfs_accelerate=result("f32", 2.0, share=0.9))], self.GOALS)
        self.assertEqual((lines[0]["best_peer"], lines[0]["verdict"]), (None, "not measured"))
        self.assertIn("absent", report.goals_text([row(ipfs_accelerate=result("f32", 2.0))], self.GOALS, {}, False))

    def test_other_goals(self):
        short = row(ipfs_accelerate=result("f32", 2.0), ipfs_accelerate_bf16=result("bf16", 1.0, over_f32=0.5),
                    ipfs_accelerate_one_thread=result("f32", 3.0, over_f32=1.5))
        long = {**short, "tokens": 128, "limits": {"f32": {"gflops": 10}, "bf16": {"gflops": 20}}}
        sentences = row("minilm sentences", ipfs_accelerate_int8=result("int8", 1.0, cosine=0.99))
        lines = figures.other_goals([short, long, sentences], self.GOALS, {"minilm": 50.0})
        self.assertEqual([(line["value"], line["goal"], line["verdict"]) for line in lines],
                         [(2.0, 1.0, "reached"), (1.5, 1.0, "reached"), (2.0, 1.7, "reached"), (1.5, 1.8, "missed"),
                          (0.99, 0.999, "missed"), (50.0, 60, "reached")])
        self.assertEqual(figures.verdict(61, 60, at_most=True), "missed")

    def test_our_graph_in_a_runtime_beside_its_own_exporters(self):
        vectors = dict.fromkeys(("openvino", "ipfs-accelerate-openvino", "onnxruntime"), [[1, 0]])
        rounds = [{"openvino": turn(3), "ipfs-accelerate-openvino": turn(2), "onnxruntime": turn(1)}] * 3
        measured = measure.Measured(rounds, dict.fromkeys(vectors, 0), vectors, {}, 0.0)
        workload = workloads.Workload("minilm", "1x16", pathlib.Path("-"), (16,))
        made = figures.row_of(workload, 2, measured, "median", {})
        lines = figures.other_goals([made], self.GOALS, {})
        self.assertEqual([(line["value"], line["goal"], line["verdict"]) for line in lines], [(1.5, 0.98, "reached")])
        self.assertIn("openvino", lines[0]["what"])


class Contenders(unittest.TestCase):
    def test_patterns(self):
        names = [each.name for each in contenders.selected(["openvino*", "pytorch", "openvino"])]
        self.assertEqual(names, ["openvino", "openvino-bf16", "openvino-int8", "openvino-static-int8", "pytorch"])
        with self.assertRaisesRegex(ValueError, "no contender 'torch'"):
            contenders.selected(["torch"])

    def test_one_that_dies_on_the_way_does_not_take_the_others_with_it(self):
        class Steady:
            def load(self, inputs, split):
                self.split = split

            def run(self, count):
                return turn(*[50.0] * count)

            def vectors(self):
                return [[1.0]]

        class Mortal(Steady):
            runs = 0

            def run(self, count):
                self.runs += 1
                if self.runs > 2:
                    raise contenders.Unavailable("failed: gone")
                return super().run(count)

        with tempfile.TemporaryDirectory() as folder, mock.patch.object(measure, "PAUSE", 0):
            workload = workloads.Workload("minilm", "1x16", pathlib.Path(folder, "inputs"), (16,))
            measured = measure.measure({"ipfs-accelerate": Steady(), "openvino": Mortal()}, workload, 3, 0.1)
        self.assertEqual(measured.gone, {"openvino": "failed: gone"})
        made = figures.row_of(workload, 1, measured, "median", {})
        self.assertEqual(list(made["results"]), ["ipfs-accelerate"])
        self.assertEqual(made["results"]["ipfs-accelerate"]["rounds"], [50.0] * 3)

    def test_each_peer_has_the_size_of_sorted_batches_that_is_best_for_it(self):
        class Choosy:
            def load(self, inputs, split):
                self.split = split

            def run(self, count):
                return turn(*[abs(self.split - 8) + 1.0] * count)

        workload = workloads.Workload("minilm", workloads.SORTED, pathlib.Path("-"), (4, 120))
        self.assertEqual(measure.prepare("openvino", Choosy(), workload), 8)
        self.assertEqual(measure.prepare("ipfs-accelerate", Choosy(), workload), 0)


class WholeRuns(unittest.TestCase):
    """compare.py from outside, with a pretended program and modules that say that they are not there."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.program = self.folder / "ipfs-accelerate"
        self.program.write_text(PRETENDER.format(python=sys.executable, compare=str(COMPARE)))
        self.program.chmod(0o755)
        (self.folder / "minilm").mkdir()
        (self.folder / "minilm/config.json").write_text("{}")
        (self.folder / "minilm/model.safetensors").write_bytes(b"")
        for name in PEERS:
            (self.folder / f"absent/{name}").mkdir(parents=True)
            (self.folder / f"absent/{name}/__init__.py").write_text(
                f"raise ModuleNotFoundError('No module named {name}', name='{name}')\n")

    def started(self, *arguments, program=None, **variables):
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "absent"), "PYTHONDONTWRITEBYTECODE": "1",
                       "COMPARE_CACHE": str(self.folder / "cache"), "ACCELERATE_MINILM": str(self.folder / "minilm"),
                       **variables}
        return subprocess.Popen([sys.executable, "-B", COMPARE / "compare.py", "--program", program or self.program,
                                 "--models", "minilm", "--threads", "1", "--rounds", "2", "--seconds", "0.01",
                                 *map(str, arguments)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)

    def run_to_end(self, *arguments, **others):
        process = self.started(*arguments, **others)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def test_absent_peers_have_rows_and_ours_is_measured(self):
        code, output = self.run_to_end("--shapes", "1x16", "--json", self.folder / "out.json",
                                       "--markdown", self.folder / "out.md")
        self.assertEqual(code, 0, output)
        for names, why in {"pytorch, pytorch-bf16, pytorch-int8, onnxruntime": "torch is not installed",
                           "openvino, openvino-bf16": "openvino is not installed",
                           "ctranslate2, ctranslate2-bf16, ctranslate2-int8": "ctranslate2 is not installed"}.items():
            self.assertRegex(output, f"  {names}.*: absent: {why}\n")
        self.assertIn("ipfs-accelerate-int8: cannot: error: precision int8 is not there", output)
        run = json.loads((self.folder / "out.json").read_text())
        self.assertEqual(list(run["rows"][0]["results"]),
                         ["ipfs-accelerate", "ipfs-accelerate-bf16", "ipfs-accelerate-onnxruntime",
                          "ipfs-accelerate-openvino"])
        self.assertEqual(run["rows"][0]["results"]["ipfs-accelerate"]["median"], 4.0)
        self.assertEqual(run["rows"][0]["results"]["ipfs-accelerate"]["share"], 0.25)
        self.assertIn("| minilm 1x16 | 1 | f32 | 4.00 | 25 % | 80 % | absent |", (self.folder / "out.md").read_text())

    def test_the_real_program_answers_as_is_expected_of_it(self):
        fixture = ROOT / "tests/goldens/models/bert"
        code, output = self.run_to_end("--shapes", "sentences", "--contenders", "ipfs-accelerate,ipfs-accelerate-bf16",
                                       "--json", self.folder / "out.json", program=PROGRAM,
                                       ACCELERATE_MINILM=str(fixture))
        self.assertEqual(code, 0, output)
        row = json.loads((self.folder / "out.json").read_text())["rows"][0]
        self.assertGreater(row["tokens"], 32 * 4)
        for name in ("ipfs-accelerate", "ipfs-accelerate-bf16"):
            self.assertGreater(row["results"][name]["milliseconds"], 0)
            self.assertGreater(row["results"][name]["share"], 0)
            self.assertGreater(row["results"][name]["worst_cosine"], 0.99)
        self.assertIn("cosines are to ipfs-accelerate, because pytorch is not here", output)

    def test_a_program_that_is_not_built(self):
        code, output = self.run_to_end("--shapes", "1x16", "--contenders", "ipfs-accelerate",
                                       program=self.folder / "none")
        self.assertEqual(code, 3, output)
        self.assertIn("ipfs-accelerate: absent: none is not built", output)

    def test_what_is_complete_survives_ctrl_c(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        process = self.started("--shapes", "1x16,8x16", "--contenders", "ipfs-accelerate", "--json",
                               self.folder / "out.json", PRETENDED_STOP="8x16", PRETENDED_PIPE=str(pipe))
        descriptor = os.open(pipe, os.O_RDWR)
        self.addCleanup(os.close, descriptor)
        self.addCleanup(process.kill)
        self.assertTrue(select.select([descriptor], [], [], 120)[0], "the second workload was never reached")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, output)
        self.assertIn("minilm 1x16, 1 thread", output)
        self.assertIn("stopped: what is above was complete by then", output)
        self.assertEqual(len(json.loads((self.folder / "out.json").read_text())["rows"]), 1)

    def test_wrong_options(self):
        for wrong in (["--shapes", "8y16"], ["--shapes", "0x16"], ["--threads", "0"], ["--rounds", "0"],
                      ["--contenders", "nobody"], ["--models", "gpt"], ["--threads", "100000"]):
            code, output = self.run_to_end(*wrong)
            self.assertEqual(code, 2, output)
            self.assertIn("error: argument " + wrong[0], output)


if __name__ == "__main__":
    unittest.main()
