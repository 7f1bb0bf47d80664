#!/usr/bin/env python3
"""Makes tests/goldens/generation/beams.json: what Transformers' beam search makes of the tiny decoders and
encoder-decoders of tests/goldens, in batches of three prompts of different lengths.

    build/goldens-venv/bin/python tools/make_beam_goldens.py      # the environment of tools/make_goldens.py
"""
import itertools
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "tests" / "goldens"
MODELS = ["decoders/gpt2", "decoders/llama3_rope", "decoders/opt", "text_to_text/t5", "text_to_text/bart", "text_to_text/marian"]
TEXTS = ["In the beginning God created the heaven and the earth.", "Hello!",
         "And God said, Let there be light: and there was light."]


def settings():
    for early, penalty in itertools.product([True, False, "never"], [1.0, 0.3, 2.0]):
        yield {"num_beams": 4, "num_return_sequences": 2, "max_new_tokens": 12, "early_stopping": early,
               "length_penalty": penalty}
    yield {"num_beams": 3, "num_return_sequences": 1, "max_new_tokens": 12, "early_stopping": False,
           "length_penalty": 1.0, "no_repeat_ngram_size": 2, "repetition_penalty": 1.3}


def cases_of(name: str):
    folder = GOLDENS / name
    kind = AutoModelForSeq2SeqLM if name.startswith("text_to_text") else AutoModelForCausalLM
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if kind is AutoModelForCausalLM:
        tokenizer.padding_side = "left"
    inputs = tokenizer(TEXTS, return_tensors="pt", padding=True)
    start = inputs["input_ids"].shape[1] if kind is AutoModelForCausalLM else 1
    for one in settings():
        asked = {"repetition_penalty": 1.0, **one}
        with torch.no_grad():
            made = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"],
                                  do_sample=False, output_scores=True, return_dict_in_generate=True,
                                  pad_token_id=tokenizer.pad_token_id, **asked)
        ids = [row[start:].tolist() for row in made.sequences]
        yield {"model": name, "settings": asked, "pad_token_id": tokenizer.pad_token_id, "ids": ids,
               "scores": [round(float(score), 6) for score in made.sequences_scores]}


def main() -> None:
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    cases = [case for name in MODELS for case in cases_of(name)]
    file = GOLDENS / "generation" / "beams.json"
    file.parent.mkdir(exist_ok=True)
    rows = ",\n  ".join(json.dumps(case) for case in cases)
    file.write_text('{"transformers": "%s", "texts": %s, "cases": [\n  %s\n]}\n' %
                    (transformers.__version__, json.dumps(TEXTS), rows))
    print(file, len(cases), "cases")


if __name__ == "__main__":
    main()
