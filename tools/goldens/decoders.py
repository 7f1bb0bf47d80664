"""The fixtures of decoders: hidden states and logits of prompts, and the tokens that greedy search gives after them."""

import dataclasses
import json
import shutil
from pathlib import Path

import tokenizers
import torch

from goldens import checkpoints, configs
from goldens.cases import Case, write_cases

NOISE = 5e-5  # of one set of weights read twice
LEAD = 2e-3  # of the best token over the next one, in every step
VARIETY = 6  # different tokens of a path, at least
NEW_TOKENS = 16
KEPT_STEPS = 8
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")

SHORT = "God is light."
BATCH = ["In the beginning God created the heaven and the earth.", "Hello!", "The naïve café owner can't pay."]
LONG = "And the evening and the morning were the first day. And God said, Let there be a firmament in the midst."


@dataclasses.dataclass
class Decoder:
    """`config` is what the folder says; `tokenizer` the fixture whose tokenizer is copied. `edit` maps the tensors that
    Transformers saves to those written; `words` is the deviation of embeddings, small where the output matrix is tied to
    them: else a token follows itself."""

    name: str
    class_name: str
    tokenizer: str
    config: dict
    note: str
    dtype: str = "float16"
    shard_size: str | None = None
    edit: object = None
    pad_id: int = 0
    words: float = 0.8

    def make(self, folder: Path, fixtures: Path, seed: int) -> None:
        """Writes the folder; seeds are tried from `seed` until every token of every path leads clearly."""
        copy_tokenizer(fixtures / self.tokenizer, folder)
        for attempt in range(seed, seed + 500):
            model = checkpoints.build(folder, self.class_name, self.config, attempt, 1.0, self.words)
            self._round(model)
            cases = self._cases(model, folder)
            if min(case.margin for case in cases) > LEAD:
                break
        else:
            raise RuntimeError(f"{self.name}: no seed from {seed} on decides every token clearly")
        checkpoints.save_weights(folder, model, self.dtype, self.shard_size, self.edit)
        checkpoints.write_config(folder, {**self.config, "torch_dtype": self.dtype})
        write_generation_config(folder, self.config)
        write_cases(folder, self.class_name, self.note, cases)
        self._check(folder, cases)

    def _round(self, model: torch.nn.Module) -> None:
        """Parameters only: frequencies of positions are no part of a file."""
        with torch.no_grad():
            for value in model.parameters():
                value.copy_(value.to(getattr(torch, self.dtype)))

    def _cases(self, model: torch.nn.Module, folder: Path) -> list[Case]:
        prompts = Prompts(folder, self.pad_id)
        return [self._case(model, prompts, "single_short", [SHORT], "every row"),
                self._case(model, prompts, "batch_padded", BATCH, "last row"),
                self._case(model, prompts, "long", [LONG], "logits")]

    def _case(self, model: torch.nn.Module, prompts: "Prompts", name: str, texts: list[str], kept: str) -> Case:
        inputs = prompts.tensors(texts)
        with torch.inference_mode():
            whole = model(**inputs, output_hidden_states=True)
        outputs = {}
        if kept != "last row":
            outputs["logits"] = whole.logits
        expected = {"prompt_ids": inputs["input_ids"].tolist()}
        margin = self._generate(model, prompts, inputs, outputs, expected)
        if kept != "logits":
            outputs |= {f"hidden_states.{i}": state for i, state in enumerate(whole.hidden_states)}
        if kept == "last row":
            outputs["last_token_logits"] = whole.logits[:, -1]
        settings = {"do_sample": False, "num_beams": 1, "max_new_tokens": NEW_TOKENS, "padding_side": "left",
                    "pad_token_id": self.pad_id}
        return Case(name, "generate", "model.generate(do_sample=False)",
                    {"text": texts[0] if len(texts) == 1 else texts}, expected, inputs, outputs, settings,
                    margin=margin)

    def _generate(self, model, prompts: "Prompts", inputs: dict, outputs: dict, expected: dict) -> float:
        given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        ends = self.config["eos_token_id"]
        with torch.inference_mode():
            result = model.generate(**given, do_sample=False, num_beams=1, max_new_tokens=NEW_TOKENS,
                                    pad_token_id=self.pad_id, eos_token_id=ends, output_logits=True,
                                    return_dict_in_generate=True)
        length = inputs["input_ids"].shape[1]
        generated = result.sequences[:, length:]
        steps = torch.stack(result.logits, dim=1).float()
        best = steps.topk(2, dim=-1).values
        lead = best[..., 0] - best[..., 1]
        ended = torch.isin(generated, torch.tensor(ends))
        unfinished = ended.cumsum(1) - ended.long() == 0  # the step that ends a row counts too
        margin = lead[unfinished].min().item()
        if min(len(set(row)) for row in generated.tolist()) < VARIETY:
            margin = 0.0
        outputs |= {"generated_ids": generated, "step_logits": steps[:, :KEPT_STEPS]}
        expected |= {"generated_ids": generated.tolist(), "smallest_top2_margin": lead[unfinished].min().item(),
                     "generated_text": [prompts.text(row) for row in generated.tolist()],
                     "text_with_prompt": [prompts.text(row) for row in result.sequences.tolist()]}
        return margin

    def _check(self, folder: Path, cases: list[Case]) -> None:
        model = checkpoints.load_back(folder, self.class_name)
        for again, case in zip(self._cases(model, folder), cases, strict=True):
            for name, tensor in case.outputs.items():
                worst = (tensor - again.outputs[name]).abs().max().item()
                if worst > NOISE:
                    raise RuntimeError(f"{self.name}/{case.name}: {name} differs by {worst} after loading back")


