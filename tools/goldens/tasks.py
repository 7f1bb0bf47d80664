"""The cases of each task: what the reference is asked, what it answers, and how clear the lead of each choice is."""

import inspect

import numpy as np
import torch
import transformers

from goldens import answers
from goldens.cases import Case
from goldens.vocabularies import Vocabulary

SHORT = "God is light."
BATCH = ["In the beginning God created the heaven and the earth.", "Hello!",
         "The naïve café owner can't pay 42 dollars, he said; don't worry."]
LONG = ("And the evening and the morning were the first day. And God said, Let there be a firmament in the midst of "
        "the waters, and let it divide the waters from the waters.")
PAIR = ("Who made the stars?", "And God made two great lights; he made the stars also.")
PAIRS = [PAIR, ("Who made the stars?", "Hello!"), ("What is light?", "And God said, Let there be light.")]
QUESTION, CONTEXT = PAIR
CONTEXTS = ["Adam lived in the garden of Eden with his wife.", CONTEXT]
QUESTIONS = ["Where did Adam live?", QUESTION]
ENTITIES = ["Abel was a keeper of sheep.", "And Cain went out, and dwelt in the land of Nod, on the east of Eden."]
STRATEGIES = ("simple", "first", "average", "max")


def texts_of(rows: list) -> dict:
    """The `input` of a case: one text or a list; the second texts of pairs are `text_pair`."""
    def one_or_many(values):
        return values[0] if len(values) == 1 else list(values)

    if isinstance(rows[0], tuple):
        return {"text": one_or_many([first for first, _ in rows]), "text_pair": one_or_many([s for _, s in rows])}
    return {"text": one_or_many(rows)}


def forward(model: torch.nn.Module, inputs: dict, hidden: bool) -> dict[str, torch.Tensor]:
    """All tensors of the model's output; `hidden` adds every hidden state."""
    known = inspect.signature(model.forward).parameters
    with torch.inference_mode():
        result = model(**{k: v for k, v in inputs.items() if k in known}, output_hidden_states=hidden)
    tensors = {name: value.float() for name, value in result.items() if isinstance(value, torch.Tensor)}
    for i, state in enumerate(result.get("hidden_states") or ()):
        tensors[f"hidden_states.{i}"] = state.float()
    return tensors


def mean_pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weights = mask.unsqueeze(-1).float()
    return (hidden * weights).sum(1) / weights.sum(1)


def cosines(vectors: torch.Tensor) -> list:
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    return (unit @ unit.T).tolist()


def leads(scores: list[float]) -> float:
    """The smallest step in a descending list."""
    return min((a - b for a, b in zip(scores, scores[1:])), default=float("inf"))


def embed_case(name: str, rows: list, model, vocabulary: Vocabulary, hidden: bool) -> Case:
    inputs = vocabulary.tensors(rows)
    outputs = forward(model, inputs, hidden)
    pooled = mean_pooled(outputs["last_hidden_state"], inputs["attention_mask"])
    outputs["mean_pooled"] = pooled
    expected = {"input_ids": inputs["input_ids"].tolist(), "mean_pooled_head": pooled[:, :4].tolist(),
                "cosine": cosines(pooled)}
    return Case(name, "embed", "model(**tokenizer(text, padding=True))", texts_of(rows), expected, inputs, outputs)


def embed(model, vocabulary: Vocabulary) -> list[Case]:
    rows = {"single_short": [SHORT], "batch_padded": BATCH, "long": [LONG], "pair": [PAIR]}
    return [embed_case(name, row, model, vocabulary, i == 0) for i, (name, row) in enumerate(rows.items())]


def truncated(model, vocabulary: Vocabulary) -> list[Case]:
    """Text longer than the tokenizer's model_max_length, cut as Transformers' truncation does."""
    return [embed_case("single_short", [SHORT], model, vocabulary, True),
            embed_case("truncated_long", [LONG], model, vocabulary, False),
            embed_case("truncated_pair", [(QUESTION, LONG)], model, vocabulary, False)]


