#!/usr/bin/env python3
"""Makes the golden fixtures with the reference implementations.

    python3 -m venv build/goldens-venv && build/goldens-venv/bin/pip install -r tools/requirements-goldens.txt
    build/goldens-venv/bin/python tools/make_goldens.py                  # all of them, into tests/goldens
    build/goldens-venv/bin/python tools/make_goldens.py albert phi3      # some
    build/goldens-venv/bin/python tools/make_goldens.py --list           # the table of docs/goldens.md

A fixture that exists is replaced. Those made elsewhere are only read here: seven of models, seven of decoders, three of
encoder-decoders.
"""

import argparse
import shutil
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "goldens"
LIMIT = 400 * 1024


def all_fixtures() -> dict:
    """Name: the fixture and the folder of its family."""
    from goldens import decoders, encoders, sentences, text_to_text

    made = {"models": [*encoders.all_encoders(), *sentences.all_sentence_fixtures()],
            "decoders": decoders.all_decoders(), "text_to_text": text_to_text.all_text_to_text()}
    return {fixture.name: (fixture, family) for family, fixtures in made.items() for fixture in fixtures}


def make(fixture, fixtures: Path) -> None:
    """Makes one fixture beside its place, and moves it there when it is whole and small enough."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / fixture.name
        folder.mkdir()
        fixture.make(folder, fixtures, zlib.crc32(fixture.name.encode()) % 100000)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size > LIMIT:
            raise RuntimeError(f"{fixture.name} has {size} bytes, more than {LIMIT}")
        shutil.rmtree(fixtures / fixture.name, ignore_errors=True)
        shutil.copytree(folder, fixtures / fixture.name)
        print(f"{fixture.name:36} {size / 1024:6.0f} KiB", flush=True)


def print_list(fixtures: dict) -> None:
    print("| fixture | class | note |\n| --- | --- | --- |")
    for name, (fixture, _) in fixtures.items():
        print(f"| {name} | {fixture.class_name} | {fixture.note} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="fixtures to make; all of them if none is named")
    parser.add_argument("--out", type=Path, default=FIXTURES, help="where fixtures are, and go (tests/goldens)")
    parser.add_argument("--list", action="store_true", help="print the fixtures as a table and make nothing")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    fixtures = all_fixtures()
    if options.list:
        print_list(fixtures)
        return 0
    unknown = sorted(set(options.names) - set(fixtures))
    if unknown:
        parser.error(f"no such fixture: {', '.join(unknown)}; there are: {', '.join(fixtures)}")
    for name in options.names or fixtures:
        fixture, family = fixtures[name]
        make(fixture, options.out / family)
    return 0


if __name__ == "__main__":
    sys.exit(main())
