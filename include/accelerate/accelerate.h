/* The C interface: accelerate.hpp for programs that are not C++. C11; no exception leaves it.
 *
 *   accelerate_model* model = NULL;
 *   if (accelerate_model_open("all-MiniLM-L6-v2", NULL, &model) != ACCELERATE_OK) {
 *     fprintf(stderr, "error: %s\n", accelerate_last_error());
 *     return 1;
 *   }
 *
 * Every function that can fail returns a status; its result arrives through its last argument, which is set to NULL on
 * failure. Text is UTF-8 and ends with a zero byte. What a function hands out is freed by the caller with the function
 * of its name (accelerate_embeddings_free); freeing NULL does nothing. Structs that the library hands out may get more
 * fields at their end: never copy them by value. A model may be used from several threads at once; a result by one at
 * a time.
 */
#ifndef ACCELERATE_ACCELERATE_H
#define ACCELERATE_ACCELERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accelerate/export.hpp"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum accelerate_status {
  ACCELERATE_OK = 0,
  ACCELERATE_INVALID_INPUT, /* the caller's text, tensors or options */
  ACCELERATE_NOT_FOUND,     /* a file, tensor, model or device that is not there */
  ACCELERATE_CORRUPTED,     /* a file that contradicts itself or its format */
  ACCELERATE_UNSUPPORTED,   /* understood, but not done by this build or device */
  ACCELERATE_OUT_OF_MEMORY,
  ACCELERATE_DEVICE_FAILED,
  ACCELERATE_UNAVAILABLE, /* a service or resource that may answer later */
  ACCELERATE_INTERRUPTED, /* the caller asked to stop */
  ACCELERATE_INTERNAL     /* a fault of the library */
} accelerate_status;

/* "ok", "invalid_input", ... */
ACCELERATE_API const char* accelerate_status_name(accelerate_status status);
/* Of the last call on this thread that failed, until the next one that fails: the whole text, and its parts (empty
 * where there is none). Never NULL. */
ACCELERATE_API const char* accelerate_last_error(void);
ACCELERATE_API const char* accelerate_last_error_message(void);
ACCELERATE_API const char* accelerate_last_error_where(void); /* the file, tensor or field */
ACCELERATE_API const char* accelerate_last_error_hint(void);  /* what to do */

/* "0.1.0" */
ACCELERATE_API const char* accelerate_version(void);

/* ---- Stopping long work, from another thread or from a signal handler ---- */

typedef struct accelerate_cancellation accelerate_cancellation;
/* NULL when there is no memory. */
ACCELERATE_API accelerate_cancellation* accelerate_cancellation_new(void);
ACCELERATE_API void accelerate_cancel(accelerate_cancellation* cancellation);
ACCELERATE_API void accelerate_cancellation_free(accelerate_cancellation* cancellation);

/* Called from the thread that works: `done` of `total` texts are finished. Must not call longjmp or throw. */
typedef void (*accelerate_progress)(int64_t done, int64_t total, void* context);

/* ---- Options: each is made by its macro, then changed field by field; NULL where a function takes one means the same.
 *
 *   accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
 *   options.prompt_name = "query";
 */

typedef struct accelerate_open_options {
  size_t size;           /* of this struct, set by the macro: what lies beyond it gets its default */
  const char* device;    /* NULL or "auto", "cpu", "onnx:cuda:0,openvino:gpu,cpu": as OpenOptions in accelerate.hpp */
  const char* precision; /* NULL or "f32"; "bf16", "int8", "auto": as OpenOptions in accelerate.hpp */
  int32_t threads;       /* 0: as many as the process may use */
  accelerate_cancellation* cancellation;
  const char* layer_precisions; /* NULL, or modules in another one: "encoder.layer.0=bf16,encoder.layer.1=f32" */
  bool no_fallback;             /* only the first device is tried */
  bool split;                   /* operations that the device lacks are computed on the cpu */
  const char* task;             /* whose plan decides between devices; NULL: the folder's own */
  int64_t memory_limit;         /* bytes that the weights and one run may take; 0: no limit */
  const char* cache_folder;     /* where a runtime keeps what it compiled for a device; NULL: nowhere */
  const char* cache_precision;  /* of keys and values that stay: NULL or "f32"; "bf16", "f16" */
} accelerate_open_options;
#define ACCELERATE_OPEN_OPTIONS \
  { sizeof(accelerate_open_options), NULL, NULL, 0, NULL, NULL, false, false, NULL, 0, NULL, NULL }

