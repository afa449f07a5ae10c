#!/usr/bin/env bash
# `detector train`, in TAP: its output, -map with its log, chart and best weights, the sizes of random=1, and a training
# that diverges.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# --- red squares on grey, which a small network learns to find in seconds ---------------------------------------------

if ! /usr/bin/python3 -c 'import PIL' 2>/dev/null; then
    echo "1..0 # SKIP python3-pil is not here to draw the images"
    exit 0
fi
/usr/bin/python3 - <<'PYTHON'
import os, random
from PIL import Image, ImageDraw
random.seed(1)
os.makedirs("images"), os.makedirs("labels")
for split, n in ("train", 24), ("valid", 8):
    with open(f"{split}.list", "w") as paths:
        for i in range(n):
            picture = Image.new("RGB", (48, 48), (30, 30, 30))
            x, y = random.randint(2, 28), random.randint(2, 28)
            ImageDraw.Draw(picture).rectangle([x, y, x + 15, y + 15], fill=(240, 40, 40))
            picture.save(f"images/{split}{i}.jpg", quality=95)
            with open(f"labels/{split}{i}.txt", "w") as label:
                label.write(f"0 {(x + 8) / 48} {(y + 8) / 48} {16 / 48} {16 / 48}\n")
            paths.write(os.path.abspath(f"images/{split}{i}.jpg") + "\n")
PYTHON
echo square >names
mkdir backup
printf '%s\n' classes=1 "train=$T/train.list" "valid=$T/valid.list" "names=$T/names" "backup=$T/backup" >data

# cfg NAME MAX_BATCHES RANDOM [LINES OF [net]]: 3 iterations an epoch.
cfg() {
    {
        printf '%s\n' '[net]' batch=8 width=48 height=48 channels=3 momentum=.9 learning_rate=.02 "max_batches=$2" \
            "${@:4}"
        printf "[convolutional]\nbatch_normalize=1\nfilters=%d\nsize=3\nstride=%d\npad=1\nactivation=leaky\n" \
            8 2 16 2 16 2 16 1
        printf '%s\n' '[convolutional]' filters=6 size=1 activation=linear '[yolo]' mask=0 anchors=16,16 classes=1 \
            num=1 jitter=.1 ignore_thresh=.6 truth_thresh=1 "random=$3"
    } >"$1.cfg"
}
# train CFG ...: into CFG.log and CFG.err
train() { "$darknet" detector train data "$1.cfg" "${@:2}" -seed 3 -nogpu >"$1.log" 2>"$1.err"; }
# The same in the background, as $pid; stop ends it with a signal.
begin() {
    "$darknet" detector train data "$1.cfg" "${@:2}" -seed 3 -nogpu >"$1.log" 2>"$1.err" &
    pid=$!
}
stop() {
    kill "-$1" "$pid"
    wait "$pid" 2>/dev/null
    pid=
}
iterations() { sed -nE 's/^([0-9]+): .* avg, .*/\1/p' "$1"; }
column() { awk -F, -v n="$1" 'NR > 1 { print $n }' "$2"; }

# --- what it says -----------------------------------------------------------------------------------------------------

