#!/usr/bin/env python3
"""Writes src/text/unicode_tables.cpp: the character classes that the `tokenizers` library uses, asked of it one by one.

The library mixes several Unicode versions (normalisation 9, categories 8, regular expressions and case 16), so its
classes are measured here rather than taken from one version of the standard.

usage: make_unicode_tables.py SCRIPTS > src/text/unicode_tables.cpp
SCRIPTS is a text file of lines "begin end number" (hexadecimal, inclusive): the script of each code point as
SentencePiece groups them; the number itself means nothing. Code points that are not listed have none.
"""
import sys
import textwrap
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def members(test):
    return {c for c in CODE_POINTS if test(chr(c))}


def pieces(pre_tokenizer, text):
    return len(pre_tokenizer.pre_tokenize_str(text))


def isolated(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    return members(lambda c: pieces(split, "\x01" + c + "\x01") == 3)


def changed(normalizer):
    return members(lambda c: normalizer.normalize_str(c) != c)


def combining():
    nfd = normalizers.NFD()
    found = set()
    for c in CODE_POINTS:
        low, high = chr(c) + "\u0334", "\u0345" + chr(c)  # classes 1 and 240: one of them changes places
        if nfd.normalize_str(chr(c)) == chr(c) and (nfd.normalize_str(low) != low or nfd.normalize_str(high) != high):
            found.add(c)
    return found


def second_of_composition():
    nfc = normalizers.NFC()
    found = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    for c in CODE_POINTS:
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and not parts[0].startswith("<") and nfc.normalize_str(chr(c)) == chr(c):
            found.add(int(parts[1], 16))
    return found


def bert(**options):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **options})


def classes():
    whitespace, digits = pre_tokenizers.Whitespace(), pre_tokenizers.Digits()
    punctuation = pre_tokenizers.Punctuation()
    clean, accents, strip = bert(clean_text=True), bert(strip_accents=True), normalizers.StripAccents()
    ccc, second = combining(), second_of_composition()
    nfd, nfkd = changed(normalizers.NFD()), changed(normalizers.NFKD())
    nfc, nfkc = changed(normalizers.NFC()), changed(normalizers.NFKC())
    word = members(lambda c: pieces(whitespace, "a" + c + "a") == 1)
    space = members(lambda c: pieces(whitespace, "a" + c + "a") == 2)
    assert space == isolated(r"\s") == members(
        lambda c: pieces(pre_tokenizers.WhitespaceSplit(), "a" + c + "a") == 2)
    return {
        "Space": space,
        "Word": word,
        "Letter": isolated(r"\p{L}"),
        "Number": isolated(r"\p{N}"),
        "Numeric": members(lambda c: pieces(digits, "a" + c + "a") == 3),
        "Punctuation": members(lambda c: pieces(punctuation, "a" + c + "a") == 3),
        "Control": members(lambda c: clean.normalize_str(c) == ""),
        "NonspacingMark": members(lambda c: accents.normalize_str(c) == ""),
        "CombiningMark": members(lambda c: strip.normalize_str(c) == ""),
        "Combining": ccc,
        "Nfd": nfd | ccc,
        "Nfkd": nfkd | ccc,
        "Nfc": nfc | ccc | second,
        "Nfkc": nfkc | ccc | second,
        "UpperLike": isolated(r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"),
        "LowerLike": isolated(r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"),
    }


def lower_runs():
    lower = normalizers.Lowercase()
    runs = []  # first, last, stride, delta
    for c in CODE_POINTS:
        to = lower.normalize_str(chr(c))
        if to == chr(c) or c < 128:
            continue
        if len(to) > 1:
            assert c == 0x130 and to == "i\u0307"
            continue
        delta = ord(to) - c
        if runs and runs[-1][3] == delta:
            first, last, stride, _ = runs[-1]
            if c - last in (1, 2) and (first == last or stride == c - last):
                runs[-1] = (first, c, c - last, delta)
                continue
        runs.append((c, c, 1, delta))
    return runs


def write(name, kind, numbers):
    print(f"extern const {kind} {name}[] = {{")
    print("\n".join(textwrap.wrap(",".join(map(str, numbers)).replace(",", ", "), 118)) + "};")
    print(f"extern const std::size_t {name}Size = {len(numbers)};")


def gaps(found):
    out, end = [], 0
    for c in sorted(found):
        if out and c == end:
            out[-1] += 1
        else:
            out += [c - end, 1]
        end = c + 1
    return out


def main():
    print("// Written by tools/make_unicode_tables.py; not to be edited. Classes as (gap, length) pairs.")
    print("#include <cstddef>\n#include <cstdint>\n")
    print("namespace accelerate::text::tables {\n\n// clang-format off")
    for name, found in classes().items():
        write(f"k{name}", "std::uint32_t", gaps(found))
    runs = lower_runs()
    write("kLower", "std::int32_t", [n for run in runs for n in run])
    scripts, previous = [], 0
    for line in open(sys.argv[1]):
        begin, end, number = (int(part, 16) for part in line.split())
        scripts += [begin - previous, end - begin + 1, number]
        previous = end + 1
    write("kScripts", "std::uint32_t", scripts)
    print("// clang-format on\n\n}  // namespace accelerate::text::tables")


if __name__ == "__main__":
    main()
