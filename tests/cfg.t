#!/usr/bin/env bash
# The networks in cfg/, in TAP: they are the output of the command in their first line, differ only where they should,
# and a detector can start from a classifier's backbone. `make` writes the examples from Darknet's own cfgs.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"
export OMP_NUM_THREADS=2

parse() { "$darknet" ops "$1" -nogpu; }

is_what_it_says() {
    local cfg command
    for cfg in "$root"/cfg/*.cfg; do
        command=$(sed -n '1s/^# Written by: //p' "$cfg")
        [ -n "$command" ] || continue
        (cd "$root" && bash -c "$command") | diff - "$cfg" || { echo "... $cfg"; return 1; }
    done
}

all_parse() {
    local cfg
    for cfg in "$root"/cfg/*.cfg; do
        parse "$cfg" >out.txt 2>&1 && ! grep -E 'Unused|find policy|find activation' out.txt || { echo "... $cfg"; return 1; }
    done
}

# What Darknet comes with; some need the files beside them.
darknets_parse() {
    local cfg
    cd "$root/build/darknet" || return
    for cfg in cfg/*.cfg; do
        parse "$cfg" >"$T/out.txt" 2>&1 || { echo "... $cfg"; return 1; }
    done
}

# differ_in_smoothing ONE OTHER: three heads, three lines, beside the comment at the top, which says so.
differ_in_smoothing() {
    local voc=$root/cfg/mobilenetv2-yolo-voc changed
    changed=$(diff <(grep -v '^#' "$voc-$1.cfg") <(grep -v '^#' "$voc-$2.cfg") | grep '^[<>]' | sort | uniq -c |
        sed 's/^ *//')
    [ "$changed" = "3 < smoothing=$1"$'\n'"3 > smoothing=$2" ] || { echo "$changed"; return 1; }
    [ "$(sed -n 's/^# \(smoothing=[a-z]*\): .*/\1/p' "$voc-$1.cfg" "$voc-$2.cfg")" = "smoothing=$1"$'\n'"smoothing=$2" ]
}

# 120 epochs of VOC 2007 and 2012 trainval, and what the paper says of the schedule.
has_the_papers_schedule() {
    local cfg=$root/cfg/mobilenetv2-yolo-voc-ols.cfg line
    for line in max_batches=$((120 * 16551 / 64)) batch=64 learning_rate=.0001 policy=cosine random=1 jitter=.3 \
        burn_in=1000 activation=relu6; do
        grep -qx "$line" "$cfg" || { echo "no $line"; return 1; }
    done
}

# begins_with WEIGHTS CUT: the floats behind the header of 20 bytes are those of CUT, as far as these go.
begins_with() { cmp -n $(($(stat -c %s "$2") - 20)) <(tail -c +21 "$1") <(tail -c +21 "$2"); }

# start_from CUT: detector.weights is the detector as it is when training begins.
start_from() {
    "$darknet" detector train boxes/shapes.data detector.cfg "$1" -seed 1 -nogpu -nocheck && mv boxes/backup/detector_final.weights .
}

# A classifier with [ols] trains, is cut, and a detector of the same width begins with its layers.
backbone_goes_over() {
    local n
    "$root/scripts/make-shapes" classification shapes --train 40 --test 10 --size 64 --seed 1 >/dev/null &&
        "$root/scripts/make-shapes" detection boxes --train 20 --test 5 --size 64 --seed 1 >/dev/null || return
    "$root/scripts/make-network" mobilenetv2 classifier --classes 10 --size 64 --width .25 --batch 8 --batches 6 --burn-in 2 \
        >classifier.cfg && "$darknet" classifier train shapes/shapes.data classifier.cfg -seed 1 -nogpu || return
    "$root/scripts/make-network" mobilenetv2 detector --classes 10 --size 64 --width .25 --anchors 9,9,16,16,22,22,30,30 \
        --batch 8 --batches 0 --policy poly --burn-in 0 >detector.cfg
    n=$(sed -n 's/^# `darknet partial .* \([0-9]*\)`.*/\1/p' classifier.cfg)
    [ "$n" = "$(sed -n 's/^# `darknet partial .* \([0-9]*\)`.*/\1/p' detector.cfg)" ] || return
    "$darknet" partial classifier.cfg shapes/backup/classifier.weights backbone "$n" -nogpu && start_from backbone &&
        begins_with detector_final.weights backbone || return
    # one layer more is the classifier's own
    "$darknet" partial classifier.cfg shapes/backup/classifier.weights more $((n + 1)) -nogpu &&
        begins_with more backbone || return
    ! begins_with detector_final.weights more
}