cfg net 132 0
says_where_it_is() {
    local number='[0-9]+(\.[0-9]+)?'
    train net || return
    ls backup >files && mv backup/net_final.weights plain.weights && rm backup/*
    [ "$(iterations net.log)" = "$(seq 132)" ] || return
    grep ' avg, ' net.log | grep -vE "^[0-9]+: $number, $number avg, $number rate, $number seconds, [0-9]+ images, \
epoch $number of 44\.00, $number images/s, ETA [0-9]+:[0-5][0-9]:[0-5][0-9]\$" && return 1
    grep -E '^33: .* 264 images, epoch 11\.00 of 44\.00, [1-9]' net.log &&
        grep -E '^132: .*, epoch 44\.00 of 44\.00, .* ETA 0:00:00$' net.log
}
writes_nothing_else() {
    ! grep -i map net.log && [ "$(cat files)" = "$(printf '%s\n' net.backup net_100.weights net_final.weights)" ]
}
knows_the_time_left() {
    local at
    cfg long 100000 0
    begin long
    for ((i = 0; i < 300; ++i)); do
        [ "$(grep -c ' avg, ' long.log 2>/dev/null)" -gt 150 ] && break
        sleep .1
    done
    stop 9
    at=$(grep ' avg, ' long.log | tail -n 2 | head -n 1)
    rm -f backup/*
    # images that are left / images/s, to the digits printed
    awk -v line="$at" 'BEGIN {
        n = split(line, part, ", ")
        split(part[n], eta, /[ :]/); split(part[n - 1], speed, " "); split(line, batch, ":")
        left = (100000 - batch[1]) * 8 / speed[1]; said = eta[2] * 3600 + eta[3] * 60 + eta[4]
        print line; print "left:", left, "said:", said
        exit !(said > left * .99 - 1 && said < left * 1.01 + 1) }'
}

try "every iteration says its epoch, images/s and ETA behind what Darknet says" says_where_it_is
try "without -map nothing is evaluated, logged or drawn" writes_nothing_else
try "the time left is the images left by images/s" knows_the_time_left

# --- -map -------------------------------------------------------------------------------------------------------------

evaluates() {
    train net -map 6 || return
    sed -nE 's/^([0-9]+): mAP@0.50 .*/\1/p' net.log >said
    sed -nE 's/^darknet: note: iteration ([0-9]+): no mAP: .*/\1/p' net.err >>said
    # every 6 epochs of 3 iterations, and the end
    [ "$(sort -n said)" = "$({ seq 18 18 126; echo 132; } | sort -n)" ] || { sort -n said; return 1; }
    ls backup >files
    ! grep -E 'tmp$|result.json|before$' files
}
# 4 convolutions with 3 trained arrays each, and one with 2
keeps_the_momentum() {
    local name
    for name in net.backup net_last.weights; do [ "$(optimiser_arrays backup/$name)" = 14 ] || return; done
    for name in net_100 net_best net_final; do [ "$(optimiser_arrays backup/$name.weights)" = 0 ] || return; done
    # as large as what they hold: 4 bytes a weight, 4 more of momentum, and 8 an array; batch normalisation keeps two
    # numbers a filter that have none
    [ $(($(stat -c %s backup/net_last.weights) - $(stat -c %s backup/net_final.weights))) = \
        $((8 * 14 + $(stat -c %s backup/net_final.weights) - 20 - 48 - 4 * 2 * (8 + 16 + 16 + 16))) ]
}
# The same network with and without its momentum, three iterations on: they differ, but not where -clear forgets it.
clear_forgets_it() {
    local name clear
    sed 's/^max_batches=.*/max_batches=135/' net.cfg >on.cfg
    for clear in '' -clear; do
        for name in last final; do
            sed -i "s/^max_batches=.*/max_batches=$([ "$clear" ] && echo 3 || echo 135)/" on.cfg
            # shellcheck disable=SC2086  # none, or one
            train on backup/net_$name.weights $clear && mv backup/on_final.weights "$name$clear.weights" || return
        done
    done
    rm -f backup/on*
    ! cmp -s last.weights final.weights && cmp last-clear.weights final-clear.weights
}
leaves_training_alone() { cmp backup/net_final.weights plain.weights && same_network backup/net_last.weights plain.weights; }
logs() {
    cat backup/net_log.csv
    [ "$(head -n 1 backup/net_log.csv)" = "iteration,epoch,images,loss,avg loss,rate,mAP,validation loss,F1,\
AP square,best mAP" ] && [ "$(column 1 backup/net_log.csv)" = "$(seq 132)" ] || return
    # the numbers are those that were printed; mAP is there where it was evaluated, and the best one is its maximum
    sed -nE 's/^([0-9]+): mAP@0.50 ([0-9.]+) %, validation loss ([0-9.]+), F1 ([0-9.]+) %, .*/\1 \2 \3 \4/p' \
        net.log >maps
    sed -nE 's/^([0-9]+): ([0-9.]+), ([0-9.]+) avg, ([0-9.]+) rate.*/\1 \2 \3 \4/p' net.log >losses
    awk -F'[, ]' '
        function off(a, b) { return a - b > 1e-4 * b + 1e-5 || b - a > 1e-4 * b + 1e-5 }
        FILENAME == "maps" { map[$1] = $2; valid[$1] = $3; f1[$1] = $4; next }
        FILENAME == "losses" { loss[$1] = $2; mean[$1] = $3; rate[$1] = $4; next }
        FNR == 1 { next }
        off($4, loss[$1]) || off($5, mean[$1]) || off($6, rate[$1]) { print "numbers:", $0; wrong = 1 }
        $3 != 8 * $1 || off($2, $1 / 3) { print "epoch:", $0; wrong = 1 }
        ($7 != "") != ($1 in map) || ($7 != "" && off(100 * $7, map[$1]) && 100 * $7 - map[$1] > .006) {
            print "mAP:", $0; wrong = 1 }
        $7 != "" && (best == "" || $7 > best) { best = $7 }
        ($8 != "") != ($1 in map) || ($8 != "" && off($8, valid[$1]) && $8 - valid[$1] > 6e-5) {
            print "validation loss:", $0; wrong = 1 }
        ($9 != "") != ($1 in map) || ($9 != "" && (100 * $9 - f1[$1] > .006 || f1[$1] - 100 * $9 > .006)) {
            print "F1:", $0; wrong = 1 }
        $10 != $7 { print "AP of the only class:", $0; wrong = 1 }
        $11 != best { print "best:", $0; wrong = 1 }
        END { exit wrong }' maps losses backup/net_log.csv
}
keeps_the_best() {
    local best images
    best=$(column 7 backup/net_log.csv | sort -g | tail -n 1)
    images=$(awk -F, -v best="$best" 'NR > 1 && $7 == best { print $3; exit }' backup/net_log.csv)
    echo "best $best at $images images"
    "$darknet" detector map data net.cfg backup/net_best.weights -nogpu >map.txt || return
    # worth the name, and not simply the last one
    awk -v best="$best" 'BEGIN { exit !(best > .2) }' && grep "(mAP@0.50) = $best," map.txt &&
        [ "$(od -An -t u8 -j 12 -N 8 backup/net_best.weights | tr -d ' ')" = "$images" ]
}
# net_best.json: what detector map says of net_best.weights, which then uses it.
records_the_best() {
    "$darknet" detector map data net.cfg backup/net_best.weights -json best.json -nogpu >best.txt 2>best.err || return
    cat backup/net_best.json best.err
    /usr/bin/python3 - <<'PYTHON'
import csv, json, zlib
record, said = json.load(open("backup/net_best.json")), json.load(open("best.json"))
best = max((row for row in csv.DictReader(open("backup/net_log.csv")) if row["mAP"]), key=lambda row: float(row["mAP"]))
assert record["iteration"] == int(best["iteration"]) and record["map"] == said["map"] > .2
assert record["weights_crc32"] == zlib.crc32(open("backup/net_best.weights", "rb").read()[:-8])
numbers = "threshold", "f1", "precision", "recall"
assert [record[n] for n in numbers] == [said["best_f1"][n] for n in numbers]
assert [c["name"] for c in record["classes"]] == ["square"] and record["classes"][0]["ap"] == said["classes"][0]["ap"]
assert [record["classes"][0][n] for n in numbers] == [said["classes"][0]["best_f1"][n] for n in numbers]
assert said["score_threshold"] == record["threshold"] and said["f1"] == record["f1"] > .2
PYTHON
    grep "^darknet: note: threshold .*, the best F1 of backup/net_best.json" best.err
}
draws() {
    [ "$(head -c 8 backup/net_chart.png | od -An -t x1 | tr -d ' ')" = 89504e470d0a1a0a ] &&
        /usr/bin/python3 -c '
import PIL.Image
picture = PIL.Image.open("backup/net_chart.png").convert("RGB")
colours = {colour: n for n, colour in picture.getcolors(1 << 24)}
print(picture.size, *(colours.get(c, 0) for c in ((0x08, 0x51, 0x9c), (0xd9, 0x48, 0x01), (0x9e, 0xca, 0xe1), (0x23, 0x8b, 0x45), (0x6a, 0x51, 0xa3))))
assert picture.size == (1000, 600)
assert colours[0x08, 0x51, 0x9c] > 300 and colours[0xd9, 0x48, 0x01] > 300 and colours[0x9e, 0xca, 0xe1] > 50
assert colours[0x23, 0x8b, 0x45] > 100 and colours[0x6a, 0x51, 0xa3] > 100
'
}

