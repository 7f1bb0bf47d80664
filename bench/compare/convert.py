"""Makes one conversion of a checkpoint folder for a peer, once; kept under build/ and never timed.

    python convert.py KIND FOLDER      prints {"ready": ...}, or {"absent": why} or {"failed": why}
"""

import contextlib
import json
import shutil
import sys
import warnings
from pathlib import Path

from models import ROOT, converted

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def embedder(folder: Path, attention: str):
    """Transformers' model with mean pooling behind it, as a module of three tensors."""
    import torch
    import transformers

    class Embedder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32,
                                                                attn_implementation=attention)

        def forward(self, input_ids, attention_mask, token_type_ids):
            hidden = self.model(input_ids=input_ids, attention_mask=attention_mask,
                                token_type_ids=token_type_ids).last_hidden_state
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            return (hidden * weights).sum(1) / weights.sum(1)

    return Embedder().eval()


def example() -> dict:
    import torch

    return {name: torch.ones(2, 24, dtype=torch.int64) for name in INPUTS}


def onnx(folder: Path, target: Path) -> None:
    import torch

    # Plain attention: its graph is the one that the runtime and its optimizer know best (measured up to 1.6 x faster).
    with torch.no_grad():
        torch.onnx.export(embedder(folder, "eager"), tuple(example().values()), str(target / "model.onnx"),
                          input_names=list(INPUTS), dynamo=False, opset_version=17,
                          dynamic_axes={name: {0: "batch", 1: "tokens"} for name in INPUTS})


def onnx_fused(folder: Path, target: Path) -> None:
    from onnxruntime.transformers import optimizer

    config = json.loads((folder / "config.json").read_text())
    model = optimizer.optimize_model(str(converted(folder, "onnx") / "model.onnx"), model_type="bert",
                                     num_heads=config["num_attention_heads"], hidden_size=config["hidden_size"],
                                     opt_level=1)
    fused = model.get_fused_operator_statistics()
    if not fused.get("Attention", 0) + fused.get("MultiHeadAttention", 0):
        raise RuntimeError("its optimizer found no attention to fuse")
    model.save_model_to_file(str(target / "model.onnx"))


def _onnx_int8(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source / "model.onnx", target / "model.onnx", weight_type=QuantType.QInt8, per_channel=True,
                     extra_options={"DefaultTensorType": 1})


def onnx_int8(folder: Path, target: Path) -> None:
    _onnx_int8(converted(folder, "onnx"), target)


def onnx_fused_int8(folder: Path, target: Path) -> None:
    _onnx_int8(converted(folder, "onnx-fused"), target)


def openvino(folder: Path, target: Path) -> None:
    import openvino as library
    import torch

    shapes = [(name, library.PartialShape([-1, -1]), library.Type.i64) for name in INPUTS]
    with torch.no_grad():
        model = library.convert_model(embedder(folder, "sdpa"), example_input=example(), input=shapes)
    library.save_model(model, target / "model.xml", compress_to_fp16=False)


def _openvino_model(folder: Path):
    import openvino as library

    return library.Core().read_model(converted(folder, "openvino") / "model.xml")


def openvino_int8(folder: Path, target: Path) -> None:
    import nncf
    import openvino as library

    library.save_model(nncf.compress_weights(_openvino_model(folder)), target / "model.xml", compress_to_fp16=False)


def openvino_static_int8(folder: Path, target: Path) -> None:
    import nncf
    import openvino as library

    dataset = nncf.Dataset(calibration(folder))
    model = nncf.quantize(_openvino_model(folder), dataset, model_type=nncf.ModelType.TRANSFORMER,
                          subset_size=len(calibration(folder)))
    library.save_model(model, target / "model.xml", compress_to_fp16=False)


def calibration(folder: Path) -> list[dict]:
    """English to calibrate on that is not what is measured: the paragraphs of this project's documentation."""
    import numpy
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)
    paragraphs = [text for page in sorted((ROOT / "docs").glob("*.md")) for text in page.read_text().split("\n\n")
                  if text[0].isalpha()]
    batches = []
    for text in paragraphs[:100]:
        ids = numpy.array([tokenizer.encode(text).ids], dtype=numpy.int64)
        batches.append({"input_ids": ids, "attention_mask": numpy.ones_like(ids),
                        "token_type_ids": numpy.zeros_like(ids)})
    return batches


def ctranslate2(folder: Path, target: Path) -> None:
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(folder)).convert(str(target), force=True)


KINDS = {"onnx": onnx, "onnx-fused": onnx_fused, "onnx-int8": onnx_int8, "onnx-fused-int8": onnx_fused_int8,
         "openvino": openvino, "openvino-int8": openvino_int8, "openvino-static-int8": openvino_static_int8,
         "ctranslate2": ctranslate2}


def made(kind: str, folder: Path) -> dict:
    target = converted(folder, kind)
    if target.exists():
        return {"ready": str(target)}
    partial = target.with_name(f"{kind}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        KINDS[kind](folder, partial)
    except ImportError as error:
        return {"absent": f"{error.name or error} is not installed"}
    except Exception as error:  # the table says what went wrong with this peer and goes on with the others
        return {"failed": f"conversion {kind}: {type(error).__name__}: {error}"}
    partial.rename(target)
    return {"ready": str(target)}


def main() -> None:
    kind, folder = sys.argv[1:]
    warnings.filterwarnings("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        answer = made(kind, Path(folder).resolve())
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
