# What the studies share; each of them sources this first. The work goes on in the repository's folder, which all paths
# are relative to: those of `results` and, in .data files and lists, those that Darknet reads.
# shellcheck shell=bash

set -euo pipefail
me=$(basename -- "$0")
start_folder=$PWD
darknet=./darknet
[ -z "${DARKNET_PROGRAM:-}" ] || darknet=$(realpath -m -- "$DARKNET_PROGRAM")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

die() { echo "$me: $*" >&2; exit 1; }

need_darknet() { [ -x "$darknet" ] || die "$darknet is not there: run make first"; }

# ---- data ----

# find_data NAME GIVEN HOW: prints where a data set is, an archive or a folder: GIVEN, as the user named it, or NAME in
# $OLS_TEST_DATA (../shared/data is where this project's developers have it). HOW says how to get it and to name it.
find_data()
{
    local place
    if [ -n "$2" ]; then
        place=$(cd -- "$start_folder" && realpath -m -- "$2")
    else
        place=$(realpath -m -- "${OLS_TEST_DATA:-../shared/data}/$1")
    fi
    [ -e "$place" ] || die "$place is not there. $3"
    case $place/ in "$PWD/results/"*) die "$place is a result of a study: name where the data come from" ;; esac
    echo "$place"
}

# outdated FOLDER TEXT: whether FOLDER was made with another TEXT, or not at all; then it is emptied. made FOLDER TEXT
# says, when it is complete, that it was made with TEXT.
outdated()
{
    [ "$(cat "$1/made-with" 2>/dev/null)" != "$2" ] || return 1
    rm -rf "$1"
    mkdir -p "$1"
}
made() { echo "$2" >"$1/made-with"; }

# take_voc SOURCE FOLDER: makes FOLDER a set in VOC's layout of the one in SOURCE, an archive or a folder, which stays
# as it is: labels are written to FOLDER.
take_voc()
{
    local found part inside=$1
    outdated "$2" "$1" || return 0
    if [ ! -d "$1" ]; then
        inside=$2/unpacked
        mkdir "$inside"
        tar -xf "$1" -C "$inside" --no-same-owner 2>/dev/null || die "$1 is no tar archive that can be unpacked"
    fi
    mapfile -t found < <(find -L "$inside" -maxdepth 4 -type d -name JPEGImages)
    [ ${#found[@]} = 1 ] ||
        die "$1 holds ${#found[@]} sets in VOC's layout (folders JPEGImages, Annotations, ImageSets): one is needed"
    for part in JPEGImages Annotations ImageSets; do
        ln -s "$(realpath -- "${found[0]%/*}/$part")" "$2/$part"
    done
    made "$2" "$1"
}

# write_data FILE TRAIN VALID NAMES BACKUP: a .data file for `detector`.
write_data() { printf 'classes=%d\ntrain=%s\nvalid=%s\nnames=%s\nbackup=%s\n' "$(wc -l <"$4")" "${@:2}" >"$1"; }

# ---- training and evaluation ----

# with_smoothing METHOD CFG: CFG with other labels, to standard output.
with_smoothing() { sed "s/^smoothing=.*/smoothing=$1/" "$2"; }

# losses LOG: "batch loss average-loss" of every batch. A detector prints "12: 3.4, 5.6 avg, ...", a classifier
# "12, 0.05: 3.4, 5.6 avg, ...".
losses() { LC_ALL=C sed -nE 's/^([0-9]+)(, [0-9.]+)?: ([^,]+), ([0-9.eE+-]+) avg,.*/\1 \3 \4/p' "$1"; }

# train KIND DATA SEED CFG...: `darknet KIND train` of each network, side by side. Shows batch and loss of each and the
# time left, in one line that is rewritten on a terminal, and for every tenth elsewhere. What the training of <name>.cfg
# printed is in <name>.log beside it.
train()
{
    local kind=$1 data=$2 seed=$3 start name cfg total batch loss reached all left line tenth=0 names="" pids=()
    shift 3
    start=$(date +%s)
    for cfg; do
        "$darknet" "$kind" train "$data" "$cfg" -seed "$seed" >"${cfg%.cfg}.log" 2>&1 &
        pids+=($!)
        names="$names${names:+, }$(basename "$cfg" .cfg)"
    done
    trap 'kill "${pids[@]}" 2>/dev/null; exit 1' INT TERM
    while kill -0 "${pids[@]}" 2>/dev/null; do
        sleep 1
        line="" reached=0 all=0
        for cfg; do
            name=$(basename "$cfg" .cfg)
            total=$(sed -n 's/^max_batches=//p' "$cfg")
            read -r batch loss < <(losses "${cfg%.cfg}.log" | awk 'END { printf "%d %.2f\n", $1, $3 }')
            all=$((all + total)) reached=$((reached + batch))
            line="$line  $name: $batch/$total, loss $loss"
        done
        [ "$reached" -gt 0 ] || continue
        left=$((($(date +%s) - start) * (all - reached) / reached))
        printf -v line '%s, %d:%02d left' "$line" $((left / 60)) $((left % 60))
        if [ -t 2 ]; then
            printf '\r%s ' "$line" >&2
        elif [ $((10 * reached / all)) -gt "$tenth" ]; then
            tenth=$((10 * reached / all))
            echo "$line" >&2
        fi
    done
    trap - INT TERM
    [ ! -t 2 ] || printf '\r%*s\r' "${#line}" '' >&2
    for cfg; do
        wait "${pids[0]}" || { tail -n 3 "${cfg%.cfg}.log" >&2; die "training failed: see ${cfg%.cfg}.log"; }
        pids=("${pids[@]:1}")
    done
    echo "  $names: trained in $(($(date +%s) - start)) s"
}

# evaluate DATA CFG WEIGHTS REPORT [OPTION...]: what `detector map` prints, to the file REPORT.
evaluate()
{
    local report=$4
    "$darknet" detector map "$1" "$2" "$3" "${@:5}" >"$report" 2>"$report.log" ||
        { tail -n 3 "$report.log" >&2; die "the evaluation of $3 failed: see $report.log"; }
}

# map_of REPORT: mAP@.50 in %.
map_of() { sed -n 's/.*(mAP@0.50) = .*, or \([0-9.]*\) %.*/\1/p' "$1"; }
