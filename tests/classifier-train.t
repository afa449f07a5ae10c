#!/usr/bin/env bash
# `classifier train`, in TAP: its output, -topk with its log, chart and best weights, -keep, -patience, and a training
# that diverges.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# --- noise with a tint that says the class: six classes, 24 images to train on, 18 to evaluate on ---------------------

/usr/bin/python3 - <<'PYTHON'
import os, random
random.seed(1)
tints = {"red": (90, 0, 0), "green": (0, 90, 0), "blue": (0, 0, 90), "pink": (90, 0, 60), "lime": (60, 90, 0),
         "cyan": (0, 90, 90)}
for split, n in ("train", 4), ("valid", 3):
    with open(f"{split}.list", "w") as paths:
        for name, tint in tints.items():
            for i in range(n):
                path = os.path.abspath(f"{split}-{i}-{name}.ppm")
                pixels = bytes(random.randrange(130) + tint[k % 3] for k in range(12 * 12 * 3))
                with open(path, "wb") as image:
                    image.write(b"P6\n12 12\n255\n" + pixels)
                paths.write(path + "\n")
with open("names", "w") as names:
    names.write("\n".join(tints) + "\n")
PYTHON
mkdir backup

# data NAME KEYS...: a .data file; the keys come after those that it always has.
data() {
    local name=$1
    shift
    printf '%s\n' classes=6 "train=$T/train.list" "valid=$T/valid.list" "labels=$T/names" "backup=$T/backup" "$@" >"$name"
}
data data

# cfg NAME MAX_BATCHES LINES OF [net]...: 3 iterations an epoch.
cfg() {
    {
        printf '%s\n' '[net]' batch=8 width=12 height=12 channels=3 momentum=.9 learning_rate=.05 "max_batches=$2" \
            "${@:3}" '[convolutional]' filters=8 size=3 stride=2 pad=1 activation=leaky \
            '[convolutional]' filters=6 size=1 activation=linear '[avgpool]' '[ols]'
    } >"$1.cfg"
}
# train CFG ...: into CFG.log and CFG.err
train() { "$darknet" classifier train data "$1.cfg" "${@:2}" -seed 3 -nogpu >"$1.log" 2>"$1.err"; }
iterations() { sed -nE 's/^([0-9]+), .* avg, .*/\1/p' "$1"; }
column() { awk -F, -v n="$1" 'NR > 1 { print $n }' "$2"; }
# The numbered weights of a cfg, by number.
numbered() { find backup -name "$1_[0-9]*.weights" | sed -E 's/.*_([0-9]+)\.weights/\1/' | sort -n | tr '\n' ' '; }
files() { find "$1" -type f -printf '%f\n' | sort; }
number='[0-9]+(\.[0-9]+)?'

# --- what it says -----------------------------------------------------------------------------------------------------