try "-map evaluates every n epochs and after the last iteration" evaluates
try "with -map a training has the same weights, bit for bit" leaves_training_alone
try "momentum is in .backup and _last.weights, and in no others" keeps_the_momentum
try "-clear forgets it" clear_forgets_it
try "its log has the numbers that were printed, and mAP, loss and AP where it was evaluated" logs
try "the best weights are those of the highest mAP" keeps_the_best
try "net_best.json has the threshold of their best F1, which detector map then uses" records_the_best
# A file that is opened gets the number of a closed one: gnuplot's pipe was taken for what is printed to.
draws_when_closed() {
    cfg closed 4 0
    "$darknet" detector train data closed.cfg -map -seed 3 -nogpu <&- >&- 2>&- && head -c 8 backup/closed_chart.png | grep -aq PNG &&
        rm backup/closed*
}
if command -v gnuplot >/dev/null; then
    try "the chart is a picture with the losses, mAP and F1 in it" draws
    try "also of a training whose stdin, stdout and stderr are closed" draws_when_closed
else
    skip "gnuplot is not here"
fi

# $1 iterations that the cut-off run had reached. Goes on from 100, in files that look like those of such a run.
goes_on() {
    local best
    best=$(column 11 backup/net_log.csv | tail -n 1)
    cp backup/net_best.weights best.before && cp backup/net_log.csv log.before || return
    sed 's/max_batches=.*/max_batches=108/' net.cfg >shorter.cfg
    for file in best.weights best.json log.csv; do cp "backup/net_$file" "backup/shorter_$file"; done
    printf '133,44.3333,10' >>backup/shorter_log.csv # as a power cut leaves it
    train shorter backup/net_100.weights -map || return
    cat backup/shorter_log.csv shorter.err
    [ "$(column 1 backup/shorter_log.csv)" = "$(seq 108)" ] || return
    diff <(head -n 101 log.before) <(head -n 101 backup/shorter_log.csv) || return
    # nothing this early is better than what the other had found later on
    [ "$(column 11 backup/shorter_log.csv | tail -n 1)" = "$best" ] && cmp backup/shorter_best.weights best.before &&
        cmp backup/shorter_best.json backup/net_best.json &&
        grep -E "shorter_best.weights has mAP ${best:0:5}.*: it stays until that is exceeded" shorter.err
}
# A log of a version that had no losses and no APs of classes.
goes_on_with_an_older_log() {
    cut -d, -f 1-7,11 log.before >backup/shorter_log.csv
    train shorter backup/net_100.weights -map || return
    cat backup/shorter_log.csv shorter.err
    [ "$(head -n 1 backup/shorter_log.csv)" = "$(head -n 1 log.before)" ] &&
        diff <(head -n 101 backup/shorter_log.csv | cut -d, -f 1-7,11) <(head -n 101 log.before | cut -d, -f 1-7,11) &&
        [ "$(column 8 backup/shorter_log.csv | head -n 100 | sort -u)" = "" ] &&
        [ -n "$(column 8 backup/shorter_log.csv | tail -n 1)" ] && grep 'shorter_best.weights has mAP' shorter.err
}
# Numbers of the last row, and of detector map with the same weights. Its loss falls as the network learns.
has_a_validation_loss() {
    "$darknet" detector map data net.cfg backup/net_last.weights -loss -json - -nogpu >map.json 2>/dev/null &&
        "$darknet" detector map data net.cfg backup/net_last.weights -json plain.json -nogpu >plain.txt 2>/dev/null &&
        "$darknet" detector map data net.cfg backup/net_last.weights -loss -nogpu >loss.txt 2>/dev/null || return
    /usr/bin/python3 - <<'PYTHON'
import csv, json
said, plain = json.load(open("map.json")), json.load(open("plain.json"))
rows = [row for row in csv.DictReader(open("backup/net_log.csv")) if row["mAP"]]
print(said["loss"], [row["validation loss"] for row in rows])
assert abs(float(rows[-1]["validation loss"]) - said["loss"]) < 1e-6
assert float(rows[-1]["validation loss"]) < float(rows[0]["validation loss"]) / 2
assert f"loss with hard labels = {said['loss']:.6f}, mean over the images" in open("loss.txt").read()
assert "loss" not in plain and "loss" not in open("plain.txt").read()
del said["loss"]
assert said == plain
PYTHON
}
# Three classes: one that is there, one that never is, and one of the same name as the first, with a comma in it.
logs_every_class() {
    printf '%s\n' 'a "square", red' absent 'a "square", red' >three-names
    sed "s/^classes=.*/classes=3/; s:^names=.*:names=$T/three-names:" data >three
    sed 's/^filters=6/filters=8/; s/^classes=1/classes=3/; s/max_batches=.*/max_batches=132/' net.cfg >three.cfg
    "$darknet" detector train three three.cfg -map 11 -seed 3 -nogpu >three.log 2>three.err || return
    # gone on with, no column is lost or doubled
    sed -i 's/max_batches=.*/max_batches=135/' three.cfg
    "$darknet" detector train three three.cfg backup/three_final.weights -map -seed 3 -nogpu >three.log 2>three.err || return
    cat backup/three_log.csv
    /usr/bin/python3 - <<'PYTHON'
import csv
head, *rows = csv.reader(open("backup/three_log.csv"))
print(head)
name = 'AP a "square", red'
assert head[6:] == ["mAP", "validation loss", "F1", name, "AP absent", name, "best mAP"]
rows = [row for row in rows if row[6]]
assert len(rows) == 5 and all(row[9] == row[6] and row[10] == row[11] == "" for row in rows)
assert float(rows[-1][6]) > 0
PYTHON
}
sets_aside() {
    cp backup/shorter_log.csv log.before && cp backup/shorter_best.weights best.before || return
    sed -i 's/max_batches=.*/max_batches=6/' shorter.cfg
    train shorter -map 2 || return
    [ "$(column 1 backup/shorter_log.csv)" = "$(seq 6)" ] && cmp log.before backup/shorter_log.old.csv &&
        cmp best.before backup/shorter_best.old.weights && cmp backup/net_best.json backup/shorter_best.old.json &&
        grep 'shorter_best.weights of an earlier training' shorter.err || return
    # without weights to set aside, the older ones keep their file
    rm -f backup/shorter_best.weights && echo newer >backup/shorter_best.json || return
    train shorter -map 2 || return
    cmp best.before backup/shorter_best.old.weights && cmp backup/net_best.json backup/shorter_best.old.json
}
is_killed() {
    local n
    cfg killed 1000 0
    for n in 2 8 15; do
        rm -f backup/killed*
        begin killed -map 2
        for ((i = 0; i < 600; ++i)); do
            [ "$(grep -c , backup/killed_log.csv 2>/dev/null)" -gt "$n" ] 2>/dev/null && break
            sleep .05
        done
        stop 9
        [ "$(wc -l <backup/killed_log.csv)" -gt "$n" ] && [ -z "$(tail -c 1 backup/killed_log.csv)" ] &&
            awk -F, 'NF != 11 || (NR > 1 && !($1 > last + 0)) { print "row:", $0; wrong = 1 } { last = $1 }
                END { exit wrong }' backup/killed_log.csv || return
        [ ! -e backup/killed_chart.png ] || [ "$(tail -c 8 backup/killed_chart.png | head -c 4)" = IEND ] || return
    done
    sleep 1 # a gnuplot that was at work ends by itself
    rm -f backup/killed*
}
# waits_for N LOG: until the training has printed N iterations.
waits_for() {
    for ((i = 0; i < 600; ++i)); do
        [ "$(iterations "$2" 2>/dev/null | wc -l)" -ge "$1" ] && return
        sleep .02
    done
    return 1
}
# With momentum. A job in the background ignores SIGINT unless env sets it back.
is_interrupted() {
    local signal status last
    cfg stopped 200 0 && grep -x momentum=.9 stopped.cfg || return
    train stopped -map 20 && mv backup/stopped_final.weights whole.weights && mv backup/stopped_log.csv whole.csv || return
    for signal in INT TERM HUP; do
        rm -f backup/stopped* stopped.log # or the log before would be taken for the new one
        env --default-signal=INT,HUP "$darknet" detector train data stopped.cfg -map 20 -seed 3 -nogpu >stopped.log 2>stopped.err &
        pid=$!
        waits_for 70 stopped.log && kill -$signal $pid
        [ $signal != HUP ] || kill -HUP $pid # the kernel sends one, and the shell another
        wait $pid
        status=$? pid=
        last=$(iterations stopped.log | tail -n 1)
        [ $status = $((128 + $(kill -l $signal))) ] && [ "$last" -lt 200 ] && [ ! -e backup/stopped_final.weights ] &&
            grep -x "darknet: note: stopped after iteration $last; $T/backup/stopped.backup goes on from there" stopped.err ||
            return
        train stopped backup/stopped.backup -map 20 && [ "$(iterations stopped.log | head -n 1)" = $((last + 1)) ] &&
            cmp backup/stopped_final.weights whole.weights || return
    done
    [ "$(column 1 backup/stopped_log.csv)" = "$(column 1 whole.csv)" ]
}
# An evaluation every 60 iterations (20 epochs). The run is killed after one of them, and its row is taken out of the log.
makes_up() {
    rm -f backup/stopped* stopped.log # or the log before would be taken for the new one
    begin stopped -map 20
    waits_for 110 stopped.log
    stop 9
    sed -i '/^60,/,$d' backup/stopped_log.csv
    train stopped backup/stopped_100.weights -map 20 || return
    awk -F, '$7 { print $1 }' backup/stopped_log.csv | tee evaluated
    [ "$(echo $(cat evaluated))" = "iteration 101 120 180 200" ]
}
# The last evaluation is the only one, and takes a while: killed in it, alone or with the process that evaluates.
kills_the_last_evaluation() {
    rm -f backup/last* last.log
    cfg last 10 0
    for _ in {1..500}; do cat valid.list; done >many.list
    sed "s:^valid=.*:valid=$T/many.list:" data >many.data
    setsid env --default-signal=INT "$darknet" detector train many.data last.cfg -map 100 -seed 3 -nogpu \
        >last.log 2>last.err &
    pid=$!
    waits_for 10 last.log && sleep .3 && kill "$@" -- "-$pid"
    wait $pid
    status=$? pid=
    [ -e backup/last_last.weights ] && [ ! -e backup/last_final.weights ] && [ ! -e backup/last_best.weights ]
}
makes_up_for_the_last() {
    kills_the_last_evaluation -9 || return
    train last backup/last_last.weights -map 100 && grep 'the evaluation of iteration 10, the last one, is made up for' last.err &&
        grep '^10: mAP@0.50' last.log && [ "$(iterations last.log)" = "" ] &&
        cmp backup/last_best.weights backup/last_final.weights ||
        return
    tail -n 1 backup/last_log.csv | grep -E '^10,3\.3333,80,[^,]*,[^,]*,0\.02,[01]\.[0-9]+,' || return
    cp -p backup/last_final.weights whole.weights
    # once only; but from the final weights too
    fails 'nothing to train: the network is at iteration 10' \
        "$darknet" detector train data last.cfg backup/last_final.weights -map 100 -nogpu || return
    sed -i '/^10,/d' backup/last_log.csv
    train last backup/last_final.weights -map 100 && grep '^10: mAP@0.50' last.log && ! grep 'is written' last.err &&
        [ "$(tail -n 1 backup/last_log.csv | cut -d, -f1,4)" = 10, ] && cmp backup/last_final.weights whole.weights &&
        # which leaves a log that is read
        fails 'nothing to train: the network is at iteration 10' \
            "$darknet" detector train data last.cfg backup/last_final.weights -map 100 -nogpu
}
# A training to 10 iterations, whose final weights are there, and goes on to 20.
writes_final_weights_over_older_ones() {
    rm -f backup/last*
    cfg last 10 0
    train last -map 100 && cfg last 20 0 && train last backup/last_last.weights -map 100 || return
    mv backup/last_final.weights whole.weights
    # as a kill in the last evaluation leaves them
    cfg last 10 0
    cp backup/last_last.weights at_20.weights && rm backup/last* && train last -map 100 || return
    cfg last 20 0
    train last at_20.weights -map 100 && grep 'the evaluation of iteration 20, the last one, is made up for' last.err &&
        cmp backup/last_final.weights whole.weights || return
    # those of another training to the same iteration
    cp at_20.weights backup/last_final.weights && sed -i '/^20,/d' backup/last_log.csv
    printf 'other' | dd of=backup/last_final.weights bs=1 seek=40 conv=notrunc status=none
    train last at_20.weights -map 100 && cmp backup/last_final.weights whole.weights
}
is_interrupted_in_the_last() {
    kills_the_last_evaluation -INT && [ $status = 130 ] &&
        grep 'stopped after iteration 10; .*last.backup goes on from there' last.err || return
    train last backup/last.backup -map 100 && grep '^10: mAP@0.50' last.log && [ -e backup/last_final.weights ]
    # the row that it had left has the losses
    tail -n 1 backup/last_log.csv | grep -E '^10,3\.3333,80,[0-9.]+,[0-9.]+,0\.02,[01]\.[0-9]+,'
}
ends_at_once() {
    cfg endless 1000000 0
    rm -f endless.log # or the log before would be taken for the new one
    env --default-signal=INT "$darknet" detector train data endless.cfg -seed 3 -nogpu >endless.log 2>endless.err &
    pid=$!
    waits_for 5 endless.log
    kill -STOP $pid # both signals are there before the iteration ends
    kill -INT $pid
    kill -TERM $pid
    kill -CONT $pid
    wait $pid
    # Two threads may take them at once: then either is the second.
    [[ $? =~ ^(130|143)$ ]] && grep 'will stop after this iteration' endless.err && ! grep 'stopped after' endless.err
}
# A program that ends at the moment when it renames a file to *_best.json for the second time: between the best weights
# and what belongs to them. The weights are the new ones, the file is that of the old ones.
is_killed_between() {
    cat >kill.c <<'C'
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int rename(const char *from, const char *to)
{
    static int times;
    if (strstr(to, "_best.json") && ++times == 2) raise(SIGKILL);
    return (int)syscall(SYS_rename, from, to);
}
C
    gcc -shared -fPIC kill.c -o kill.so || return
    sed 's/max_batches=.*/max_batches=126/' net.cfg >between.cfg
    LD_PRELOAD=$T/kill.so "$darknet" detector train data between.cfg -map 6 -seed 3 -nogpu >between.log 2>between.err
    [ $? = 137 ] && same_network backup/between_best.weights backup/between_last.weights || return
    "$darknet" detector map data between.cfg backup/between_best.weights -nogpu >map.txt 2>map.err || return
    cat map.err
    grep "^darknet: note: the threshold of backup/between_best.json is not used: it belongs to other weights" map.err &&
        grep "for conf_thresh = 0.25," map.txt || return
    # gone on with, both are written again
    train between backup/between_last.weights -map 6 &&
        "$darknet" detector map data between.cfg backup/between_best.weights -nogpu >map.txt 2>map.err || return
    cat backup/between_best.json map.err
    grep "^darknet: note: threshold .*, the best F1 of backup/between_best.json" map.err && rm backup/between*
}
# A shell that ignores SIGINT hands that on.
ignores_what_is_ignored() {
    cfg endless 1000000 0
    rm -f endless.log # or the log before would be taken for the new one
    (trap '' INT && exec "$darknet" detector train data endless.cfg -seed 3 -nogpu >endless.log 2>endless.err) &
    pid=$!
    waits_for 5 endless.log
    kill -INT $pid
    kill -STOP $pid
    kill -TERM $pid
    kill -INT $pid
    kill -CONT $pid
    wait $pid
    [ $? = 143 ] && grep 'stopped after iteration' endless.err && rm backup/endless*
}
# A list whose images are not there: the evaluation fails, the training does not.
goes_on_without_map() {
    sed "s:^valid=.*:valid=$T/gone.list:" data >gone
    echo "$T/gone.jpg" >gone.list
    cfg short 12 0
    "$darknet" detector train gone short.cfg -map 2 -seed 3 -nogpu -nocheck >short.log 2>short.err || return
    cat short.err
    [ "$(grep -c '^darknet: note: iteration [0-9]*: no mAP: cannot read the image .*gone.jpg' short.err)" = 2 ] &&
        [ "$(column 7 backup/short_log.csv | sort -u)" = "" ] && [ "$(column 1 backup/short_log.csv)" = "$(seq 12)" ] &&
        [ ! -e backup/short_best.weights ] && [ -e backup/short_final.weights ]
}
goes_on_without_gnuplot() {
    rm -f backup/short*
    PATH=$T/nothing train short -map || return
    [ "$(grep -c 'no chart .*short_chart.png: gnuplot is missing: install gnuplot-nox' short.err)" = 1 ] &&
        [ "$(column 1 backup/short_log.csv)" = "$(seq 12)" ] && [ ! -e backup/short_chart.png ]
}
refuses() {
    grep -v ^valid data >no-valid
    sed "s:^valid=.*:valid=$T/missing:" data >missing-valid
    sed "s:^backup=.*:backup=$T/missing:" data >missing-backup
    fails "-map 0 is not valid" train_with data -map 0 && fails "-map 1.5 is not valid" train_with data -map 1.5 &&
        fails "-map -2 is not valid" train_with data -map -2 &&
        fails "cannot save weights to the folder backup=$T/missing of missing-backup" train_with missing-backup &&
        fails "there is no valid= in no-valid" train_with no-valid -map &&
        fails "cannot read the list of images $T/missing" train_with missing-valid -map || return
    grep -v ^names data >no-names
    sed "s:^names=.*:names=$T/odd-list:" data >odd-names
    printf "one\ntwo\nthree\n" >odd-list
    fails "no-names has no names=" train_with no-names -map &&
        fails "3 names in $T/odd-list" train_with odd-names -map
}
train_with() { "$darknet" detector train "$1" short.cfg "${@:2}" -nogpu; }
helps() {
    "$darknet" detector train --help >out.txt && "$darknet" classifier -nogpu train -h >>out.txt &&
        grep -q '^usage: darknet detector train <data> <cfg>' out.txt && grep -q '^usage: darknet classifier train' out.txt || return
    fails 'detector train: needs <data> <cfg> [weights]' "$darknet" detector train data
}
says_that_it_is_at_the_end() {
    cp backup/net_final.weights there.weights
    fails 'nothing to train: the network is at iteration 132, and max_batches=132' \
        "$darknet" detector train data net.cfg backup/net_final.weights -nogpu || return
    cmp backup/net_final.weights there.weights || return
    sed 's/^max_batches=.*/max_batches=100/' net.cfg >past.cfg
    fails 'nothing to train: the network is at iteration 132, and max_batches=100' \
        "$darknet" detector train data past.cfg backup/net_final.weights -nogpu && [ ! -e backup/past_final.weights ]
}
writes_what_a_killed_training_has_not() {
    mv backup/net_final.weights there.weights
    "$darknet" detector train data net.cfg there.weights -nogpu >out.txt 2>err.txt &&
        grep '^darknet: note: the network is at iteration 132, the last one: .*net_final.weights is written' err.txt &&
        cmp backup/net_final.weights there.weights
}
takes_its_option_anywhere() {
    rm -f backup/short*
    "$darknet" detector -map train data short.cfg backup/net_100.weights -clear -nogpu >short.log 2>short.err || return
    [ "$(grep -c ': mAP@0.50 \|: no mAP' short.log short.err | awk -F: '{ n += $2 } END { print n }')" = 4 ] || return
    "$darknet" detector train data short.cfg -map 4 backup/net_100.weights -clear -nogpu >short.log 2>short.err &&
        grep 'Loading weights from backup/net_100.weights' short.err &&
        [ "$(grep -c ': mAP@0.50 \|: no mAP' short.log short.err | awk -F: '{ n += $2 } END { print n }')" = 1 ]
}