def tensors_only(model, vocabulary: Vocabulary) -> list[Case]:
    """Given tensors, no text: padding on the left, padding around, and ids without mask or types."""
    right = vocabulary.tensors(BATCH)
    left = {name: value.clone() for name, value in right.items()}
    for name, value in left.items():
        for row, length in enumerate(right["attention_mask"].sum(1).tolist()):
            value[row] = value[row].roll(value.shape[1] - length)
    both = {name: torch.nn.functional.pad(value, (3, 0), value=vocabulary.pad_id if name == "input_ids" else 0)
            for name, value in right.items()}
    bare = {"input_ids": right["input_ids"][:1]}
    cases = []
    for name, inputs in {"left_padding": left, "padding_around": both, "ids_only": bare}.items():
        outputs = forward(model, inputs, name == "left_padding")
        mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))
        outputs["mean_pooled"] = mean_pooled(outputs["last_hidden_state"], mask)
        expected = {"mean_pooled_head": outputs["mean_pooled"][:, :4].tolist()}
        cases.append(Case(name, "embed", "model(**inputs)", {}, expected, inputs, outputs, {"tensors_only": True}))
    return cases


def padded_classes(model, vocabulary: Vocabulary, most: int = 100) -> list[Case]:
    """Given tensors, no text: padding on the left (at most so much), and columns left out between tokens."""
    right = vocabulary.tensors(BATCH)
    left = {name: value.clone() for name, value in right.items()}
    for value in left.values():
        for row, length in enumerate(right["attention_mask"].sum(1).tolist()):
            value[row] = value[row].roll(min(value.shape[1] - length, most))
    gaps = {name: value.clone() for name, value in left.items()}
    gaps["attention_mask"][:, -4::2] = 0
    cases = []
    for name, inputs in {"right_padding": right, "left_padding": left, "gaps": gaps}.items():
        outputs = forward(model, inputs, True)
        cases.append(Case(name, "text-classification", "model(**inputs)", {}, {}, inputs, outputs,
                          {"tensors_only": True}))
    return cases


def next_sentence(model, vocabulary: Vocabulary) -> list[Case]:
    cases = []
    for name, rows in {"single_short": [PAIR], "pairs_padded": PAIRS}.items():
        inputs = vocabulary.tensors(rows)
        outputs = forward(model, inputs, name == "single_short")
        cases.append(Case(name, "next-sentence-prediction", "model(**tokenizer(text, text_pair)).logits",
                          texts_of(rows), {}, inputs, outputs))
    return cases


def fill_mask(model, vocabulary: Vocabulary) -> list[Case]:
    mask = vocabulary.settings["mask_token"]
    rows = {"single_short": ["God is [MASK]."], "two_masks": ["In the [MASK] God [MASK] the heaven."],
            "batch_padded": ["The [MASK] was void.", "[MASK]!"]}
    cases = []
    for name, texts in rows.items():
        texts = [text.replace("[MASK]", mask) for text in texts]
        inputs = vocabulary.tensors(texts)
        outputs = forward(model, inputs, name == "single_short")
        found, margin = [], float("inf")
        for row, position in (inputs["input_ids"] == vocabulary.backend.token_to_id(mask)).nonzero().tolist():
            best = outputs["logits"][row, position].softmax(-1).topk(6)
            margin = min(margin, leads(best.values.tolist()))
            top = [{"label": vocabulary.backend.id_to_token(i), "id": i, "score": s}
                   for i, s in zip(best.indices.tolist()[:5], best.values.tolist())]
            found.append({"row": row, "position": position, "top": top})
        cases.append(Case(name, "fill-mask", "softmax(model(**tokenizer(text)).logits[mask])", texts_of(texts),
                          {"masks": found}, inputs, outputs, margin=margin))
    return cases


def scores_of(config, logits: torch.Tensor) -> tuple[torch.Tensor, str]:
    """What the text-classification pipeline makes of logits, by the config's problem type; and its name."""
    if config.problem_type == "regression":
        return logits, "logits"
    if config.problem_type == "multi_label_classification" or config.num_labels == 1:
        return logits.sigmoid(), "sigmoid"
    return logits.softmax(-1), "softmax"


def ranked(config, scores: torch.Tensor) -> tuple[list, float]:
    rows = [[{"label": config.id2label[i], "id": i, "score": s} for i, s in enumerate(row)] for row in scores.tolist()]
    rows = [sorted(row, key=lambda entry: -entry["score"]) for row in rows]
    return rows, min(leads([entry["score"] for entry in row]) for row in rows)


