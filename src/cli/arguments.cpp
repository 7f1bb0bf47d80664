#include "cli/arguments.hpp"

#include <memory>

#include "accelerate/version.hpp"
#include "checkpoint/nearest.hpp"
#include "cli/command_line.hpp"
#include "cli/help.hpp"

namespace accelerate::cli {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 30;

void add_common(CommandLine& line, CommonOptions& common) {
  line.flag("json", "Print JSON for programs instead of tables", common.json);
  line.flag("quiet", "No notes and no progress bar", common.quiet, "q");
  line.flag("verbose", "Say on stderr what is opened and how long each step takes", common.verbose, "v");
}

void add_threads(CommandLine& line, int& threads) {
  line.number("threads", "Threads to compute with (default: as many as this process may use)", 1, 1024,
              [&threads](std::int64_t n) { threads = static_cast<int>(n); });
}

constexpr const char* kDeviceNames = "NAME,...";

void add_cache_precision(CommandLine& line, std::string& precision) {
  line.option("cache-precision", "f32|bf16|f16",
              "What keys and values that text generation keeps are stored as (default: f32); the others take half the "
              "memory",
              precision);
}

void add_split(CommandLine& line, bool& split) {
  line.flag("split", "Compute operations that the device lacks on the cpu, instead of refusing the model", split);
}

void add_resources(CommandLine& line, ResourceOptions& resources) {
  line.bytes("memory-limit",
             "What weights and one run may take (2GiB, 500MB, bytes): what would take more is refused (default: no "
             "limit)",
             resources.memory_limit);
  line.option("cache-folder", "DIR",
              "Where TensorRT, Core ML and OpenVINO keep what they compiled, for the next time (default: nowhere)",
              resources.cache_folder);
}

// Devices of which each is looked at.
void add_devices(CommandLine& line, std::vector<std::string>& devices, bool& split) {
  line.words("device", kDeviceNames,
             "Where to compute, each in turn; `devices` lists what there is (default: auto, the best)", devices);
  add_split(line, split);
}

void add_execution(CommandLine& line, ExecutionOptions& execution) {
  line.option("device", kDeviceNames,
              "Where to compute: the first of these that can; `devices` lists what there is (default: auto, the best)",
              execution.device);
  line.flag("no-fallback", "Try only the first device", execution.no_fallback);
  line.flag("explain", "Say of each device why it was or was not taken", execution.explain);
  add_split(line, execution.split);
  line.option("precision", "f32|bf16|f16|int8|auto",
              "What weights are stored and multiplied in (default: f32); auto is the fastest that `verify` recorded to "
              "be within its bound for this model",
              execution.precision);
  add_cache_precision(line, execution.cache_precision);
  add_threads(line, execution.threads);
  add_resources(line, execution.resources);
}

// A command's options and the description that fills them; kept together because the one refers into the other.
template <typename Options>
struct Described {
  Options options;
  CommandLine line;
  Described(std::string name, std::string summary, std::string examples)
      : line(std::move(name), std::move(summary), std::move(examples)) {}
};

using Devices = Described<DevicesCommand>;
using Doctor = Described<DoctorCommand>;
using Inspect = Described<InspectCommand>;
using Tokenize = Described<TokenizeCommand>;
using Run = Described<RunCommand>;
using Chat = Described<ChatCommand>;
using Verify = Described<VerifyCommand>;
using Bench = Described<BenchCommand>;
using Export = Described<ExportCommand>;
using Records = Described<RecordsCommand>;
using Report = Described<ReportCommand>;
using Completion = Described<CompletionCommand>;

void describe(Devices& d) {
  d.line.flag("refresh", "Probe anew, instead of showing what the last probing found", d.options.refresh);
  d.line.decimal("timeout", "S", "Seconds that each probe may take before it is ended (default: 20)", 3600,
                 d.options.timeout);
  add_threads(d.line, d.options.threads);
  add_common(d.line, d.options.common);
}

void describe(Doctor& d) {
  d.line.flag("refresh", "Probe the devices anew", d.options.refresh);
  add_common(d.line, d.options.common);
}

void describe(Inspect& d) {
  InspectCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model, or a GGUF file", o.model);
  d.line.numbers("batch", "Batch sizes to predict memory for (default: 1,8,32)", 1, kMost, o.batch);
  d.line.numbers("tokens", "Lengths to predict memory for (default: 128 and the longest the model takes)", 1, kMost,
                 o.tokens);
  d.line.optional_value("graph", "text|dot", "text", "Print the operations instead: one a line, or for Graphviz",
                        o.graph);
  d.line.words("precision", "NAME,...", "Precisions to predict memory for (default: all that the device has); auto too",
               o.precisions);
  add_cache_precision(d.line, o.cache_precision);
  d.line.option("device", kDeviceNames, "Devices to predict for (default: auto, the best)", o.device);
  add_split(d.line, o.split);
  add_threads(d.line, o.threads);
  add_common(d.line, o.common);
}

void describe(Tokenize& d) {
  TokenizeCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model, or a GGUF file", o.model);
  d.line.arguments("TEXT", "Texts to cut into tokens", o.texts);
  d.line.flag("no-special-tokens", "Without the tokens that the tokenizer puts around a text", o.no_special_tokens);
  d.line.option("chat", "FILE",
                "A chat instead of texts: JSON, an array of messages, or an object with \"messages\", \"tools\", "
                "\"documents\" and further variables; - is stdin",
                o.chat);
  d.line.option("template", "NAME", "Which of the model's chat templates (default: by whether there are tools)",
                o.chat_template);
  d.line.flag("continue", "The model is to continue the chat's last message", o.continue_final);
  d.line.flag("no-generation-prompt", "End behind the last message, not where the model's answer begins",
              o.no_generation_prompt);
  add_common(d.line, o.common);
}

void add_generation(CommandLine& line, GenerationOptions& o) {
  const auto count = [&line](const char* name, const char* description, std::int64_t least,
                             std::optional<std::int64_t>& target) {
    line.number(name, description, least, kMost, [&target](std::int64_t n) { target = n; });
  };
  count("max-new-tokens", "Tokens to generate at most (default: as generation_config.json says, else 20)", 1,
        o.max_new_tokens);
  count("min-new-tokens", "Tokens before which a text does not end by itself", 0, o.min_new_tokens);
  line.flag("greedy", "The likeliest token each time, whatever generation_config.json says", o.greedy);
  line.flag("sample", "Draw tokens by their probability, whatever generation_config.json says", o.sample);
  line.real("temperature", "Sample from probabilities that are this much flatter; 0 is --greedy", 0, 1e6,
            o.temperature);
  line.real("top-p", "Sample from the likeliest tokens that together have this probability", 0, 1, o.top_p);
  line.real("min-p", "Sample from tokens at least this likely, as a share of the likeliest", 0, 1, o.min_p);
  line.real("repetition-penalty", "Above 1: tokens that were there before become less likely", 1e-3, 1e3,
            o.repetition_penalty);
  line.real("presence-penalty", "Taken from the logits of tokens that were generated", -1e3, 1e3, o.presence_penalty);
  line.real("frequency-penalty", "The same for each time that they were", -1e3, 1e3, o.frequency_penalty);
  count("no-repeat-ngram", "No run of so many tokens comes twice", 1, o.no_repeat_ngram);
  line.texts("bad-word", "A text that must not come; may be given several times", o.bad_words);
  count("beams", "Beam search with so many beams", 1, o.beams);
  line.real("length-penalty", "Of beam search: above 0 favours long texts (default: 1)", -1e3, 1e3, o.length_penalty);
  line.option("early-stopping", "true|false|never", "When beam search ends (default: false)", o.early_stopping);
  count("return", "Texts for each prompt (default: 1)", 1, o.returned);
  count("seed", "Of sampling; the same one gives the same texts (default: 0)", 0, o.seed);
  line.texts("stop", "Text before which an answer ends; may be given several times", o.stop);
  line.option("regex", "RE", "The whole text matches this regular expression", o.regex);
  line.option(
      "json-schema", "FILE",
      "The text is JSON that is valid under this schema: a file, or the schema itself, which begins with {; {} is "
      "any JSON",
      o.json_schema);
  line.option("draft", "MODEL", "A smaller model of the same vocabulary guesses tokens; the text stays the same",
              o.draft);
  line.option("draft-precision", "f32|bf16|f16|int8|auto", "Of the model that guesses (default: f32)",
              o.draft_precision);
  count("draft-tokens", "Tokens that it guesses at once, at most (default: 8)", 1, o.draft_tokens);
  count("prompt-lookup", "Guess at most so many tokens from what followed them last time", 1, o.prompt_lookup);
  line.flag("ignore-eos", "Go on behind the tokens that end a text", o.ignore_eos);
  line.flag("truncate", "Of a prompt that is too long keep the end, instead of refusing it", o.truncate);
  count("log-probabilities", "With --json: of each token, and of the N likeliest beside it", 0, o.log_probabilities);
}

void describe_tensors(CommandLine& line, RunCommand& o) {
  line.option("inputs", "FILE", "Run on these tensors (safetensors, Transformers' argument names) instead of texts",
              o.inputs);
  line.option("save-tensors", "FILE", "Write inputs and all outputs (safetensors, Transformers' names)",
              o.save_tensors);
  line.words("tensors", "NAME,...", "With --inputs or --save-tensors: only these outputs (sentence_embedding ...)",
             o.tensors);
  line.flag("layers", "With --save-tensors: every hidden state too (hidden_states.0 ...)", o.layers);
}

void describe(Run& d) {
  RunCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model", o.model);
  d.line.arguments("TEXT", "Texts to run on", o.texts);
  d.line.option("task", "embed|fill-mask|text-classification|token-classification|question-answering|text-generation",
                "What to do (default: what the folder was published for)", o.task);
  d.line.option("input", "FILE", "Texts, one a line, or JSON lines with \"text\" and \"pair\"; - is stdin", o.input);
  d.line.option("output", "FILE", "Write results to a .npy, .safetensors, .json, .jsonl or .csv file", o.output);
  d.line.flag("pair", "Texts come in twos: TEXT TEXT, or with a tab between them in --input", o.pair);
  d.line.option("question", "TEXT", "The question for question-answering", o.question);
  d.line.option("context", "TEXT", "The text that holds the answer", o.context);
  d.line.number("top-k", "How many answers, labels or words to show; of text-generation: sample from so many tokens", 1,
                1 << 20, [&o](std::int64_t n) { o.top_k = n; });
  d.line.option("prompt", "NAME", "Which of the model's own prompts goes before each text (\"query\")", o.prompt);
  d.line.option("aggregation", "none|simple|first|average|max",
                "How tokens become entities in token-classification (default: simple)", o.aggregation);
  d.line.flag("strict", "Refuse a text that is longer than the model takes, instead of cutting it", o.strict);
  describe_tensors(d.line, o);
  d.line.option(
      "batch", "auto|default",
      "How many texts at once: what `bench --batch auto` recorded, or 4096 tokens (default: auto for many texts)",
      o.batch);
  d.line.option("chat", "FILE", "Answer a chat instead of texts: JSON as for `tokenize --chat`; - is stdin", o.chat);
  add_generation(d.line, o.generation);
  d.line.number("repeat", "Run once to warm up, then N times, and report the milliseconds of each", 1, 1 << 20,
                [&o](std::int64_t n) { o.repeat = n; });
  d.line.flag("stats", "Report time and memory of each step", o.stats);
  add_execution(d.line, o.execution);
  add_common(d.line, o.common);
}

void describe(Chat& d) {
  ChatCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model, or a GGUF file", o.model);
  d.line.option("system", "TEXT", "What the model is told first", o.system);
  d.line.option("template", "NAME", "Which of the model's chat templates (default: \"default\")", o.chat_template);
  d.line.option("save", "FILE", "Write the messages there when the chat ends (JSON, as `run --chat` reads it)", o.save);
  d.line.number("top-k", "Sample from so many tokens", 1, 1 << 20, [&o](std::int64_t n) { o.top_k = n; });
  add_generation(d.line, o.generation);
  d.line.flag("stats", "Say after each answer how fast it came", o.stats);
  add_execution(d.line, o.execution);
  add_common(d.line, o.common);
}

void describe(Verify& d) {
  VerifyCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model", o.model);
  d.line.option("golden", "FOLDER", "What to compare with: cases.json and tensors (default: MODEL/golden)", o.golden);
  d.line.option("case", "NAME", "Only this case", o.test_case);
  d.line.words("precision", "NAME,...",
               "Precisions to compare (default: f32): f32 case by case, lower ones by their agreement, recorded",
               o.precisions);
  d.line.flag("no-record", "Do not keep the agreement among the records", o.no_record);
  add_devices(d.line, o.devices, o.split);
  add_threads(d.line, o.threads);
  add_resources(d.line, o.resources);
  add_common(d.line, o.common);
}

void describe(Bench& d) {
  BenchCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model", o.model);
  d.line.numbers_or("batch", "auto", "Texts a run (default: 1); auto looks for the number with the best throughput", 1,
                    1 << 20, o.batch, o.find_batch);
  d.line.numbers("tokens", "Lengths of the texts (default: 128; of text-generation 32,512)", 1, kMost, o.tokens);
  d.line.words("phase", "prefill|decode", "Of text-generation only this: prompts, or one more token (default: both)",
               o.phases);
  d.line.words("precision", "NAME,...", "What weights are stored and multiplied in (default: f32)", o.precisions);
  add_cache_precision(d.line, o.cache_precision);
  d.line.option("input", "FILE", "Measure on these texts, one a line, instead of random tokens; - is stdin", o.input);
  d.line.option("task", "embed|fill-mask|text-classification|token-classification|question-answering|text-generation",
                "Whose outputs are computed (default: what the folder was published for)", o.task);
  d.line.decimal("seconds", "S", "Repeat at most so long where the median is not stable sooner (default: 3)", 3600,
                 o.seconds);
  d.line.decimal("max-latency", "MS", "With --batch auto: the 90th percentile of a run stays below", 1e9,
                 o.max_latency);
  d.line.number("max-memory", "With --batch auto: bytes that a run may take", 1, std::int64_t{1} << 50,
                [&o](std::int64_t n) { o.max_memory = n; });
  d.line.optional_value("profile", "FILE",
                        "Where the time goes, by operation and layer; with FILE also as a trace for Perfetto",
                        o.profile);
  d.line.flag("no-record", "Do not keep what is measured among the records", o.no_record);
  add_devices(d.line, o.devices, o.split);
  add_threads(d.line, o.threads);
  add_resources(d.line, o.resources);
  add_common(d.line, o.common);
}

void describe(Export& d) {
  ExportCommand& o = d.options;
  d.line.argument("MODEL", "Folder of the model", o.model);
  d.line.argument("DIR", "Folder to write model.onnx and model.onnx.data into; made if it is missing", o.folder);
  d.line.option("to", "FORMAT", "What to write: onnx, the only one so far", o.to);
  d.line.number("opset", "Version of ONNX's operators, 17 to 23 (default: 17, in int8 21)", 17, 23,
                [&o](std::int64_t n) { o.opset = n; });
  d.line.option("precision", "f32|f16|int8", "What weights are stored and multiplied in (default: f32)", o.precision);
  d.line.option("task", "embed|fill-mask|text-classification|token-classification|question-answering",
                "Whose outputs are written (default: what the folder was published for)", o.task);
  d.line.words("outputs", "NAME,...", "Write these outputs instead of a task's (last_hidden_state ...)", o.outputs);
  d.line.flag("past", "Keys and values of earlier tokens go in and come out, so that a text grows token by token",
              o.past);
  d.line.option("operators", "standard|onnxruntime",
                "onnxruntime: also that runtime's own, which join several; no other takes them (default: standard)",
                o.operators);
  d.line.flag("force", "Replace files that are there", o.force);
  add_common(d.line, o.common);
}

void describe(Records& d) {
  RecordsCommand& o = d.options;
  d.line.argument_if_any("list|show|compare|export|import", "What to do (default: list)", o.action);
  d.line.arguments(
      "WHAT",
      "show: a record's id; compare: two ids, versions, commits or precisions (default: the newest of each "
      "condition with the one before); export, import: a file, - for stdout and stdin",
      o.objects);
  d.line.option("model", "MODEL", "Only of this model: its folder, that folder's name, or its content hash", o.model);
  d.line.option("device", "NAME", "Only on this device", o.device);
  d.line.option("precision", "NAME", "Only in this precision", o.precision);
  d.line.option("kind", "measurement|agreement|layer_choice|batch_choice", "Only of this kind", o.kind);
  d.line.option("since", "TIME", "Only from then on: 2026-11-23, 2026-11-23T18:00:00.000Z (UTC), 7d or 12h ago",
                o.since);
  d.line.number("limit", "At most so many, the newest", 1, kMost, [&o](std::int64_t n) { o.limit = n; });
  add_common(d.line, o.common);
}

void describe(Report& d) {
  d.line.argument("REPORT", "compatibility: what devices, drivers and models failed at here", d.options.what);
  d.line.option("format", "md|json", "Markdown (the default) or JSON, as --json", d.options.format);
  add_common(d.line, d.options.common);
}

void describe(Completion& d) { d.line.argument("bash|zsh|fish", "Which shell the script is for", d.options.shell); }

constexpr std::string_view kDevicesExamples =
    "ipfs-accelerate devices\n"
    "ipfs-accelerate devices --refresh --json";
constexpr std::string_view kDoctorExamples =
    "ipfs-accelerate doctor\n"
    "ipfs-accelerate doctor --refresh --json";
constexpr std::string_view kReportExamples =
    "ipfs-accelerate report compatibility\n"
    "ipfs-accelerate report compatibility --format json";
constexpr std::string_view kInspectExamples =
    "ipfs-accelerate inspect MODEL\n"
    "ipfs-accelerate inspect MODEL --batch 1,64 --tokens 32,512 --json\n"
    "ipfs-accelerate inspect MODEL --graph=dot | dot -Tsvg > model.svg";
constexpr std::string_view kTokenizeExamples =
    "ipfs-accelerate tokenize MODEL \"A sentence.\"\n"
    "ipfs-accelerate tokenize model.gguf \"A sentence.\" --no-special-tokens --json\n"
    "ipfs-accelerate tokenize MODEL --chat messages.json";
constexpr std::string_view kRunExamples =
    "ipfs-accelerate run MODEL \"A sentence.\" \"Another.\"\n"
    "ipfs-accelerate run MODEL --input lines.txt --output vectors.npy\n"
    "ipfs-accelerate run MODEL \"Once upon a time\" --max-new-tokens 100 --stats\n"
    "ipfs-accelerate run MODEL --task fill-mask \"Paris is the [MASK] of France.\"\n"
    "ipfs-accelerate run MODEL --question \"Who was there?\" --context \"Only Ann was there.\"\n"
    "ipfs-accelerate run MODEL --pair \"a query\" \"a passage\" --json\n"
    "ipfs-accelerate run MODEL --inputs in.safetensors --save-tensors out.safetensors --layers";
constexpr std::string_view kChatExamples =
    "ipfs-accelerate chat MODEL\n"
    "ipfs-accelerate chat model.gguf --system \"You answer briefly.\" --temperature 0\n"
    "ipfs-accelerate chat MODEL --stats --save messages.json";
constexpr std::string_view kVerifyExamples =
    "ipfs-accelerate verify MODEL\n"
    "ipfs-accelerate verify MODEL --golden DIR --json\n"
    "ipfs-accelerate verify MODEL --precision f32,bf16,int8";
constexpr std::string_view kBenchExamples =
    "ipfs-accelerate bench MODEL\n"
    "ipfs-accelerate bench MODEL --batch 1,8,32 --tokens 16,128 --precision f32,int8 --json\n"
    "ipfs-accelerate bench MODEL --input lines.txt\n"
    "ipfs-accelerate bench MODEL --batch auto --max-latency 50\n"
    "ipfs-accelerate bench MODEL --profile=trace.json";
constexpr std::string_view kExportExamples =
    "ipfs-accelerate export MODEL DIR\n"
    "ipfs-accelerate export MODEL DIR --opset 20 --precision f16\n"
    "ipfs-accelerate export MODEL DIR --precision int8\n"
    "ipfs-accelerate export DECODER DIR --past\n"
    "ipfs-accelerate export MODEL DIR --outputs last_hidden_state,pooler_output --force";
constexpr std::string_view kRecordsExamples =
    "ipfs-accelerate records\n"
    "ipfs-accelerate records list --model MODEL --kind measurement --since 7d\n"
    "ipfs-accelerate records show 3f0c9a52\n"
    "ipfs-accelerate records compare\n"
    "ipfs-accelerate records compare f32 int8 --model MODEL\n"
    "ipfs-accelerate records export records.jsonl";
constexpr std::string_view kCompletionExamples =
    "ipfs-accelerate completion bash > ~/.local/share/bash-completion/completions/ipfs-accelerate\n"
    "ipfs-accelerate completion zsh > ~/.zfunc/_ipfs-accelerate\n"
    "ipfs-accelerate completion fish > ~/.config/fish/completions/ipfs-accelerate.fish";

// Calls `use` with each command, described. Returns what the first call that is not false returned.
template <typename Use>
void for_each_command(Use&& use) {
  const auto one = [&use](auto&& described) {
    describe(described);
    use(described);
  };
  one(Devices("devices", "What this machine can run on, found out by running on it", std::string(kDevicesExamples)));
  one(Doctor("doctor", "Check the whole installation and say what to mend", std::string(kDoctorExamples)));
  one(Inspect("inspect", "What a model is and how much memory it will take, before loading it",
              std::string(kInspectExamples)));
  one(Tokenize("tokenize", "The tokens of texts, and the text that a chat becomes", std::string(kTokenizeExamples)));
  one(Run("run", "Run a model on texts or tensors", std::string(kRunExamples)));
  one(Chat("chat", "Talk with a model in the terminal", std::string(kChatExamples)));
  one(Verify("verify", "Compare a model with what Transformers computed, and precisions with f32",
             std::string(kVerifyExamples)));
  one(Bench("bench", "Measure how fast a model is, what memory it takes and how near that is to the machine's limit",
            std::string(kBenchExamples)));
  one(Export("export", "Write a model as ONNX for other programs", std::string(kExportExamples)));
  one(Records("records", "What has been measured here: list, show, compare, export, import",
              std::string(kRecordsExamples)));
  one(Report("report", "Documents made from the records: compatibility", std::string(kReportExamples)));
  one(Completion("completion", "Print a script with which a shell completes this program's commands",
                 std::string(kCompletionExamples)));
}

std::string version_text() { return "ipfs-accelerate " + std::string(build_description()) + "\n"; }

UsageError unknown_command(const std::string& word, const std::vector<CommandFacts>& commands) {
  std::vector<std::string> names;
  for (const CommandFacts& command : commands) names.push_back(command.name);
  const std::vector<std::string> near = nearest(word, names, 1);
  std::string hint = "ipfs-accelerate --help lists the commands";
  if (edit_distance(word, near[0]) <= 3) hint = "did you mean " + near[0] + "? " + hint;
  const bool option = word.starts_with("-");
  return {option ? "there is no option " + word + " before the command" : "there is no command \"" + word + "\"", hint};
}

}  // namespace

std::vector<CommandFacts> command_facts() {
  std::vector<CommandFacts> facts;
  for_each_command([&facts](auto& described) {
    described.line.parse({described.line.facts().name, "--help"});  // adds --help itself
    facts.push_back(described.line.facts());
  });
  return facts;
}

std::variant<Command, Printout, UsageError> parse_arguments(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words.empty()) return UsageError{"no command given", "ipfs-accelerate --help lists the commands"};
  if (words[0] == "--version" || words[0] == "-V") return Printout{version_text()};
  if (words[0] == "help" && words.size() > 1) words = {words[1], "--help"};
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") return Printout{help_text(command_facts())};

  std::variant<Command, Printout, UsageError> parsed = unknown_command(words[0], command_facts());
  for_each_command([&](auto& described) {
    if (described.line.facts().name != words[0]) return;
    try {
      described.line.parse(words);
      if (described.line.asked_for_help()) {
        parsed = Printout{help_text(described.line.facts())};
      } else {
        parsed = Command(std::move(described.options));
      }
    } catch (const UsageError& error) {
      parsed = error;
    }
  });
  return parsed;
}

}  // namespace accelerate::cli