try "gone on with, the log keeps its rows up to there, and earlier best weights stay" goes_on
try "every class has a column for its AP, empty where it has no objects" logs_every_class
try "an older log without losses keeps its rows" goes_on_with_an_older_log
try "the validation loss is what detector map -loss says, which changes no other number" has_a_validation_loss
try "a new training sets an older log and best weights aside" sets_aside
try "killed in the middle, it leaves a whole log and a whole chart or none" is_killed
try "SIGINT, SIGTERM and SIGHUP end a training with a checkpoint, from which it goes on bit for bit" is_interrupted
try "an evaluation that the run before was killed in is made up for" makes_up
try "so is that of the last iteration, whether the final weights were written or not" makes_up_for_the_last
try "it writes the final weights, also where those of another training are there" writes_final_weights_over_older_ones
try "Ctrl-C in that evaluation ends the training with status 130, and it is made up for" is_interrupted_in_the_last
try "a second signal ends it at once" ends_at_once
try "a signal that was ignored before stays ignored" ignores_what_is_ignored
if command -v gcc >/dev/null; then
    try "killed between the best weights and their threshold, it leaves none that is used" is_killed_between
else
    skip "gcc is not here"
fi
try "where an evaluation fails, one line says why and the training goes on" goes_on_without_map
try "without gnuplot one line says so, and the training goes on" goes_on_without_gnuplot
try "-map with a wrong number, without a list, or a missing folder is refused in time" refuses
try "--help, or no cfg, prints what there is" helps
try "weights that are at max_batches already: nothing is trained, and nothing overwritten" says_that_it_is_at_the_end
try "a training that was killed before its final weights gets them" writes_what_a_killed_training_has_not
try "-map and its number may stand anywhere" takes_its_option_anywhere

