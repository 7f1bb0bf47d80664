#!/usr/bin/env python3
"""Writes tests/goldens/decoding/*.jsonl: what Transformers 5.23 makes of logits.

usage: make_decoding_goldens.py FOLDER

  settings.jsonl    generation_config.json and config.json, and the settings that loading a model gives
  processors.jsonl  scores, tokens so far and settings, and the scores after the processors that generate() would use
  beams.jsonl       whole runs of generate() with beams; lines with "beams": 1 are greedy

The model is none: its logits are a hash of the last two tokens and the length (`logit`), which the tests compute too.
"""
import json
import pathlib
import random
import sys
import tempfile
import warnings

import numpy as np
import torch
from transformers import GenerationConfig, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput, Seq2SeqLMOutput
from transformers.utils import logging

MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0xD6E8FEB86659FD93)
PAD = 0


def logits_of(seed, before, last, length, vocabulary, boosted, boost):
    """f32 [vocabulary] in [-4, 4), `boost` added to those of `boosted`: all exact in f32."""
    key = (seed * MULTIPLIERS[0] + before * MULTIPLIERS[1] + last * MULTIPLIERS[2] + length * MULTIPLIERS[3])
    with np.errstate(over="ignore"):
        x = np.uint64(key % 2**64) + np.arange(vocabulary, dtype=np.uint64) * np.uint64(MULTIPLIERS[4])
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    logits = (x >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-21) - np.float32(4)
    logits[boosted] += np.float32(boost)
    return torch.from_numpy(logits)


class HashConfig(PreTrainedConfig):
    model_type = "hash_of_tokens"


class HashModel(PreTrainedModel, GenerationMixin):
    config_class = HashConfig
    main_input_name = "input_ids"

    def __init__(self, config, seed=0, vocabulary=0, boosted=(), boost=0.0):
        super().__init__(config)
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.seed, self.vocabulary, self.boosted, self.boost = seed, vocabulary, list(boosted), boost

    def rows(self, ids, mask=None):
        out = []
        for i, row in enumerate(ids.tolist()):
            if mask is not None:
                row = [token for token, seen in zip(row, mask[i].tolist()) if seen]
            before = row[-2] if len(row) > 1 else 0
            out.append(logits_of(self.seed, before, row[-1], len(row), self.vocabulary, self.boosted, self.boost))
        return torch.stack(out)[:, None, :]

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, encoder_outputs=None, **kwargs):
        if self.config.is_encoder_decoder:
            return {"decoder_input_ids": input_ids, "encoder_outputs": encoder_outputs}
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def forward(self, input_ids=None, attention_mask=None, decoder_input_ids=None, encoder_outputs=None, **kwargs):
        if self.config.is_encoder_decoder:
            return Seq2SeqLMOutput(logits=self.rows(decoder_input_ids))
        return CausalLMOutput(logits=self.rows(input_ids, attention_mask))

    def get_encoder(self, *args, **kwargs):
        class Encoder(torch.nn.Module):
            main_input_name = "input_ids"

            def forward(self, input_ids=None, attention_mask=None, **more):
                return BaseModelOutput(last_hidden_state=torch.zeros(*input_ids.shape, 2))

        return Encoder()


def model_of(encoder_decoder=False, **more):
    model = HashModel(HashConfig(is_encoder_decoder=encoder_decoder), **more)
    model.generation_config = GenerationConfig()
    return model


