// Opens a model folder as it was published on the Hugging Face hub, or a GGUF file, and gets its task done. One include
// is enough:
//
//   #include <accelerate/accelerate.hpp>
//
//   const auto model = accelerate::Model::open("all-MiniLM-L6-v2");
//   const std::vector<std::string> texts{"A sentence.", "Another."};
//   const accelerate::Tensor vectors = model.embed(texts).vectors;  // [2, 384] f32
//
// Everything throws accelerate::Error. Text is UTF-8; invalid UTF-8 is Error{invalid_input} with the text's number and
// the byte offset. Scores and positions are those of Transformers' pipelines for the same folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/error.hpp"
#include "accelerate/export.hpp"
#include "accelerate/generation.hpp"
#include "accelerate/progress.hpp"
#include "accelerate/tensor.hpp"
#include "accelerate/version.hpp"

namespace accelerate {

using NamedTensors = std::map<std::string, Tensor, std::less<>>;

// How a folder is opened.
struct OpenOptions {
  // Where to compute: "auto", the default order of this build, or names as `ipfs-accelerate devices` lists them, in
  // order, with commas between: "onnx:cuda:0,openvino:gpu,cpu". BACKEND alone is its first device. Where several are
  // named, open() makes the plan of `task` on one after the other, and the first that can is taken: ModelInfo::devices
  // says what became of each. Where one is named nothing is made before it is needed.
  std::string device = "auto";
  bool fallback = true;   // false: only the first device is tried
  bool split = false;     // operations that the device lacks are computed on the cpu, instead of Error{unsupported}
  std::string task = {};  // whose plan decides between devices; empty: the folder's own
  // What weights are stored and multiplied in: "f32", "bf16", "int8", or "auto": the fastest that the records on this
  // machine show to be within its bound for this model (docs/precision.md), "f32" where they say nothing. With
  // "bf16" and "int8", layers that the records say break the bound keep a higher precision.
  std::string precision = "f32";
  // By the path of a module, for it and all below it: {{"encoder.layer.0", "bf16"}}. Error{invalid_input} on a path
  // that the model does not have. With it nothing but "auto" asks the records.
  std::map<std::string, std::string> layer_precisions = {};
  // What keys and values that text generation keeps are stored as: "f32", "bf16" or "f16". The narrow ones halve the
  // memory of the past; products stay as they are. Runtimes keep f32 only: Error{unsupported}.
  std::string cache_precision = "f32";
  int threads = 0;                 // 0: as many as this process may use (ACCELERATE_THREADS sets the default)
  Cancellation cancellation = {};  // Error{interrupted} between the steps of loading
  // Bytes that the weights and one run may take, as inspect() predicts them: what would take more is refused before it
  // is taken, Error{out_of_memory}. CUDA and TensorRT are told it too. 0: no limit.
  std::int64_t memory_limit = 0;
  // Where a runtime keeps what it compiled for a device, so that the next opening is quick: TensorRT, Core ML and
  // OpenVINO do, others have nothing to keep. Made if it is missing. Empty: nowhere.
  std::filesystem::path cache_folder = {};
};

// What became of one device that was asked for.
struct DeviceCandidate {
  std::string device;  // "onnx:cuda:0"; as it was asked for where there is no such device
  bool taken = false;
  // Of one that was not taken: "find" (it is not there, or its library), "probe" (the last probing of devices.hpp had
  // wrong numbers from it, or a crash, or no answer), "support" (it lacks an operation or a precision, or its driver or
  // library is too old), "compile" (out of memory, or any other failure), "not tried" (one before it was taken).
  std::string stage;
  std::string reason;  // why not, for people; empty of the one that was taken
};

// What a folder holds, from its config and the headers of its weights.
struct ModelInfo {
  std::filesystem::path folder;
  std::string architecture;         // class that published it: "BertForMaskedLM"; empty when config.json has none
  std::string model_type;           // "bert"
  std::string family;               // "embedding"
  std::string task;                 // what it was published for: "fill-mask"
  std::vector<std::string> tasks;   // all that its weights allow, `task` first
  std::int64_t parameters = 0;      // numbers in the weight files
  std::int64_t weight_bytes = 0;    // their bytes
  std::string dtype;                // how most of them are stored: "f32", "bf16", "Q4_1"
  std::vector<std::string> dtypes;  // all ways, the one of most bytes first
  std::int64_t layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t heads = 0;
  std::int64_t vocabulary = 0;
  // Longest input, special tokens included: what the architecture takes, and no more than sentence_bert_config.json or,
  // without it, the tokenizer says; 0 where nothing says it.
  std::int64_t max_tokens = 0;
  std::int64_t embedding_size = 0;             // numbers of one sentence embedding; 0 where there is none
  std::vector<std::string> labels;             // of the classes by id; empty for models that do not classify
  std::vector<std::string> outputs;            // names that run() can be asked for, hidden states included
  std::map<std::string, std::string> prompts;  // texts put before an embedded text, by their name
  std::string default_prompt;                  // the name of the one used when none is asked for; empty: none

