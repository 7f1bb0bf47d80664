#!/usr/bin/env python3
"""Writes what Transformers (5.23.0) makes of chat templates into tests/goldens/chat.

usage: make_chat_goldens.py FOLDER

For each FOLDER/NAME, a model's templates and special tokens: rendered.jsonl, a line a chat of tools/goldens/chats.py. The chats
themselves go to FOLDER/chats.json, and what small templates (tools/goldens/jinja_cases.py) become to FOLDER/jinja.jsonl.
"""
import json
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

sys.path.insert(0, str(Path(__file__).parent))
from goldens.chats import CHATS  # noqa: E402
from goldens.jinja_cases import CASES, VARIABLES  # noqa: E402


class Noon(datetime):
    """What strftime_now tells: one moment, so that goldens stay."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26, 12, 0, 0)


def outcome(render):
    """{"text": ...} or {"error": ..., "raised": whether the template itself raised it}."""
    try:
        return {"text": render()}
    except Exception as error:
        return {"error": str(error), "raised": type(error).__name__ == "TemplateError"}


def tokenizer_of(folder):
    """Opened as any folder is: from_pretrained finds its templates and special tokens."""
    with tempfile.TemporaryDirectory() as copied:
        shutil.copytree(folder, copied, dirs_exist_ok=True)
        Tokenizer(models.WordLevel({"a": 0})).save(f"{copied}/tokenizer.json")
        tokenizer = PreTrainedTokenizerFast.from_pretrained(copied)
    legacy = folder / "chat_template.json"  # which processors read
    if legacy.exists():
        tokenizer.chat_template = json.loads(legacy.read_text(encoding="utf-8"))["chat_template"]
    return tokenizer


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def render_case(template):
    return chat_template_utils.render_jinja_template(
        [[{"role": "user"}]], chat_template=template, **json.loads(json.dumps(VARIABLES)))[0][0]


def main():
    root = Path(sys.argv[1])
    chat_template_utils.datetime = Noon
    chats = {name: {"messages": messages, "options": options} for name, (messages, options) in CHATS.items()}
    (root / "chats.json").write_text(json.dumps(chats, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for folder in sorted(path.parent for path in root.glob("*/tokenizer_config.json")):
        tokenizer = tokenizer_of(folder)
        rows = []
        for name, (messages, options) in CHATS.items():
            made = outcome(lambda: tokenizer.apply_chat_template(messages, tokenize=False, **options))
            rows.append({"chat": name, **made})
        write_lines(folder / "rendered.jsonl", rows)
    rows = [{"variables": VARIABLES}]
    rows += [{"template": template, **outcome(lambda: render_case(template))} for template in CASES]
    write_lines(root / "jinja.jsonl", rows)


if __name__ == "__main__":
    main()
