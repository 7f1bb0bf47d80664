"""The fixtures of encoder-decoders of text: what the encoder gives, and the tokens that greedy search gives after it."""

import copy
import dataclasses
import json
import re
import tempfile
from pathlib import Path

import torch
import transformers

from goldens import checkpoints, configs
from goldens.cases import Case, write_cases
from goldens.decoders import BATCH, KEPT_STEPS, LEAD, LONG, NEW_TOKENS, NOISE, SHORT

TEXT = Path(__file__).with_name("training_text.txt")
GAIN = 3.0  # of queries, keys and the feed forward: with less, a token follows itself
STEADY = 5e-5  # logits are no further from those in float64
VARIETY = 4  # different tokens of a path, at least
PIECES = 260  # of each side
CODE = ">>rev<<"
# A few rows of the table that published files have, which alone would be larger than the rest of the fixture.
NORMAL_FORMS = {"\t": " ", "\n": " ", "\u00a0": " ", "\ufb01": "fi", "\uff01": "!", "\u2026": "...", "e\u0301": "\u00e9"}


@dataclasses.dataclass
class Marian:
    """`separate`: each side has its own vocabulary and embeddings."""

    name: str
    note: str
    separate: bool = False
    class_name: str = "MarianMTModel"
    dtype: str = "float16"

    def make(self, folder: Path, fixtures: Path, seed: int) -> None:
        """Writes the folder; seeds are tried from `seed` until every token of every path leads clearly."""
        sizes = write_tokenizer(folder, self.separate)
        config = configs.marian(*sizes, share_encoder_decoder_embeddings=not self.separate)
        write_generation_config(folder, config)
        tokenizer = transformers.MarianTokenizer.from_pretrained(folder)
        for attempt in range(seed, seed + 500):
            model = checkpoints.build(folder, self.class_name, config, attempt, 1.0, 0.2)
            self._finish(model, attempt)
            cases = self._cases(model, tokenizer)
            if min(case.margin for case in cases) > LEAD:
                break
        else:
            raise RuntimeError(f"{self.name}: no seed from {seed} on decides every token clearly")
        checkpoints.save_weights(folder, model, self.dtype, None, self._edit(model))
        checkpoints.write_config(folder, {**config, "torch_dtype": self.dtype})
        write_cases(folder, self.class_name, self.note, cases)
        write_tokenizer_cases(folder, tokenizer, seed)
        self._check(folder, tokenizer, cases)

    def _finish(self, model: torch.nn.Module, seed: int) -> None:
        """Positions are the class's own waves, of which files say nothing; the bias of the logits is a buffer."""
        with torch.no_grad():
            for half in (model.model.encoder, model.model.decoder):
                half.embed_positions.weight.copy_(half.embed_positions.create_weight())
            for name, value in model.named_parameters():
                if "embed_positions" in name:
                    continue
                if name.endswith(("q_proj.weight", "k_proj.weight", "fc1.weight", "fc2.weight")):
                    value.mul_(GAIN)
                value.copy_(value.to(getattr(torch, self.dtype)))
            noise = torch.randn(model.final_logits_bias.shape, generator=torch.Generator().manual_seed(seed))
            model.final_logits_bias.copy_((noise * 0.2).to(getattr(torch, self.dtype)))

    def _edit(self, model: torch.nn.Module):
        """Older files hold the waves: here those of the fixture whose sides are separate do."""
        waves = {f"model.{half}.embed_positions.weight": getattr(model.model, half).embed_positions.weight.detach().clone()
                 for half in ("encoder", "decoder")} if self.separate else {}
        return lambda tensors: {**{k: v for k, v in tensors.items() if "embed_positions" not in k}, **waves}

    def _cases(self, model: torch.nn.Module, tokenizer) -> list[Case]:
        code = "" if self.separate else f"{CODE} "
        return [self._case(model, tokenizer, "single_short", [code + SHORT], True),
                self._case(model, tokenizer, "batch_padded", BATCH, False),
                self._case(model, tokenizer, "long", [f"{LONG} \u00df\u6f22 \u2026 ok\uff01"], False)]

    def _case(self, model: torch.nn.Module, tokenizer, name: str, texts: list[str], states: bool) -> Case:
        inputs = dict(tokenizer(texts, padding=True, return_tensors="pt"))
        settings = {"do_sample": False, "num_beams": 1, "max_new_tokens": NEW_TOKENS,
                    "decoder_start_token_id": model.config.decoder_start_token_id,
                    "pad_token_id": model.config.pad_token_id}
        with torch.inference_mode():
            result = model.generate(**inputs, **settings, output_logits=True, output_hidden_states=True,
                                    return_dict_in_generate=True)
            ids = result.sequences
            encoder = model.get_encoder()(**inputs, output_hidden_states=True)
            forced = model(**inputs, decoder_input_ids=ids[:, :-1])
        steps = torch.stack(result.logits, dim=1).float()
        outputs = {"encoder_last_hidden_state": encoder.last_hidden_state, "generated_ids": ids,
                   "step_logits": steps[:, :KEPT_STEPS]}
        if len(texts) == 1:
            outputs["teacher_forced_logits"] = forced.logits[:, :4]
        if states:
            outputs |= {f"encoder_hidden_states.{i}": state for i, state in enumerate(encoder.hidden_states)}
            outputs |= {f"decoder_first_step_hidden_states.{i}": state
                        for i, state in enumerate(result.decoder_hidden_states[0])}
        best = steps.topk(2, dim=-1).values
        ended = torch.isin(ids[:, 1:], torch.tensor(model.generation_config.eos_token_id))
        unfinished = ended.cumsum(1) - ended.long() == 0
        lead = (best[..., 0] - best[..., 1])[unfinished].min().item()
        steady = (steps - self._steps_in_f64(model, inputs, ids)).abs().max().item() < STEADY
        varied = min(len(set(row)) for row in ids.tolist()) >= VARIETY
        expected = {"generated_ids": ids.tolist(),
                    "generated_text": [tokenizer.decode(row, skip_special_tokens=True) for row in ids],
                    "smallest_top2_margin": lead}
        return Case(name, "text2text-generation", "model.generate(do_sample=False)",
                    {"text": texts[0] if len(texts) == 1 else texts}, expected, inputs, outputs, settings,
                    margin=lead if varied and steady else 0.0)

    def _steps_in_f64(self, model: torch.nn.Module, inputs: dict, ids: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            logits = copy.deepcopy(model).double()(**inputs, decoder_input_ids=ids[:, :-1]).logits
        return logits.float()

    def _check(self, folder: Path, tokenizer, cases: list[Case]) -> None:
        model = checkpoints.load_back(folder, self.class_name)
        for again, case in zip(self._cases(model, tokenizer), cases, strict=True):
            for name, tensor in case.outputs.items():
                worst = (tensor - again.outputs[name]).abs().max().item()
                if worst > NOISE:
                    raise RuntimeError(f"{self.name}/{case.name}: {name} differs by {worst} after loading back")


def write_generation_config(folder: Path, config: dict) -> None:
    keys = ("bad_words_ids", "bos_token_id", "decoder_start_token_id", "eos_token_id", "forced_eos_token_id",
            "max_length", "num_beams", "pad_token_id")
    settings = {"_from_model_config": True, **{key: config[key] for key in keys}, "renormalize_logits": True,
                "transformers_version": config["transformers_version"]}
    (folder / "generation_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def write_tokenizer(folder: Path, separate: bool) -> tuple[int, int, int]:
    """source.spm, target.spm and the vocabularies over them, in the layout of Helsinki-NLP. Their sizes and the id of <pad>."""
    text = TEXT.read_text().splitlines()
    target = [re.sub(r"\w+", lambda word: word.group()[::-1], line) for line in text]
    source_pieces = _train(folder / "source.spm", text)
    target_pieces = _train(folder / "target.spm", target)
    # One piece that the vocabulary lacks, as a few of published ones do: it is unknown.
    source_pieces.remove(next(piece for piece in source_pieces if len(piece) == 4))
    if separate:
        sides = [["</s>", "<unk>", "<pad>", *pieces] for pieces in (source_pieces, target_pieces)]
    else:
        sides = [["</s>", "<unk>", *dict.fromkeys([*source_pieces, *target_pieces]), CODE, "<pad>"]]
    for name, side in zip(("vocab.json", "target_vocab.json"), sides):
        words = {piece: i for i, piece in enumerate(side)}
        (folder / name).write_text(json.dumps(words, ensure_ascii=False, separators=(",", ":")) + "\n")
    settings = {"source_lang": "eng", "target_lang": "rev", "unk_token": "<unk>", "eos_token": "</s>",
                "pad_token": "<pad>", "model_max_length": 512, "sp_model_kwargs": {}, "separate_vocabs": separate,
                "special_tokens_map_file": None, "tokenizer_class": "MarianTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    return len(sides[0]), len(sides[-1]), sides[0].index("<pad>")


STRINGS = [
    "", " ", "a", "Hello, World!", "  two  spaces ", "tab\tnew\nline\r\n", "don't", "caf\u00e9 cafe\u0301 na\u00efve", "\ufb01rst",
    "wait\u2026 no\uff01", "x\u00a0y\u3000z", "\u4f60\u597d \u00df\u6f22\u00df", "\U0001f44d\U0001f3fd!", "<s> is </s> <unk><pad> God",
    "\u2581under \u2581\u2581", f"{CODE}God is light.", f"{CODE} God", f" {CODE} God", f"God {CODE} is", f"</s>{CODE} God", ">>fra<< God is",
    ">>God is<< light", ">>", ">><<", ">> <<", "<<>>", f"{CODE}{CODE}", "In the beginning God created the heaven",
    "hself tfig gninr", "AAAaaa zzz 12,345.67", "a" * 60, "I\u0301\u0302 \u0130", "a\u0000b\u0001c", "end ",
]


def write_tokenizer_cases(folder: Path, tokenizer, seed: int) -> None:
    """Difficult strings with their ids, and rows of ids with their text: a line each."""
    ids = torch.Generator().manual_seed(seed)
    last = len(tokenizer.decoder) - 1
    rows = [{"text": text, "ids": tokenizer(text)["input_ids"]} for text in STRINGS]
    for length in (1, 2, 3, 5, 8, 13, 21, 34):
        row = torch.randint(0, last + 1, (length,), generator=ids).tolist()
        rows.append({"ids": row, "decoded_skip_special": tokenizer.decode(row, skip_special_tokens=True)})
    for row in rows:
        row.setdefault("decoded_skip_special", tokenizer.decode(row["ids"], skip_special_tokens=True))
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    (folder / "golden" / "tokenizer.jsonl").write_text("".join(lines))


def _train(path: Path, lines: list[str]) -> list[str]:
    import sentencepiece

    with tempfile.TemporaryDirectory() as scratch:
        rules, model = Path(scratch) / "rules.tsv", Path(scratch) / "model"
        rules.write_text("".join(" ".join(f"{ord(c):X}" for c in left) + "\t" + " ".join(f"{ord(c):X}" for c in right) +
                                 "\n" for left, right in NORMAL_FORMS.items()))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_prefix=str(model), vocab_size=PIECES, model_type="unigram",
            character_coverage=1.0, normalization_rule_tsv=str(rules), num_threads=1, minloglevel=2)
        path.write_bytes(model.with_suffix(".model").read_bytes())
    read = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [read.id_to_piece(i) for i in range(3, read.get_piece_size())]  # behind <unk>, <s> and </s>


def all_text_to_text() -> list[Marian]:
    return [
        Marian("marian", "source.spm, target.spm and vocab.json without tokenizer.json; one piece is no word of the "
                         "vocabulary; positions are waves that the file lacks; final_logits_bias is added; a language "
                         "code comes first; the last allowed step is forced to </s>, and <pad> is never chosen"),
        Marian("marian_separate", "each side has its own vocabulary and embeddings; the file holds the positions",
               separate=True),
    ]