  // Where an opened model is computed, and what became of all devices asked for, in order; empty in an Inspection.
  std::string device;  // "onnx:cuda:0"
  std::vector<DeviceCandidate> devices;
  // Operations of the task that the cpu computes because the device lacks them (OpenOptions::split); empty: none.
  std::vector<std::string> split_operations;

  // What an opened model is computed in; empty in an Inspection.
  std::string precision;                                // "f32", never "auto"
  std::map<std::string, std::string> layer_precisions;  // of modules in another one, by their path
  std::string precision_reason;                         // what records decided of it, for people; empty: nothing
};

// What every call that takes texts knows.
struct BatchOptions {
  std::int64_t tokens = 4096;      // at most this many tokens a run, but at least one text; texts are sorted by length
  bool strict = false;             // refuse a text that is too long (Error{invalid_input}) where it would be truncated
  Progress progress = {};          // after every run: texts done, texts in all
  Cancellation cancellation = {};  // looked at between runs: Error{interrupted}
};

// Two texts that belong together: a question and a passage, a premise and a hypothesis.
struct TextPair {
  std::string text, pair;
};

struct EmbedOptions {
  std::optional<std::string> prompt_name = {};  // one of ModelInfo::prompts; Error{invalid_input} lists them
  std::optional<std::string> prompt = {};       // its text itself; "" for none even where the folder has a default
  std::optional<bool> normalize = {};           // unit length; the folder's own choice unless given
  BatchOptions batch = {};
};

// Numbers of texts count from 0, in the order given.
struct Embeddings {
  Tensor vectors;                      // [texts, embedding_size] f32
  std::vector<std::size_t> truncated;  // texts that were longer than the model takes
};

// A class, or a token of the vocabulary, and how likely it is.
struct Score {
  std::string label;  // of a token: as the vocabulary spells it
  std::int64_t id = 0;
  double score = 0;
};

struct ClassifyOptions {
  std::optional<std::size_t> top_k = {};  // this many best classes; all unless given
  // "softmax", "sigmoid", "tanh" or "none"; unless given, what the folder says: a cross-encoder's activation function,
  // else by problem_type, else softmax over several classes and sigmoid over one.
  std::optional<std::string> activation = {};
  BatchOptions batch = {};
};

struct Classifications {
  std::vector<std::vector<Score>> scores;  // one row a text, the best class first
  std::vector<std::size_t> truncated;
};

// A document and how well it answers the query.
struct Ranked {
  std::size_t index = 0;  // into the documents given
  double score = 0;
};

struct Ranking {
  std::vector<Ranked> documents;  // the best first; equal ones in the order given
  std::vector<std::size_t> truncated;
};

struct FillMaskOptions {
  std::size_t top_k = 5;
  BatchOptions batch = {};
};

// One place to fill.
struct Mask {
  std::int64_t position = 0;  // of the mask among the text's tokens, special tokens counted
  std::vector<Score> top;     // the best first
};

struct FilledMasks {
  std::vector<std::vector<Mask>> masks;  // one row a text
  std::vector<std::size_t> truncated;
};

enum class Aggregation {
  none,     // every token by itself
  simple,   // neighbouring tokens of one entity are joined
  first,    // a word is what its first token is
  average,  // a word is the class with the best mean score over its tokens
  max,      // a word is what its surest token is
};
// "none", "simple", "first", "average", "max"
ACCELERATE_API std::string_view name_of(Aggregation aggregation);
// Error{invalid_input} listing the names there are.
ACCELERATE_API Aggregation aggregation_named(std::string_view name);

struct TokenOptions {
  Aggregation aggregation = Aggregation::none;
  std::vector<std::string> ignore_labels = {"O"};
  BatchOptions batch = {};
};

// A piece of a text: half-open, counted in code points as Python does, and in bytes.
struct Span {
  std::int64_t start = 0, end = 0;
  std::int64_t start_byte = 0, end_byte = 0;
};

// A token or a group of tokens that name something.
struct Entity {
  std::string label;  // of a token: "B-PER"; of a group: "PER"
  double score = 0;
  std::string word;         // the token as the vocabulary spells it, or its piece of the text where it is unknown; of
                            // a group: its tokens as text
  std::int64_t index = -1;  // of a token: its place among the text's tokens; -1 for a group
  Span span;
  std::string token;  // as the tokenizer gives it ("[UNK]"); empty for a group
};

struct TokenClassifications {
  std::vector<std::vector<Entity>> entities;  // one row a text, in the order of the text
  std::vector<std::size_t> truncated;
};

struct AnswerOptions {
  std::size_t top_k = 1;
  std::optional<std::int64_t> max_seq_len =
      {};  // tokens of question and context in one run; 384 or what the model takes
  std::optional<std::int64_t> doc_stride = {};  // tokens that neighbouring pieces of a long context share; 128 at most
  std::int64_t max_answer_len = 15;             // tokens
  bool handle_impossible_answer = false;        // "" may be the best answer
  bool align_to_words = true;
  BatchOptions batch = {};  // strict: a context that needs more than one piece is refused
};

// A piece of the context; empty with span 0 to 0: there is no answer.
struct Answer {
  std::string text;
  double score = 0;
  Span span;
};

// Texts as tensors.
struct ModelInputs {
  NamedTensors tensors;                // input_ids, attention_mask and what else the model takes: [texts, tokens] i64
  std::vector<std::size_t> truncated;  // texts that were longer than the model takes
};

struct RunOptions {
  std::vector<std::string> outputs = {};  // of ModelInfo::outputs; empty: all but hidden states
  bool layers = false;                    // also hidden_states.0 (of the embeddings), .1, ...
  BatchOptions batch = {};                // `strict` means nothing here: too many tokens are always refused
};

// A folder opened. Copies share what was opened; every function may be called from several threads at once. Weights
// are packed when a call first needs them, or by prepare().
class ACCELERATE_API Model {
 public:
  // Error{not_found}, {unsupported} or {corrupted} naming the file, tensor or field. Only headers and small files are
  // read here, unless several devices are to be tried. What the only one cannot do (an operation, a precision) shows
  // when a plan is made: Error{unsupported}. Error{not_found} for a device that is not there lists those that are.
  static Model open(const std::filesystem::path& folder, const OpenOptions& options = {});