class Prompts:
    """Texts as the folder's tokenizer.json gives them, padded on the left."""

    def __init__(self, folder: Path, pad_id: int):
        self.backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.backend.enable_padding(direction="left", pad_id=pad_id, pad_token=self.backend.id_to_token(pad_id))

    def tensors(self, texts: list[str]) -> dict[str, torch.Tensor]:
        encodings = self.backend.encode_batch(texts)
        mask = torch.tensor([encoding.attention_mask for encoding in encodings])
        return {"input_ids": torch.tensor([encoding.ids for encoding in encodings]), "attention_mask": mask,
                "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}

    def text(self, ids: list[int]) -> str:
        return self.backend.decode(ids, skip_special_tokens=True)


def copy_tokenizer(source: Path, folder: Path) -> None:
    for name in TOKENIZER_FILES:
        shutil.copyfile(source / name, folder / name)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")


def write_generation_config(folder: Path, config: dict) -> None:
    ids = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id") if config.get(key) is not None}
    settings = {"_from_model_config": True, **ids, "transformers_version": config["transformers_version"]}
    (folder / "generation_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def all_decoders() -> list[Decoder]:
    return [
        Decoder("qwen3", "Qwen3ForCausalLM", "qwen2", configs.qwen3(),
                "query and key are normed a head at a time; head_dim is not hidden_size / heads; tied; layer 2 sees a "
                "window, by max_window_layers", pad_id=606, words=0.2),
        Decoder("phi3", "Phi3ForCausalLM", "llama", configs.phi3(),
                "query, key and value are one matrix, gate and up another; three quarters of each head are turned; "
                "longrope: the case 'long' is longer than original_max_position_embeddings; window 8"),
        Decoder("gpt_neox", "GPTNeoXForCausalLM", "gpt2", configs.gpt_neox(),
                "attention and feed forward read the same; query, key and value of each head lie together; half of each "
                "head is turned", pad_id=596, edit=_neox_buffers),
        Decoder("gpt_neox_serial", "GPTNeoXForCausalLM", "gpt2",
                configs.gpt_neox(use_parallel_residual=False, num_hidden_layers=2, attention_bias=False),
                "one after the other: use_parallel_residual false; attention without bias", pad_id=596),
        Decoder("gemma2", "Gemma2ForCausalLM", "gemma", configs.gemma2(),
                "four norms a layer; scores and logits are capped; layers 0 and 2 see a window", words=0.1),
        Decoder("gemma3_text", "Gemma3ForCausalLM", "gemma", configs.gemma3_text(),
                "query and key are normed; every third layer sees all and is turned by rope_theta, scaled linearly, the "
                "others by rope_local_base_freq", words=0.1),
        Decoder("mixtral", "MixtralForCausalLM", "mistral", configs.mixtral(),
                "two of four experts a token; window 8", pad_id=2),
    ]


def _neox_buffers(tensors: dict) -> dict:
    """The masks and frequencies that published files hold beside the weights, and their name of the output matrix."""
    made = {name.replace("lm_head.", "embed_out."): value for name, value in tensors.items()}
    for layer in range(2):
        attention = f"gpt_neox.layers.{layer}.attention"
        made[f"{attention}.bias"] = torch.ones(1, 1, 4, 4, dtype=torch.bool).tril()
        made[f"{attention}.masked_bias"] = torch.tensor(-1e9)
        made[f"{attention}.rotary_emb.inv_freq"] = torch.ones(2)
    return made