typedef struct accelerate_batch_options {
  size_t size;
  int64_t tokens; /* at most this many a run; 0: 4096 */
  bool strict;    /* refuse texts that are too long */
  accelerate_progress progress;
  void* progress_context;
  accelerate_cancellation* cancellation;
} accelerate_batch_options;
#define ACCELERATE_BATCH_OPTIONS \
  { sizeof(accelerate_batch_options), 0, false, NULL, NULL, NULL }

typedef struct accelerate_embed_options {
  size_t size;
  const char* prompt_name; /* one of the folder's prompts, or NULL */
  const char* prompt;      /* its text itself, or NULL */
  int32_t normalize;       /* 1 yes, 0 no, -1 as the folder says */
  const accelerate_batch_options* batch;
} accelerate_embed_options;
#define ACCELERATE_EMBED_OPTIONS \
  { sizeof(accelerate_embed_options), NULL, NULL, -1, NULL }

typedef struct accelerate_classify_options {
  size_t size;
  size_t top_k;           /* 0: all classes */
  const char* activation; /* "softmax", "sigmoid", "none"; NULL: as the folder says */
  const accelerate_batch_options* batch;
} accelerate_classify_options;
#define ACCELERATE_CLASSIFY_OPTIONS \
  { sizeof(accelerate_classify_options), 0, NULL, NULL }

typedef struct accelerate_token_options {
  size_t size;
  const char* aggregation;          /* "none", "simple", "first", "average", "max"; NULL: "none" */
  const char* const* ignore_labels; /* [ignore_count]: what has one of these labels is left out */
  int64_t ignore_count;             /* -1: "O" alone, 0: nothing is left out */
  const accelerate_batch_options* batch;
} accelerate_token_options;
#define ACCELERATE_TOKEN_OPTIONS \
  { sizeof(accelerate_token_options), NULL, NULL, -1, NULL }

typedef struct accelerate_answer_options {
  size_t size;
  size_t top_k;                          /* 0: 1 */
  int64_t max_seq_len;                   /* tokens of question and context in one run; 0: 384 or what the model takes */
  int64_t doc_stride;                    /* tokens that neighbouring pieces of a long context share; -1: 128 at most */
  int64_t max_answer_len;                /* tokens; 0: 15 */
  bool handle_impossible_answer;         /* "" may be the best answer */
  bool align_to_words;                   /* the macro says yes */
  const accelerate_batch_options* batch; /* strict: a context that needs more than one piece is refused */
} accelerate_answer_options;
#define ACCELERATE_ANSWER_OPTIONS \
  { sizeof(accelerate_answer_options), 0, 0, -1, 0, false, true, NULL }

typedef struct accelerate_run_options {
  size_t size;
  const char* const* outputs;            /* [output_count]: names among the "outputs" of accelerate_model_info_json() */
  size_t output_count;                   /* 0: all but hidden states */
  bool layers;                           /* also every hidden state: hidden_states.0 (of the embeddings), .1, ... */
  const accelerate_batch_options* batch; /* strict means nothing here: too many tokens are always refused */
} accelerate_run_options;
#define ACCELERATE_RUN_OPTIONS \
  { sizeof(accelerate_run_options), NULL, 0, false, NULL }

/* ---- Models ---- */

typedef struct accelerate_model accelerate_model;

/* Opens a folder as it was published on the Hugging Face hub. */
ACCELERATE_API accelerate_status accelerate_model_open(const char* folder, const accelerate_open_options* options,
                                                       accelerate_model** model);
ACCELERATE_API void accelerate_model_free(accelerate_model* model);
/* The same opened folder computed in another precision ("f32", "bf16", "int8"), weights shared; layer_precisions as in
 * accelerate_open_options. Both are to be freed. */
