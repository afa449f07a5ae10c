#!/usr/bin/env bash
# The heads of YOLO v3, v2 and v1 with smoothing=ols, and v3 with the keys that only [yolo] has, in TAP: each is trained
# on a few real photographs, with a cfg from scripts/make-network mobilenetv2. The loss falls, the soft labels are learned and
# saved, `detector map` can evaluate the network, and an interrupted training continues.
# (unit/test_class_heads_golden.c tests what the heads compute.)
#
# OLS_TEST_DATA names the folder with voc2012-100.tar.gz (default: ../shared/data). Without this file, images of
# make-shapes are used instead, and the test says so.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C OMP_NUM_THREADS=1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
darknet=$(realpath -- "${DARKNET_PROGRAM:-$root/darknet}")
archive=$(realpath -m -- "${OLS_TEST_DATA:-$root/../shared/data}/voc2012-100.tar.gz")
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 1

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# --- images -----------------------------------------------------------------------------------------------------------

# Twelve images in `list`, the names of their classes in `names`.
take_images() {
    if [ -r "$archive" ]; then
        tar -xzf "$archive" --no-same-owner &&
            "$root/scripts/voc-to-darknet" VOCdevkit/VOC2012 --set train --list all.list --names-out names &&
            sed -n '1,12p' all.list >list
    else
        "$root/scripts/make-shapes" detection shapes --train 12 --test 1 --size 96 --seed 1 &&
            cp shapes/train.list list && cp shapes/shapes.names names
    fi && [ "$(wc -l <list)" = 12 ] || return
    classes=$(wc -l <names)
    printf '%s\n' "classes=$classes" "train=$T/list" "valid=$T/list" "names=$T/names" "backup=$T/backup" >data
    mkdir backup
}

[ -r "$archive" ] || skip "real photographs: no $archive; images of shapes instead"
take_images >log 2>&1 || { cat log; exit 1; }
try "twelve images with labels are there" test "$classes" -ge 2

# --- networks ---------------------------------------------------------------------------------------------------------

# The section of a head: `softmax` is a [yolo] with a softmax over the classes, and with the other keys of its own.
section_of() { if [ "$1" = softmax ]; then echo yolo; else echo "$1"; fi; }

# cfg HEAD BATCHES: a small network on images of 96 x 96 without augmentation. Four images an iteration: three to an epoch.
cfg() {
    local keys own=''
    case $1 in
    softmax) own='class_loss=softmax\nclass_gain=2\niou_thresh=.3' ;;&
    yolo | softmax) keys="--strides 32,16 --anchors 6,8,12,14,25,30,60,60" ;;
    region) keys="--strides 16 --anchors 12,14,25,30,60,60" ;;
    detection) keys="--strides 16 --rate .002" ;;
    esac
    # shellcheck disable=SC2086  # several words
    "$root/scripts/make-network" mobilenetv2 detector --head-layer "$(section_of "$1")" --classes "$classes" --size 96 \
        --width .25 --head 64 --batch 4 --batches "$2" --burn-in 10 --rate .005 --jitter 0 --colour 1 --hue 0 $keys |
        sed "s/^\[yolo\]/&${own:+\\n}$own/"
}

train() { "$darknet" detector train data "$@" -seed 1 -nogpu; }

losses() { grep -a ' avg, ' "$1" | awk '{ print $2 + 0 }'; }

# The soft labels that a head has learned, from a line of its log: epoch, correct, seen, mean S[y][y].
learned() {
    sed -n 's|^\[.*\] soft labels, epoch \([0-9]*\): \([0-9]*\)/\([0-9]*\) correct .*mean S\[y\]\[y\] \([.0-9]*\),.*|\1 \2 \3 \4|p' "$1"
}

