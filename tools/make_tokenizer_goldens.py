#!/usr/bin/env python3
"""Writes tests/goldens/tokenizers/components/*.json: small tokenizers that show one component or flag each, with what
the `tokenizers` library (0.23.3) makes of difficult strings.

usage: make_tokenizer_goldens.py FOLDER

A normalizer is shown by a tokenizer that splits into single characters, a pre-tokenizer by one whose only token is the
unknown one (Unigram then spells each word as it stands).
"""
import base64
import json
import os
import struct
import sys

from tokenizers import Tokenizer

TEXTS = [
    "", " ", "   ", "a", "Hello, World!", "  two  spaces ", "tab\tnew\nline\r\n", "don't CAN'T I'll we've",
    "caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m A\u030a", "q\u0307\u0323 q\u0323\u0307 \u1e69", "\u0130stanbul I\u0307 \u01c5",
    "\ufb01ne \u2460 \u33a1 \u00bd \uff21\uff42", "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\u3053\u3093 \u30ab\u30ca\u30fc \u6f22\u5b57abc",
    "\uc548\ub155 \u1112\u1161\u11ab", "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05b8\u05dc\u05d5\u05b9\u05dd", "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea", "a\u0000b\u0001c\u007fd\u0085e\ufffdf", "x\u2028y\u2029z\u00a0w\u3000v",
    "a\u200bb\u200dc\ufeffd", "1,234.56 \u0664\u0665 \u2167 x1y22z333", "((nested)) -- [x]--y!!", "snake_case kebab-case",
    "the-final--countdown", "\u2581under \u2581\u2581", "<s> [MASK] </s>", "a[MASK]b [MASK]", "Foo foo FOO foobar", "  [TRIM]  x[TRIM]y",
    "w" * 40, "\u0421\u043b\u043e\u0432\u043e \u0391\u03a3 \u0391\u03a3\u0391", "e\u0301\u0301\u0302 \u0344", "\u00df \u1e9e \u017f", "\r", "'", "end ",
]
PAIRS = [("one two three four", "five six"), ("a", "b c d e f g h"), ("", "x"), ("[MASK] a", "b [MASK]")]


def unigram(vocab=(), **more):
    return {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], *vocab], "byte_fallback": False, **more}


def added(token_id, content, **flags):
    return {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True, **flags}


def tokenizer(model, **parts):
    base = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None}
    return {**base, **parts, "model": model}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def charsmap(pairs):
    """A SentencePiece map: Darts' double array over the sources, offsets into the targets."""
    blob, keys = b"", {}
    for source, target in pairs:
        keys[source.encode()] = len(blob)
        blob += target.encode() + b"\0"
    tree = {}
    for key, value in keys.items():
        node = tree
        for byte in key:
            node = node.setdefault(byte, {})
        node[0] = value
    units, used = {0: 0}, {0}

    def place(node, at):
        base = 1
        while any(((base ^ byte) in used) or (base ^ byte) == 0 for byte in node) or base in used:
            base += 1
        used.add(base)
        offset = base ^ at
        units[at] = units.get(at, 0) | (offset << 10) | ((1 << 8) if 0 in node else 0)
        children = [(byte, base ^ byte) for byte in sorted(node)]
        for byte, child in children:
            used.add(child)
            units[child] = byte
        for byte, child in children:
            if byte == 0:
                units[child] = node[0] | (1 << 31)
            else:
                place(node[byte], child)

    place(tree, 0)
    size = (max(units) | 0xFF) + 1
    trie = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + blob).decode()