cfg net 60
says_where_it_is() {
    train net || return
    mkdir plain && mv backup/* plain || return
    [ "$(iterations net.log)" = "$(seq 60)" ] || return
    grep ' avg, ' net.log | grep -vE "^[0-9]+, $number: $number, $number avg, $number rate, $number seconds, [0-9]+ \
images, epoch $number of 20\.00, $number images/s, ETA [0-9]+:[0-5][0-9]:[0-5][0-9]\$" && return 1
    grep -E '^33, 11\.000: .* 264 images, epoch 11\.00 of 20\.00, [1-9]' net.log &&
        grep -E '^60, .*, epoch 20\.00 of 20\.00, .* ETA 0:00:00$' net.log
}
writes_nothing_else() {
    ! grep -i 'top-1' net.log &&
        [ "$(files plain)" = "$({ echo net.weights; seq -f 'net_%g.weights' 20; } | sort)" ]
}
says_no_end_where_there_is_none() {
    cfg endless 0
    "$darknet" classifier train data endless.cfg -topk 100 -nogpu >endless.log 2>endless.err &
    pid=$!
    for ((i = 0; i < 300; ++i)); do
        [ "$(grep -c ' avg, ' endless.log 2>/dev/null)" -gt 5 ] && break
        sleep .05
    done
    kill -0 "$pid" && kill -9 "$pid"
    wait "$pid" 2>/dev/null
    pid=
    rm -f backup/*
    grep -E "^3, .* 24 images, epoch 1\.00, $number images/s\$" endless.log && ! grep 'nothing to train' endless.err
}

is_interrupted() {
    local status last
    cfg endless 0
    "$darknet" classifier train data endless.cfg -nogpu >endless.log 2>endless.err &
    pid=$!
    for ((i = 0; i < 300; ++i)); do
        [ "$(grep -c ' avg, ' endless.log 2>/dev/null)" -gt 5 ] && break
        sleep .05
    done
    kill -TERM "$pid"
    wait "$pid"
    status=$? pid=
    last=$(sed -nE 's/^([0-9]+), .* avg, .*/\1/p' endless.log | tail -n 1)
    grep -x "darknet: note: stopped after iteration $last; .*/endless.backup goes on from there" endless.err &&
        [ -s backup/endless.backup ] && [ "$status" = 143 ] || return
    rm -f backup/*
}

try "SIGTERM ends it with a checkpoint" is_interrupted
try "every iteration says its epoch, images/s and ETA behind what Darknet says" says_where_it_is
try "without -topk nothing is evaluated, logged or drawn, and there is a numbered file an epoch" writes_nothing_else
try "without max_batches there is no end, and none is said" says_no_end_where_there_is_none

# --- -topk ------------------------------------------------------------------------------------------------------------

evaluates() {
    train net -topk 3 || return
    sed -nE "s/^([0-9]+): top-1 $number %, top-5 $number %, validation loss $number, ECE $number %, .*/\1/p" net.log >said
    # every 3 epochs of 3 iterations, and the end
    [ "$(cat said)" = "$(seq 9 9 54; echo 60)" ] || { cat said net.err; return 1; }
    ! files backup | grep -E 'tmp$|json|before$'
}
leaves_training_alone() {
    local file
    for file in plain/*; do cmp "$file" "backup/${file#plain/}" || return; done
    same_network backup/net_last.weights plain/net.weights
}
logs() {
    column 8 backup/net_log.csv
    [ "$(head -n 1 backup/net_log.csv)" = "iteration,epoch,images,loss,avg loss,rate,training top-1,top-1,top-5,\
validation loss,ECE,best top-1" ] && [ "$(column 1 backup/net_log.csv)" = "$(seq 60)" ] || return
    sed -nE "s/^([0-9]+): top-1 ([0-9.]+) %, top-5 ([0-9.]+) %, validation loss ([0-9.]+), ECE ([0-9.]+) %.*\
/\1 \2 \3 \4 \5/p" net.log >scores
    sed -nE 's/^([0-9]+), [0-9.]+: ([0-9.]+), ([0-9.]+) avg, ([0-9.]+) rate.*/\1 \2 \3 \4/p' net.log >losses
    awk -F'[, ]' '
        function off(a, b, by) { return a - b > by || b - a > by }
        FILENAME == "scores" { top1[$1] = $2; topk[$1] = $3; nll[$1] = $4; ece[$1] = $5; next }
        FILENAME == "losses" { loss[$1] = $2; mean[$1] = $3; rate[$1] = $4; next }
        FNR == 1 { next }
        off($4, loss[$1], 1e-4) || off($5, mean[$1], 1e-4) || off($6, rate[$1], 1e-5) { print "numbers:", $0; wrong = 1 }
        $3 != 8 * $1 || off($2, $1 / 3, 1e-4) { print "epoch:", $0; wrong = 1 }
        { evaluated = $1 in top1 }
        ($8 != "") != evaluated || ($9 != "") != evaluated || ($10 != "") != evaluated || ($11 != "") != evaluated {
            print "empty or not:", $0; wrong = 1 }
        evaluated && (off(100 * $8, top1[$1], .006) || off(100 * $9, topk[$1], .006) || off($10, nll[$1], 6e-5) ||
            off(100 * $11, ece[$1], .006)) { print "scores:", $0; wrong = 1 }
        $8 != "" && (best == "" || $8 > best) { best = $8 }
        $12 != best { print "best:", $0; wrong = 1 }
        END { exit wrong }' scores losses backup/net_log.csv
}
# At the end of an epoch [ols] prints what it has counted; within one, the count of 8 or of 16 images.
logs_training_accuracy() {
    sed -nE 's/^\[ols\] soft labels, epoch ([0-9]+): [0-9]+\/24 correct \(([0-9.]+) %\).*/\1 \2/p' net.log >counted
    [ "$(wc -l <counted)" = 20 ] || return
    awk -F'[, ]' 'FILENAME == "counted" { share[3 * $1] = $2; next }
        FNR > 1 && $1 % 3 == 0 && (100 * $7 - share[$1] > .006 || share[$1] - 100 * $7 > .006) { print; wrong = 1 }
        FNR > 1 && $1 % 3 && ($7 == "" || $7 * 8 * ($1 % 3) % 1 > 1e-4 && $7 * 8 * ($1 % 3) % 1 < 1 - 1e-4) {
            print; wrong = 1 }
        END { exit wrong }' counted backup/net_log.csv
}
# $1 weights, then the columns of the log that they must have: top-1, top-5, loss, ECE.
has_scores() {
    "$darknet" classifier metrics data net.cfg "$1" -json scores.json -nogpu >/dev/null 2>&1 || return
    /usr/bin/python3 - "$2" <<'PYTHON'
import json, sys
model = json.load(open("scores.json"))["models"][0]
measured = [model[key] for key in ("top1", "top_k", "nll", "ece")]
logged = [float(x) for x in sys.argv[1].split(",")]
print(measured, logged)
assert len(logged) == 4 and all(abs(a - b) < 1e-6 for a, b in zip(measured, logged))
PYTHON
}
keeps_the_best() {
    local row best
    best=$(column 12 backup/net_log.csv | tail -n 1)
    row=$(awk -F, -v best="$best" 'NR > 1 && $8 == best { print; exit }' backup/net_log.csv)
    echo "$row"
    # worth the name, and not simply the last one
    awk -v best="$best" 'BEGIN { exit !(best > .5) }' &&
        has_scores backup/net_best.weights "$(cut -d, -f 8-11 <<<"$row")" &&
        has_scores backup/net_last.weights "$(tail -n 1 backup/net_log.csv | cut -d, -f 8-11)" &&
        [ "$(od -An -t u8 -j 12 -N 8 backup/net_best.weights | tr -d ' ')" = "$(cut -d, -f 3 <<<"$row")" ]
}
draws() {
    [ "$(head -c 8 backup/net_chart.png | od -An -t x1 | tr -d ' ')" = 89504e470d0a1a0a ] &&
        /usr/bin/python3 -c '
import PIL.Image
picture = PIL.Image.open("backup/net_chart.png").convert("RGB")
colours = {colour: n for n, colour in picture.getcolors(1 << 24)}
curves = {"mean loss": "08519c", "validation loss": "238b45", "top-1": "d94801", "top-5": "8c2d04", "training": "fdae6b"}
for name, colour in curves.items():
    n = colours.get(tuple(bytes.fromhex(colour)), 0)
    print(name, n)
    assert n > 30, name'
}
try "-topk evaluates every n epochs and after the last iteration" evaluates
try "with -topk a training has the same weights, bit for bit" leaves_training_alone
try "its log has the numbers that were printed" logs
try "and the training top-1 that [ols] has counted" logs_training_accuracy
try "the best weights are those of the highest top-1, and classifier metrics finds what the log says" keeps_the_best
if ! command -v gnuplot >/dev/null; then
    skip "gnuplot is not here"
