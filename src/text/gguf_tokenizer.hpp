// The tokenizer that the metadata of a GGUF file describes.
#pragma once

#include "checkpoint/config.hpp"
#include "text/tokenizer_state.hpp"

namespace accelerate::text {

// From `metadata`, the fields "tokenizer.*" of the file: ggml.model says whether it is byte-level BPE ("gpt2", whose
// words ggml.pre names) or SentencePiece's BPE ("llama"), ggml.tokens, ggml.token_type, ggml.scores, ggml.merges and
// the ids of special tokens say the rest. `merges_by_id` is for Gemma's files, which list no merges: they follow the
// order of the tokens instead of their scores, and tokens of several spaces are spelled as such.
//
// Files do not say what only tokenizer.json does. Then it is as in the published folders: a space goes before each
// text between special tokens ("llama"), Qwen's texts are normalised to NFC, Llama 3 texts begin with its first token.
//
// Error{corrupted} naming the field that is missing or contradicts another, Error{unsupported} naming a model or words
// that are not known.
Parts gguf_parts(const Config& metadata, bool merges_by_id);

}  // namespace accelerate::text