ACCELERATE_API accelerate_status accelerate_model_with_precision(const accelerate_model* model, const char* precision,
                                                                 const char* layer_precisions,
                                                                 accelerate_model** other);
/* Paths of the layers that a lower precision changes, as a JSON array of strings, for a task (NULL: the folder's own).
 * Freed by accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_model_layers_json(const accelerate_model* model, const char* task,
                                                              char** json);

/* What the folder holds, as a JSON object: the fields of ModelInfo in accelerate.hpp. Valid as long as the model. */
ACCELERATE_API const char* accelerate_model_info_json(const accelerate_model* model);
/* "embed", "fill-mask", ...: what it was published for. Valid as long as the model. */
ACCELERATE_API const char* accelerate_model_task(const accelerate_model* model);
/* Makes the plan for a task (NULL: the folder's own), so that the first call does not wait for it. */
ACCELERATE_API accelerate_status accelerate_model_prepare(const accelerate_model* model, const char* task);

/* One vector a text. Numbers of texts count from 0. */
typedef struct accelerate_embeddings {
  size_t count;            /* texts */
  size_t dimensions;       /* numbers of one vector */
  const float* values;     /* [count, dimensions] */
  size_t truncated_count;  /* texts that were longer than the model takes */
  const size_t* truncated; /* their numbers */
} accelerate_embeddings;

ACCELERATE_API accelerate_status accelerate_model_embed(const accelerate_model* model, const char* const* texts,
                                                        size_t count, const accelerate_embed_options* options,
                                                        accelerate_embeddings** embeddings);
ACCELERATE_API void accelerate_embeddings_free(accelerate_embeddings* embeddings);

/* A class or a token, and how likely it is. */
typedef struct accelerate_score {
  const char* label;
  int64_t id;
  double score;
} accelerate_score;

/* The best labels of one text, or of one place to fill in a text. */
typedef struct accelerate_scores {
  size_t text;                    /* the text's number */
  int64_t position;               /* the mask's place among its tokens; -1 for a whole text */
  size_t count;                   /* labels */
  const accelerate_score* scores; /* the best first */
} accelerate_scores;

typedef struct accelerate_score_list {
  size_t count;                   /* rows: texts, or masks in the order of the texts */
  const accelerate_scores* items; /* [count] */
  size_t truncated_count;
  const size_t* truncated;
} accelerate_score_list;

/* Labels and scores of each text; with `pairs`, of each pair (texts[i], pairs[i]). */
ACCELERATE_API accelerate_status accelerate_model_classify(const accelerate_model* model, const char* const* texts,
                                                           const char* const* pairs, size_t count,
                                                           const accelerate_classify_options* options,
                                                           accelerate_score_list** scores);
/* The `top_k` best tokens (0: 5) for every mask in every text. */
ACCELERATE_API accelerate_status accelerate_model_fill_mask(const accelerate_model* model, const char* const* texts,
                                                            size_t count, size_t top_k,
                                                            const accelerate_batch_options* options,
                                                            accelerate_score_list** scores);
ACCELERATE_API void accelerate_score_list_free(accelerate_score_list* scores);
/* The text that stands for a place to fill, "[MASK]"; "" where the tokenizer has none. Freed by
 * accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_model_mask_token(const accelerate_model* model, char** token);

/* A document and how well it answers the query. */
typedef struct accelerate_ranked {
  size_t index; /* into the documents given */
  double score;
} accelerate_ranked;

typedef struct accelerate_ranking {
  size_t count;
  const accelerate_ranked* documents; /* [count], the best first; equal ones in the order given */
  size_t truncated_count;
  const size_t* truncated; /* numbers of documents that were too long together with the query */
} accelerate_ranking;

/* Scores of the pairs (query, documents[i]) by a model with one class (a cross-encoder); ACCELERATE_UNSUPPORTED for
 * others. */
ACCELERATE_API accelerate_status accelerate_model_rerank(const accelerate_model* model, const char* query,
                                                         const char* const* documents, size_t count,
                                                         const accelerate_classify_options* options,
                                                         accelerate_ranking** ranking);
