"""The fixtures that are one Transformers class with one task."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from goldens import checkpoints, configs, tasks
from goldens.cases import Case, write_cases
from goldens.vocabularies import WITH_TYPES, WITHOUT_TYPES, Vocabulary, write_vocabulary

NOISE = 5e-6  # the same weights at other addresses may be summed in another order
LEAD = 2e-4  # scores of the reference must lead by more than float32 noise can change


@dataclasses.dataclass
class Encoder:
    """`cases` gives the cases of a model; `published` is a config.json that says the same in other keys."""

    name: str
    class_name: str
    vocabulary: str
    config: dict
    cases: Callable
    note: str
    input_names: tuple[str, ...] = WITH_TYPES
    dtype: str = "float32"
    shard_size: str | None = None
    edit: Callable | None = None
    published: dict | None = None
    head_gain: float = 3.0
    max_length: int | None = None
    lean: bool = False

    def make(self, folder: Path, fixtures: Path, seed: int) -> None:
        """Writes the folder; seeds are tried from `seed` until every discrete result is decided by a clear lead."""
        write_vocabulary(self.vocabulary, folder, fixtures, self.max_length, self.lean)
        for attempt in range(seed, seed + 500):
            model = checkpoints.build(folder, self.class_name, self.config, attempt, self.head_gain)
            self._round(model)
            cases = self._cases(model, folder)
            if min(case.margin for case in cases) > LEAD:
                break
        else:
            raise RuntimeError(f"{self.name}: no seed from {seed} on decides every result clearly")
        checkpoints.save_weights(folder, model, self.dtype, self.shard_size, self.edit)
        checkpoints.write_config(folder, {**(self.published or self.config), "torch_dtype": self.dtype})
        write_cases(folder, self.class_name, self.note, cases)
        self._check(folder, cases)

    def _round(self, model) -> None:
        if self.dtype != "float32":
            model.to(getattr(torch, self.dtype)).to(torch.float32)

    def _cases(self, model, folder: Path) -> list[Case]:
        return self.cases(model, Vocabulary(folder, self.input_names))

    def _check(self, folder: Path, cases: list[Case]) -> None:
        model = checkpoints.load_back(folder, self.class_name, self.config if self.published else None,
                                      unused=self.edit is _with_leftovers)
        for again, case in zip(self._cases(model, folder), cases, strict=True):
            for name, tensor in case.outputs.items():
                worst = (tensor - again.outputs[name]).abs().max().item()
                if worst > NOISE:
                    raise RuntimeError(f"{self.name}/{case.name}: {name} differs by {worst} after loading back")


def _plain(family: str, vocabulary: str, config: Callable, names: tuple, prefix: str, wanted: dict) -> list[Encoder]:
    """One fixture for each `task: (class suffix, config changes, note)`."""
    kinds = {"embed": tasks.embed, "masked_lm": tasks.fill_mask, "sequence_classification": tasks.classify_text,
             "token_classification": tasks.classify_tokens, "question_answering": tasks.answer_questions}
    made = []
    for task, (suffix, changes, note) in wanted.items():
        class_name = f"{prefix}{suffix}"
        name = family if task == "embed" else f"{family}_{task}"
        gain = 6.0 if task == "question_answering" else 3.0
        made.append(Encoder(name, class_name, vocabulary, config(class_name, **changes), kinds[task], note, names,
                            head_gain=gain))
    return made


MASKED = ("ForMaskedLM", {}, "decoder is tied")
MOODS = ("ForSequenceClassification", configs.labels(configs.MOODS), "")
ENTITIES = ("ForTokenClassification", configs.labels(configs.ENTITY_LABELS), "entities by every aggregation strategy")
ANSWERS = ("ForQuestionAnswering", {}, "rows are the windows of the questions, in order")


def _with_leftovers(tensors: dict) -> dict:
    """What published pre-training checkpoints hold beside the weights that this class uses."""
    words = tensors["bert.embeddings.word_embeddings.weight"]
    pooler = torch.full((words.shape[1], words.shape[1]), 0.25)
    return {**tensors, "bert.embeddings.position_ids": torch.arange(96)[None], "bert.pooler.dense.weight": pooler,
            "bert.pooler.dense.bias": pooler[0].clone(), "cls.predictions.decoder.weight": words.clone(),
            "cls.predictions.decoder.bias": tensors["cls.predictions.bias"].clone(),
            "cls.seq_relationship.weight": pooler[:2].clone(), "cls.seq_relationship.bias": pooler[0, :2].clone()}


def _bert_variants() -> list[Encoder]:
    def variant(name: str, cases: Callable, note: str, changes: dict, suffix: str = "Model", **options) -> Encoder:
        class_name = f"Bert{suffix}"
        return Encoder(name, class_name, "bert", configs.bert(class_name, **changes), cases, note, **options)

    one = configs.labels(["LABEL_0"])
    many = configs.labels(["light", "water", "earth", "sky"])
    classify = tasks.classify_text
    return [
        *_plain("bert", "bert", configs.bert, WITH_TYPES, "Bert", {"question_answering": ANSWERS}),
        Encoder("bert_entities", "BertForTokenClassification", "bert_cased",
                configs.bert("BertForTokenClassification", vocab_size=720, **configs.labels(configs.ENTITY_LABELS)),
                tasks.classify_tokens, "labels vary; entities by every aggregation strategy"),
        variant("bert_regression", classify, "one label, raw logit", {**one, "problem_type": "regression"},
                "ForSequenceClassification"),
        variant("bert_multi_label", classify, "a sigmoid each label",
                {**many, "problem_type": "multi_label_classification"}, "ForSequenceClassification"),
        variant("bert_relu", tasks.embed, "relu; 3 heads of 12", {"hidden_act": "relu", "hidden_size": 36,
                "num_attention_heads": 3}),
        variant("bert_gelu_new", tasks.embed, "tanh GELU; 1 layer; layer_norm_eps 1e-5",
                {"hidden_act": "gelu_new", "num_hidden_layers": 1, "layer_norm_eps": 1e-5}),
        variant("bert_bfloat16", tasks.embed, "bfloat16 weights; the reference widened them to float32", {},
                dtype="bfloat16"),
        variant("bert_float16", tasks.embed, "float16 weights; the reference widened them to float32", {},
                dtype="float16"),
        variant("bert_sharded", tasks.embed, "two shards with an index", {}, shard_size="52KB"),
        variant("bert_prefixed", tasks.embed, "tensor names with the 'bert.' prefix, as pre-training checkpoints have",
                {}, edit=lambda tensors: {f"bert.{name}": value for name, value in tensors.items()}),
        variant("bert_leftovers", tasks.fill_mask, "tensors of other heads, a copy of the tied decoder and int64 "
                "position_ids, as pre-training checkpoints have", {}, "ForMaskedLM", edit=_with_leftovers),
        variant("bert_tensors", tasks.tensors_only,
                "given tensors; positions count from the row's start, padding included", {}),
        variant("bert_left_padding", tasks.padded_classes,
                "given tensors: the class is read at the first column, also where that is padding", configs.labels(
                    configs.MOODS), "ForSequenceClassification"),
        variant("bert_next_sentence", tasks.next_sentence, "two logits a pair: it follows, or it was drawn", {},
                "ForNextSentencePrediction"),
        variant("bert_lm_head", tasks.fill_mask, "the head of BertForMaskedLM under another class; not a decoder", {},
                "LMHeadModel"),
        variant("bert_no_class", classify, "config.json names no class: the head is found in the weights",
                configs.labels(configs.MOODS), "ForSequenceClassification", published={
                    key: value for key, value in configs.bert("", **configs.labels(configs.MOODS)).items()
                    if key != "architectures"}),
        variant("bert_truncated", tasks.truncated, "model_max_length 24 in tokenizer_config.json", {}, max_length=24),
    ]


def _electra() -> list[Encoder]:
    pretraining = configs.electra("ElectraForPreTraining")
    return [
        *_plain("electra", "bert", configs.electra, WITH_TYPES, "Electra", {
            "embed": ("Model", {}, "embeddings are narrower than the layers: embeddings_project"),
            "masked_lm": ("ForMaskedLM", {}, "generator head, tied"), "sequence_classification": MOODS,
            "token_classification": ENTITIES, "question_answering": ANSWERS}),
        Encoder("electra_pretraining", "ElectraForPreTraining", "bert", pretraining, tasks.spot_replaced,
                "discriminator head", head_gain=2.0),
    ]


def _modernbert() -> list[Encoder]:
    pooled = configs.labels(configs.MOODS)
    note = "windows of local_attention 8: a token sees 4 on each side; layers 0 and 3 see all"
    return [
        *_plain("modernbert", "modernbert", configs.modernbert, WITHOUT_TYPES, "ModernBert", {
            "embed": ("Model", {}, note), "masked_lm": ("ForMaskedLM", {}, "tied decoder with its own bias"),
            "sequence_classification": ("ForSequenceClassification", pooled, "classifier_pooling mean"),
            "token_classification": ENTITIES, "question_answering": ANSWERS}),
        Encoder("modernbert_classification_cls", "ModernBertForSequenceClassification", "modernbert",
                configs.modernbert("ModernBertForSequenceClassification", classifier_pooling="cls", **pooled),
                tasks.classify_text, "classifier_pooling cls", WITHOUT_TYPES, head_gain=3.0),
        Encoder("modernbert_tensors", "ModernBertForSequenceClassification", "modernbert",
                configs.modernbert("ModernBertForSequenceClassification", classifier_pooling="cls", **pooled),
                lambda model, vocabulary: tasks.padded_classes(model, vocabulary, 3),
                "given tensors; windows and angles count padding", WITHOUT_TYPES),
    ]


def _nomic() -> list[Encoder]:
    note = "reference is Transformers' NomicBertModel"
    own = configs.nomic_bert("NomicBertModel")
    return [
        Encoder("nomic_bert", "NomicBertModel", "bert", own, tasks.embed,
                f"published keys (n_embd ...) and names; {note}",
                published=configs.nomic_bert_published("NomicBertModel")),
        Encoder("nomic_bert_current", "NomicBertModel", "bert", {**own, "rope_parameters": {
            "rope_theta": 10000.0, "rope_type": "default"}}, tasks.embed,
            f"keys of Transformers 5 (hidden_size, rope_parameters); {note}"),
        Encoder("nomic_bert_masked_lm", "NomicBertForMaskedLM", "bert", configs.nomic_bert("NomicBertForMaskedLM"),
                tasks.fill_mask, "names begin with nomic_bert., as Transformers 5 saves them; tied, with a bias"),
    ]


def all_encoders() -> list[Encoder]:
    return [
        *_bert_variants(),
        *_plain("roberta", "roberta", configs.roberta, WITHOUT_TYPES, "Roberta", {
            "masked_lm": MASKED, "sequence_classification": MOODS, "token_classification": ENTITIES,
            "question_answering": ANSWERS}),
        Encoder("xlm_roberta", "XLMRobertaModel", "xlm_roberta",
                configs.xlm_roberta("XLMRobertaModel", **{**configs.TINY, "hidden_size": 8}), tasks.embed,
                "tokenizer.json on one line", WITHOUT_TYPES, lean=True),
        Encoder("roberta_tensors", "RobertaModel", "roberta", configs.roberta("RobertaModel"), tasks.tensors_only,
                "given tensors; positions skip padding, wherever it is", WITHOUT_TYPES),
        *_plain("distilbert", "distilbert", configs.distilbert, WITHOUT_TYPES, "DistilBert", {
            "masked_lm": MASKED, "sequence_classification": MOODS, "token_classification": ENTITIES,
            "question_answering": ANSWERS}),
        *_plain("mpnet", "mpnet", configs.mpnet, WITHOUT_TYPES, "MPNet", {
            "embed": ("Model", {}, "one table of relative position biases for all layers"), "masked_lm": MASKED,
            "sequence_classification": MOODS, "token_classification": ENTITIES, "question_answering": ANSWERS}),
        *_electra(),
        *_plain("albert", "albert", configs.albert, WITHOUT_TYPES, "Albert", {
            "embed": ("Model", {}, "one layer used three times; embeddings are narrower than the layers"),
            "masked_lm": MASKED, "sequence_classification": MOODS, "token_classification": ENTITIES,
            "question_answering": ANSWERS}),
        Encoder("albert_groups", "AlbertModel", "albert",
                configs.albert("AlbertModel", num_hidden_groups=2, inner_group_num=2, num_hidden_layers=4), tasks.embed,
                "two groups of two layers each, every group used twice: a hidden state for each of the 8 layers",
                WITHOUT_TYPES),
        *_modernbert(),
        *_nomic(),
    ]