# --- sizes ------------------------------------------------------------------------------------------------------------

sizes() { awk '/^Resizing$/ { getline; print }' "$1"; }
sizes_follow_the_cfg() {
    cfg sizes 280 1
    train sizes || return
    sizes sizes.log | tr '\n' ' '
    # up to iteration 80 of 280: 40, 48, ..., 72 pixels
    [ "$(sizes sizes.log | wc -l)" = 28 ] && [ "$(sizes sizes.log | tail -n 19 | sort -u)" = 48 ] || return
    sizes sizes.log | head -n 9 | awk '$1 < 40 || $1 > 72 || $1 % 8 { exit 1 }' &&
        [ "$(sizes sizes.log | head -n 9 | sort -u | wc -l)" -gt 2 ]
}
sizes_keep_the_proportion() {
    cfg sizes 240 1
    sed -i 's/^height=.*/height=24/' sizes.cfg
    train sizes || return
    sizes sizes.log | tr '\n' ' '
    [ "$(sizes sizes.log | tail -n 19 | sort -u)" = "48 x 24" ] &&
        ! sizes sizes.log | grep -vxE '40 x (16|24)|48 x 24|56 x (24|32)|64 x 32|72 x (32|40)'
}

try "random=1 draws sizes around a small cfg's own, and ends at it" sizes_follow_the_cfg
try "random=1 keeps the proportion of width and height" sizes_keep_the_proportion