def normalizers():
    every = split("[\\s\\S]")
    yield from ((f"normalizer_{name}", tokenizer(unigram(), normalizer=value, pre_tokenizer=every)) for name, value in {
        "nfc": {"type": "NFC"}, "nfd": {"type": "NFD"}, "nfkc": {"type": "NFKC"}, "nfkd": {"type": "NFKD"},
        "lowercase": {"type": "Lowercase"}, "nmt": {"type": "Nmt"}, "strip_accents": {"type": "StripAccents"},
        "strip_both": {"type": "Strip", "strip_left": True, "strip_right": True},
        "strip_left": {"type": "Strip", "strip_left": True, "strip_right": False},
        "strip_right": {"type": "Strip", "strip_left": False, "strip_right": True},
        "prepend": {"type": "Prepend", "prepend": "\u2581_"}, "byte_level": {"type": "ByteLevel"},
        "replace_string": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "replace_regex": {"type": "Replace", "pattern": {"Regex": "[aeo]{1,2}|\\s+"}, "content": "<>"},
        "replace_nothing": {"type": "Replace", "pattern": {"Regex": "[^a-z]"}, "content": ""},
        "precompiled": {"type": "Precompiled", "precompiled_charsmap": charsmap(
            [("\t", " "), ("\n", " "), ("\ufb01", "fi"), ("\u00bd", "1/2"), ("a\u0301", "\u00e1"), ("e", "E"), ("\u200b", ""),
             ("\r", ""), ("\u3000", " "), ("\u1112\u1161\u11ab", "\ud55c")])},
        "sequence": {"type": "Sequence", "normalizers": [
            {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "NFD"}, {"type": "StripAccents"},
            {"type": "Lowercase"}, {"type": "Replace", "pattern": {"String": "o"}, "content": "00"}, {"type": "NFKC"}]},
    }.items())
    for clean in (True, False):
        for chinese in (True, False):
            for accents, lower in ((None, True), (None, False), (True, False), (False, True)):
                flags = dict(clean_text=clean, handle_chinese_chars=chinese, strip_accents=accents, lowercase=lower)
                name = "normalizer_bert_" + "".join("n" if v is None else str(int(v)) for v in flags.values())
                yield name, tokenizer(unigram(), normalizer={"type": "BertNormalizer", **flags}, pre_tokenizer=every)


def pre_tokenizers():
    parts = {
        "bert": {"type": "BertPreTokenizer"}, "whitespace": {"type": "Whitespace"},
        "whitespace_split": {"type": "WhitespaceSplit"}, "unicode_scripts": {"type": "UnicodeScripts"},
        "delimiter": {"type": "CharDelimiterSplit", "delimiter": "-"},
        "digits": {"type": "Digits", "individual_digits": False},
        "digits_each": {"type": "Digits", "individual_digits": True},
        "fixed_length": {"type": "FixedLength", "length": 3}, "fixed_length_default": {"type": "FixedLength"},
        "byte_level": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "byte_level_plain": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
        "metaspace_old": {"type": "Metaspace", "replacement": "_", "add_prefix_space": True, "str_rep": "_"},
        "sequence": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"},
            {"type": "Punctuation"}, {"type": "Digits", "individual_digits": True}]},
        "byte_level_then_split": {"type": "Sequence", "pretokenizers": [
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}, split("\u0120")]},
    }
    for scheme in ("always", "first", "never"):
        for cut in (True, False):
            parts[f"metaspace_{scheme}_{int(cut)}"] = {"type": "Metaspace", "replacement": "\u2581",
                                                       "prepend_scheme": scheme, "split": cut}
    behaviors = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
    for behavior in behaviors:
        parts["punctuation_" + behavior] = {"type": "Punctuation", "behavior": behavior}
        for invert in (True, False):
            parts[f"split_{behavior}_{int(invert)}"] = split("[-\\s]", behavior, invert)
        parts["split_string_" + behavior] = split("-", behavior, kind="String")
    patterns = {
        "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        "cl100k": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                  r"|\s*[\r\n]+|\s+(?!\S)|\s+",
        "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll"
                 r"|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m"
                 r"|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "intersection": r"[\p{Han}]+|[\p{L}\p{M}&&[^\p{Han}]]+|\p{N}", "nested": r"[a-c[x-z]]+", "hex": r"\h+",
        "lines": r"^.|.$", "dot_all": r"(?m:y.z)|(?m)\n.", "lookbehind": r"(?<=[a-z])(?=[A-Z])", "empty": r"x*", "property": r"\p{Alpha}+|[\p{Punct}]",
    }
    for name, pattern in patterns.items():
        parts["pattern_" + name] = split(pattern)
    yield from ((f"pre_tokenizer_{name}", tokenizer(unigram(), pre_tokenizer=value)) for name, value in parts.items())


def bpe(vocab, merges, **more):
    base = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    return {**base, **more, "vocab": {token: i for i, token in enumerate(vocab)}, "merges": merges}


