#!/usr/bin/env bash
# Compares Darknet with and without our patches, in TAP: without smoothing, all numbers of a training are the same, byte
# for byte; and unpatched Darknet can read the weights that we save.
#
# Not included are networks with 1x1 convolutions that have a stride, or whose input another branch reads, too: patch
# 0008 corrects these on purpose (unit/test_gradients.c shows that with finite differences).

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C OMP_NUM_THREADS=1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# --- the two Darknets -------------------------------------------------------------------------------------------------

# The switches of an outer make would come along.
make_plain() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$root" variant \
        GPU=0 CUDNN=0 OPENCV=0 OPENMP=0 DEBUG=0 SANITIZE=0 ONEDNN=0 OPENBLAS=0
}

pristine=$root/build/pristine
pristine_lib=$root/build/pristine-lib
flags=(-Ofast -fPIC -w)
build_both() {
    make_plain && "$root/tests/helpers/build-pristine" || return
    gcc "${flags[@]}" -I"$pristine/include" "$root/tests/helpers/dump-training.c" "$pristine_lib/libdarknet.a" \
        -o "$T/unpatched" -lm -pthread &&
        gcc "${flags[@]}" -I"$root/build/darknet/include" "$root/tests/helpers/dump-training.c" \
            "$root/build/cpu/libdarknet.a" -o "$T/patched" -lz -lm -pthread
}

try "both Darknets are built" build_both
if [ $failed = 1 ]; then
    echo "1..1"
    exit 1
fi
darknet=$root/build/cpu/darknet.bin

# --- training without smoothing ---------------------------------------------------------------------------------------

net() {
    cat <<NET
[net]
batch=6
subdivisions=2
width=$1
height=$1
channels=3
momentum=.9
decay=.0005
learning_rate=.01
burn_in=2
policy=steps
steps=4
scales=.5
max_batches=100
NET
}
convolution() {
    printf '[convolutional]\nfilters=%s\nsize=%s\nstride=%s\npad=1\nactivation=leaky\nbatch_normalize=1\n' "$@"
}
linear() { printf '[convolutional]\nfilters=%s\nsize=1\nactivation=linear\n' "$@"; }

{
    net 16
    convolution 8 3 1
    printf '[maxpool]\nsize=2\nstride=2\n'
    convolution 6 3 1
    convolution 8 3 1
    printf '[shortcut]\nfrom=-3\nactivation=linear\n'
    convolution 7 1 1
    printf '[dropout]\nprobability=.3\n[connected]\noutput=5\nactivation=linear\n[softmax]\n'
} >"$T/softmax.cfg"
{
    net 16
    convolution 8 3 1
    printf '[avgpool]\n[softmax]\ngroups=2\ntemperature=2\n'
} >"$T/softmax-groups.cfg"
# Two heads, like yolov3-tiny; one assigns an object to many anchors.
yolo() {
    printf '[yolo]\nmask=%s\ntruth_thresh=%s\nanchors=2,3, 5,5, 12,9\nnum=3\nclasses=3\n' "$@"
    printf 'ignore_thresh=.5\nrandom=1\n'
}
{
    net 16
    convolution 8 3 2
    convolution 8 3 2
    convolution 8 3 1
    linear 16
    yolo 1,2 1
    printf '[route]\nlayers=-4\n'
    convolution 4 1 1
    printf '[upsample]\nstride=2\n[route]\nlayers=-1,0\n'
    convolution 8 3 1
    linear 8
    yolo 0 .2
} >"$T/yolo.cfg"
for softmax in 0 1; do
    {
        net 16
        convolution 8 3 2
        convolution 8 3 2
        linear 16
        printf '[region]\nanchors=1,1, 2,3\nnum=2\nclasses=3\ncoords=4\nrescore=1\nobject_scale=5\n'
        printf 'class_scale=2\nsoftmax=%s\n' $softmax
    } >"$T/region-softmax-$softmax.cfg"
    {
        net 8
        convolution 8 3 2
        printf '[connected]\noutput=52\nactivation=linear\n[detection]\nclasses=3\ncoords=4\nside=2\nnum=2\nsqrt=1\n'
        printf 'noobject_scale=.5\nclass_scale=2\ncoord_scale=5\nsoftmax=%s\n' $softmax
    } >"$T/detection-softmax-$softmax.cfg"
done

trains_alike() {
    "$T/unpatched" train "$T/$1.cfg" 12 "$T/unpatched.out" || return
    "$T/patched" train "$T/$1.cfg" 12 "$T/patched.out" || return
    [ "$(stat -c %s "$T/unpatched.out")" -gt 10000 ] && cmp "$T/unpatched.out" "$T/patched.out"
}

for name in softmax softmax-groups yolo region-softmax-{0,1} detection-softmax-{0,1}; do
    try "$name: all outputs, deltas and weights of a training are those of unpatched Darknet" trains_alike "$name"
done

# Without this, two dumps that hold nothing of interest would be equal too.
differs_with_smoothing() {
    local key=$2 name=$1
    sed "s/^\[\(yolo\|region\|detection\)\]/&\nsmoothing=$key/" "$T/$name.cfg" >"$T/smooth.cfg"
    "$T/patched" train "$T/$name.cfg" 2 "$T/plain.out" && "$T/patched" train "$T/smooth.cfg" 2 "$T/smooth.out" || return
    ! cmp -s "$T/plain.out" "$T/smooth.out"
}
for name in yolo region-softmax-1 detection-softmax-0; do
    try "$name: with smoothing=ls they are not" differs_with_smoothing $name ls
