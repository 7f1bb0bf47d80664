"""Extractive question answering as the `question-answering` pipeline of Transformers 4 defined it.

Transformers 5 has the models but no longer the pipeline, so its rules are written down here; docs/goldens.md says how
this was compared with the pipeline of 4.57.6. The rules:

- question first, context second, only the context is cut; pieces of at most `max_seq_len` tokens overlap by
  `doc_stride` tokens;
- logits outside the context become -10000 (the first token, [CLS], stays), then a softmax over each piece; after it
  the first token counts zero;
- a span's score is start times end probability, spans hold at most `max_answer_len` tokens; of each piece the best
  2 * top_k + 10 are kept, before those that touch a token outside the context are dropped;
- with `align_to_words` a span grows to whole words; spans with the same text, case aside, add up their scores;
- with `handle_impossible_answer` the empty answer competes with the smallest score of [CLS] over the pieces.
"""

import numpy as np
import tokenizers

DEFAULTS = {"top_k": 1, "doc_stride": 128, "max_answer_len": 15, "max_seq_len": 384, "handle_impossible_answer": False,
            "align_to_words": True}


def pieces(backend: tokenizers.Tokenizer, question: str, context: str, settings: dict) -> list[tokenizers.Encoding]:
    """The token windows of one question, unpadded."""
    backend.no_padding()
    backend.enable_truncation(settings["max_seq_len"], stride=settings["doc_stride"], strategy="only_second")
    first = backend.encode(question, context)
    return [first, *first.overflowing]


def _probabilities(logits: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    masked = np.where(allowed, logits, -10000.0)
    grown = np.exp(masked - masked.max())
    return grown / grown.sum()


def _spans(piece: tokenizers.Encoding, start: np.ndarray, end: np.ndarray, cls_id: int, settings: dict):
    """Candidate (first token, last token, score) of a piece, best first; and the score of the empty answer."""
    allowed = np.array([s == 1 or t == cls_id for s, t in zip(piece.sequence_ids, piece.ids)])
    start, end = _probabilities(start, allowed), _probabilities(end, allowed)
    empty = float(start[0] * end[0])
    start[0] = end[0] = 0.0
    scores = np.tril(np.triu(np.outer(start, end)), settings["max_answer_len"] - 1).ravel()
    kept = settings["top_k"] * 2 + 10 if settings["align_to_words"] else settings["top_k"]
    best = np.argsort(-scores, kind="stable")[:kept]
    found = [(*divmod(int(i), len(start)), float(scores[i])) for i in best]
    return [(s, e, score) for s, e, score in found if allowed[s] and allowed[e]], empty


def _characters(piece: tokenizers.Encoding, first: int, last: int, settings: dict) -> tuple[int, int]:
    words = piece.token_to_word(first), piece.token_to_word(last)
    if settings["align_to_words"] and None not in words:
        return piece.word_to_chars(words[0], 1)[0], piece.word_to_chars(words[1], 1)[1]
    return piece.offsets[first][0], piece.offsets[last][1]


def best_answers(context: str, windows: list, logits: list, cls_id: int, settings: dict) -> list[dict]:
    """All answers, best first (more than top_k, so that the lead of the last one can be seen)."""
    answers, least_empty = {}, float("inf")
    for piece, (start, end) in zip(windows, logits):
        spans, empty = _spans(piece, start, end, cls_id, settings)
        least_empty = min(least_empty, empty)
        for first, last, score in spans:
            begin, stop = _characters(piece, first, last, settings)
            text = context[begin:stop]
            known = answers.setdefault(text.lower(), {"answer": text, "start": begin, "end": stop, "score": 0.0})
            known["score"] += score
    ranked = list(answers.values())
    if settings["handle_impossible_answer"]:
        ranked.append({"answer": "", "start": 0, "end": 0, "score": least_empty})
    return sorted(ranked, key=lambda answer: -answer["score"])