  const ModelInfo& info() const;

  // The same opened folder computed in another precision, as OpenOptions names them but "auto". Weights are shared:
  // what both pack the same way is packed once. Records are not asked. Errors as open()'s.
  Model with_precision(std::string_view precision,
                       const std::map<std::string, std::string>& layer_precisions = {}) const;
  // Paths of the layers that a lower precision changes, in the order they are computed in, for `task` (by default the
  // first); where several are computed as one (query, key and value), the first of them stands for all.
  std::vector<std::string> layers(std::string_view task = {}) const;

  // Makes the plan that `task` runs on (a name of ModelInfo::tasks; by default the first), so that the first call does
  // not wait for it. Error{unsupported} naming an operation that the device lacks.
  void prepare(std::string_view task = {}) const;

  // One vector a text, as sentence-transformers computes it where the folder has its modules, else the mean over the
  // tokens of the last layer.
  Embeddings embed(std::span<const std::string> texts, const EmbedOptions& options = {}) const;

  // Error{unsupported} listing what the folder is for, unless the weights have the head; so the calls below.
  Classifications classify(std::span<const std::string> texts, const ClassifyOptions& options = {}) const;
  Classifications classify(std::span<const TextPair> pairs, const ClassifyOptions& options = {}) const;
  // Scores of pairs (query, document) by a model with one class (a cross-encoder).
  Ranking rerank(std::string_view query, std::span<const std::string> documents,
                 const ClassifyOptions& options = {}) const;
  // Error{invalid_input} naming a text without the mask token (mask_token()).
  FilledMasks fill_mask(std::span<const std::string> texts, const FillMaskOptions& options = {}) const;
  // As Transformers' TokenClassificationPipeline.
  TokenClassifications classify_tokens(std::span<const std::string> texts, const TokenOptions& options = {}) const;
  // As Transformers' QuestionAnsweringPipeline: the best pieces of the context, the best first.
  std::vector<Answer> answer(std::string_view question, std::string_view context,
                             const AnswerOptions& options = {}) const;

