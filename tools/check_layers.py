#!/usr/bin/env python3
"""Is the tree built as docs/architecture.md draws it?

  tools/check_layers.py [ROOT]

Checks, and prints a line "file:line: what is wrong" for each finding (exit code 1):
  - a layer includes only layers above it in LAYERS, never a peer of its own row, never one below;
  - a backend includes no other backend;
  - public headers include only public headers and the standard library;
  - a model's name (a quoted model_type) stands under src/models only;
  - the top level holds nothing but what TOP_LEVEL names.
"""
import pathlib
import re
import subprocess
import sys

# Top to bottom; the layers of one row do not include one another.
LAYERS = [
    ["core"],
    ["checkpoint"],
    ["text", "image", "audio"],
    ["decoding"],
    ["graph"],
    ["models", "lowering"],
    ["backends"],
    ["hardware"],
    ["records"],
    ["runtime"],
    ["pool"],
    ["store"],
    ["verify", "bench", "report"],
    ["generate", "compress", "web", "serve", "cluster"],
    ["cli"],
]
ROW = {layer: row for row, layers in enumerate(LAYERS) for layer in layers}

TOP_LEVEL = {
    "README.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "Makefile",
    ".ci", ".clang-format", ".clang-tidy", ".gitignore", ".gitattributes",
    "bench", "cmake", "completions", "docs", "examples", "include", "src", "tests", "tools",
}

# The model_type values that a quoted string elsewhere would most likely mean.
MODEL_TYPES = {
    "albert", "bart", "bert", "camembert", "clap", "clip", "convnext", "deberta-v2", "deit", "detr", "distilbert",
    "electra", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "llava", "llava_next", "mistral", "mixtral",
    "modernbert", "mpnet", "nomic_bert", "opt", "phi3", "qwen2", "qwen3", "resnet", "roberta", "t5", "vit", "wav2vec2",
    "whisper", "xclip", "xlm-roberta",
}
# Places where such a word is part of a file format instead: (path, word).
NOT_MODELS = {
    ("src/text/gguf_tokenizer.cpp", "gpt2"),  # tokenizer.ggml.model and tokenizer.ggml.pre
    ("src/text/gguf_tokenizer.cpp", "llama"),
    ("src/text/gguf_tokenizer.cpp", "qwen2"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
SOURCES = {".cpp", ".hpp", ".c", ".h", ".inc", ".cu", ".cuh"}


def layer_findings(path, line, included):
    """`path` is relative to src/; `included` as the directive spells it."""
    parts = pathlib.PurePosixPath(path).parts
    layer, target = parts[0], pathlib.PurePosixPath(included).parts
    if target[0] not in ROW:
        if target[0] != "accelerate":
            yield f"src/{path}:{line}: includes \"{included}\", expected a path from src/ or include/"
        return
    if target[0] == layer:
        backends = layer == "backends" and len(parts) > 2 and len(target) > 2
        if backends and parts[1] != target[1]:
            yield f"src/{path}:{line}: backend {parts[1]} includes {target[1]}, another backend"
        return
    if ROW[target[0]] == ROW[layer]:
        yield f"src/{path}:{line}: {layer} includes {target[0]}, its peer"
    elif ROW[target[0]] > ROW[layer]:
        yield f"src/{path}:{line}: {layer} includes {target[0]}, a layer below it"


def source_findings(root):
    source = root / "src"
    for file in sorted(source.rglob("*")):
        if file.suffix not in SOURCES:
            continue
        path = file.relative_to(source).as_posix()
        layer = path.split("/")[0]
        if layer not in ROW:
            yield f"src/{path}:1: {layer} is no layer; the layers are {', '.join(ROW)}"
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if include:
                if include[1] == '"':
                    yield from layer_findings(path, number, include[2])
                continue
            if layer == "models" or line.lstrip().startswith("//"):
                continue
            for word in QUOTED.findall(line.split(" // ")[0]):
                if word in MODEL_TYPES and (f"src/{path}", word) not in NOT_MODELS:
                    yield f"src/{path}:{number}: names the model \"{word}\"; only src/models may"


def public_findings(root):
    public = root / "include" / "accelerate"
    for file in sorted(public.rglob("*")):
        if file.suffix not in SOURCES:
            continue
        path = file.relative_to(root).as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            quoted, name = include[1] == '"', include[2]
            if quoted and not (name.startswith("accelerate/") and (root / "include" / name).is_file()):
                yield f"{path}:{number}: includes \"{name}\", which is not a public header"
            if not quoted and "/" in name:
                yield f"{path}:{number}: includes <{name}>: users would need another library's headers"


def top_level_findings(root):
    """Names at the top that git knows or would take in; without git, all of them."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, text=True)
    known = listing.returncode == 0 and (root / ".git").exists()
    names = {line.split("/")[0] for line in listing.stdout.splitlines()} if known else {
        entry.name for entry in root.iterdir()}
    for name in sorted(names - TOP_LEVEL):
        yield f"{name}:1: lies at the top level, where only {', '.join(sorted(TOP_LEVEL))} belong"


def findings(root):
    yield from source_findings(root)
    yield from public_findings(root)
    yield from top_level_findings(root)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    found = list(findings(root))
    for finding in found:
        print(finding)
    print(f"layers: {len(found)} findings" if found else "layers: as drawn")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
