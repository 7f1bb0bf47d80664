# bash completion of ipfs-accelerate; made by: ipfs-accelerate completion bash
_ipfs_accelerate() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words= arguments=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "devices doctor inspect tokenize run chat verify bench export records report completion help --help --version" -- "$cur"))
    return
  fi
  case ${COMP_WORDS[1]} in
    devices)
      case $prev in
        --timeout) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --threads) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--refresh --timeout --threads --json --quiet --verbose --help"
      ;;
    doctor)
      words="--refresh --json --quiet --verbose --help"
      ;;
    inspect)
      case $prev in
        --batch) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --cache-precision) COMPREPLY=($(compgen -W "f32 bf16 f16" -- "$cur")); return ;;
        --device) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --threads) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--batch --tokens --graph --precision --cache-precision --device --split --threads --json --quiet --verbose --help"
      ;;
    tokenize)
      case $prev in
        --chat) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --template) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--no-special-tokens --chat --template --continue --no-generation-prompt --json --quiet --verbose --help"
      ;;
    run)
      case $prev in
        --task) COMPREPLY=($(compgen -W "embed fill-mask text-classification token-classification question-answering text-generation" -- "$cur")); return ;;
        --input) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --question) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --context) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --top-k) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --prompt) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --aggregation) COMPREPLY=($(compgen -W "none simple first average max" -- "$cur")); return ;;
        --inputs) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --save-tensors) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --tensors) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --batch) COMPREPLY=($(compgen -W "auto default" -- "$cur")); return ;;
        --chat) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --max-new-tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --min-new-tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --temperature) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --top-p) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --min-p) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --repetition-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --presence-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --frequency-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --no-repeat-ngram) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --bad-word) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --beams) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --length-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --early-stopping) COMPREPLY=($(compgen -W "true false never" -- "$cur")); return ;;
        --return) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --seed) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --stop) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --regex) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --json-schema) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --draft) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --draft-precision) COMPREPLY=($(compgen -W "f32 bf16 f16 int8 auto" -- "$cur")); return ;;
        --draft-tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --prompt-lookup) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --log-probabilities) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --repeat) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --device) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "f32 bf16 f16 int8 auto" -- "$cur")); return ;;
        --cache-precision) COMPREPLY=($(compgen -W "f32 bf16 f16" -- "$cur")); return ;;
        --threads) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --memory-limit) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --cache-folder) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--task --input --output --pair --question --context --top-k --prompt --aggregation --strict --inputs --save-tensors --tensors --layers --batch --chat --max-new-tokens --min-new-tokens --greedy --sample --temperature --top-p --min-p --repetition-penalty --presence-penalty --frequency-penalty --no-repeat-ngram --bad-word --beams --length-penalty --early-stopping --return --seed --stop --regex --json-schema --draft --draft-precision --draft-tokens --prompt-lookup --ignore-eos --truncate --log-probabilities --repeat --stats --device --no-fallback --explain --split --precision --cache-precision --threads --memory-limit --cache-folder --json --quiet --verbose --help"
      ;;
    chat)
      case $prev in
        --system) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --template) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --save) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --top-k) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --max-new-tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --min-new-tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --temperature) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --top-p) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --min-p) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --repetition-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --presence-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --frequency-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --no-repeat-ngram) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --bad-word) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --beams) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --length-penalty) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --early-stopping) COMPREPLY=($(compgen -W "true false never" -- "$cur")); return ;;
        --return) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --seed) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --stop) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --regex) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --json-schema) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --draft) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --draft-precision) COMPREPLY=($(compgen -W "f32 bf16 f16 int8 auto" -- "$cur")); return ;;
        --draft-tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --prompt-lookup) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --log-probabilities) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --device) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "f32 bf16 f16 int8 auto" -- "$cur")); return ;;
        --cache-precision) COMPREPLY=($(compgen -W "f32 bf16 f16" -- "$cur")); return ;;
        --threads) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --memory-limit) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --cache-folder) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--system --template --save --top-k --max-new-tokens --min-new-tokens --greedy --sample --temperature --top-p --min-p --repetition-penalty --presence-penalty --frequency-penalty --no-repeat-ngram --bad-word --beams --length-penalty --early-stopping --return --seed --stop --regex --json-schema --draft --draft-precision --draft-tokens --prompt-lookup --ignore-eos --truncate --log-probabilities --stats --device --no-fallback --explain --split --precision --cache-precision --threads --memory-limit --cache-folder --json --quiet --verbose --help"
      ;;
    verify)
      case $prev in
        --golden) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --case) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --device) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --threads) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --memory-limit) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --cache-folder) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--golden --case --precision --no-record --device --split --threads --memory-limit --cache-folder --json --quiet --verbose --help"
      ;;
    bench)
      case $prev in
        --batch) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --tokens) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --phase) COMPREPLY=($(compgen -W "prefill decode" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --cache-precision) COMPREPLY=($(compgen -W "f32 bf16 f16" -- "$cur")); return ;;
        --input) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --task) COMPREPLY=($(compgen -W "embed fill-mask text-classification token-classification question-answering text-generation" -- "$cur")); return ;;
        --seconds) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --max-latency) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --max-memory) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --device) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --threads) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --memory-limit) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --cache-folder) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--batch --tokens --phase --precision --cache-precision --input --task --seconds --max-latency --max-memory --profile --no-record --device --split --threads --memory-limit --cache-folder --json --quiet --verbose --help"
      ;;
    export)
      case $prev in
        --to) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --opset) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "f32 f16 int8" -- "$cur")); return ;;
        --task) COMPREPLY=($(compgen -W "embed fill-mask text-classification token-classification question-answering" -- "$cur")); return ;;
        --outputs) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --operators) COMPREPLY=($(compgen -W "standard onnxruntime" -- "$cur")); return ;;
      esac
      words="--to --opset --precision --task --outputs --past --operators --force --json --quiet --verbose --help"
      ;;
    records)
      case $prev in
        --model) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --device) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --precision) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --kind) COMPREPLY=($(compgen -W "measurement agreement layer_choice batch_choice" -- "$cur")); return ;;
        --since) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
        --limit) COMPREPLY=($(compgen -W "" -- "$cur")); return ;;
      esac
      words="--model --device --precision --kind --since --limit --json --quiet --verbose --help"
      arguments="list show compare export import"
      ;;
    report)
      case $prev in
        --format) COMPREPLY=($(compgen -W "md json" -- "$cur")); return ;;
      esac
      words="--format --json --quiet --verbose --help"
      ;;
    completion)
      words="--help"
      arguments="bash zsh fish"
      ;;
    help) arguments="devices doctor inspect tokenize run chat verify bench export records report completion help" ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  elif [[ -n $arguments ]]; then
    COMPREPLY=($(compgen -W "$arguments" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _ipfs_accelerate ipfs-accelerate
