#!/bin/bash
# A GPU build on a machine without a GPU: ends with one line, and trains on the CPU with -nogpu.
set -u
cd "$(dirname "$0")/.." || exit 1
gpu=$(ls -t build/gpu*/darknet.bin 2>/dev/null | grep -v cudnn | head -n 1)
cpu=${DARKNET_PROGRAM:-./darknet}
echo 1..3
if [ -z "$gpu" ]; then
    for i in 1 2 3; do echo "ok $i # SKIP no GPU build here: make GPU=1 variant"; done
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export LD_LIBRARY_PATH=/usr/local/cuda/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

if nvidia-smi -L 2>/dev/null | grep -q GPU; then
    echo "ok 1 # SKIP this machine has a GPU"
else
    "$gpu" detector train a b >"$folder/out" 2>"$folder/err"
    status=$?
    if [ $status -ne 0 ] && [ "$(wc -l <"$folder/err")" = 1 ] && grep -q '^darknet: .*no GPU.*-nogpu' "$folder/err"; then
        echo "ok 1 - without a GPU: one line that names -nogpu, and exit status $status"
    else
        echo "not ok 1 - without a GPU: one line that names -nogpu, and exit status $status"
        sed 's/^/# /' "$folder/err"
    fi
fi

scripts/make-shapes detection "$folder/shapes" --train 8 --test 4 --size 64 --seed 1 >/dev/null 2>&1
sed 's/^batch=.*/batch=4/; s/^width=.*/width=64/; s/^height=.*/height=64/; s/^max_batches=.*/max_batches=4/' \
    cfg/demo.cfg >"$folder/net.cfg"
train() { "$@" detector train "$folder/shapes/shapes.data" "$folder/net.cfg" -seed 3 2>/dev/null |
    sed -nE 's/^([0-9]+: [^,]*), .*/\1/p'; }
train "$cpu" >"$folder/cpu"
train "$gpu" -nogpu >"$folder/gpu"
if [ "$(wc -l <"$folder/cpu")" = 4 ]; then
    echo "ok 2 - the CPU build trains 4 batches"
else
    echo "not ok 2 - the CPU build trains 4 batches"
fi
# The same code, but the compiler may order sums differently: four digits must agree.
if paste "$folder/cpu" "$folder/gpu" | awk 'NF != 4 || ($2 - $4) ^ 2 > ($2 * 1e-4) ^ 2 { bad = 1 } END { exit bad || NR != 4 }'
then
    echo "ok 3 - the GPU build with -nogpu computes the same losses"
else
    echo "not ok 3 - the GPU build with -nogpu computes the same losses"
    paste "$folder/cpu" "$folder/gpu" | sed 's/^/# /'
fi