def settings_rows():
    """As PreTrainedModel.from_pretrained loads them, with generate()'s defaults where nothing is set."""
    cases = [
        ({"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 0}, {"eos_token_id": 7}),
        ({"eos_token_id": [128001, 128008, 128009], "do_sample": True, "temperature": 0.6, "top_p": 0.9,
          "bos_token_id": 128000, "transformers_version": "4.42.3"}, {}),
        ({"max_new_tokens": 9, "max_length": 30, "min_new_tokens": 2, "min_length": 5}, {}),
        ({"max_length": 448, "suppress_tokens": [1, 2, 7], "begin_suppress_tokens": [220, 50257],
          "forced_eos_token_id": 3, "pad_token_id": 4, "decoder_start_token_id": 50258}, {}),
        ({"bad_words_ids": [[58100], [1, 2]], "num_beams": 4, "max_length": 512, "renormalize_logits": True,
          "forced_eos_token_id": [0, 5], "early_stopping": "never", "length_penalty": 2.0,
          "num_return_sequences": 3, "no_repeat_ngram_size": 3}, {}),
        ({"top_k": 20, "min_p": 0.05, "repetition_penalty": 1.05, "do_sample": True, "stop_strings": "###",
          "remove_invalid_values": True}, {}),
        ({"stop_strings": ["a", "b"], "top_k": None, "temperature": None, "cache_implementation": "static"},
         {"eos_token_id": 1}),
        ({}, {"eos_token_id": 1, "num_beams": 4, "max_length": 99}),
        (None, {"eos_token_id": 1, "pad_token_id": 0, "decoder_start_token_id": 0, "d_model": 8}),
        (None, {"num_beams": 4, "max_length": 142, "min_length": 56, "no_repeat_ngram_size": 3, "early_stopping": True,
                "length_penalty": 2.0, "forced_bos_token_id": 0, "forced_eos_token_id": 2, "bos_token_id": 0}),
        (None, {"force_bos_token_to_be_generated": True, "bos_token_id": 5, "eos_token_id": None}),
        (None, {"bos_token_id": 5, "text_config": {"eos_token_id": [3, 4], "bos_token_id": 6, "pad_token_id": 8}}),
        (None, {"decoder": {"eos_token_id": 3, "max_length": 17}, "text_config": {"eos_token_id": 4}}),
    ]
    names = ("max_new_tokens max_length min_new_tokens min_length do_sample temperature top_k top_p min_p "
             "repetition_penalty no_repeat_ngram_size bad_words_ids suppress_tokens begin_suppress_tokens "
             "forced_bos_token_id forced_eos_token_id remove_invalid_values renormalize_logits num_beams length_penalty "
             "early_stopping num_return_sequences eos_token_id pad_token_id bos_token_id decoder_start_token_id "
             "stop_strings").split()
    for generation, config in cases:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "config.json").write_text(json.dumps(config))
            if generation is None:
                loaded = GenerationConfig.from_pretrained(folder, config_file_name="config.json",
                                                          _from_model_config=True)
            else:
                pathlib.Path(folder, "generation_config.json").write_text(json.dumps(generation))
                loaded = GenerationConfig.from_pretrained(folder)
        length_is_default = loaded.max_length is None
        loaded.update(**loaded._get_default_generation_params(), defaults_only=True)
        expected = {name: getattr(loaded, name) for name in names if getattr(loaded, name) is not None}
        if length_is_default:
            del expected["max_length"]
        yield {"generation_config": generation, "config": config, "expected": expected}


def processed(model, config, tokens, prompt_length, scores):
    """[vocabulary] after the list that generate() builds for `config`."""
    config = GenerationConfig(**config)
    defaults = config.max_length is None, config.min_length is None
    config.update(**config._get_default_generation_params(), defaults_only=True)
    model._prepare_special_tokens(config, device="cpu")
    prompt = torch.tensor([tokens[:prompt_length]])
    config = model._prepare_generated_length(config, *defaults, "input_ids", prompt_length, prompt)
    processors = model._get_logits_processor(config, input_ids_seq_length=prompt_length, device="cpu")
    return processors(torch.tensor([tokens]), torch.tensor([scores], dtype=torch.float32))[0]


def numbers(values):
    """-inf as null; nine digits hold an f32."""
    return [None if value == -float("inf") else float(f"{value:.9g}") for value in values]


def processor_rows():
    rng = random.Random(5)
    vocabulary = 24
    model = model_of()
    eos = {"eos_token_id": 3}
    sampling = {"do_sample": True, "top_k": 0}
    singles = [
        {"repetition_penalty": 1.3}, {"repetition_penalty": 0.7}, {"no_repeat_ngram_size": 1},
        {"no_repeat_ngram_size": 2}, {"no_repeat_ngram_size": 3}, {"bad_words_ids": [[4], [5, 6], [1, 2, 7], [3]], **eos},
        {"min_length": 6, **eos}, {"min_new_tokens": 3, "eos_token_id": [3, 9]}, {"min_length": 6},
        {"suppress_tokens": [1, 2, 23]}, {"begin_suppress_tokens": [4, 5]},
        {"begin_suppress_tokens": [4, 5], "forced_bos_token_id": 8}, {"forced_bos_token_id": 8},
        {"forced_eos_token_id": 3, "max_length": 6}, {"forced_eos_token_id": [3, 5], "max_new_tokens": 2},
        {"temperature": 0.6, **sampling}, {"temperature": 1.7, **sampling}, {"do_sample": True, "top_k": 5},
        {"do_sample": True, "top_k": 1}, {"do_sample": True, "top_k": 99}, {"top_p": 0.9, **sampling},
        {"top_p": 0.3, **sampling}, {"top_p": 0.0, **sampling}, {"top_p": 0.999, **sampling},
        {"min_p": 0.1, **sampling}, {"min_p": 0.9, **sampling}, {"renormalize_logits": True},
        {"top_p": 0.1, "num_beams": 3, **sampling, "eos_token_id": [3, 4]}, {"min_p": 1.0, "num_beams": 2, **sampling},
        {"do_sample": True, "top_k": 1, "num_beams": 3, **eos},
    ]
    chains = [
        {"repetition_penalty": 1.2, "do_sample": True, "temperature": 0.8, "top_k": 10, "top_p": 0.8, "min_p": 0.05},
        {"no_repeat_ngram_size": 2, "bad_words_ids": [[4], [2, 5]], "min_new_tokens": 4, "suppress_tokens": [6],
         "begin_suppress_tokens": [7, 8], "do_sample": True, "temperature": 1.5, "top_p": 0.7, **eos},
        {"repetition_penalty": 1.5, "min_length": 5, "forced_bos_token_id": 2, "forced_eos_token_id": 3,
         "max_new_tokens": 3, "renormalize_logits": True, **eos},
        {"do_sample": True, "num_beams": 4, "temperature": 2.0, "top_k": 2, "top_p": 0.2, "min_p": 0.8,
         "eos_token_id": [3, 4, 5], "renormalize_logits": True},
    ]
    for config in singles + chains:
        for repeat in range(3 if config in singles else 8):
            # Half of them multiples of a half: equal scores. Not where torch sorts: its order of these is any.
            step = 1 / 256 if "top_p" in config or "num_beams" in config else rng.choice([1 / 2, 1 / 256])
            scores = []
            while len(scores) < vocabulary:
                score = round(rng.gauss(0, 2.5) / step) * step
                if step == 1 / 2 or score not in scores:
                    scores.append(score)
            length = rng.randint(1, 9)
            prompt_length = rng.randint(1, length) if repeat else 1
            tokens = [rng.randrange(9) for _ in range(length)]
            after = processed(model, config, tokens, prompt_length, scores)
            yield {"settings": config, "tokens": tokens, "prompt_length": prompt_length, "scores": numbers(scores),
                   "expected": numbers(after.tolist())}


def beam_case(rng, number):
    vocabulary = rng.randint(20, 50)
    beams = 1 if number % 10 == 9 else rng.randint(2, 5)
    eos = rng.sample(range(1, vocabulary), rng.choice([0, 1, 1, 1, 2, 3]))
    if vocabulary < (1 + len(eos)) * beams:
        eos = eos[:1]
    config = {"num_beams": beams, "num_return_sequences": rng.randint(1, beams),
              "early_stopping": rng.choice([True, False, "never"]), "length_penalty": rng.choice([-1.0, 0.0, 1.0, 2.0]),
              "pad_token_id": PAD, "eos_token_id": eos or None}
    if rng.random() < 0.25:
        config["max_length"] = rng.randint(8, 14)
    else:
        config["max_new_tokens"] = rng.randint(1, 12)
    for name, values in {"repetition_penalty": [1.3, 2.0], "no_repeat_ngram_size": [2, 3], "min_new_tokens": [3],
                         "suppress_tokens": [[5, 6]], "renormalize_logits": [True]}.items():
        if rng.random() < 0.25:
            config[name] = rng.choice(values)
    batch = rng.randint(1, 3)
    encoder_decoder = rng.random() < 0.3
    if encoder_decoder:
        config["decoder_start_token_id"] = rng.randrange(vocabulary)
        if rng.random() < 0.3:
            config["forced_bos_token_id"] = rng.randrange(7, vocabulary)
        if eos and rng.random() < 0.5:
            config["forced_eos_token_id"] = eos[0]
        prompts = [[config["decoder_start_token_id"]]] * batch
    else:
        length = rng.randint(1, 5)
        # With n-grams and with lengths that count the prompt, padding would matter: rows of one length.
        same = "max_length" in config or "no_repeat_ngram_size" in config
        prompts = [[rng.randrange(1, vocabulary) for _ in range(length if same else rng.randint(1, length))]
                   for _ in range(batch)]
    return {"seed": number, "vocabulary": vocabulary, "boost": rng.choice([0.0, 2.0, 4.0]), "settings": config,
            "encoder_decoder": encoder_decoder, "prompts": prompts}


def beam_rows():
    rng = random.Random(11)
    for number in range(260):
        case = beam_case(rng, number)
        settings, prompts = case["settings"], case["prompts"]
        model = model_of(case["encoder_decoder"], seed=number, vocabulary=case["vocabulary"],
                         boosted=settings["eos_token_id"] or [], boost=case["boost"])
        more = {"output_scores": True, "return_dict_in_generate": True, "use_cache": False}
        # A padded row stands in front of the encoder: what it holds is not looked at.
        width = max(map(len, prompts))
        ids = torch.tensor([[PAD] * (width - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        config = {name: value for name, value in settings.items() if value is not None}
        done = model.generate(ids, attention_mask=mask, generation_config=GenerationConfig(**config, **more))
        kept = done.sequences[:, (1 if case["encoder_decoder"] else width):]
        if settings["num_beams"] == 1:
            results = [[row.tolist(), None] for row in kept]
        else:
            lengths = (done.beam_indices >= 0).sum(dim=1)
            results = [[row[:length].tolist(), float(f"{score:.9g}")]
                       for row, length, score in zip(kept, lengths, done.sequences_scores.tolist())]
        yield {**case, "results": results}


def main():
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in {"settings": settings_rows, "processors": processor_rows, "beams": beam_rows}.items():
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
            for row in rows():
                file.write(json.dumps(row, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
