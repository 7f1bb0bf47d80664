"""One peer that generates, in one process: loads a folder, then answers lines of stdin with one line of JSON each.

    python generation_peers.py PEER FOLDER THREADS [GGUF]

    generate PAST NEW   greedy, exactly NEW tokens after PAST random ones, or (encoder-decoders) from so many
                        -> {"milliseconds": [to the first token, to each further one], "ids": [...]}

Conversions, and a folder widened from GGUF, are made at the first start and kept.
"""

import contextlib
import importlib.metadata
import json
import random
import shutil
import sys
import time
from pathlib import Path

from decoders import has_encoder
from models import converted


def prompt_of(length: int) -> list[int]:
    """Ordinary tokens: the low ids hold special ones in most vocabularies."""
    source = random.Random(length)
    return [source.randrange(1000, 28000) for _ in range(length)]


class Clock:
    """What a library calls for each token; notes when."""

    def __init__(self):
        self.begin, self.times = time.perf_counter(), []

    def tick(self) -> None:
        self.times.append((time.perf_counter() - self.begin) * 1e3)

    def steps(self) -> list[float]:
        return [self.times[0]] + [after - before for before, after in zip(self.times, self.times[1:])]


class Streamer(Clock):
    """A streamer of Transformers' generate(), which is given the prompt first."""

    def __init__(self):
        super().__init__()
        self.prompt_seen = False

    def put(self, _) -> None:
        if self.prompt_seen:
            self.tick()
        self.prompt_seen = True

    def end(self) -> None:
        pass


class Transformers:
    """Whatever has generate() of Transformers: its own models, and those of optimum."""

    def generate(self, prompt: list[int], new: int) -> dict:
        import torch

        ids, clock = torch.tensor([prompt]), Streamer()
        with torch.inference_mode():
            out = self.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1,
                                      min_new_tokens=new, max_new_tokens=new, pad_token_id=0, streamer=clock)
        return {"milliseconds": clock.steps(), "ids": out[0, -new:].tolist()}


class PyTorch(Transformers):
    library, precision = "torch", "f32"

    def __init__(self, folder: Path, threads: int):
        import torch
        import transformers

        torch.set_num_threads(threads)
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        kind = transformers.AutoModelForSeq2SeqLM if has_encoder(folder) else transformers.AutoModelForCausalLM
        self.model = kind.from_pretrained(folder, dtype=dtype).eval()


class PyTorchBf16(PyTorch):
    precision = "bf16"


