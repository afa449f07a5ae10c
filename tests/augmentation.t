#!/usr/bin/env bash
# pad=, cutout= and mixup= of [net], in TAP: values and combinations that are refused, trainings with them, and what they
# leave alone: validation, other trainings, other programs. Pixels are tested in unit/test_augmentation.c.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# Ten images of three classes in batches of four: the second epoch begins in the middle of a batch.
mkdir images labels backup
for n in 0 1 2 3 4 5 6 7 8 9; do
    class=$(sed -n "$((n % 3 + 1))p" <<<$'red\ngreen\nblue')
    { printf 'P6\n12 8\n255\n' && seq -f %03g $((100 + n)) 387 | tr -d '\n' | head -c 288; } >"images/$class-$n.ppm"
    echo "$T/images/$class-$n.ppm" >>list
    echo .1 .2 .3 >"labels/$class-$n.ppm" # for regression
done
printf '%s\n' red green blue >names
keys=("classes=3" "train=$T/list" "valid=$T/list" "labels=$T/names" "names=$T/names" "backup=$T/backup")
printf '%s\n' "${keys[@]}" sampling=epoch >data

# cfg SECTION LINES...: a classifier that ends in this section, with these lines in [net].
cfg() {
    printf '%s\n' '[net]' batch=4 width=8 height=8 channels=3 momentum=0 learning_rate=.1 max_batches=5 "${@:2}" \
        '[convolutional]' filters=4 size=3 stride=1 pad=1 activation=leaky \
        '[connected]' output=3 activation=linear "$1"
}
parse() { "$darknet" ops "$1" -nogpu; }
train() { "$darknet" classifier train data "$@" -nogpu; }

# --- refused ----------------------------------------------------------------------------------------------------------

# wrong KEY RANGE VALUES...
wrong() {
    local value
    for value in "${@:3}"; do
        cfg '[ols]' "$1=$value" >bad.cfg
        fails "[net]: $1=$value is not valid: must be $2" parse bad.cfg || return
    done
}
refuses_values() {
    wrong pad "a whole number from 0 to 4" -1 5 1.5 four 4x nan '4#black' || return
    wrong cutout "a whole number from 0 to 8" -1 9 2.5 inf half || return
    wrong mixup "a number from 0 to 100" -.1 100.1 nan inf on 1e999 '.2,.2' || return
    cfg '[ols]' cutout=12 | sed 's/height=8/height=12/' >good.cfg
    parse good.cfg
}
takes_values() {
    local line
    for line in pad=0 pad=4 cutout=0 cutout=8 mixup=0 mixup=.2 mixup=100; do
        cfg '[ols]' $line >good.cfg
        parse good.cfg || return
    done
}
refuses_contradictions() {
    local line
    for line in min_crop=8 max_crop=9 min_ratio=1 max_ratio=1.5 angle=7 aspect=.75 angle=0; do
        cfg '[ols]' pad=4 "$line" >bad.cfg
        fails "[net]: pad=4 and $line contradict each other" parse bad.cfg || return
        cfg '[ols]' pad=0 cutout=4 mixup=1 "$line" >good.cfg
        parse good.cfg || return
    done
}

try "a wrong value is refused with section, key, value and range" refuses_values
try "the ends of the ranges are inside them" takes_values
try "pad= is refused beside a key that says otherwise how to crop" refuses_contradictions

heads() {
    printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 max_batches=3 "$1" '[convolutional]' filters=8 size=3 \
        stride=2 pad=1 activation=linear '[yolo]' anchors=3,3 num=1 classes=3
}
refuses_detectors() {
    local key image
    mkdir labels
    for image in images/*.ppm; do : >"labels/$(basename "$image" .ppm).txt"; done # no objects
    for key in pad=4 cutout=4 mixup=1; do
        heads $key >bad.cfg
        fails "[net]: ${key%=*}= is for the images of \`classifier train\`; this training would not use it" \
            "$darknet" detector train data bad.cfg -nogpu -seed 1 || return
        ! grep '^Loaded' out.txt || return
        parse bad.cfg || return
    done
    [ -z "$(ls backup)" ]
}
refuses_other_labels() {
    local key
    for key in pad=4 cutout=4 mixup=1; do
        cfg '[softmax]' $key >bad.cfg
        printf '%s\n' "${keys[@]}" tag=1 >data
        fails "[net]: ${key%=*}= is for images with one label; it does not go together with tag=1" train bad.cfg || return
        printf '%s\n' "${keys[@]}" >data
        fails "[net]: ${key%=*}= is for the images of \`classifier train\`" \
            "$darknet" regressor train data bad.cfg -nogpu || return
    done
    printf 'red -1\ngreen -1\nblue -1\n' >tree
    echo "tree=$T/tree" >>bad.cfg
    printf '%s\n' "${keys[@]}" "tree=$T/tree" >data
    fails "mixup= is for images with one label; it does not go together with tree=" train bad.cfg || return
    printf '%s\n' "${keys[@]}" sampling=epoch >data
    [ -z "$(ls backup)" ]
}

try "a detector's training refuses each key before its first batch" refuses_detectors
try "so do trainings on tags or numbers, and mixup= with a hierarchy of labels" refuses_other_labels

# --- training ---------------------------------------------------------------------------------------------------------

# trained NAME OPTIONS...: the weights NAME.weights of NAME.cfg
trained() {
    train "$1.cfg" -seed 1 "${@:2}" >"$1.log" 2>&1 || { tail -n 5 "$1.log"; return 1; }
    mv "backup/$1.weights" . && rm -f backup/*
}
every_key_tells() {
    local name other
    cfg '[ols]' >none.cfg
    cfg '[ols]' pad=0 cutout=0 mixup=0 >off.cfg
    cfg '[ols]' pad=2 >pad.cfg
    cfg '[ols]' cutout=4 >cutout.cfg
    cfg '[ols]' mixup=.4 >mixup.cfg
    cfg '[ols]' pad=2 cutout=4 mixup=.4 nesterov=1 >all.cfg
    for name in none off pad cutout mixup all; do trained $name || return; done
    cmp none.weights off.weights || return
    for name in pad cutout mixup all; do
        for other in none pad cutout mixup all; do
            [ $name = $other ] || ! cmp -s $name.weights $other.weights || { echo "$name = $other"; return 1; }
        done
    done
}
threads_do_not_show() {
    local loaders
    for loaders in 1 2 3; do
        cp all.cfg again.cfg
        trained again -loaders $loaders -cache 0 && cmp all.weights again.weights || return
    done
}
goes_on() {
    local batches
    for batches in 1 2 3 4; do
        sed 's/^momentum.*/momentum=.9/' all.cfg >whole.cfg
        sed "s/^max_batches.*/max_batches=$batches/" whole.cfg >half.cfg
        train half.cfg -topk 1 -seed 1 >half.log 2>&1 && mv backup/half_last.weights . && trained whole &&
            train whole.cfg half_last.weights -seed 1 >whole.log 2>&1 || return
        cmp whole.weights backup/whole.weights || { echo "... cut off after $batches"; return 1; }
        rm -f backup/*
    done
}
counts_mixtures() {
    grep '^\[ols\] soft labels, epoch' mixup.log
    # of the batches of 4 three belong to the first epoch of 10 images, and two to the second
    [ "$(sed -n 's/^\[ols\] soft labels, epoch .: [0-9]*\/\([0-9]*\) correct.*/\1/p' mixup.log | tr '\n' ' ')" = '12 8 ' ] &&
        ! grep 'no single label' mixup.log
}
trains_softmax() {
    cfg '[softmax]' pad=2 cutout=4 mixup=1 >softmax.cfg
    trained softmax && ! grep -i nan softmax.log
}

