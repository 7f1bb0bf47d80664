"""Fixtures of sentence-transformers folders and of cross-encoders, made by that library itself."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import sentence_transformers
import torch
from safetensors.torch import save_file

from goldens import checkpoints, configs, tasks
from goldens.cases import INPUT_NAMES, Case, write_cases
from goldens.encoders import LEAD, NOISE
from goldens.vocabularies import write_vocabulary

MODES = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "mean_sqrt_len": "mean_sqrt_len_tokens",
         "weightedmean": "weightedmean_tokens", "lasttoken": "lasttoken"}
MODEL_TYPES = {"bert": (configs.bert, "BertModel"), "bert_cased": (configs.bert, "BertModel"),
               "roberta": (configs.roberta, "RobertaModel"), "mpnet": (configs.mpnet, "MPNetModel")}
WIDTH, LENGTH = 16, 40
ROWS = {"single_short": [tasks.SHORT], "batch_padded": tasks.BATCH,
        "truncated_long": [tasks.LONG + " " + tasks.BATCH[0]]}


@dataclasses.dataclass
class Dense:
    """A dense layer of a sentence-transformers folder."""

    width: int
    activation: str
    bias: bool = True


NORMALIZE = "Normalize"


@dataclasses.dataclass
class Sentence:
    """A folder with modules.json: a transformer, pooling by `modes`, then `after`."""

    name: str
    note: str
    modes: tuple[str, ...] = ("mean",)
    after: tuple = (NORMALIZE,)
    vocabulary: str = "bert"
    prompts: dict | None = None
    default_prompt: str | None = None
    include_prompt: bool = True
    lower_case: bool = False
    current_layout: bool = False
    inner: str = ""  # the sub-folder of the Transformer module, as releases before 2 wrote it
    class_name: str = "SentenceTransformer"

    def make(self, folder: Path, fixtures: Path, seed: int) -> None:
        write_vocabulary(self.vocabulary, folder, fixtures, None, False)
        config_of, class_name = MODEL_TYPES[self.vocabulary]
        changes = {"vocab_size": 720} if self.vocabulary == "bert_cased" else {}
        config = config_of(class_name, **changes)
        model = checkpoints.build(folder, class_name, config, seed, 1.0)
        checkpoints.save_weights(folder, model, "float32", None, None)
        checkpoints.write_config(folder, config)
        self._write_modules(folder, torch.Generator().manual_seed(seed))
        if self.current_layout:
            _save_again(folder)
        if self.inner:
            self._move_inside(folder)
        cases = self._cases(_reference(folder))
        write_cases(folder, self.class_name, self.note, cases)

    def _write_modules(self, folder: Path, generator: torch.Generator) -> None:
        modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
        pooling = {"word_embedding_dimension": WIDTH, "include_prompt": self.include_prompt}
        pooling.update({f"pooling_mode_{key}": mode in self.modes for mode, key in MODES.items()})
        _write_json(folder / "1_Pooling" / "config.json", pooling)
        width = WIDTH * len(self.modes)
        for i, module in enumerate(self.after, start=2):
            if isinstance(module, Dense):
                _write_dense(folder / f"{i}_Dense", module, width, generator)
                width = module.width
            kind = "Dense" if isinstance(module, Dense) else module
            modules.append((f"{i}_{kind}", kind))
        _write_json(folder / "modules.json", [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)])
        _write_json(folder / "sentence_bert_config.json", {"max_seq_length": LENGTH, "do_lower_case": self.lower_case})
        versions = {"sentence_transformers": "2.7.0", "transformers": "4.46.0", "pytorch": "2.3.0"}
        prompts = {"prompts": self.prompts, "default_prompt_name": self.default_prompt} if self.prompts else {}
        _write_json(folder / "config_sentence_transformers.json", {"__version__": versions, **prompts})

    def _move_inside(self, folder: Path) -> None:
        """Puts what belongs to the Transformer module into its sub-folder."""
        outside = {"modules.json", "config_sentence_transformers.json"}
        files = [path for path in folder.iterdir() if path.is_file() and path.name not in outside]
        (folder / self.inner).mkdir()
        for path in files:
            path.rename(folder / self.inner / path.name)
        modules = json.loads((folder / "modules.json").read_text())
        modules[0]["path"] = self.inner
        _write_json(folder / "modules.json", modules)

    def _cases(self, reference) -> list[Case]:
        cases = [self._case(reference, name, texts, None) for name, texts in ROWS.items()]
        for prompt in self.prompts or ():
            cases.append(self._case(reference, f"prompt_{prompt}", tasks.BATCH, prompt))
        return cases

    def _case(self, reference, name: str, texts: list[str], prompt_name: str | None) -> Case:
        chosen = prompt_name or self.default_prompt
        prompt = self.prompts[chosen] if self.prompts and chosen else ""
        features = {k: v for k, v in reference.preprocess(texts, prompt=prompt or None).items()}
        inputs = {key: features[key].clone() for key in INPUT_NAMES if key in features}
        outputs = {}
        if name == "single_short":
            outputs = tasks.forward(reference[0].auto_model, inputs, True)
            outputs.pop("pooler_output", None)
        with torch.inference_mode():
            vectors = reference(features)["sentence_embedding"].float()
        encoded = torch.from_numpy(reference.encode(texts, prompt_name=prompt_name, batch_size=8))
        if (encoded - vectors).abs().max() > 20 * NOISE:
            raise RuntimeError(f"{self.name}/{name}: encode() and the modules disagree")
        expected = {"embedding_head": vectors[:, :6].tolist(), "cosine": tasks.cosines(vectors),
                    "norm": vectors.norm(dim=-1).tolist()}
        settings = {"prompt_name": prompt_name} if prompt_name else {}
        if "prompt_length" in features and not self.include_prompt:
            settings["prompt_length"] = int(features["prompt_length"])
        return Case(name, "embed", "SentenceTransformer.encode", tasks.texts_of(texts), expected, inputs,
                    {**outputs, "sentence_embedding": vectors}, settings)


def _write_json(path: Path, value) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def _write_dense(folder: Path, dense: Dense, width: int, generator: torch.Generator) -> None:
    _write_json(folder / "config.json", {"in_features": width, "out_features": dense.width, "bias": dense.bias,
                                         "activation_function": dense.activation})
    tensors = {"linear.weight": torch.randn(dense.width, width, generator=generator) / width**0.5}
    if dense.bias:
        tensors["linear.bias"] = torch.randn(dense.width, generator=generator) * 0.2
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _reference(folder: Path) -> sentence_transformers.SentenceTransformer:
    return sentence_transformers.SentenceTransformer(str(folder), device="cpu", local_files_only=True,
                                                     model_kwargs={"attn_implementation": "eager"}).eval()


def _save_again(folder: Path) -> None:
    """Replaces the folder by what today's library saves: new module types, keys and file names."""
    reference = _reference(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    reference.save_pretrained(str(folder), create_model_card=False)


@dataclasses.dataclass
class CrossEncoder:
    """A sequence classifier with one label that scores pairs of texts."""

    name: str
    note: str
    class_name: str
    vocabulary: str
    config: Callable
    changes: dict = dataclasses.field(default_factory=dict)
    lean: bool = False

    def make(self, folder: Path, fixtures: Path, seed: int) -> None:
        write_vocabulary(self.vocabulary, folder, fixtures, None, self.lean)
        config = self.config(self.class_name, **configs.labels(["LABEL_0"]), **self.changes)
        for attempt in range(seed, seed + 500):
            model = checkpoints.build(folder, self.class_name, config, attempt, 3.0)
            checkpoints.save_weights(folder, model, "float32", None, None)
            checkpoints.write_config(folder, config)
            cases = self._cases(folder)
            if min(case.margin for case in cases) > LEAD:
                break
        else:
            raise RuntimeError(f"{self.name}: no seed from {seed} on decides every order clearly")
        checkpoints.load_back(folder, self.class_name)
        write_cases(folder, self.class_name, self.note, cases)

    def _cases(self, folder: Path) -> list[Case]:
        reference = sentence_transformers.CrossEncoder(str(folder), device="cpu", local_files_only=True,
                                                       model_kwargs={"attn_implementation": "eager"})
        rows = {"single_short": [tasks.PAIR], "batch_padded": tasks.PAIRS, "long": [(tasks.QUESTION, tasks.LONG)]}
        return [self._case(reference, name, pairs) for name, pairs in rows.items()]

    def _case(self, reference, name: str, pairs: list) -> Case:
        features = reference.preprocess(pairs)
        inputs = {key: features[key] for key in INPUT_NAMES if key in features}
        outputs = tasks.forward(reference.model, inputs, name == "single_short")
        scores = reference.predict(pairs).tolist()
        entries = [[{"label": "LABEL_0", "id": 0, "score": score}] for score in scores]
        ranking = sorted(range(len(pairs)), key=lambda i: -scores[i])
        return Case(name, "text-classification", "CrossEncoder.predict", tasks.texts_of(pairs),
                    {"scores": entries, "ranking": ranking}, inputs, outputs,
                    margin=tasks.leads([scores[i] for i in ranking]))


def _cross_encoders() -> list[CrossEncoder]:
    identity = "torch.nn.modules.linear.Identity"
    name, bert = "BertForSequenceClassification", configs.bert
    return [
        CrossEncoder("cross_encoder", "one label without a named activation: sigmoid", name, "bert", bert),
        CrossEncoder("cross_encoder_identity", "config.json asks for raw logits under sentence_transformers", name,
                     "bert", bert, {"sentence_transformers": {"activation_fn": identity, "version": "4.1.0"}}),
        CrossEncoder("cross_encoder_legacy", "config.json asks for raw logits under the key of older versions", name,
                     "bert", bert, {"sbert_ce_default_activation_function": identity}),
        CrossEncoder("xlm_roberta_reranker", "one label: sigmoid; tokenizer.json on one line",
                     "XLMRobertaForSequenceClassification", "xlm_roberta", configs.xlm_roberta, configs.TINY, True),
    ]


def all_sentence_fixtures() -> list:
    tanh, none = "torch.nn.modules.activation.Tanh", "torch.nn.modules.linear.Identity"
    prompts = {"query": "query: ", "document": "passage of text: "}
    return [
        Sentence("st_cls", "first token, then normalised", ("cls",)),
        Sentence("st_max", "greatest value over the tokens, not normalised", ("max",), ()),
        Sentence("st_mean_sqrt_len", "sum over the square root of the length, not normalised", ("mean_sqrt_len",), ()),
        Sentence("st_weighted_mean", "mean weighted by 1, 2, 3 ...", ("weightedmean",)),
        Sentence("st_last_token", "last real token", ("lasttoken",)),
        Sentence("st_mean_and_max", "two poolings; the order is cls, max, mean, sqrt: here max first", ("mean", "max")),
        Sentence("st_dense_tanh", "pooling, dense with tanh, normalise", after=(Dense(12, tanh), NORMALIZE)),
        Sentence("st_dense_identity", "pooling, normalise, dense without bias or activation",
                 after=(NORMALIZE, Dense(24, none, False))),
        Sentence("st_two_dense", "pooling, two dense layers, normalise",
                 after=(Dense(24, none, False), Dense(16, none, False), NORMALIZE)),
        Sentence("st_prompts", "prompts by name, none by default", prompts=prompts),
        Sentence("st_prompts_left_out", "a default prompt; pooling leaves the prompt's tokens out", prompts=prompts,
                 default_prompt="document", include_prompt=False),
        Sentence("st_prompts_first_token", "cls pooling that leaves the prompt out: the token after it", ("cls",),
                 prompts=prompts, default_prompt="query", include_prompt=False),
        Sentence("st_lower_case", "a cased vocabulary behind do_lower_case", vocabulary="bert_cased", lower_case=True),
        Sentence("st_roberta", "", vocabulary="roberta"),
        Sentence("st_mpnet", "as all-mpnet-base-v2", vocabulary="mpnet"),
        Sentence("st_current", "as sentence-transformers 6.2 saves: other module types, keys and files",
                 after=(Dense(12, tanh), NORMALIZE), prompts=prompts, current_layout=True),
        Sentence("st_sub_folder", "the Transformer module lies in 0_Transformer, as releases before 2 saved it",
                 after=(Dense(12, tanh), NORMALIZE), inner="0_Transformer"),
        *_cross_encoders(),
    ]