# --- divergence -------------------------------------------------------------------------------------------------------

# No weight of the file is anything but a finite number.
finite() {
    without_trailer "$1" >finite.weights && /usr/bin/python3 - <<'PYTHON'
import array, math
numbers = array.array("f", open("finite.weights", "rb").read()[20:])
assert len(numbers) > 1000 and all(map(math.isfinite, numbers)), "not all are finite"
PYTHON
}
diverges_between_saves() {
    cfg burst 300 0 policy=steps steps=120 scales=1e12
    fails "the last good checkpoint is $T/backup/burst" train_here burst || return
    cat err.txt
    grep -E '^darknet: iteration 12[1-9]: the loss is (not a number|infinite): .* \(iteration 100\); try a lower' \
        err.txt && [ "$(iterations out.txt | tail -n 1)" -lt 130 ] || return
    [ "$(ls backup/burst*)" = "$(printf '%s\n' backup/burst.backup backup/burst_100.weights)" ] &&
        finite backup/burst.backup && same_network backup/burst.backup backup/burst_100.weights
}
train_here() { "$darknet" detector train data "$1.cfg" "${@:2}" -seed 3 -nogpu; }
goes_on_from_the_last_good() {
    sed -i '/^policy\|^steps\|^scales/d; s/max_batches=.*/max_batches=110/' burst.cfg
    train burst backup/burst.backup && [ "$(iterations burst.log)" = "$(seq 101 110)" ]
}
# Iteration 200 spoils the weights just before they are saved.
keeps_a_good_file() {
    cfg burst 300 0 policy=steps steps=200 scales=1e45
    cp backup/burst.backup good.weights
    fails "the weights of layer" train_here burst backup/burst.backup || return
    cat err.txt
    grep "iteration 200: the weights of layer .* was not written; the last good checkpoint is $T/backup/burst.backup \
(iteration 100); try" err.txt && cmp backup/burst.backup good.weights && [ ! -e backup/burst_200.weights ]
}
# ... and here it spoils them without an infinity in them, so that only the next iteration can tell.
puts_back_a_good_file() {
    cfg burst 300 0 policy=steps steps=200 scales=1e12
    fails "the last good checkpoint is $T/backup/burst.backup (iteration 100), do not trust \
$T/backup/burst_200.weights" train_here burst backup/burst.backup || return
    grep 'Saving weights to .*burst.backup' err.txt && cmp backup/burst.backup good.weights &&
        [ -z "$(compgen -G 'backup/*.before')" ]
}
puts_back_a_link() {
    rm -f backup/burst*
    mkdir elsewhere && cp good.weights elsewhere/burst.backup && ln -s ../elsewhere/burst.backup backup || return
    fails "the last good checkpoint is $T/elsewhere/burst.backup (iteration 100)" train_here burst backup/burst.backup &&
        [ -L backup/burst.backup ] && cmp backup/burst.backup good.weights && cmp elsewhere/burst.backup good.weights &&
        [ -z "$(compgen -G 'backup/*.before' 'elsewhere/*.before')" ]
}
warns_of_a_bad_file() {
    rm -f backup/burst*
    cfg burst 300 0 policy=steps steps=100 scales=1e12
    fails "there is no good checkpoint yet, do not trust $T/backup/burst.backup, $T/backup/burst_100.weights" \
        train_here burst
}
# Only the last two iterations are wild: what was trained must not be lost, nor what it replaces.
keeps_the_end() {
    rm -f backup/wild*
    cfg wild 30 0 policy=steps steps=28 scales=3e2
    echo earlier >backup/wild_final.weights
    train wild || return
    cat wild.err
    grep "do not trust $T/backup/wild_final.weights before it is evaluated; there is no good checkpoint yet" wild.err &&
        finite backup/wild_final.weights && [ "$(cat backup/wild_final.weights.before)" = earlier ]
}
never_good() {
    rm -f backup/burst*
    cfg burst 30 0
    sed -i 's/^learning_rate=.*/learning_rate=1e10/' burst.cfg
    fails "the training has diverged; there is no good checkpoint yet" train_here burst -map || return
    [ -z "$(compgen -G 'backup/burst*weights' 'backup/burst*backup')" ]
}