def models():
    words = {"type": "Whitespace"}
    letters = ["<unk>", *"abcdefghijklmnopqrstuvwxyz", "he", "ll", "hell", "hello", "wo", "rl", "an", "and"]
    merges = [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], ["w", "o"], ["r", "l"], ["a", "n"], ["an", "d"]]
    yield "bpe_no_unknown", tokenizer(bpe(letters, merges), pre_tokenizer=words)
    yield "bpe_unknown", tokenizer(bpe(letters, merges, unk_token="<unk>"), pre_tokenizer=words)
    yield "bpe_fused_unknown", tokenizer(bpe(letters, merges, unk_token="<unk>", fuse_unk=True))
    yield "bpe_merges_as_text", tokenizer(bpe(letters, [" ".join(m) for m in merges], unk_token="<unk>"))
    yield "bpe_ignore_merges", tokenizer(bpe(letters + ["world"], merges, ignore_merges=True), pre_tokenizer=words)
    yield "bpe_byte_fallback", tokenizer(
        bpe(letters + [f"<0x{b:02X}>" for b in range(256)], merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        decoder={"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]})
    suffixed = letters + [c + "</w>" for c in "abcdefghijklmnopqrstuvwxyz"] + ["lo</w>", "ello</w>"]
    yield "bpe_suffix", tokenizer(bpe(suffixed, [["l", "o</w>"], ["h", "e"]], unk_token="<unk>", end_of_word_suffix="</w>"),
                                  pre_tokenizer=words, decoder={"type": "BPEDecoder", "suffix": "</w>"})
    prefixed = letters + ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"] + ["##lo", "hel"]
    yield "bpe_prefix", tokenizer(
        bpe(prefixed, [["##l", "##o"], ["h", "##e"]], unk_token="<unk>", continuing_subword_prefix="##"), pre_tokenizer=words)
    marked = ["<unk>", "\u2581", *"abcdefghijklmnopqrstuvwxyz", "\u2581\u2581", "\u2581t", "\u2581tw", "o\u2581", "\u2581\u2581t"]
    yield "bpe_marks", tokenizer(
        bpe(marked, [["\u2581", "\u2581"], ["\u2581", "t"], ["\u2581t", "w"], ["o", "\u2581"], ["\u2581\u2581", "t"]],
            unk_token="<unk>", fuse_unk=True),
        normalizer={"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"})
    pieces = [["he", -2.0], ["l", -3.0], ["ll", -3.5], ["o", -3.0], ["lo", -4.0], ["hell", -6.0], ["\u2581", -1.0],
              ["\u2581t", -2.0], ["w", -3.0], ["wo", -3.2], ["a", -2.5], ["b", -2.5], ["ab", -9.0], ["\u00e9", -5.0]]
    marks = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    yield "unigram", tokenizer(unigram(pieces), pre_tokenizer=marks, decoder=marks)
    yield "unigram_byte_fallback", tokenizer(
        unigram(pieces + [[f"<0x{b:02X}>", -20.0] for b in range(256)], byte_fallback=True), pre_tokenizer=marks)
    vocab = {t: i for i, t in enumerate(["[UNK]", "[PAD]", "hello", "world", "##s", "##or", "w", "##ld", "a", "##b",
                                         "caf", "##\u00e9", "the", "!", ",", "##w", "foo", "##bar", "x", "1", "##2"])}
    piece = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
             "max_input_chars_per_word": 20, "vocab": vocab}
    lower = {"type": "Lowercase"}
    bert = {"type": "BertPreTokenizer"}
    for cleanup in (True, False):
        yield f"wordpiece_cleanup_{int(cleanup)}", tokenizer(
            piece, normalizer=lower, pre_tokenizer=bert, decoder={"type": "WordPiece", "prefix": "##", "cleanup": cleanup})
    yield "wordpiece_no_type", tokenizer({k: v for k, v in piece.items() if k != "type"}, pre_tokenizer=bert)
    level = {"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab}
    yield "wordlevel", tokenizer(level, normalizer=lower, pre_tokenizer=words)
    yield "wordlevel_no_type", tokenizer({k: v for k, v in level.items() if k != "type"}, pre_tokenizer=words)


def added_tokens():
    model = unigram([["[MASK]", -50.0]])
    marks = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}
    for name, flags in {
        "plain": {}, "single_word": {"single_word": True}, "lstrip": {"lstrip": True}, "rstrip": {"rstrip": True},
        "both_strips": {"lstrip": True, "rstrip": True}, "normalized": {"normalized": True, "special": False},
        "normalized_single": {"normalized": True, "single_word": True, "special": False},
    }.items():
        tokens = [added(2, "[MASK]", **flags), added(3, "foo", **flags), added(4, "foob", **flags),
                  added(9, "[TRIM]", **flags), added(5, "</s>"), added(6, "--", **flags)]
        yield f"added_{name}", tokenizer(model, added_tokens=tokens, normalizer={"type": "Lowercase"},
                                         pre_tokenizer={"type": "WhitespaceSplit"})
        yield f"added_{name}_marks", tokenizer(model, added_tokens=tokens, pre_tokenizer=marks, decoder=marks)


def special(name, type_id=0):
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def sequence(name, type_id=0):
    return {"Sequence": {"id": name, "type_id": type_id}}


def around():
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "one", "two", "three", "four", "five", "six", *"abcdefgh"]
    level = {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {t: i for i, t in enumerate(tokens)}}
    words = {"type": "WhitespaceSplit"}
    template = {"type": "TemplateProcessing", "single": [special("[CLS]"), sequence("A"), special("[SEP]")],
                "pair": [special("[CLS]"), sequence("A"), special("[SEP]"), sequence("B", 1), special("[SEP]", 1)],
                "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for i, t in enumerate(tokens[:3])}}
    swapped = {**template, "single": [sequence("A", 3), special("[SEP]", 2)],
               "pair": [sequence("B", 1), special("[SEP]", 4), sequence("A", 2)]}
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    ends = {"sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
    processors = {
        "none": None, "bert": {"type": "BertProcessing", **ends}, "template": template, "template_swapped": swapped,
        "roberta": {"type": "RobertaProcessing", **ends, "trim_offsets": True, "add_prefix_space": True},
        "roberta_plain": {"type": "RobertaProcessing", **ends, "trim_offsets": False, "add_prefix_space": False},
        "byte_level": byte_level, "sequence": {"type": "Sequence", "processors": [byte_level, template]},
    }
    for name, processor in processors.items():
        yield f"processor_{name}", tokenizer(level, pre_tokenizer=words, post_processor=processor)
    alphabet = bpe([chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 324)]], [])
    for name in ("byte_level", "roberta"):
        yield f"processor_{name}_bytes", tokenizer(
            alphabet, pre_tokenizer={**byte_level, "add_prefix_space": name == "roberta"},
            post_processor=processors[name], decoder=byte_level)
    for strategy in ("LongestFirst", "OnlyFirst", "OnlySecond"):
        for direction in ("Right", "Left"):
            for length, stride in ((5, 0), (7, 1), (6, 2)):
                cut = {"direction": direction, "max_length": length, "strategy": strategy, "stride": stride}
                for name in ("none", "bert", "template", "roberta"):
                    if (length, name) in ((5, "roberta"), (7, "none"), (6, "bert")):
                        continue
                    yield f"truncation_{strategy}_{direction}_{length}_{stride}_{name}", tokenizer(
                        level, truncation=cut, pre_tokenizer=words, post_processor=processors[name])
    pad = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 3, "pad_type_id": 0,
           "pad_token": "[PAD]"}
    for name, change in {"longest": {}, "left": {"direction": "Left"}, "fixed": {"strategy": {"Fixed": 9}},
                         "multiple": {"pad_to_multiple_of": 8, "pad_type_id": 1, "direction": "Left"}}.items():
        yield f"padding_{name}", tokenizer(level, padding={**pad, **change}, pre_tokenizer=words, post_processor=template)
    yield "padding_and_truncation", tokenizer(
        level, padding={**pad, "strategy": {"Fixed": 8}}, pre_tokenizer=words, post_processor=template,
        truncation={"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 1})


def decoders():
    tokens = ["<pad>", "|", "h", "e", "l", "o", "##lo", " .", "n't", "\u2581he", "\u2581", "<0xE2>", "<0x82>", "<0xAC>", "<0x0A>",
              "<0xZZ>", "lo</w>", "</w>", "\u0120he", "\u00e2\u0124\u00ac", "\u00e2", "  x  ", " do not", "\u4f60", "he", "'", "<0x+A>", "he ", "."]
    level = {"type": "WordLevel", "unk_token": "<pad>", "vocab": {t: i for i, t in enumerate(tokens)}}
    parts = {
        "none": None, "bpe": {"type": "BPEDecoder", "suffix": "</w>"},
        "byte_level": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "wordpiece": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "wordpiece_plain": {"type": "WordPiece", "prefix": "##", "cleanup": False},
        "metaspace": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "metaspace_never": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never", "split": True},
        "byte_fallback": {"type": "ByteFallback"}, "fuse": {"type": "Fuse"},
        "strip": {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        "replace": {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
        "replace_regex": {"type": "Replace", "pattern": {"Regex": "[hl]+"}, "content": "-"},
        "ctc": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
        "ctc_plain": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": False},
        "sequence": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    }
    n = len(tokens)
    lists = [[i] for i in range(n)] + [list(range(n)), list(range(n))[::-1], [2, 2, 3, 3, 0, 4, 0, 4, 5, 1, 1, 2],
                                       [11, 12, 13], [11, 12], [2, 11, 12, 13, 14, 3], [9, 5, 10, 6, 7], [25, 7, 22, 8],
                                       [1000, 2, 99], [20, 2], [24, 28, 25, 24]]
    for name, decoder in parts.items():
        made = tokenizer(level, decoder=decoder, added_tokens=[added(0, "<pad>")])
        library = Tokenizer.from_str(json.dumps(made))
        cases = [{"ids": ids, "decoded": library.decode(ids, skip_special_tokens=False),
                  "decoded_skip_special": library.decode(ids, skip_special_tokens=True)} for ids in lists]
        yield f"decoder_{name}", {"tokenizer": made, "decode": cases}


def row_of(library, text, pair, special_tokens):
    row = {"text": text}
    if pair is not None:
        row["pair"] = pair
    if not special_tokens:
        row["add_special_tokens"] = False
    try:
        encoding = library.encode(text, pair, add_special_tokens=special_tokens)
    except BaseException as error:  # a panic of the library is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        row["error"] = True
        return row
    row.update(ids=encoding.ids, tokens=encoding.tokens, offsets=encoding.offsets, type_ids=encoding.type_ids,
               word_ids=[-1 if w is None else w for w in encoding.word_ids],
               sequence_ids=[-1 if s is None else s for s in encoding.sequence_ids],
               special_tokens_mask=encoding.special_tokens_mask, attention_mask=encoding.attention_mask,
               overflowing=[[piece.ids, piece.type_ids, piece.offsets] for piece in encoding.overflowing],
               decoded=library.decode(encoding.ids, skip_special_tokens=False))
    for name, usual in {"type_ids": 0, "sequence_ids": 0, "special_tokens_mask": 0, "attention_mask": 1}.items():
        if all(value == usual for value in row[name]):
            del row[name]  # as usual
    if not row["overflowing"]:
        del row["overflowing"]
    return row


def encoded(name, made):
    library = Tokenizer.from_str(json.dumps(made))
    rows = []
    if not name.startswith(("truncation", "padding")):
        rows += [row_of(library, text, None, True) for text in TEXTS]
    else:
        rows += [row_of(library, text, None, True) for text in ("one two three four five six a b c d e f g", "a", "")]
    if name.startswith(("truncation", "padding", "processor", "added")):
        rows += [row_of(library, text, pair, special_tokens) for text, pair in PAIRS for special_tokens in (True, False)]
    return {"tokenizer": made, "rows": rows}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    groups = {}
    for name, made in [*normalizers(), *pre_tokenizers(), *models(), *added_tokens(), *around()]:
        groups.setdefault(name.split("_")[0], []).append((name, encoded(name, made)))
    groups["decoder"] = list(decoders())
    for group, entries in groups.items():
        with open(os.path.join(folder, group + ".jsonl"), "w", encoding="utf-8") as file:
            for name, entry in entries:
                json.dump({"name": name, **entry}, file, ensure_ascii=False, separators=(",", ":"))
                file.write("\n")
    print({group: len(entries) for group, entries in groups.items()})


if __name__ == "__main__":
    main()