elif ! /usr/bin/python3 -c 'import PIL' 2>/dev/null; then
    skip "python3-pil is not here to look at the chart"
else
    try "the chart is a picture with all curves in it" draws
fi

# From iteration 30, in files of a run that had got to 60.
goes_on() {
    local best
    best=$(column 12 backup/net_log.csv | tail -n 1)
    sed 's/max_batches=.*/max_batches=33/' net.cfg >shorter.cfg
    for file in best.weights log.csv; do cp "backup/net_$file" "backup/shorter_$file"; done
    cp backup/net_best.weights best.before && cp backup/net_log.csv log.before || return
    printf '61,20.3333,4' >>backup/shorter_log.csv # as a power cut leaves it
    train shorter backup/net_10.weights -topk || return
    cat backup/shorter_log.csv shorter.err
    [ "$(column 1 backup/shorter_log.csv)" = "$(seq 33)" ] &&
        diff <(head -n 31 log.before) <(head -n 31 backup/shorter_log.csv) || return
    [ "$(column 12 backup/shorter_log.csv | tail -n 1)" = "$best" ] && cmp backup/shorter_best.weights best.before &&
        grep -E "shorter_best.weights has top-1 ${best:0:5}.*: it stays until that is exceeded" shorter.err &&
        [ "$(numbered shorter)" = "11 " ]
}
sets_aside() {
    cp backup/shorter_log.csv log.before && cp backup/shorter_best.weights best.before || return
    sed -i 's/max_batches=.*/max_batches=6/' shorter.cfg
    train shorter -topk 2 || return
    [ "$(column 1 backup/shorter_log.csv)" = "$(seq 6)" ] && cmp log.before backup/shorter_log.old.csv &&
        cmp best.before backup/shorter_best.old.weights &&
        grep 'shorter_best.weights of an earlier training' shorter.err
}
# An image that is not there: the evaluation fails, the training does not.
goes_on_without_scores() {
    echo "$T/gone-red.ppm" >gone.list
    data gone "valid=$T/gone.list" && sed -i '/valid.list/d' gone
    cfg short 12
    "$darknet" classifier train gone short.cfg -topk 2 -seed 3 -nogpu -nocheck >short.log 2>short.err || return
    cat short.err
    [ "$(grep -c '^darknet: note: iteration [0-9]*: no top-1: .*gone-red.ppm' short.err)" = 2 ] &&
        [ "$(column 8 backup/short_log.csv | sort -u)" = "" ] && [ "$(column 1 backup/short_log.csv)" = "$(seq 12)" ] &&
        [ ! -e backup/short_best.weights ] && [ -e backup/short.weights ]
}
# top= says which k; hard labels are not counted.
logs_what_there_is() {
    rm -f backup/short*
    data top top=2
    sed 's/^\[ols\]/[softmax]/' short.cfg >softmax.cfg && cp short.cfg hard.cfg && echo smoothing=hard >>hard.cfg
    for cfg in softmax hard; do
        "$darknet" classifier train top "$cfg.cfg" -topk 2 -seed 3 -nogpu >"$cfg.log" 2>"$cfg.err" || return
        [ "$(head -n 1 "backup/${cfg}_log.csv" | cut -d, -f 7-9)" = "training top-1,top-1,top-2" ] &&
            [ "$(column 7 "backup/${cfg}_log.csv" | sort -u)" = "" ] &&
            grep -E '^6: top-1 .*, top-2 .* %, validation' "$cfg.log" || return
    done
    cut -d, -f 1-10 backup/softmax_log.csv | diff - <(cut -d, -f 1-10 backup/hard_log.csv)
}
# With noise=: 12 of the 24 training images have a wrong label. What is logged of them is what classifier metrics counts.
logs_errors_on_flipped_labels() {
    rm -f backup/*
    data noisy noise=.5
    sed 's/max_batches=.*/max_batches=60/' net.cfg >noisy.cfg
    "$darknet" classifier train noisy noisy.cfg -topk 5 -seed 3 -nogpu >noisy.log 2>noisy.err || return
    cat backup/noisy_log.csv
    grep -q 'Noise: 12 of 24' noisy.err && [ "$(grep -c 'Noise: ' noisy.err)" = 1 ] &&
        [ "$(head -n 1 backup/noisy_log.csv | cut -d, -f 11-14)" = "ECE,flipped: error to wrong labels,\
flipped: error to true labels,best top-1" ] || return
    "$darknet" classifier metrics noisy noisy.cfg backup/noisy_last.weights -list train -json noisy.json -nogpu \
        >/dev/null 2>&1 || return
    /usr/bin/python3 - <<'PYTHON'
import csv, json, re
noise = json.load(open("noisy.json"))["models"][0]["noise"]
rows = list(csv.DictReader(open("backup/noisy_log.csv")))
names = ["flipped: error to wrong labels", "flipped: error to true labels"]
errors = [[row[name] for name in names] for row in rows if row["top-1"]]
assert len(errors) == 4 and all(row[name] == "" for row in rows if not row["top-1"] for name in names)
want = [1 - noise[key] / 12 for key in ("as_given", "as_true")]
print(noise, errors)
assert noise["images"] == 12 and all(abs(float(a) - b) < 1e-6 for a, b in zip(errors[-1], want))
assert want[0] != want[1]
said = re.findall(r", flipped labels: error to the wrong ones ([0-9.]+) %, to the true ones ([0-9.]+) %,", open("noisy.log").read())
assert len(said) == 4
assert all(abs(100 * float(a) - float(b)) < .006 for row, text in zip(errors, said) for a, b in zip(row, text))
PYTHON
}
# A log of other columns, gone on with: what it had stays, and what is new is empty in its rows.
goes_on_with_other_columns() {
    local file last wrong='flipped: error to wrong labels,flipped: error to true labels'
    cp backup/noisy_log.csv noisy.before
    for file in best.weights last.weights log.csv; do cp "backup/noisy_$file" "backup/clean_$file"; done
    sed 's/max_batches=.*/max_batches=63/' noisy.cfg >clean.cfg
    train clean backup/noisy_last.weights -topk || return
    [ "$(head -n 1 backup/clean_log.csv)" = "$(head -n 1 noisy.before)" ] &&
        diff <(head -n 61 backup/clean_log.csv) noisy.before && [ "$(column 1 backup/clean_log.csv)" = "$(seq 63)" ] &&
        [ "$(column 12 backup/clean_log.csv | tail -n 3 | sort -u)" = "" ] || return
    # the other way round: the first rows are without noise
    cut -d, -f 1-11,14 noisy.before >backup/clean_log.csv
    sed -i 's/max_batches=.*/max_batches=66/' clean.cfg
    "$darknet" classifier train noisy clean.cfg backup/noisy_last.weights -topk -seed 3 -nogpu >clean.log 2>clean.err || return
    cat backup/clean_log.csv
    [ "$(head -n 1 backup/clean_log.csv | cut -d, -f 12-13)" = "$wrong" ] &&
        diff <(head -n 61 backup/clean_log.csv | cut -d, -f 1-11,14) <(cut -d, -f 1-11,14 noisy.before) &&
        [ "$(column 12 backup/clean_log.csv | head -n 60 | sort -u)" = "" ] || return
    last=$(tail -n 1 backup/clean_log.csv) && [ -n "$(cut -d, -f 12 <<<"$last")" ] &&
        grep "clean_best.weights has top-1" clean.err
}
# A log that is none of a classifier's is kept, and so are the best weights whose score nothing says.
keeps_what_is_no_log() {
    rm -f backup/clean*
    echo 'my own notes' >backup/clean_log.csv
    echo 'my best weights' >backup/clean_best.weights
    train clean backup/noisy_last.weights -topk || return
    [ "$(cat backup/clean_log.old.csv)" = 'my own notes' ] &&
        [ "$(cat backup/clean_best.old.weights)" = 'my best weights' ] && [ "$(column 1 backup/clean_log.csv)" = "$(seq 61 66)" ]
}
train_with() { "$darknet" classifier train "$1" short.cfg "${@:2}" -nogpu; }
refuses() {
    grep -v ^valid data >no-valid
    data missing-valid && sed -i "s:^valid=.*:valid=$T/missing:" missing-valid
    data missing-backup && sed -i "s:^backup=.*:backup=$T/missing:" missing-backup
    data seven && sed -i s/classes=6/classes=5/ seven
    data unknown && sed -i "s:^valid=.*:valid=$T/unknown.list:" unknown && echo "$T/train-0-grey.ppm" >unknown.list &&
        cp "$(head -n 1 train.list)" train-0-grey.ppm
    data top-7 top=7
    sed 's/^\[ols\]/[cost]\ntype=sse/' short.cfg >sse.cfg
    fails "-topk 0 is not valid" train_with data -topk 0 && fails "-topk 1.5 is not valid" train_with data -topk 1.5 &&
        fails "-keep 0 is not valid" train_with data -keep 0 &&
        fails "-patience 0 is not valid" train_with data -patience 0 -topk &&
        fails "-patience needs -topk" train_with data -patience 3 || return
    fails "cannot save weights to the folder backup=$T/missing of missing-backup" train_with missing-backup &&
        fails "there is no valid= in no-valid" train_with no-valid -topk &&
        fails "cannot read the list of images $T/missing" train_with missing-valid -topk &&
        fails "$T/train-0-grey.ppm" train_with unknown -topk && fails "top=7" train_with top-7 -topk &&
        fails "sse.cfg does not end in [softmax] or [ols]" "$darknet" classifier train data sse.cfg -topk -nogpu || return
    sed 's/^height=.*/height=24/' short.cfg >wide.cfg
    fails "height=24 in wide.cfg: must be equal" "$darknet" classifier train data wide.cfg -nogpu
}
try "gone on with, the log keeps its rows up to there, and earlier best weights stay" goes_on
try "a new training sets an older log and best weights aside" sets_aside
try "where an evaluation fails, one line says why and the training goes on" goes_on_without_scores
try "top= is the k of top-k, and without soft labels there is no training top-1" logs_what_there_is
try "with noise= the errors on flipped labels are logged and printed, as classifier metrics counts them" \
    logs_errors_on_flipped_labels
