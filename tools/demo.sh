#!/usr/bin/env bash
# From a fresh Debian 12 to proven sentence vectors and an answer: packages, build, the real MiniLM, run, verify, SmolLM2.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh build demo

echo "demo: building"
tools/build.sh release accelerate_program
program=build/release/ipfs-accelerate

real=yes
status=0
model=$(tools/fetch_minilm.sh) || status=$?
golden=tests/goldens/real/all-minilm-l6-v2
if [[ $status -eq 3 ]]; then
  real=no
  model=tests/goldens/models/sentence_transformer
  golden=
  echo "demo: NO NETWORK: what follows runs $model, a tiny checkpoint with random weights that the tests use,"
  echo "demo: so its vectors mean nothing; that they equal Transformers' is still proven."
elif [[ $status -ne 0 ]]; then
  exit "$status"
fi
model=${model#"$PWD/"}

show() {
  printf '\n$ ipfs-accelerate'
  for word in "$@"; do
    [[ $word == *" "* ]] && printf ' "%s"' "$word" || printf ' %s' "$word"
  done
  printf '\n'
  "$program" "$@"
}
show devices
show inspect "$model"
show run "$model" "The cat sits on the mat." "A feline rests on a rug."
show verify "$model" ${golden:+--golden "$golden"}

# A model that answers: the question is a chat, as programs give it.
status=0
chat=$(tools/fetch_smollm2.sh) || status=$?
if [[ $status -eq 0 ]]; then
  chat=${chat#"$PWD/"}
  question=build/models/question.json
  printf '[{"role": "user", "content": "What is the capital of France?"}]\n' >"$question"
  printf '\n$ cat %s\n' "$question" && cat "$question"
  show run "$chat" --chat "$question" --greedy --stats
elif [[ $status -ne 3 ]]; then
  exit "$status"
fi
[[ $real == yes ]] && what="the real all-MiniLM-L6-v2" || what="a tiny test checkpoint (no network)"
printf '\ndemo: done with %s; the program is %s\n' "$what" "$program"