ACCELERATE_API void accelerate_ranking_free(accelerate_ranking* ranking);

/* A piece of a text: half-open, counted in code points as Python does, and in bytes. */
typedef struct accelerate_span {
  int64_t start, end;
  int64_t start_byte, end_byte;
} accelerate_span;

/* A token or a group of tokens that name something. */
typedef struct accelerate_entity {
  const char* label; /* of a token: "B-PER"; of a group: "PER" */
  double score;
  const char* word; /* the token as the vocabulary spells it; of a group: its tokens as text */
  int64_t index;    /* of a token: its place among the text's tokens; -1 for a group */
  accelerate_span span;
} accelerate_entity;

/* The entities of one text, in its order. */
typedef struct accelerate_entities {
  size_t count;
  const accelerate_entity* entities; /* [count] */
} accelerate_entities;

typedef struct accelerate_entity_list {
  size_t count;                     /* texts */
  const accelerate_entities* items; /* [count] */
  size_t truncated_count;
  const size_t* truncated;
} accelerate_entity_list;

/* As Transformers' TokenClassificationPipeline. */
ACCELERATE_API accelerate_status accelerate_model_classify_tokens(const accelerate_model* model,
                                                                  const char* const* texts, size_t count,
                                                                  const accelerate_token_options* options,
                                                                  accelerate_entity_list** entities);
ACCELERATE_API void accelerate_entity_list_free(accelerate_entity_list* entities);

/* A piece of the context; "" with the span 0 to 0: there is no answer. */
typedef struct accelerate_answer {
  const char* text;
  double score;
  accelerate_span span;
} accelerate_answer;

typedef struct accelerate_answer_list {
  size_t count;
  const accelerate_answer* items; /* [count], the best first */
} accelerate_answer_list;

/* As Transformers' QuestionAnsweringPipeline. */
ACCELERATE_API accelerate_status accelerate_model_answer(const accelerate_model* model, const char* question,
                                                         const char* context, const accelerate_answer_options* options,
                                                         accelerate_answer_list** answers);
ACCELERATE_API void accelerate_answer_list_free(accelerate_answer_list* answers);

/* ---- Tensors ---- */

typedef enum accelerate_dtype {
  ACCELERATE_F64 = 0,
  ACCELERATE_F32,
  ACCELERATE_F16,
  ACCELERATE_BF16,
  ACCELERATE_I64,
  ACCELERATE_I32,
  ACCELERATE_I16,
  ACCELERATE_I8,
  ACCELERATE_U64,
  ACCELERATE_U32,
  ACCELERATE_U16,
  ACCELERATE_U8,
  ACCELERATE_BOOLEAN
} accelerate_dtype;

/* One tensor of a set: row-major. Valid until the set changes or is freed. */
typedef struct accelerate_tensor {
  const char* name;
  accelerate_dtype dtype;
  size_t rank;
  const int64_t* dims; /* [rank] */
  const void* data;
  size_t bytes;
} accelerate_tensor;

/* Tensors by name. */
typedef struct accelerate_tensors accelerate_tensors;
/* NULL when there is no memory. */
ACCELERATE_API accelerate_tensors* accelerate_tensors_new(void);
ACCELERATE_API void accelerate_tensors_free(accelerate_tensors* tensors);
/* Copies the values in; replaces a tensor of the same name. `bytes` must be what dtype and dims need. */
ACCELERATE_API accelerate_status accelerate_tensors_set(accelerate_tensors* tensors, const char* name,
                                                        accelerate_dtype dtype, const int64_t* dims, size_t rank,
                                                        const void* data, size_t bytes);
ACCELERATE_API size_t accelerate_tensors_count(const accelerate_tensors* tensors);
/* In alphabetical order; NULL from accelerate_tensors_count() on. */
ACCELERATE_API const accelerate_tensor* accelerate_tensors_at(const accelerate_tensors* tensors, size_t index);
/* NULL when there is none of that name. */
ACCELERATE_API const accelerate_tensor* accelerate_tensors_find(const accelerate_tensors* tensors, const char* name);