try "a log of other columns keeps them all when it is gone on with" goes_on_with_other_columns
try "a file that is no log is set aside" keeps_what_is_no_log
try "what cannot work is refused in one line before the first batch" refuses

# --- -keep and -patience ----------------------------------------------------------------------------------------------

keeps_fewer() {
    rm -f backup/*
    cfg few 33
    train few -keep 4 || return
    [ "$(numbered few)" = "4 8 " ] && cmp backup/few_8.weights plain/net_8.weights && [ -e backup/few.weights ] || return
    rm backup/few_8.weights
    train few plain/net_7.weights -keep 4 && [ "$(numbered few)" = "4 8 " ]
}
# Nothing is learnt: the first evaluation stays the best.
ends_early() {
    rm -f backup/*
    cfg idle 300 learning_rate_is=0
    sed -i 's/^learning_rate=.*/learning_rate=0/; /^learning_rate_is/d' idle.cfg
    for name in idle.weights idle_last.weights; do echo earlier >"backup/$name"; done
    train idle -topk 2 -patience 3 -keep 100 || return
    tail -n 2 idle.log
    [ "$(iterations idle.log | tail -n 1)" = 24 ] && tail -n 1 idle.log |
        grep -E "^24: the training ends here: the best top-1, $number %, is 3 evaluations old \(-patience 3\)\$" || return
    [ "$(files backup)" = "$(printf '%s\n' idle.weights idle_{best.weights,chart.png,last.weights,log.csv})" ] &&
        same_network backup/idle.weights backup/idle_last.weights
}
counts_on() {
    # of the evaluations at 6, 12, 18 and 24 the one at 18 is the second after the best; that at 24, whose row is gone, is
    # made up for at 25
    sed -i '/^24,/d' backup/idle_log.csv
    cp backup/idle.weights at-24.weights
    train idle at-24.weights -topk 2 -patience 3 -keep 100 || return
    [ "$(iterations idle.log)" = 25 ] || return
    train idle backup/idle.weights -topk 2 -patience 3 -keep 100 && grep '^25: the training ends here' idle.log &&
        [ "$(iterations idle.log)" = "" ]
}
try "-keep n keeps the numbered weights of every n-th epoch, also when gone on with" keeps_fewer
if command -v gnuplot >/dev/null; then
    try "-patience n ends the training when the best top-1 is n evaluations old, with status 0" ends_early