def kept(folder: Path, kind: str, make) -> Path:
    """A conversion that is made once."""
    target = converted(folder, kind)
    if not target.exists():
        partial = target.with_name(f"{kind}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial)
        partial.rename(target)
    return target


class OnnxRuntime(Transformers):
    library = "optimum.onnxruntime"

    def __init__(self, folder: Path, threads: int):
        import onnxruntime
        from optimum.onnxruntime import ORTModelForCausalLM, ORTModelForSeq2SeqLM

        kind = ORTModelForSeq2SeqLM if has_encoder(folder) else ORTModelForCausalLM
        model = kept(folder, "optimum-onnx", lambda target: kind.from_pretrained(
            folder, export=True, dtype="float32").save_pretrained(target))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.model = kind.from_pretrained(model, session_options=options)


class OpenVino(Transformers):
    library = "optimum.intel"

    def __init__(self, folder: Path, threads: int):
        from optimum.intel import OVModelForCausalLM, OVModelForSeq2SeqLM

        kind = OVModelForSeq2SeqLM if has_encoder(folder) else OVModelForCausalLM
        model = kept(folder, "optimum-openvino", lambda target: kind.from_pretrained(
            folder, export=True, compile=False, load_in_8bit=False).save_pretrained(target))
        self.model = kind.from_pretrained(model, ov_config={
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32",
            "EXECUTION_MODE_HINT": "ACCURACY"})


class CTranslate2:
    library = "ctranslate2"

    def __init__(self, folder: Path, threads: int):
        import ctranslate2
        from ctranslate2.converters import TransformersConverter

        model = kept(folder, "ctranslate2", lambda target: TransformersConverter(str(folder)).convert(
            str(target), force=True))
        self.translates = has_encoder(folder)
        kind = ctranslate2.Translator if self.translates else ctranslate2.Generator
        self.model = kind(str(model), device="cpu", compute_type="float32", inter_threads=1, intra_threads=threads)
        self.names = json.loads(next(model.glob("*vocabulary.json")).read_text())
        self.ids = {name: number for number, name in enumerate(self.names)}

    def generate(self, prompt: list[int], new: int) -> dict:
        words, clock = [self.names[i] for i in prompt], Clock()
        common = {"beam_size": 1, "sampling_topk": 1, "callback": lambda _: clock.tick()}
        if self.translates:
            made = self.model.translate_batch([words], min_decoding_length=new, max_decoding_length=new, **common)
            ids = [self.ids[word] for word in made[0].hypotheses[0]]
        else:
            made = self.model.generate_batch([words], min_length=new, max_length=new, include_prompt_in_result=False,
                                             **common)
            ids = made[0].sequences_ids[0]
        return {"milliseconds": clock.steps(), "ids": ids}


class LlamaCpp:
    library = "llama_cpp"

    def __init__(self, file: Path, threads: int):
        import llama_cpp

        self.model = llama_cpp.Llama(str(file), n_ctx=1024, n_threads=threads, n_threads_batch=threads, verbose=False)

    def generate(self, prompt: list[int], new: int) -> dict:
        self.model.reset()  # else the common beginning would be known
        clock, ids = Clock(), []
        for token in self.model.generate(prompt, temp=0.0, repeat_penalty=1.0):
            clock.tick()
            ids.append(token)
            if len(ids) == new:
                break
        return {"milliseconds": clock.steps(), "ids": ids}


PEERS = {"pytorch": PyTorch, "onnxruntime": OnnxRuntime, "openvino": OpenVino, "ctranslate2": CTranslate2,
         "pytorch-bf16": PyTorchBf16, "llama.cpp": LlamaCpp}


def widen(file: Path, folder: Path) -> None:
    """A GGUF file as a folder of f32, as Transformers reads it."""
    if (folder / "model.safetensors").exists():
        return
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = type(loaded.config)(**{name: value for name, value in loaded.config.to_dict().items()
                                    if name not in ("quantization_config", "model_type")})
    # A model read from GGUF counts as quantised and refuses to be saved: move the values over.
    model = type(loaded)(config)
    model.load_state_dict(loaded.state_dict())
    partial = folder.with_name(folder.name + ".partial")
    model.save_pretrained(partial)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def first_answer(name: str, folder: Path, threads: int, gguf: Path | None) -> tuple[object, dict]:
    kind = PEERS[name]
    try:
        if gguf and kind is not LlamaCpp:
            widen(gguf, folder)
        peer = kind(gguf if kind is LlamaCpp else folder, threads)
        package = {"optimum.onnxruntime": "onnxruntime", "optimum.intel": "openvino",
                   "llama_cpp": "llama_cpp_python"}.get(kind.library, kind.library)
        return peer, {"ready": True, "version": f"{package} {importlib.metadata.version(package)}"}
    except ImportError as error:
        return None, {"absent": f"{error.name or error} is not installed"}
    except Exception as error:  # the table says what went wrong with this peer and goes on with the others
        return None, {"failed": f"{type(error).__name__}: {error}"}


def answer(peer, line: str) -> dict:
    verb, past, new = line.split()
    if verb != "generate":
        raise ValueError(f"no verb {verb!r}")
    made = peer.generate(prompt_of(int(past)), int(new))
    if len(made["milliseconds"]) != int(new):
        raise RuntimeError(f"{len(made['milliseconds'])} tokens instead of {new}")
    return made


def main() -> None:
    name, folder, threads, *gguf = sys.argv[1:]
    replies = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints stays out of the protocol
        peer, first = first_answer(name, Path(folder).resolve(), int(threads), Path(gguf[0]).resolve() if gguf else None)
        print(json.dumps(first), file=replies, flush=True)
        for line in sys.stdin if peer else ():
            try:
                reply = answer(peer, line)
            except Exception as error:
                reply = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