def _compare_with_pipeline(model, vocabulary: Vocabulary, rows: list, expected: list) -> None:
    pipeline = transformers.pipeline("text-classification", model=model, tokenizer=vocabulary.for_pipelines())
    asked = [{"text": row[0], "text_pair": row[1]} if isinstance(row, tuple) else row for row in rows]
    for given, wanted in zip([pipeline([row], top_k=None) for row in asked], expected):
        given = given[0] if isinstance(given[0], list) else given
        for got, entry in zip(given, wanted, strict=True):
            if got["label"] != entry["label"] or abs(got["score"] - entry["score"]) > 1e-5:
                raise RuntimeError(f"the text-classification pipeline gives {got}, not {entry}")


def classify_text(model, vocabulary: Vocabulary) -> list[Case]:
    rows = {"single_short": [SHORT], "batch_padded": BATCH, "pair": [PAIR], "pairs_padded": PAIRS, "long": [LONG]}
    cases = []
    for name, row in rows.items():
        inputs = vocabulary.tensors(row)
        outputs = forward(model, inputs, name == "single_short")
        scores, function = scores_of(model.config, outputs["logits"])
        entries, margin = ranked(model.config, scores)
        _compare_with_pipeline(model, vocabulary, row, entries)
        call = "model(**tokenizer(text)).logits"
        call = call if function == "logits" else f"{function}({call})"
        cases.append(Case(name, "text-classification", call, texts_of(row), {"scores": entries}, inputs, outputs,
                          margin=margin))
    return cases


def _token_rows(model, vocabulary: Vocabulary, rows: list, logits: torch.Tensor) -> tuple[list, float]:
    found, margin = [], float("inf")
    for encoding, row in zip(vocabulary.encodings(rows), logits.softmax(-1)):
        tokens = []
        for i, special in enumerate(encoding.special_tokens_mask):
            if special:
                continue
            best = row[i].topk(2)
            margin = min(margin, leads(best.values.tolist()))
            start, end = encoding.offsets[i]
            tokens.append({"token": encoding.tokens[i], "start": start, "end": end,
                           "label": model.config.id2label[best.indices[0].item()], "score": best.values[0].item()})
        found.append(tokens)
    return found, margin


def _entities(model, vocabulary: Vocabulary, texts: list[str], strategy: str) -> list:
    pipeline = transformers.pipeline("token-classification", model=model, tokenizer=vocabulary.for_pipelines())
    rows = [pipeline(text, aggregation_strategy=strategy) for text in texts]
    return [[{"entity_group": group["entity_group"], "score": float(group["score"]), "word": group["word"],
              "start": int(group["start"]), "end": int(group["end"])} for group in row] for row in rows]


def _is_settled(model, vocabulary: Vocabulary, texts: list[str], strategy: str, entities: list) -> bool:
    """Whether small changes of the logits leave every entity where it is."""
    generator = torch.Generator().manual_seed(0)

    def shake(_, __, output):
        output.logits = output.logits + 5e-4 * torch.randn(output.logits.shape, generator=generator)
        return output

    hook = model.register_forward_hook(shake)
    try:
        shaken = [_entities(model, vocabulary, texts, strategy) for _ in range(3)]
    finally:
        hook.remove()

    def places(rows: list) -> list:
        return [[(entity["entity_group"], entity["start"], entity["end"]) for entity in row] for row in rows]

    return all(places(again) == places(entities) for again in shaken)


def classify_tokens(model, vocabulary: Vocabulary) -> list[Case]:
    """Labels of single tokens, then entities by each aggregation strategy of the token-classification pipeline."""
    cases = []
    for name, rows in {"single_short": ENTITIES[:1], "batch_padded": BATCH + ENTITIES, "long": [LONG]}.items():
        inputs = vocabulary.tensors(rows)
        outputs = forward(model, inputs, name == "single_short")
        tokens, margin = _token_rows(model, vocabulary, rows, outputs["logits"])
        cases.append(Case(name, "token-classification", "softmax(model(**tokenizer(text)).logits)", texts_of(rows),
                          {"tokens": tokens}, inputs, outputs, margin=margin))
    plain = cases[1]
    for strategy in STRATEGIES:
        entities = _entities(model, vocabulary, plain.input["text"], strategy)
        joined = any(" " in text[entity["start"]:entity["end"]] for text, row in zip(plain.input["text"], entities)
                     for entity in row)
        kinds = {entity["entity_group"] for row in entities for entity in row}
        fit = joined and len(kinds) > 1 and _is_settled(model, vocabulary, plain.input["text"], strategy, entities)
        cases.append(Case(f"aggregation_{strategy}", plain.task, "pipeline('token-classification')", plain.input,
                          {"entities": entities}, plain.inputs, plain.outputs, {"aggregation_strategy": strategy},
                          plain.name, 1.0 if fit else 0.0))
    return cases