done

# --- images -----------------------------------------------------------------------------------------------------------

# Portable pixmaps, which the decoder knows by what is in them; the boxes of X.jpg are in X.txt.
mkdir "$T/photos"
i=0
for class in red green blue; do
    for size in 40x30 9x70 200x180; do
        i=$((i + 1))
        printf 'P6\n%s %s\n255\n' "${size%x*}" "${size#*x}" >"$T/photos/$class-$size.jpg"
        awk -v n=$((3 * ${size%x*} * ${size#*x})) -v seed=$i 'BEGIN {
            srand(seed)
            for (i = 0; i < n; i++) printf "%c", 1 + int(126 * rand())
        }' >>"$T/photos/$class-$size.jpg"
        printf '%s .5 .4 .3 .6\n0 .2 .7 .1 .3\n' $((i % 3)) >"$T/photos/$class-$size.txt"
        echo "$T/photos/$class-$size.jpg" >>"$T/photos.list"
    done
done

loads_alike() {
    "$T/unpatched" load "$1" "$T/photos.list" "$T/unpatched.out" &&
        "$T/patched" load "$1" "$T/photos.list" "$T/patched.out" || return
    [ "$(stat -c %s "$T/unpatched.out")" -gt 1000000 ] && cmp "$T/unpatched.out" "$T/patched.out"
}
for trainer in classifier detector; do
    try "$trainer: images and truth of its batches are those of unpatched Darknet" loads_alike $trainer
done

# --- weights with soft labels -----------------------------------------------------------------------------------------

{
    net 8
    convolution 6 3 2
    convolution 8 3 1
    printf '[connected]\noutput=3\nactivation=linear\n[ols]\nperiod=2\nalpha=.4\n'
} >"$T/ols.cfg"

has_block() { [ "$(tail -c 4 "$1")" = OLS ]; }

saves_and_deploys() {
    "$T/patched" train "$T/ols.cfg" 7 "$T/ols.out" "$T/ols.weights" && has_block "$T/ols.weights" &&
        "$darknet" ols deploy "$T/ols.cfg" "$T/deploy.cfg" || return
    grep -qx '\[softmax\]' "$T/deploy.cfg" && ! grep -E 'ols|period|alpha' "$T/deploy.cfg"
}

predicts_alike() {
    "$T/unpatched" predict "$T/deploy.cfg" "$T/ols.weights" "$T/1.out" &&
        "$T/patched" predict "$T/deploy.cfg" "$T/ols.weights" "$T/2.out" &&
        "$T/patched" predict "$T/ols.cfg" "$T/ols.weights" "$T/3.out" &&
        cmp "$T/1.out" "$T/2.out" && cmp "$T/1.out" "$T/3.out" && [ "$(stat -c %s "$T/1.out")" = 12 ]
}

try "a network with [ols] is trained, saved with its soft labels, and deployed" saves_and_deploys
try "unpatched Darknet reads these weights and predicts the same, to the bit" predicts_alike

# --- darknet partial --------------------------------------------------------------------------------------------------

# Two of the layers: header (of which the images seen are set to 0), then their weights as they were.
partial_cuts() {
    "$darknet" partial "$T/ols.cfg" "$T/ols.weights" "$T/part.weights" 2 -nogpu || return
    # per layer: biases, scales, mean, variance, weights
    local floats=$((4 * 6 + 6 * 27 + 4 * 8 + 8 * 54))
    [ "$(stat -c %s "$T/part.weights")" = $((20 + 4 * floats)) ] &&
        cmp -n $((4 * floats)) -i 20 "$T/part.weights" "$T/ols.weights" && ! has_block "$T/part.weights"
}

mkdir "$T/images" "$T/backup"
i=0
for class in red green blue; do
    echo "$class" >>"$T/names"
    for n in 1 2 3; do
        i=$((i + 1))
        { printf 'P6\n8 8\n255\n' && head -c 192 /dev/zero | tr '\0' "\\$((i + 100))"; } >"$T/images/$class-$n.ppm"
        echo "$T/images/$class-$n.ppm" >>"$T/list"
    done
done
printf 'classes=3\ntrain=%s\nlabels=%s\nbackup=%s\n' "$T/list" "$T/names" "$T/backup" >"$T/data"

# Learning rate 0: the first layers are saved as they were loaded (their statistics of normalization move on).
partial_starts_training() {
    sed 's/^learning_rate.*/learning_rate=0/; s/^max_batches.*/max_batches=2/' "$T/ols.cfg" >"$T/start.cfg"
    "$darknet" classifier train "$T/data" "$T/start.cfg" "$T/part.weights" -seed 1 -nogpu >"$T/said" 2>&1 ||
        { cat "$T/said"; return 1; }
    grep "part.weights ends before layer 2: the layers from there on start from scratch" "$T/said" &&
        has_block "$T/backup/start.weights" &&
        cmp -n $((4 * 12)) -i 20 "$T/ols.weights" "$T/backup/start.weights" &&
        cmp -n $((4 * 162)) -i $((20 + 4 * 24)) "$T/ols.weights" "$T/backup/start.weights"
}

try "darknet partial takes the first layers out of these weights" partial_cuts
try "a training starts from them, says from where on it starts anew, and saves soft labels" partial_starts_training

finish