/* Runs tensors under the names of Transformers' arguments (input_ids, attention_mask, ...) and gives its outputs. */
ACCELERATE_API accelerate_status accelerate_model_run(const accelerate_model* model, const accelerate_tensors* inputs,
                                                      const accelerate_run_options* options,
                                                      accelerate_tensors** results);

/* Texts as tensors. */
typedef struct accelerate_model_inputs {
  const accelerate_tensors* tensors; /* what accelerate_model_run() takes: [texts, tokens] i64 each; freed with this */
  size_t truncated_count;
  const size_t* truncated; /* numbers of texts that were longer than the model takes */
} accelerate_model_inputs;

/* What the processor makes of texts, padded on the tokenizer's side; with `pairs`, of the pairs (texts[i],
 * pairs[i]). */
ACCELERATE_API accelerate_status accelerate_model_encode(const accelerate_model* model, const char* const* texts,
                                                         const char* const* pairs, size_t count,
                                                         const accelerate_batch_options* options,
                                                         accelerate_model_inputs** inputs);
ACCELERATE_API void accelerate_model_inputs_free(accelerate_model_inputs* inputs);

/* ---- Generating text ---- */

/* A piece of a text as it comes, whole characters, not ended by a zero; valid during the call. */
typedef void (*accelerate_text_callback)(size_t prompt, size_t sequence, const char* text, size_t bytes, void* context);

/* Texts that continue the prompts. `options_json`: an object of the fields of accelerate::GenerateOptions under their
 * names ({"max_new_tokens": 100, "temperature": 0.7, "stop": ["\n"]}), and "add_special_tokens", false for a rendered
 * chat; NULL: what the folder says. "json_schema" is a text or the schema itself. `assistant`, a smaller model of the
 * same vocabulary, guesses tokens ("num_assistant_tokens" of them at once), which changes nothing but the time. It,
 * `on_text` and `cancellation` may be NULL; a cancelled call gives what came so far. `json`: {"texts": [[{"text",
 * "ids", "reason"}]], "truncated": [...], "times": {...}}, a list for each prompt. Freed by accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_model_generate_json(
    const accelerate_model* model, const char* const* prompts, size_t count, const char* options_json,
    const accelerate_model* assistant, accelerate_text_callback on_text, void* context,
    const accelerate_cancellation* cancellation, char** json);
/* The prompt that a chat becomes by the model's own template: a JSON array of {"role", "content"}, or an object of
 * "messages", "tools" and further variables. Freed by accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_chat_prompt(const char* folder, const char* chat_json, char** prompt);

/* ---- Before loading ---- */

/* What a folder holds and what it will take, as JSON: {"info": {...}, "memory": [...], "missing": [...], ...}, for one
 * text of `tokens` tokens (0: 128 and the longest there may be). Reads no weights. Freed by accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_inspect_json(const char* folder, int64_t tokens, char** json);
/* What this machine can run on, as JSON: {"devices": [{"name", "backend", "description", "state", ...}]}, from the
 * cache unless `refresh` (accelerate/devices.hpp, docs/devices.md). Freed by accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_devices_json(bool refresh, char** json);
ACCELERATE_API void accelerate_string_free(char* string);
/* The graph that computes `outputs` (count 0: those of the folder's own task): one line an operation, or with
 * `graphviz` a digraph for dot. Freed by accelerate_string_free. */
ACCELERATE_API accelerate_status accelerate_describe_graph(const char* folder, bool graphviz,
                                                           const char* const* outputs, size_t count, char** text);

/* Bytes of this process: what the library allocated (tensors, packed weights, arenas), and what the system counts, 0
 * where it does not say. The caller's own struct, so it never grows. */
typedef struct accelerate_process_memory {
  int64_t allocated, allocated_peak;
  int64_t resident, resident_peak;
} accelerate_process_memory;
ACCELERATE_API accelerate_status accelerate_memory_use(accelerate_process_memory* memory);
/* The peak of `allocated` counts from now on. */
ACCELERATE_API void accelerate_reset_peak_memory(void);

#ifdef __cplusplus
}
#endif

#endif