  // Tensors in, tensors out, under the names of Transformers' arguments and results: input_ids [batch, tokens] (i64 or
  // i32), attention_mask of 0 and 1 (any pattern, all ones when missing), token_type_ids and position_ids when the
  // model takes them, filled in as Transformers does when missing; prompt_length [batch] where pooling leaves it out.
  // Outputs are padded as the inputs are, f32, and zero at padding. Error{invalid_input} names a tensor that does not
  // fit, an id outside its table with its place, a row without tokens, an output that is not there.
  NamedTensors run(const NamedTensors& inputs, const RunOptions& options = {}) const;
  // What the processor makes of texts: the inputs of run(), padded on the tokenizer's side.
  ModelInputs encode(std::span<const std::string> texts, const BatchOptions& options = {}) const;
  ModelInputs encode(std::span<const TextPair> pairs, const BatchOptions& options = {}) const;
  // Texts that continue the prompts, as Transformers' generate() makes them: greedy, sampled or by beam search. All
  // prompts are run together. What they share with earlier prompts and answers of this model is not run again.
  // Error{invalid_input} naming a prompt that is too long or has no tokens; Error{unsupported} for a model without
  // "text-generation", or a setting of its generation_config.json that is not known. A cancelled call gives the texts
  // as far as they came.
  Generations generate(std::span<const Prompt> prompts, const GenerateOptions& options = {}) const;
  // Ids as text again, as the tokenizer's decoder joins them.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = true) const;
  // The text that stands for a place to fill, "[MASK]"; empty where the tokenizer has none.
  std::string mask_token() const;

