"""Tokenizer folders of the families, copied from committed fixtures or derived from them."""

import json
import shutil
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from goldens.cases import INPUT_NAMES

TRAINING_TEXT = Path(__file__).with_name("training_text.txt")
WITH_TYPES = INPUT_NAMES
WITHOUT_TYPES = ("input_ids", "attention_mask")

# family: the fixture whose tokenizer files are copied
COPIED = {"bert": "bert", "bert_cased": "bert_token_classification", "distilbert": "distilbert", "roberta": "roberta",
          "xlm_roberta": "xlm_roberta"}
FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt")
BERT_SPECIALS = {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]",
                 "unk_token": "[UNK]"}
MPNET_SPECIALS = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>",
                  "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "[UNK]"}


class Vocabulary:
    """A tokenizer.json as the tokenizers library reads it, with the batch layout of its family."""

    def __init__(self, folder: Path, input_names: tuple[str, ...], side: str = "right"):
        self.folder, self.input_names = folder, input_names
        self.backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.settings = json.loads((folder / "tokenizer_config.json").read_text())
        self.pad_id = self.backend.token_to_id(self.settings["pad_token"])
        self.backend.enable_truncation(self.settings["model_max_length"])
        self.backend.enable_padding(direction=side, pad_id=self.pad_id, pad_token=self.settings["pad_token"])

    def encodings(self, rows: list):
        return self.backend.encode_batch(rows)

    def tensors(self, rows: list) -> dict[str, torch.Tensor]:
        """`rows` are texts or pairs of texts; the tensors are padded to the longest."""
        fields = {"input_ids": "ids", "token_type_ids": "type_ids", "attention_mask": "attention_mask"}
        encodings = self.encodings(rows)
        return {name: torch.tensor([getattr(e, fields[name]) for e in encodings]) for name in self.input_names}

    def for_pipelines(self) -> transformers.PreTrainedTokenizerFast:
        """The same tokenizer.json as Transformers' pipelines want it, not rebuilt by a class of the family."""
        names = {key: self.settings[key] for key in BERT_SPECIALS if key in self.settings}
        return transformers.PreTrainedTokenizerFast(tokenizer_file=str(self.folder / "tokenizer.json"), **names,
                                                    model_max_length=self.settings["model_max_length"],
                                                    model_input_names=list(self.input_names))


def _write(folder: Path, tokenizer: tokenizers.Tokenizer, class_name: str, specials: dict, **settings) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    added = {str(i): {"content": t.content, "lstrip": t.lstrip, "normalized": t.normalized, "rstrip": t.rstrip,
                      "single_word": t.single_word, "special": t.special}
             for i, t in sorted(tokenizer.get_added_tokens_decoder().items())}
    settings = {"model_max_length": 512, "tokenizer_class": class_name, **specials, **settings,
                "added_tokens_decoder": added}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(specials, indent=2) + "\n")


def _bert_template(cls: int, sep: int) -> processors.PostProcessor:
    return processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
                                         special_tokens=[("[CLS]", cls), ("[SEP]", sep)])


def write_mpnet(folder: Path, fixtures: Path) -> None:
    """MPNet's layout: BERT's WordPiece behind <s> <pad> </s> <unk>, with <mask> last and Roberta's template."""
    words = json.loads((fixtures / "bert" / "tokenizer.json").read_text())["model"]["vocab"]
    ordered = ["<s>", "<pad>", "</s>", "<unk>", *sorted(words, key=words.get), "<mask>"]
    vocabulary = {word: i for i, word in enumerate(ordered)}
    tokenizer = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "[UNK]",
                                  tokenizers.AddedToken("<mask>", lstrip=True, special=True)])
    _write(folder, tokenizer, "MPNetTokenizer", MPNET_SPECIALS, do_lower_case=True, strip_accents=None,
           tokenize_chinese_chars=True)
    (folder / "vocab.txt").write_text("\n".join(ordered) + "\n")


def write_albert(folder: Path, fixtures: Path) -> None:
    """ALBERT's layout: lower-cased Unigram behind Metaspace; without the compiled character map of published files."""
    if (fixtures / "albert" / "tokenizer.json").exists():
        copy_files(fixtures / "albert", folder)
        return
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
        normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=500, unk_token="<unk>", show_progress=False,
                                      special_tokens=["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(TRAINING_TEXT.read_text().splitlines(), trainer)
    tokenizer.post_processor = _bert_template(2, 3)
    tokenizer.add_special_tokens([tokenizers.AddedToken("[MASK]", lstrip=True, normalized=False, special=True)])
    specials = {**BERT_SPECIALS, "bos_token": "[CLS]", "eos_token": "[SEP]", "pad_token": "<pad>", "unk_token": "<unk>"}
    _write(folder, tokenizer, "AlbertTokenizer", specials, do_lower_case=True, keep_accents=False, remove_space=True)


def write_modernbert(folder: Path, fixtures: Path) -> None:
    """ModernBERT's layout: byte-level BPE with BERT's special tokens behind the words."""
    model = json.loads((fixtures / "roberta" / "tokenizer.json").read_text())["model"]
    special = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}
    words = [word for word in sorted(model["vocab"], key=model["vocab"].get) if word not in special]
    merges = [tuple(merge if isinstance(merge, list) else merge.split(" ")) for merge in model["merges"]]
    tokenizer = tokenizers.Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]",
                                  tokenizers.AddedToken("[MASK]", lstrip=True, special=True)])
    tokenizer.post_processor = _bert_template(len(words) + 1, len(words) + 2)
    _write(folder, tokenizer, "PreTrainedTokenizerFast", BERT_SPECIALS, clean_up_tokenization_spaces=True,
           model_input_names=["input_ids", "attention_mask"])


def copy_files(source: Path, folder: Path) -> None:
    for name in FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, folder / name)


DERIVED = {"mpnet": write_mpnet, "albert": write_albert, "modernbert": write_modernbert}


def write_vocabulary(family: str, folder: Path, fixtures: Path, max_length: int | None, lean: bool) -> None:
    """Tokenizer files of `family` in `folder`. `lean` keeps tokenizer.json without line breaks and alternatives."""
    if family in DERIVED:
        DERIVED[family](folder, fixtures)
    else:
        copy_files(fixtures / COPIED[family], folder)
    if max_length:
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": max_length}, indent=2) + "\n")
    if lean:
        path = folder / "tokenizer.json"
        path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")