def answer_case(name: str, rows: list[tuple], model, vocabulary: Vocabulary, asked: dict) -> Case:
    settings = {**answers.DEFAULTS, **asked}
    backend = vocabulary.backend.from_str(vocabulary.backend.to_str())
    windows = [answers.pieces(backend, question, context, settings) for question, context in rows]
    flat = [piece for pieces in windows for piece in pieces]
    length = max(len(piece.ids) for piece in flat)
    fields = {"input_ids": ("ids", vocabulary.pad_id), "token_type_ids": ("type_ids", 0),
              "attention_mask": ("attention_mask", 0)}
    inputs = {}
    for field in vocabulary.input_names:
        source, fill = fields[field]
        values = [getattr(piece, source) for piece in flat]
        inputs[field] = torch.tensor([value + [fill] * (length - len(value)) for value in values])
    outputs = forward(model, inputs, name == "single_short")
    logits = [(outputs["start_logits"][i, :len(piece.ids)].numpy().astype(np.float64),
               outputs["end_logits"][i, :len(piece.ids)].numpy().astype(np.float64)) for i, piece in enumerate(flat)]
    cls_id = vocabulary.backend.token_to_id(vocabulary.settings["cls_token"])
    found, margin, at = [], float("inf"), 0
    for (_, context), pieces in zip(rows, windows):
        best = answers.best_answers(context, pieces, logits[at:at + len(pieces)], cls_id, settings)
        margin = min(margin, leads([answer["score"] for answer in best[:settings["top_k"] + 1]]))
        found.append(best[:settings["top_k"]])
        at += len(pieces)
    if settings["handle_impossible_answer"] and not any(answer["answer"] == "" for row in found for answer in row):
        margin = 0.0  # a case about the empty answer should have one
    questions, contexts = ([row[i] for row in rows] for i in (0, 1))
    asked_input = {"question": questions, "context": contexts} if len(rows) > 1 else \
        {"question": questions[0], "context": contexts[0]}
    return Case(name, "question-answering", "question-answering pipeline", asked_input, {"answers": found}, inputs,
                outputs, asked, margin=margin)


def answer_questions(model, vocabulary: Vocabulary) -> list[Case]:
    one = [(QUESTION, CONTEXT)]
    long = [("What was divided?", LONG)]
    return [answer_case("single_short", one, model, vocabulary, {}),
            answer_case("batch_padded", list(zip(QUESTIONS, CONTEXTS)), model, vocabulary, {}),
            answer_case("top_three", one, model, vocabulary, {"top_k": 3}),
            answer_case("short_answers", one, model, vocabulary, {"top_k": 2, "max_answer_len": 3}),
            answer_case("not_aligned", one, model, vocabulary, {"top_k": 2, "align_to_words": False}),
            answer_case("impossible", one, model, vocabulary, {"top_k": 12, "handle_impossible_answer": True}),
            answer_case("long", long, model, vocabulary, {"top_k": 2, "max_seq_len": 32, "doc_stride": 8})]


def spot_replaced(model, vocabulary: Vocabulary) -> list[Case]:
    """ELECTRA's discriminator: a positive logit says that the token was replaced."""
    cases = []
    for name, rows in {"single_short": [SHORT], "batch_padded": BATCH}.items():
        inputs = vocabulary.tensors(rows)
        outputs = forward(model, inputs, name == "single_short")
        seen = outputs["logits"][inputs["attention_mask"] == 1]
        replaced = [[value > 0 for value in row[:n]] for row, n in
                    zip(outputs["logits"].tolist(), inputs["attention_mask"].sum(1).tolist())]
        cases.append(Case(name, "replaced-token-detection", "model(**tokenizer(text)).logits > 0", texts_of(rows),
                          {"replaced": replaced}, inputs, outputs, margin=seen.abs().min().item()))
    return cases