# makes_known HEAD: known.cfg and known.weights, a network whose weights are 0, so that its biases are what the head gets
# for any image; they say exactly what is labelled in known.ppm. The image is twice as wide as high: [yolo] and [region]
# are shown it between two grey bars, [detection] stretched.
makes_known() {
    mkdir -p known/images known/labels && /usr/bin/python3 - "$1" <<'EOT'
import math, struct, sys

head, side, own = sys.argv[1], 8, ""
if head == "softmax":
    head, own = "yolo", "class_loss=softmax\n"
objects = [(0, .3, .25, .22, .36), (1, .7, .3, .3, .24), (2, .4, .8, .5, .3)]  # class, x, y, w, h
logit = lambda p: math.log(p / (1 - p))
if head == "detection":
    # Cells of a 2 x 2 grid: classes of all cells, confidences of two boxes in each, boxes with roots of their sides.
    classes, confidences, boxes = [[0] * 3 for _ in range(4)], [[0, 0] for _ in range(4)], [[[0] * 4] * 2 for _ in range(4)]
    for label, x, y, w, h in objects:
        cell, second = int(y * 2) * 2 + int(x * 2), label % 2
        classes[cell][label], confidences[cell][second] = 1, 1
        boxes[cell] = [[2 * x % 1, 2 * y % 1, math.sqrt(w), math.sqrt(h)] if n == second else [0] * 4 for n in range(2)]
    biases = sum(classes, []) + sum(confidences, []) + sum((box for cell in boxes for box in cell), [])
    section = "classes=3\ncoords=4\nside=2\nnum=2\nsqrt=1"
else:
    # One cell with three anchors, in pixels or in cells.
    anchors, biases = [(2, 1), (3, 2), (1, 4)], []
    scale = side if head == "yolo" else 1
    for (label, x, y, w, h), (width, height) in zip(objects, anchors):
        biases += [logit(x), logit((y * 4 + 2) / side), math.log(w * scale / width), math.log(h / 2 * scale / height)]
        biases += [5] + [5 if k == label else -9 for k in range(3)]
    section = "anchors=2,1, 3,2, 1,4\nnum=3\nclasses=3" + ("" if head == "yolo" else "\ncoords=4")
with open("known.cfg", "w") as out:
    out.write("[net]\nbatch=1\nwidth=%d\nheight=%d\nchannels=3\n[connected]\noutput=%d\nactivation=linear\n"
              "[%s]\n%s\nsmoothing=ls\n%s" % (side, side, len(biases), head, section, own))
with open("known.weights", "wb") as out:
    out.write(struct.pack("<iiiq", 0, 2, 0, 0) + struct.pack("<%df" % len(biases), *biases))
    out.write(bytes(4 * len(biases) * side * side * 3))
with open("known/images/a.jpg", "wb") as out:
    out.write(b"P6\n40 20\n255\n" + bytes(range(200)) * 12)
with open("known/labels/a.txt", "w") as out:
    out.writelines("%d %g %g %g %g\n" % thing for thing in objects)
EOT
    printf '%s\n' one two three >known/names
    echo "$T/known/images/a.jpg" >known/list
    printf '%s\n' classes=3 "valid=$T/known/list" "names=$T/known/names" >known/data
}

# --- tests ------------------------------------------------------------------------------------------------------------

trains() {
    cfg "$1" 60 >"$1.cfg" && train "$1.cfg" >"$1.log" 2>&1 || { tail -n 3 "$1.log"; return 1; }
    [ "$(grep -c "^\[$(section_of "$1")\]" "$1.cfg")" -ge 1 ] && [ -s "backup/$1_final.weights" ]
}

# The mean of the last ten is less than half of the first three's.
loss_falls() {
    losses "$1.log" | awk '
        NR <= 3 { first += $1 / 3 }
        { last[NR % 10] = $1 }
        END {
            for (i in last) sum += last[i] / 10
            print "loss " first ", at the end " sum
            exit !(NR == 60 && sum > 0 && sum < first / 2)
        }'
}

# Every epoch has its line. Towards the end objects are recognised, and their classes' rows rise on the diagonal. In the file
# are the rows of the last epoch: those of recognised classes are not uniform, the others are, and every row sums to 1.
# Objects that fall into one cell of v1 count as one.
learns_soft_labels() {
    learned "$1.log" >lines
    objects=$(sed 's/JPEGImages/labels/; s/images/labels/; s/\.[a-z]*$/.txt/' list | xargs cat | wc -l)
    [ "$(wc -l <lines)" = 20 ] || { echo "$(wc -l <lines) lines"; return 1; }
    tail -n 8 lines
    tail -n 8 lines | awk -v k="$classes" '
        { correct += $2; seen += $3; rise = $4 > rise ? $4 : rise }
        END { exit !($1 == 20 && correct > 0 && seen >= correct && rise > 1.02 / k) }' || return
    # Images are drawn with replacement: about as many objects as there are.
    awk -v n="$objects" '{ seen += $3 } END { print seen / NR, n; exit !(seen / NR > .6 * n && seen / NR < 1.4 * n) }' lines ||
        return
    "$darknet" ols show "backup/$1_final.weights" -names names -top "$classes" >shown || return
    awk -v k="$classes" -v correct="$(awk 'END { print $2 }' lines)" '
        NR > 3 {
            row = $1; sub(/:$/, "", row); sum = own = top = 0
            for (i = 2; i < NF; i += 2) {
                value = $(i + 1) + 0
                sum += value
                if ($i == row) own = value
                if (value > top) top = value
            }
            if (sum < .998 || sum > 1.002) { print "sums to " sum ": " $0; bad = 1 }
            if (top > 1.01 / k) { ++special; if (own < top - 1e-4) { print "not its own: " $0; bad = 1 } }
            ++rows
        }
        END { print rows " rows, " special " not uniform"; exit !(rows == k && (special > 0) == (correct > 0) && !bad) }' shown
}

