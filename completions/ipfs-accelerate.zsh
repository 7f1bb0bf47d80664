#compdef ipfs-accelerate
# zsh completion of ipfs-accelerate; made by: ipfs-accelerate completion zsh
_ipfs_accelerate() {
  local -a commands=(
    'devices:What this machine can run on, found out by running on it'
    'doctor:Check the whole installation and say what to mend'
    'inspect:What a model is and how much memory it will take, before loading it'
    'tokenize:The tokens of texts, and the text that a chat becomes'
    'run:Run a model on texts or tensors'
    'chat:Talk with a model in the terminal'
    'verify:Compare a model with what Transformers computed, and precisions with f32'
    'bench:Measure how fast a model is, what memory it takes and how near that is to the machine'\''s limit'
    'export:Write a model as ONNX for other programs'
    'records:What has been measured here\: list, show, compare, export, import'
    'report:Documents made from the records\: compatibility'
    'completion:Print a script with which a shell completes this program'\''s commands'
    'help:Show help'
  )
  if ((CURRENT == 2)); then
    _describe command commands
    _arguments '--help[Show help]' '--version[Show version, commit and compiler]'
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    devices)
      _arguments -s \
        '--refresh[Probe anew, instead of showing what the last probing found]' \
        '--timeout[Seconds that each probe may take before it is ended (default\: 20)]:S: ' \
        '--threads[Threads to compute with (default\: as many as this process may use)]:N: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]'
      ;;
    doctor)
      _arguments -s \
        '--refresh[Probe the devices anew]' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]'
      ;;
    inspect)
      _arguments -s \
        '--batch[Batch sizes to predict memory for (default\: 1,8,32)]:N,...: ' \
        '--tokens[Lengths to predict memory for (default\: 128 and the longest the model takes)]:N,...: ' \
        '--graph[Print the operations instead\: one a line, or for Graphviz]' \
        '--precision[Precisions to predict memory for (default\: all that the device has); auto too]:NAME,...: ' \
        '--cache-precision[What keys and values that text generation keeps are stored as (default\: f32); the others take half the memory]:cache-precision:(f32 bf16 f16)' \
        '--device[Devices to predict for (default\: auto, the best)]:NAME,...: ' \
        '--split[Compute operations that the device lacks on the cpu, instead of refusing the model]' \
        '--threads[Threads to compute with (default\: as many as this process may use)]:N: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files'
      ;;
    tokenize)
      _arguments -s \
        '--no-special-tokens[Without the tokens that the tokenizer puts around a text]' \
        '--chat[A chat instead of texts\: JSON, an array of messages, or an object with "messages", "tools", "documents" and further variables; - is stdin]:FILE:_files' \
        '--template[Which of the model'\''s chat templates (default\: by whether there are tools)]:NAME: ' \
        '--continue[The model is to continue the chat'\''s last message]' \
        '--no-generation-prompt[End behind the last message, not where the model'\''s answer begins]' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files' \
        '*:TEXT: '
      ;;
    run)
      _arguments -s \
        '--task[What to do (default\: what the folder was published for)]:task:(embed fill-mask text-classification token-classification question-answering text-generation)' \
        '--input[Texts, one a line, or JSON lines with "text" and "pair"; - is stdin]:FILE:_files' \
        '--output[Write results to a .npy, .safetensors, .json, .jsonl or .csv file]:FILE:_files' \
        '--pair[Texts come in twos\: TEXT TEXT, or with a tab between them in --input]' \
        '--question[The question for question-answering]:TEXT: ' \
        '--context[The text that holds the answer]:TEXT: ' \
        '--top-k[How many answers, labels or words to show; of text-generation\: sample from so many tokens]:N: ' \
        '--prompt[Which of the model'\''s own prompts goes before each text ("query")]:NAME: ' \
        '--aggregation[How tokens become entities in token-classification (default\: simple)]:aggregation:(none simple first average max)' \
        '--strict[Refuse a text that is longer than the model takes, instead of cutting it]' \
        '--inputs[Run on these tensors (safetensors, Transformers'\'' argument names) instead of texts]:FILE:_files' \
        '--save-tensors[Write inputs and all outputs (safetensors, Transformers'\'' names)]:FILE:_files' \
        '--tensors[With --inputs or --save-tensors\: only these outputs (sentence_embedding ...)]:NAME,...: ' \
        '--layers[With --save-tensors\: every hidden state too (hidden_states.0 ...)]' \
        '--batch[How many texts at once\: what `bench --batch auto` recorded, or 4096 tokens (default\: auto for many texts)]:batch:(auto default)' \
        '--chat[Answer a chat instead of texts\: JSON as for `tokenize --chat`; - is stdin]:FILE:_files' \
        '--max-new-tokens[Tokens to generate at most (default\: as generation_config.json says, else 20)]:N: ' \
        '--min-new-tokens[Tokens before which a text does not end by itself]:N: ' \
        '--greedy[The likeliest token each time, whatever generation_config.json says]' \
        '--sample[Draw tokens by their probability, whatever generation_config.json says]' \
        '--temperature[Sample from probabilities that are this much flatter; 0 is --greedy]:X: ' \
        '--top-p[Sample from the likeliest tokens that together have this probability]:X: ' \
        '--min-p[Sample from tokens at least this likely, as a share of the likeliest]:X: ' \
        '--repetition-penalty[Above 1\: tokens that were there before become less likely]:X: ' \
        '--presence-penalty[Taken from the logits of tokens that were generated]:X: ' \
        '--frequency-penalty[The same for each time that they were]:X: ' \
        '--no-repeat-ngram[No run of so many tokens comes twice]:N: ' \
        '--bad-word[A text that must not come; may be given several times]:TEXT: ' \
        '--beams[Beam search with so many beams]:N: ' \
        '--length-penalty[Of beam search\: above 0 favours long texts (default\: 1)]:X: ' \
        '--early-stopping[When beam search ends (default\: false)]:early-stopping:(true false never)' \
        '--return[Texts for each prompt (default\: 1)]:N: ' \
        '--seed[Of sampling; the same one gives the same texts (default\: 0)]:N: ' \
        '--stop[Text before which an answer ends; may be given several times]:TEXT: ' \
        '--regex[The whole text matches this regular expression]:RE: ' \
        '--json-schema[The text is JSON that is valid under this schema\: a file, or the schema itself, which begins with {; {} is any JSON]:FILE:_files' \
        '--draft[A smaller model of the same vocabulary guesses tokens; the text stays the same]:MODEL:_files' \
        '--draft-precision[Of the model that guesses (default\: f32)]:draft-precision:(f32 bf16 f16 int8 auto)' \
        '--draft-tokens[Tokens that it guesses at once, at most (default\: 8)]:N: ' \
        '--prompt-lookup[Guess at most so many tokens from what followed them last time]:N: ' \
        '--ignore-eos[Go on behind the tokens that end a text]' \
        '--truncate[Of a prompt that is too long keep the end, instead of refusing it]' \
        '--log-probabilities[With --json\: of each token, and of the N likeliest beside it]:N: ' \
        '--repeat[Run once to warm up, then N times, and report the milliseconds of each]:N: ' \
        '--stats[Report time and memory of each step]' \
        '--device[Where to compute\: the first of these that can; `devices` lists what there is (default\: auto, the best)]:NAME,...: ' \
        '--no-fallback[Try only the first device]' \
        '--explain[Say of each device why it was or was not taken]' \
        '--split[Compute operations that the device lacks on the cpu, instead of refusing the model]' \
        '--precision[What weights are stored and multiplied in (default\: f32); auto is the fastest that `verify` recorded to be within its bound for this model]:precision:(f32 bf16 f16 int8 auto)' \
        '--cache-precision[What keys and values that text generation keeps are stored as (default\: f32); the others take half the memory]:cache-precision:(f32 bf16 f16)' \
        '--threads[Threads to compute with (default\: as many as this process may use)]:N: ' \
        '--memory-limit[What weights and one run may take (2GiB, 500MB, bytes)\: what would take more is refused (default\: no limit)]:SIZE: ' \
        '--cache-folder[Where TensorRT, Core ML and OpenVINO keep what they compiled, for the next time (default\: nowhere)]:DIR: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files' \
        '*:TEXT: '
      ;;
    chat)
      _arguments -s \
        '--system[What the model is told first]:TEXT: ' \
        '--template[Which of the model'\''s chat templates (default\: "default")]:NAME: ' \
        '--save[Write the messages there when the chat ends (JSON, as `run --chat` reads it)]:FILE:_files' \
        '--top-k[Sample from so many tokens]:N: ' \
        '--max-new-tokens[Tokens to generate at most (default\: as generation_config.json says, else 20)]:N: ' \
        '--min-new-tokens[Tokens before which a text does not end by itself]:N: ' \
        '--greedy[The likeliest token each time, whatever generation_config.json says]' \
        '--sample[Draw tokens by their probability, whatever generation_config.json says]' \
        '--temperature[Sample from probabilities that are this much flatter; 0 is --greedy]:X: ' \
        '--top-p[Sample from the likeliest tokens that together have this probability]:X: ' \
        '--min-p[Sample from tokens at least this likely, as a share of the likeliest]:X: ' \
        '--repetition-penalty[Above 1\: tokens that were there before become less likely]:X: ' \
        '--presence-penalty[Taken from the logits of tokens that were generated]:X: ' \
        '--frequency-penalty[The same for each time that they were]:X: ' \
        '--no-repeat-ngram[No run of so many tokens comes twice]:N: ' \
        '--bad-word[A text that must not come; may be given several times]:TEXT: ' \
        '--beams[Beam search with so many beams]:N: ' \
        '--length-penalty[Of beam search\: above 0 favours long texts (default\: 1)]:X: ' \
        '--early-stopping[When beam search ends (default\: false)]:early-stopping:(true false never)' \
        '--return[Texts for each prompt (default\: 1)]:N: ' \
        '--seed[Of sampling; the same one gives the same texts (default\: 0)]:N: ' \
        '--stop[Text before which an answer ends; may be given several times]:TEXT: ' \
        '--regex[The whole text matches this regular expression]:RE: ' \
        '--json-schema[The text is JSON that is valid under this schema\: a file, or the schema itself, which begins with {; {} is any JSON]:FILE:_files' \
        '--draft[A smaller model of the same vocabulary guesses tokens; the text stays the same]:MODEL:_files' \
        '--draft-precision[Of the model that guesses (default\: f32)]:draft-precision:(f32 bf16 f16 int8 auto)' \
        '--draft-tokens[Tokens that it guesses at once, at most (default\: 8)]:N: ' \
        '--prompt-lookup[Guess at most so many tokens from what followed them last time]:N: ' \
        '--ignore-eos[Go on behind the tokens that end a text]' \
        '--truncate[Of a prompt that is too long keep the end, instead of refusing it]' \
        '--log-probabilities[With --json\: of each token, and of the N likeliest beside it]:N: ' \
        '--stats[Say after each answer how fast it came]' \
        '--device[Where to compute\: the first of these that can; `devices` lists what there is (default\: auto, the best)]:NAME,...: ' \
        '--no-fallback[Try only the first device]' \
        '--explain[Say of each device why it was or was not taken]' \
        '--split[Compute operations that the device lacks on the cpu, instead of refusing the model]' \
        '--precision[What weights are stored and multiplied in (default\: f32); auto is the fastest that `verify` recorded to be within its bound for this model]:precision:(f32 bf16 f16 int8 auto)' \
        '--cache-precision[What keys and values that text generation keeps are stored as (default\: f32); the others take half the memory]:cache-precision:(f32 bf16 f16)' \
        '--threads[Threads to compute with (default\: as many as this process may use)]:N: ' \
        '--memory-limit[What weights and one run may take (2GiB, 500MB, bytes)\: what would take more is refused (default\: no limit)]:SIZE: ' \
        '--cache-folder[Where TensorRT, Core ML and OpenVINO keep what they compiled, for the next time (default\: nowhere)]:DIR: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files'
      ;;
    verify)
      _arguments -s \
        '--golden[What to compare with\: cases.json and tensors (default\: MODEL/golden)]:FOLDER:_files' \
        '--case[Only this case]:NAME: ' \
        '--precision[Precisions to compare (default\: f32)\: f32 case by case, lower ones by their agreement, recorded]:NAME,...: ' \
        '--no-record[Do not keep the agreement among the records]' \
        '--device[Where to compute, each in turn; `devices` lists what there is (default\: auto, the best)]:NAME,...: ' \
        '--split[Compute operations that the device lacks on the cpu, instead of refusing the model]' \
        '--threads[Threads to compute with (default\: as many as this process may use)]:N: ' \
        '--memory-limit[What weights and one run may take (2GiB, 500MB, bytes)\: what would take more is refused (default\: no limit)]:SIZE: ' \
        '--cache-folder[Where TensorRT, Core ML and OpenVINO keep what they compiled, for the next time (default\: nowhere)]:DIR: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files'
      ;;
    bench)
      _arguments -s \
        '--batch[Texts a run (default\: 1); auto looks for the number with the best throughput]:N,... or auto: ' \
        '--tokens[Lengths of the texts (default\: 128; of text-generation 32,512)]:N,...: ' \
        '--phase[Of text-generation only this\: prompts, or one more token (default\: both)]:phase:(prefill decode)' \
        '--precision[What weights are stored and multiplied in (default\: f32)]:NAME,...: ' \
        '--cache-precision[What keys and values that text generation keeps are stored as (default\: f32); the others take half the memory]:cache-precision:(f32 bf16 f16)' \
        '--input[Measure on these texts, one a line, instead of random tokens; - is stdin]:FILE:_files' \
        '--task[Whose outputs are computed (default\: what the folder was published for)]:task:(embed fill-mask text-classification token-classification question-answering text-generation)' \
        '--seconds[Repeat at most so long where the median is not stable sooner (default\: 3)]:S: ' \
        '--max-latency[With --batch auto\: the 90th percentile of a run stays below]:MS: ' \
        '--max-memory[With --batch auto\: bytes that a run may take]:N: ' \
        '--profile[Where the time goes, by operation and layer; with FILE also as a trace for Perfetto]' \
        '--no-record[Do not keep what is measured among the records]' \
        '--device[Where to compute, each in turn; `devices` lists what there is (default\: auto, the best)]:NAME,...: ' \
        '--split[Compute operations that the device lacks on the cpu, instead of refusing the model]' \
        '--threads[Threads to compute with (default\: as many as this process may use)]:N: ' \
        '--memory-limit[What weights and one run may take (2GiB, 500MB, bytes)\: what would take more is refused (default\: no limit)]:SIZE: ' \
        '--cache-folder[Where TensorRT, Core ML and OpenVINO keep what they compiled, for the next time (default\: nowhere)]:DIR: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files'
      ;;
    export)
      _arguments -s \
        '--to[What to write\: onnx, the only one so far]:FORMAT: ' \
        '--opset[Version of ONNX'\''s operators, 17 to 23 (default\: 17, in int8 21)]:N: ' \
        '--precision[What weights are stored and multiplied in (default\: f32)]:precision:(f32 f16 int8)' \
        '--task[Whose outputs are written (default\: what the folder was published for)]:task:(embed fill-mask text-classification token-classification question-answering)' \
        '--outputs[Write these outputs instead of a task'\''s (last_hidden_state ...)]:NAME,...: ' \
        '--past[Keys and values of earlier tokens go in and come out, so that a text grows token by token]' \
        '--operators[onnxruntime\: also that runtime'\''s own, which join several; no other takes them (default\: standard)]:operators:(standard onnxruntime)' \
        '--force[Replace files that are there]' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':MODEL:_files' \
        '*:DIR:_files'
      ;;
    records)
      _arguments -s \
        '--model[Only of this model\: its folder, that folder'\''s name, or its content hash]:MODEL:_files' \
        '--device[Only on this device]:NAME: ' \
        '--precision[Only in this precision]:NAME: ' \
        '--kind[Only of this kind]:kind:(measurement agreement layer_choice batch_choice)' \
        '--since[Only from then on\: 2026-11-23, 2026-11-23T18\:00\:00.000Z (UTC), 7d or 12h ago]:TIME: ' \
        '--limit[At most so many, the newest]:N: ' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':list|show|compare|export|import:(list show compare export import)' \
        '*:WHAT:_files'
      ;;
    report)
      _arguments -s \
        '--format[Markdown (the default) or JSON, as --json]:format:(md json)' \
        '--json[Print JSON for programs instead of tables]' \
        '(-q --quiet)'{-q,--quiet}'[No notes and no progress bar]' \
        '(-v --verbose)'{-v,--verbose}'[Say on stderr what is opened and how long each step takes]' \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':REPORT:_files'
      ;;
    completion)
      _arguments -s \
        '(-h --help)'{-h,--help}'[Show this help]' \
        ':bash|zsh|fish:(bash zsh fish)'
      ;;
    help) _describe command commands ;;
  esac
}
if [[ $funcstack[1] == _ipfs-accelerate ]]; then
  _ipfs_accelerate "$@"
else
  compdef _ipfs_accelerate ipfs-accelerate
fi
