#!/usr/bin/env bash
# What a .data file says of labels, noise and sampling, in whole trainings, in TAP: truth=, noise=, noise_file= and
# sampling= in `classifier train`, in every `classifier valid...`, and noise= and sampling= in `detector train`.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# --- ten images of three classes --------------------------------------------------------------------------------------

mkdir backup
number=0
for class in red green blue; do
    mkdir -p "images/$class"
    echo "$class" >>names
    for n in 1 2 3; do
        number=$((number + 1))
        { printf 'P6\n10 10\n255\n' && head -c 300 /dev/zero | tr '\0' "\\$((number + 100))"; } >"images/$class/$n.ppm"
        echo "$T/images/$class/$n.ppm" >>list
    done
done
cp images/red/1.ppm images/blue/4.ppm && echo "$T/images/blue/4.ppm" >>list
while read -r path; do
    class=$(basename "$(dirname "$path")")
    printf '%s\t%s\n' "$path" "$class" >>by-name
    printf '%s\t%d\n' "$path" "$(($(grep -nx "$class" names | cut -d: -f1) - 1))" >>by-number
done <list

# data LIST KEYS...: the file `data`.
data() {
    printf '%s\n' classes=3 "train=$T/$1" "valid=$T/$1" "labels=$T/names" "backup=$T/backup" top=2 >data
    shift
    [ $# = 0 ] || printf '%s\n' "$@" >>data
}

# cfg BATCHES KEYS...: 4 images an iteration, 2 and a half iterations an epoch.
cfg() {
    local batches=$1
    shift
    printf '%s\n' '[net]' batch=4 width=8 height=8 channels=3 momentum=0 learning_rate=.01 "max_batches=$batches" "$@" \
        '[convolutional]' filters=4 size=3 stride=2 pad=1 activation=leaky '[convolutional]' size=1 stride=1 activation=linear \
        filters=3 '[avgpool]' '[ols]' period=1000
}
cfg 8 >net.cfg

# train NAME CFG [WEIGHTS]: keeps the last weights as NAME.
train() {
    local name=$1 cfg=$2
    shift
    rm -f backup/*
    "$darknet" classifier train data "$@" -seed 1 -nogpu >"$name.log" 2>&1 || { tail -n 5 "$name.log"; return 1; }
    mv "backup/${cfg%.cfg}.weights" "$name"
}

# How many images of every class an [ols] of K classes has seen: the last numbers of the soft-label block, before its footer
# of 16 bytes and the trailer of 48.
seen() {
    /usr/bin/python3 -c 'import struct, sys; k = int(sys.argv[2])
print(*struct.unpack(f"<{k}q", open(sys.argv[1], "rb").read()[-64 - 8 * k:-64]))' "$1" "$2"
}

# --- truth= -----------------------------------------------------------------------------------------------------------

truth_is_one() {
    data list && train substring net.cfg &&
        data list truth=folder && train folder net.cfg && cmp substring folder &&
        data by-name truth=list && train by-name.weights net.cfg && cmp substring by-name.weights &&
        data by-number truth=list && train by-number.weights net.cfg && cmp substring by-number.weights
}
try "folder, name and number give the weights that unambiguous substrings give" truth_is_one

# names= instead of labels=, whose file is not needed with exact labels.
names_are_enough() {
    data list truth=folder && sed -i 's/^labels=/names=/' data && train names.weights net.cfg && cmp substring names.weights
}
try "names= alone is enough" names_are_enough

valid_commands="valid validmulti valid10 validfull validcrop"
# valid's lines name the path; the others print accuracies alone.
accuracies() {
    "$darknet" classifier "$1" data valid.cfg substring -nogpu 2>err.txt | grep 'top 1' | sed 's/, [.0-9]* seconds//'
}
cfg 8 | sed 's/^batch=4/batch=1/' >valid.cfg
# validcrop takes its images a thousand at a time.
for file in list by-name; do
    for _ in {1..100}; do cat "$file"; done >"$file-1000"
done
validation_agrees() {
    local command lines
    for command in $valid_commands; do
        lines=
        [ "$command" != validcrop ] || lines=-1000
        echo "$command:"
        data "list$lines" && accuracies "$command" >by-substring.txt && [ -s by-substring.txt ] &&
            data "list$lines" truth=folder && accuracies "$command" >by-folder.txt &&
            data "by-name$lines" truth=list noise=1 && accuracies "$command" >by-list.txt &&
            cmp by-substring.txt by-folder.txt && cmp by-substring.txt by-list.txt || return
    done
}
try "every validation takes the same labels, and without noise" validation_agrees

# A class that is part of another's name: Darknet trained on two targets, and validated with the first.
mkdir images/redder && cp images/red/1.ppm images/redder/1.ppm
ambiguous_is_refused() {
    local command wanted="list:2: $T/images/redder/1.ppm holds 2 of the labels in $T/names2: red, redder"
    printf '%s\n' "$T/images/red/1.ppm" "$T/images/redder/1.ppm" >ambiguous-list
    printf '%s\n' red redder blue >names2
    data ambiguous-list && sed -i 's/names$/names2/' data || return
    fails "$wanted" "$darknet" classifier train data net.cfg -seed 1 -nogpu || return
    for command in $valid_commands; do
        fails "$wanted" "$darknet" classifier "$command" data valid.cfg substring -nogpu || { echo "$command"; return 1; }
    done
    echo truth=folder >>data
    train exact net.cfg
}
none_is_refused() {
    cp images/red/1.ppm images/other.ppm
    echo "$T/images/other.ppm" >none-list
    data none-list
    fails "none-list:1: $T/images/other.ppm holds none of the labels in $T/names" \
        "$darknet" classifier train data net.cfg -seed 1 -nogpu
}
try "a path that holds two labels is refused by all, and truth=folder takes it" ambiguous_is_refused
try "a path that holds no label is refused" none_is_refused

# refused TEXT KEYS...: by the trainer, with the list by names.
refused() {
    local text=$1
    shift
    data by-name "$@"
    fails "$text" "$darknet" classifier train data net.cfg -seed 1 -nogpu
}
wrong_keys_are_refused() {
    refused "data:7: truth=path is not valid: must be folder or list" truth=path &&
        refused "data:8: noise=2 is not valid: must be a number from 0 to 1" truth=list noise=2 &&
        refused "data:8: noise= has no value" truth=list noise= &&
        refused "data:8: sampling=once is not valid: must be epoch" truth=list sampling=once &&
        refused "data:7: truth=list does not go together with tag=1" truth=list tag=1 || return
    head -n 1 list >untold-list
    data untold-list truth=list
    fails "$T/untold-list:1: with truth=list a line is path<TAB>label" "$darknet" classifier train data net.cfg -nogpu
}
try "a wrong value, and a list without labels, are refused before the first batch" wrong_keys_are_refused

# --- noise= -----------------------------------------------------------------------------------------------------------

# Of two classes all labels become the other one, which a list can say as well.
two() {
    data "$@"
    sed -i 's/^classes=3/classes=2/; s/names$/two/' data
}
noise_is_a_changed_label() {
    grep -v green names >two && grep -v green by-name >two-list || return
    sed 's/\tred$/\t1/; s/\tblue$/\tred/; s/\t1$/\tblue/' two-list >swapped-list
    sed 's/^filters=3$/filters=2/' net.cfg >two.cfg
    two two-list truth=list && train clean two.cfg &&
        two two-list truth=list noise=1 && train noise two.cfg &&
        grep -F 'Noise: 7 of 7 training labels (100.00 %) are changed, by noise=1, noise_seed=1' noise.log &&
        two swapped-list truth=list && train swapped two.cfg && cmp noise swapped && ! cmp -s noise clean
}
try "noise is what changed labels in the list would be" noise_is_a_changed_label

# With every image once, the [ols] layer has counted the labels that it was given.
noise_is_counted() {
    cfg 5 | sed 's/^batch=4/batch=2/' >epoch.cfg
    data list sampling=epoch && train clean epoch.cfg && [ "$(seen clean 3)" = "3 3 4" ] || return
    data list sampling=epoch "noise_file=$T/table" noise_column=worst
    { printf 'file\tclean\tworst\n' && sed "s,^$T/images/,," by-name | awk '{ print $1 "\t" $2 "\tgreen" }'; } |
        gzip >table
    train table.weights epoch.cfg && seen table.weights 3 && [ "$(seen table.weights 3)" = "0 10 0" ] &&
        grep -F "Noise: 7 of 10 training labels (70.00 %) are changed, by $T/table, column worst" table.weights.log
}
try "the statistics of [ols] are by the labels with noise" noise_is_counted

# --- sampling= --------------------------------------------------------------------------------------------------------

# Every image a class of its own: an [ols] counts how often it was shown.
mkdir each
for n in {0..9}; do
    cp "$(sed -n "$((n + 1))p" list)" "each/$n.ppm"
    printf '%s\t%d\n' "$T/each/$n.ppm" "$n" >>each-list
    echo "class$n" >>each-names
done
each() {
    data each-list truth=list "$@"
    sed -i "s/^classes=3/classes=10/; s/names$/each-names/" data
}
# each_cfg BATCHES KEYS...: 2 images an iteration.
each_cfg() { cfg "$@" | sed 's/^filters=3$/filters=10/; s/^batch=4/batch=2/'; }
each_is_seen() {
    local epoch
    for epoch in 1 2 3; do
        each_cfg $((epoch * 5)) >each.cfg
        each sampling=epoch && train each.weights each.cfg || return
        [ "$(seen each.weights 10)" = "$(printf "$epoch %.0s" {1..9})$epoch" ] ||
            { echo "after $epoch epochs:" && seen each.weights 10; return 1; }
    done
    each && train drawn each.cfg && [ "$(seen drawn 10)" != "$(seen each.weights 10)" ]
}
try "with sampling=epoch every image comes once an epoch, and without it does not" each_is_seen

thrown_away_come_again() {
    each_cfg 5 random=1 >random.cfg
    each sampling=epoch && train random.weights random.cfg && grep -q Resizing random.weights.log || return
    seen random.weights 10
    [ "$(seen random.weights 10)" = "1 1 1 1 1 1 1 1 1 1" ]
}
try "random=1 throws a batch away, whose images come all the same" thrown_away_come_again

# With momentum, and each of SGD's kinds; 3 iterations are 12 images, 2 into the second epoch of 10.
resumes() {
    local iterations key
    for key in '#' nesterov=1 adam=1; do
        for iterations in 1 3 6; do
            cfg 8 $key | sed 's/^momentum=.*/momentum=.9/' >net.cfg
            sed "s/^max_batches=.*/max_batches=$iterations/" net.cfg >part.cfg
            data list sampling=epoch && train whole net.cfg && train part part.cfg -topk 1 &&
                same_network part backup/part_last.weights && [ "$(optimiser_arrays part)" = 0 ] &&
                mv backup/part_last.weights part && train rest net.cfg part && cmp whole rest || return
        done
    done
    data list && train drawn net.cfg && ! cmp -s whole drawn
}
try "a training cut off in the middle of an epoch goes on with the next image" resumes

# A detector's images have one object each, of a class of their own.
detector_samples() {
    mkdir -p det/images det/labels
    for n in {0..9}; do
        cp "each/$n.ppm" "det/images/$n.jpg" # what decides is what is in it
        echo "$n .5 .5 .6 .6" >"det/labels/$n.txt"
        echo "$T/det/images/$n.jpg" >>det-list
    done
    printf '%s\n' '[net]' batch=2 width=32 height=32 channels=3 momentum=0 learning_rate=.001 max_batches=5 \
        '[convolutional]' filters=4 size=3 stride=2 pad=1 activation=leaky \
        '[convolutional]' filters=15 size=3 stride=16 pad=1 activation=linear \
        '[yolo]' mask=0 anchors=20,20 classes=10 num=1 jitter=0 random=1 smoothing=ols period=1000 >detector.cfg
    printf '%s\n' classes=10 "train=$T/det-list" "names=$T/each-names" "backup=$T/backup" sampling=epoch >data
    rm -f backup/*
    "$darknet" detector train data detector.cfg -seed 1 -nogpu >log 2>&1 || { tail -n 3 log; return 1; }
    seen backup/detector_final.weights 10
    [ "$(seen backup/detector_final.weights 10)" = "1 1 1 1 1 1 1 1 1 1" ]
}
try "a detector heeds sampling=epoch, with random=1 too" detector_samples

# detector_data KEYS...: the file `data` of these images.
detector_data() {
    printf '%s\n' classes=10 "train=$T/det-list" "valid=$T/det-list" "names=$T/each-names" "backup=$T/backup" \
        sampling=epoch "$@" >data
}

# detector NAME CFG [OPTIONS]: keeps the last weights as NAME.
detector() {
    local name=$1 cfg=$2
    shift 2
    rm -f backup/*
    "$darknet" detector train data "$cfg" "$@" -seed 1 -nogpu >"$name.log" 2>&1 || { tail -n 5 "$name.log"; return 1; }
    mv "backup/${cfg%.cfg}_final.weights" "$name"
}

# 5 iterations of 2 images are an epoch. The state has counted the objects by the classes that they were trained with.
detector_noise() {
    sed 's/random=1/random=0/' detector.cfg >noisy.cfg
    sed 's/max_batches=5/max_batches=3/' noisy.cfg >part.cfg
    detector_data && detector clean noisy.cfg && ! grep -q '^Noise' clean.log && [ "$(seen clean 10)" = "1 1 1 1 1 1 1 1 1 1" ] &&
        detector_data noise=0 && detector none noisy.cfg && cmp clean none &&
        detector_data noise=.34 && detector noisy noisy.cfg -loaders 1 &&
        grep -qxF "Noise: 3 of 10 training objects (30.00 %) have another class, by noise=0.34, noise_seed=1" noisy.log &&
        ! cmp -s clean noisy && detector threads noisy.cfg -loaders 3 && cmp noisy threads &&
        detector part part.cfg && detector rest noisy.cfg "$T/part" && cmp noisy rest &&
        detector_data noise=1 noise_seed=5 && detector all noisy.cfg || return
    seen all 10
    [ "$(seen all 10)" != "1 1 1 1 1 1 1 1 1 1" ]
}
try "noise= changes exactly this share of a detector's objects, for any threads and after a resume" detector_noise

validation_has_no_noise() {
    detector_data && "$darknet" detector map data noisy.cfg all -nogpu >clean.map 2>err.txt &&
        detector_data noise=1 && "$darknet" detector map data noisy.cfg all -nogpu >noisy.map 2>err.txt &&
        grep -q mAP clean.map && diff clean.map noisy.map
}
try "detector map sees the label files as they are" validation_has_no_noise

detector_refuses() {
    local train=("$darknet" detector train data noisy.cfg -seed 1 -nogpu)
    detector_data noise=2
    fails "data:7: noise=2 is not valid: must be a number from 0 to 1" "${train[@]}" || return
    detector_data "noise_file=$T/by-name"
    fails "data:7: noise_file=$T/by-name is for classifiers, not for detectors" "${train[@]}" || return
    detector_data truth=folder
    fails "data:7: truth=folder is for classifiers, not for detectors" "${train[@]}" || return
    detector_data noise=.5
    mv det/labels/3.txt det/3.txt
    fails "no label file: there is no $T/det/labels/3.txt" "${train[@]}" || return
    fails "noise= needs the labels of all images: no labels $T/det/labels/3.txt" "${train[@]}" -nocheck || return
    mv det/3.txt det/labels/3.txt
    seq 0 9 >map && sed "s|^\[yolo\]|&\nmap=$T/map|" noisy.cfg >map.cfg
    fails "data: noise= does not go together with map= in the cfg" "$darknet" detector train data map.cfg -seed 1 -nogpu || return
    sed -i 's/classes=10/classes=1/' data && sed 's/classes=10/classes=1/; s/filters=15/filters=6/; s/ smoothing.*//;/^smoothing\|^period/d' noisy.cfg >one.cfg
    echo one >one-name && sed -i "s|^names=.*|names=$T/one-name|" data
    fails "data:7: noise= needs two classes or more" "$darknet" detector train data one.cfg -seed 1 -nogpu -nocheck
}
try "a detector's noise= that cannot be, and what is for classifiers alone, is refused" detector_refuses

finish