map_runs() {
    "$darknet" detector map data "$1.cfg" "backup/$1_final.weights" -nogpu >"$1.map" 2>map.log ||
        { tail -n 3 map.log; return 1; }
    grep -q 'mean average precision (mAP@0.50) = [0-9.]*, or' "$1.map" &&
        [ "$(grep -c '^class_id = ' "$1.map")" = "$classes" ]
}

# What the network says is what is labelled: every AP is 1, at an overlap of .98 too. A label elsewhere is not found.
map_is_exact() {
    local label
    makes_known "$1" || return
    for label in '2 .4 .8 .5 .3' '2 .5 .8 .5 .3'; do
        sed -i "s/^2 .*/$label/" known/labels/a.txt
        "$darknet" detector map known/data known.cfg known.weights -iou_thresh .98 -nogpu >"known$label.map" 2>map.log ||
            { tail -n 3 map.log; return 1; }
    done
    cat known*.map
    grep -q 'or 100.00 %' 'known2 .4 .8 .5 .3.map' && grep -q 'or 66.67 %' 'known2 .5 .8 .5 .3.map' &&
        grep -q 'name = three, ap = 0.00%' 'known2 .5 .8 .5 .3.map'
}

# Eight iterations and then eight more are sixteen, byte for byte, with momentum; the eighth is in the middle of an epoch.
resumes() {
    local name
    for name in whole part; do
        cfg "$1" 16 | sed 's/^policy=.*/policy=constant/' >"$name.cfg"
    done
    train whole.cfg >whole.log 2>&1 || { tail -n 3 whole.log; return 1; }
    sed -i 's/^max_batches=.*/max_batches=8/' part.cfg
    train part.cfg -map 100 >part.log 2>&1 || { tail -n 3 part.log; return 1; }
    mv backup/part_last.weights half.weights && rm -f backup/part*
    sed -i 's/^max_batches=.*/max_batches=16/' part.cfg
    train part.cfg half.weights >part.log 2>&1 || { tail -n 3 part.log; return 1; }
    learned part.log | awk 'NR == 1 { exit $1 != 3 }' || { echo "the epochs start over"; return 1; }
    cmp backup/whole_final.weights backup/part_final.weights
}

# refused TEXT OPTION...: make-network writes no cfg, and says TEXT.
refused() {
    local text=$1
    shift
    "$root/scripts/make-network" mobilenetv2 detector --classes 3 --size 96 "$@" >out.cfg 2>err.txt && return 1
    cat err.txt
    [ ! -s out.cfg ] && grep -qF -- "$text" err.txt
}

makes_no_nonsense() {
    refused "--head-layer region has one head: name one stride" --head-layer region --strides 32,16 --anchors 9,9 &&
        refused "--head-layer region needs --anchors" --head-layer region &&
        refused "--head-layer yolo needs --anchors" &&
        refused "--head-layer detection has no anchors, but --boxes" --head-layer detection --anchors 9,9 &&
        refused "--head-layer detection has one size" --head-layer detection --random 1 &&
        refused "--size must be a multiple of 64" --head-layer detection --strides 64 &&
        refused "no head at stride 24" --head-layer detection --strides 24
}
draws_sizes() {
    local head
    for head in yolo region; do
        "$root/scripts/make-network" mobilenetv2 detector --head-layer "$head" --classes 2 --anchors 9,9,20,20 --random 1 |
            grep -qx random=1 || return
    done
}

try "make-network mobilenetv2 refuses heads that do not exist" makes_no_nonsense
try "make-network mobilenetv2 --random is for every head that can be resized" draws_sizes
for head in yolo softmax region detection; do
    what="[$head]"
    [ $head = softmax ] && what="[yolo] with a softmax, a gain and several anchors an object"
    try "$what trains" trains $head
    try "$what: its loss falls to less than half" loss_falls $head
    try "$what: the soft labels of recognised classes are learned, and saved" learns_soft_labels $head
    try "$what: detector map takes the network" map_runs $head
    try "$what: detector map finds boxes where they are in an image that is not square" map_is_exact $head
    try "$what: a training cut off goes on as if it had not been" resumes $head
done
finish