 private:
  class Impl;
  explicit Model(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// What is predicted of one precision, for one run of `batch` texts of `tokens` tokens each. Calls that take texts never
// run more than BatchOptions::tokens at once.
struct MemoryPrediction {
  std::string device;  // "onnx:cuda:0"
  std::string precision;
  std::int64_t batch = 0, tokens = 0;
  std::int64_t weights = 0;          // bytes of packed or converted copies
  std::int64_t mapped = 0;           // bytes used in place in the file: not allocated, may leave memory at any time
  std::int64_t activations = 0;      // bytes
  std::int64_t workspace = 0;        // bytes, scratch memory of kernels
  std::int64_t cache = 0;            // bytes of keys and values that stay while a text is generated
  std::int64_t cache_per_token = 0;  // bytes of it that one more token of one text takes
  std::int64_t runtime = 0;          // bytes of a runtime's library and of its own notes; 0 on the cpu
  std::int64_t total = 0;            // bytes allocated: weights + activations + workspace + cache + runtime
  bool estimated = false;            // by what was measured of a runtime, rather too much; else exact
  std::int64_t flops = 0;            // of one run; 2 a multiply-add
};

struct InspectOptions {
  std::vector<std::int64_t> batches = {1};        // each at most 1048576
  std::vector<std::int64_t> tokens = {};          // empty: 128 and the longest the model takes
  std::vector<std::string> precisions = {"f32"};  // as OpenOptions::precision; empty: all that the device has
  std::string device = "auto";                    // as OpenOptions::device; each of several is predicted
  bool split = false;                             // as OpenOptions::split
  std::string task = {};                          // whose outputs are computed; empty: the folder's own
  std::string cache_precision = "f32";            // as OpenOptions::cache_precision
  int threads = 0;
};

// A folder understood without reading a weight.
struct Inspection {
  ModelInfo info;
  std::vector<MemoryPrediction> memory;  // device by precision by batch by tokens, in that order
  std::vector<std::string> missing;  // operations that devices lack: "onnx:cpu: attention: ..."; empty: all can run it
  std::vector<std::string> notes;    // what records decided of the precisions, what a device is not there for
};
// Of an architecture that this version does not know there are the facts alone, and a note that says so. Errors as
// Model::open's; Error{invalid_input} on a size below 1 or more tokens than the model takes.
ACCELERATE_API Inspection inspect(const std::filesystem::path& folder, const InspectOptions& options = {});

struct TokenizeOptions {
  bool add_special_tokens = true;
};

// A text as the model's tokenizer cuts it: ids, and tokens as the vocabulary spells them.
struct TokenizedText {
  std::vector<std::int32_t> ids;
  std::vector<std::string> tokens;
};
// Needs no architecture, only the tokenizer. Error{invalid_input} with the text's number where one is no UTF-8; errors
// of the folder's files as Model::open's.
ACCELERATE_API std::vector<TokenizedText> tokenize(const std::filesystem::path& folder,
                                                   std::span<const std::string> texts,
                                                   const TokenizeOptions& options = {});

enum class GraphFormat {
  text,      // one line an operation
  graphviz,  // a digraph for dot
};
// The graph that computes `outputs` (of ModelInfo::outputs; empty: those of the folder's own task).
ACCELERATE_API std::string describe_graph(const std::filesystem::path& folder, GraphFormat format = GraphFormat::text,
                                          const std::vector<std::string>& outputs = {});

struct ExportOptions {
  std::string task = {};                  // whose outputs are written; empty: the folder's own
  std::vector<std::string> outputs = {};  // of ModelInfo::outputs, instead of a task's
  // Of a model that makes the next token: the keys and values of earlier tokens are inputs, past_key_values.N.key and
  // .value [batch, kv_heads, past, head_dim], and outputs with this run's behind them, present.N.key and .value. An
  // encoder-decoder's encoder gives what its decoder reads of the source, cross.N.key and .value.
  bool past = false;
  int opset = 0;  // of ONNX's operators: 17 to 23, in int8 21 to 23; 0: the oldest of them
  // What weights are stored and multiplied in: "f32", "f16", or "int8". In "int8" layers that the records of device
  // "onnx:cpu" say break the bound keep f32 (docs/onnx.md).
  std::string precision = "f32";
  // "standard": those of ONNX alone, which every runtime has. "onnxruntime": also that runtime's own, which join
  // several of them (docs/onnx.md); no other program takes such a file.
  std::string operators = "standard";
  bool force = false;  // replaces files that are there
  Cancellation cancellation = {};
};

struct ExportedModel {
  std::filesystem::path model, weights;  // model.onnx, and its external data beside it
  std::int64_t bytes = 0;                // of both
  std::vector<std::string> inputs, outputs;
  std::int64_t layers = 0;               // that the precision changes
  std::vector<std::string> kept_in_f32;  // those that keep f32 all the same, by their path
};
// Writes a folder's model as ONNX into the folder `target`, which is made if it is missing. Batch and tokens stay open.
// Errors as Model::open's; Error{invalid_input} where files are there already and `force` is not set, or where the
// folder cannot be written: then nothing is left behind.
ACCELERATE_API ExportedModel export_onnx(const std::filesystem::path& folder, const std::filesystem::path& target,
                                         const ExportOptions& options = {});

// Bytes of this process.
struct ProcessMemory {
  std::int64_t allocated = 0, allocated_peak = 0;  // by the library: tensors, packed weights, arenas
  std::int64_t resident = 0, resident_peak = 0;    // as the system counts; 0 where it does not say
};
ACCELERATE_API ProcessMemory memory_use();
// The peak of `allocated` counts from now on.
ACCELERATE_API void reset_peak_memory();

}  // namespace accelerate