docs_cut_it_there() {
    local n
    n=$(sed -n 's/^# `darknet partial .* \([0-9]*\)`.*/\1/p' "$root/cfg/mobilenetv2-imagenet.cfg")
    grep -qx " *./darknet partial cfg/mobilenetv2-imagenet.cfg .* $n" "$root/docs/detection.md"
}

adapts() {
    "$root/scripts/adapt-cfg" "$root/build/darknet/cfg/$1.cfg" --classes 7 --smoothing ols --batch 8 --net max_batches=9 \
        >adapted.cfg && parse adapted.cfg >out.txt 2>&1 || { tail -n 3 out.txt; return 1; }
    [ "$(grep -c '^smoothing=ols$' adapted.cfg)" = "$2" ] && [ "$(grep -c '^classes=7$' adapted.cfg)" = "$2" ] &&
        grep -qx batch=8 adapted.cfg && grep -qx max_batches=9 adapted.cfg
}

refuses() {
    local text=$1
    shift
    if "$root/scripts/adapt-cfg" "$@" >out.txt 2>err.txt; then return 1; fi
    [ "$(wc -l <err.txt)" = 1 ] && grep -qF "$text" err.txt || { cat err.txt; return 1; }
}

# adapts_classifier NAME KEY=VALUE: the key is that of the layer whose outputs are the scores; NAME's last layer is its softmax.
adapts_classifier() {
    "$root/scripts/adapt-cfg" "$root/build/darknet/cfg/$1.cfg" --classes 7 --smoothing ols --batch 8 --net max_batches=9 \
        >adapted.cfg && parse adapted.cfg >out.txt 2>&1 || { tail -n 3 out.txt; return 1; }
    [ "$(grep -c "^$2\$" adapted.cfg)" = 1 ] && [ "$(grep '^\[' adapted.cfg | tail -n 1)" = '[ols]' ] &&
        grep -qx smoothing=ols adapted.cfg && grep -q 'ols .* 7$' out.txt || { tail -n 3 out.txt; return 1; }
    "$root/scripts/adapt-cfg" "$root/build/darknet/cfg/$1.cfg" --classes 7 >adapted.cfg && grep -q '^\[softmax\]' adapted.cfg
}

refuses_what_is_no_network() {
    refuses "nowhere.cfg: no such file" nowhere.cfg --smoothing ols &&
        refuses "does not end in [softmax] or [ols]" "$root/build/darknet/cfg/vgg-conv.cfg" --smoothing ols &&
        refuses "has tree=, and [ols] does not" "$root/build/darknet/cfg/darknet9000.cfg" --smoothing ols &&
        refuses "[softmax] comes behind [reorg]" "$root/build/darknet/cfg/go.cfg" --classes 4 || return
    printf '[net]\nwidth=32\nheight=32\nchannels=3\n[maxpool]\n[yolo]\nclasses=3\n' >odd.cfg
    refuses "[yolo] comes behind [maxpool]" odd.cfg --classes 4
}

try "cfgs that were generated are what their first line gives" is_what_it_says
try "every cfg is one that Darknet takes, without a remark" all_parse
try "so does every cfg that Darknet comes with" darknets_parse
try "the VOC detectors differ in their smoothing alone: hard and ls" differ_in_smoothing hard ls
try "the VOC detectors differ in their smoothing alone: ls and ols" differ_in_smoothing ls ols
try "the VOC detectors have the paper's schedule" has_the_papers_schedule
try "a classifier's backbone is what a detector starts from" backbone_goes_over
try "docs/detection.md cuts it where the cfg says" docs_cut_it_there
try "adapt-cfg: yolov3-tiny for 7 classes with OLS" adapts yolov3-tiny 2
try "adapt-cfg: yolov2-voc for 7 classes with OLS" adapts yolov2-voc 1
try "adapt-cfg: yolov1-tiny for 7 classes with OLS" adapts yolov1-tiny 1
try "adapt-cfg: darknet19 for 7 classes with OLS, scores from before the pooling" adapts_classifier darknet19 filters=7
try "adapt-cfg: resnet18, scores from behind the pooling" adapts_classifier resnet18 filters=7
try "adapt-cfg: alexnet, scores from a [connected]" adapts_classifier alexnet output=7
try "adapt-cfg: resnet101, whose [cost] goes" adapts_classifier resnet101 filters=7
try "adapt-cfg names what it cannot change" refuses_what_is_no_network
finish
