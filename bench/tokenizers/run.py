#!/usr/bin/env python3
"""Our tokenizer beside the `tokenizers` library, both on one thread, on 10 MB of English and of mixed Unicode text.

usage: run.py BENCH_TOKENIZERS MINILM_FOLDER [ENGLISH_TEXT]

Prints one line a tokenizer and text: MB/s of the library (encode_batch of lines), ours in full (ids, tokens, offsets)
and ours for ids alone, with ratios. ids are compared by count and sum. Without ENGLISH_TEXT, English is made of the
licences and documentation under /usr/share. The byte-level and Unigram tokenizers are trained on the texts.
"""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers  # noqa: E402

SIZE = 10_000_000


def english(path):
    if path:
        text = open(path, encoding="utf-8", errors="replace").read()
    else:
        files = sorted(glob.glob("/usr/share/common-licenses/*") + glob.glob("/usr/share/perl/5*/pod/*.pod")
                       + glob.glob("/usr/share/doc/*/*.txt") + glob.glob("/usr/share/perl/5*/**/*.p[lm]", recursive=True))
        text = "".join(open(f, encoding="ascii", errors="ignore").read() for f in files)
    return (text * (SIZE // len(text) + 1))[:SIZE]


def mixed():
    """Words of nine scripts, frequent ones often, with marks, emoji and digits; seeded."""
    rng = random.Random(7)
    scripts = [(0x61, 0x7A, 8), (0x61, 0x7A, 6), (0xE0, 0xFF, 6), (0x3B1, 0x3C9, 6), (0x430, 0x44F, 7), (0x5D0, 0x5EA, 5),
               (0x627, 0x64A, 5), (0x4E00, 0x5200, 3), (0x3041, 0x3096, 4), (0xAC00, 0xAE00, 3), (0x905, 0x939, 4)]
    words = []
    for _ in range(20000):
        low, high, length = rng.choice(scripts)
        words.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, length * 2 - 1))))
    extra = ["e\u0301", "\U0001f600", "\U0001f468\u200d\U0001f469", "2024", "3.14", "!", ",", "\u3002", "\ufb01n", "\u00a0"]
    out, size = [], 0
    while size < SIZE:
        line = []
        for _ in range(rng.randint(5, 30)):
            line.append(rng.choice(extra) if rng.random() < 0.08 else words[int(rng.random() ** 3 * len(words))])
        out.append(" ".join(line))
        size += len(out[-1].encode()) + 1
    return "\n".join(out) + "\n"


def trained(kind, lines, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "tokenizer.json")
    if os.path.exists(path):
        return
    if kind == "bpe":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=30000, show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    else:
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=20000, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    made.train_from_iterator(lines, trainer)
    made.save(path)


def ours(program, folder, text, mode):
    return json.loads(subprocess.run([program, folder, text, mode], check=True, capture_output=True, text=True).stdout)


def main():
    program, minilm = sys.argv[1], sys.argv[2]
    texts = {"English": english(sys.argv[3] if len(sys.argv) > 3 else None), "mixed": mixed()}
    work = os.environ.get("BENCH_TOKENIZERS_WORK") or tempfile.mkdtemp()
    sample = [line for text in texts.values() for line in text.split("\n")[:20000]]
    folders = {"WordPiece (MiniLM)": minilm}
    for kind, name in (("bpe", "byte-level BPE"), ("unigram", "Unigram")):
        folders[name] = os.path.join(work, kind)
        trained(kind, sample, folders[name])
    print("tokenizer           text     library   full (ratio)      ids only (ratio)   open ms")
    for name, folder in folders.items():
        library = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        library.no_truncation()
        library.no_padding()
        for kind, text in texts.items():
            path = os.path.join(work, kind + ".txt")
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            lines = text.split("\n")
            if lines[-1] == "":
                lines.pop()
            megabytes = len(text.encode()) / 1e6
            start = time.perf_counter()
            encodings = [e for i in range(0, len(lines), 1000) for e in library.encode_batch(lines[i:i + 1000])]
            seconds = time.perf_counter() - start
            ids = [i for e in encodings for i in e.ids]
            full, fast = ours(program, folder, path, "full"), ours(program, folder, path, "ids")
            for result in (full, fast):
                assert (result["tokens"], result["checksum"]) == (len(ids), sum(ids)), (result, len(ids), sum(ids))
            print(f"{name:19} {kind:8} {megabytes / seconds:5.1f} MB/s {megabytes / full['encode']:6.1f} ({seconds / full['encode']:5.1f}x)"
                  f"  {megabytes / fast['encode']:8.1f} ({seconds / fast['encode']:5.1f}x)   {fast['open'] * 1e3:8.1f}", flush=True)


if __name__ == "__main__":
    main()