# The next batch is being loaded when the training ends. Its labels are a pipe, so that the loader waits until somebody
# writes: a program that did not wait for it would be gone, or have crashed.
waits_for_the_loader() {
    local i running=
    rm -f backup/none*
    cfg none 0 0
    sed -i 's/^batch=.*/batch=1/' none.cfg
    mkfifo labels/pipe.txt && cp images/train0.jpg images/pipe.jpg && echo "$T/images/pipe.jpg" >pipe.list &&
        sed "s|^train=.*|train=$T/pipe.list|" data >pipe.data || return
    "$darknet" detector train pipe.data none.cfg -seed 3 -nogpu -nocheck >none.log 2>none.err &
    pid=$!
    for ((i = 0; i < 100; ++i)); do
        [ ! -e backup/none_final.weights ] || break
        sleep .1
    done
    sleep .5
    ! kill -0 "$pid" 2>/dev/null || running=1
    timeout 20 cp labels/train0.txt labels/pipe.txt
    wait "$pid" && [ "$running" = 1 ]
}
try "a training ends when the batch is there that was being loaded" waits_for_the_loader

try "a loss that is no number ends the training, with the last good checkpoint" diverges_between_saves
try "which can be gone on from" goes_on_from_the_last_good
try "weights that are not finite never take a good checkpoint's place" keeps_a_good_file
try "one that only the next iteration proves bad gives the place back" puts_back_a_good_file
try "also where that is a link to a file elsewhere" puts_back_a_link
try "checkpoints that were saved right before the end are not called good" warns_of_a_bad_file
try "a loss that is high at the very end does not cost the weights" keeps_the_end
try "where there is no good checkpoint, that is said" never_good

finish