try "every key changes the training, and 0 is as if it were absent" every_key_tells
try "the weights are the same with one loading thread or several, cached or not" threads_do_not_show
try "a training that is cut off, also in an epoch, goes on with the same images" goes_on
try "mixtures are samples of one class for the statistics of [ols]" counts_mixtures
try "a network that ends in [softmax] trains with them as well" trains_softmax

# --- what is left alone -----------------------------------------------------------------------------------------------

judges_alike() {
    local name
    for name in none all; do
        "$darknet" classifier metrics data $name.cfg all.weights -nogpu -json $name.json &&
            "$darknet" classifier valid data $name.cfg all.weights -nogpu >$name.valid || return
    done
    sed 's/none\.cfg/all.cfg/' none.json | cmp - all.json && cmp none.valid all.valid && [ -s all.valid ]
}
validates_alike() {
    # with a rate of 0 the statistics of the network stay, and so does what every evaluation says
    sed 's/^learning_rate.*/learning_rate=0/' all.cfg >still.cfg
    train still.cfg none.weights -clear -seed 1 -topk >still.log 2>&1 || return
    "$darknet" classifier metrics data none.cfg none.weights -nogpu -json none.json || return
    python3 - <<'PYTHON'
import csv, json
nll = json.load(open("none.json"))["models"][0]["nll"]
found = [float(row["validation loss"]) for row in csv.DictReader(open("backup/still_log.csv")) if row["validation loss"]]
assert len(found) == 2 and all(abs(value - nll) < 1e-4 for value in found), (nll, found)
PYTHON
}
deploys_without() {
    "$darknet" ols deploy all.cfg flat.cfg && "$darknet" ols deploy all.cfg whole.cfg all.weights whole.weights ||
        return
    ! grep -E '^(cutout|mixup|pad=2|nesterov)' flat.cfg whole.cfg && grep -qx 'pad=1' flat.cfg && grep -qx 'pad=1' whole.cfg
}
makes_resnets() {
    "$root/scripts/make-network" resnet --depth 8 --pad 4 >resnet.cfg && parse resnet.cfg || return
    [ "$(sed -n '/^\[net\]/,/^$/p' resnet.cfg | grep -c '^pad=4$')" = 1 ] && ! grep -E 'min_crop|max_crop' resnet.cfg || return
    "$root/scripts/make-network" resnet --depth 8 >resnet.cfg && grep -A1 '^min_crop=32$' resnet.cfg | grep -x 'max_crop=36' || return
    "$root/scripts/make-network" resnet --depth 8 --size 24 >resnet.cfg && grep -A1 '^min_crop=24$' resnet.cfg | grep -x 'max_crop=27' &&
        [ "$(grep -cx 'width=24\|height=24' resnet.cfg)" = 2 ] || return
    ! "$root/scripts/make-network" resnet --pad 17 2>err.txt && grep -q -- '--pad must be 0 to 16' err.txt
}

makes_short_trainings() {
    "$root/scripts/make-network" resnet --depth 8 | grep -x 'burn_in=400' &&
        "$root/scripts/make-network" resnet --depth 8 --batches 1000 | grep -x 'burn_in=100' &&
        "$root/scripts/make-network" resnet --depth 8 --batches 1000 --burn-in 7 | grep -x 'burn_in=7' || return
    ! "$root/scripts/make-network" resnet --rate .O5 2>err.txt && grep -q -- "--rate: '.O5' is not a number above 0" err.txt
}

try "classifier metrics and classifier valid see the same images with the keys as without" judges_alike
try "so does -topk" validates_alike
try "ols deploy leaves the keys out, and pad= of a convolution in" deploys_without
try "make-network resnet --pad writes a network that is trained so" makes_resnets
try "make-network resnet: the rate is a number, and at its full height after a tenth of a short training" makes_short_trainings

finish