else
    skip "gnuplot is not here"
fi
try "evaluations before a training was cut off count as well" counts_on

# --- divergence -------------------------------------------------------------------------------------------------------

diverges() {
    rm -f backup/*
    cfg burst 60 policy=steps steps=32 scales=1e30
    fails "the last good checkpoint is $T/backup/burst_10.weights (iteration 30)" train_here burst || return
    cat err.txt
    grep -E 'iteration 3[3-6]: the loss is (not a number|infinite): .*; try a lower .* at the labels$' err.txt &&
        ! grep 'iteration .*anchors' err.txt &&
        [ "$(numbered burst)" = "1 2 3 4 5 6 7 8 9 10 " ] && [ ! -e backup/burst.weights ] || return
    # which can be gone on from
    sed -i '/^policy\|^steps\|^scales/d; s/max_batches=.*/max_batches=36/' burst.cfg
    train burst backup/burst_10.weights && [ "$(iterations burst.log | tr '\n' ' ')" = "31 32 33 34 35 36 " ]
}
train_here() { "$darknet" classifier train data "$1.cfg" "${@:2}" -seed 3 -nogpu; }
# The weights are spoilt in iteration 30, just before they are saved.
writes_no_spoilt_weights() {
    rm -f backup/*
    cfg burst 60 policy=steps steps=30 scales=1e45
    fails "backup/burst_10.weights was not written; the last good checkpoint is $T/backup/burst_9.weights (iteration 27)" \
        train_here burst -keep 1 && [ "$(numbered burst)" = "1 2 3 4 5 6 7 8 9 " ]
}
try "a loss that is no number ends the training, with the last good checkpoint" diverges
try "weights that are not finite are never written" writes_no_spoilt_weights

finish
