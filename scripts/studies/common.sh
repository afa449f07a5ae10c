# Shared by the studies; each of them sources this first. It changes to the repository's folder, to which all paths are
# relative: those of `results`, and those that Darknet reads in .data files and lists.
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

# from_start PATH: prints the absolute path of what the user named, in the folder where the study was started.
from_start() { (cd -- "$start_folder" && realpath -m -- "$1"); }

# find_data NAME GIVEN HOW: prints the path of a data set, an archive or a folder: GIVEN, if the user named one, or NAME
# in $OLS_TEST_DATA (default: ../shared/data, where this project's developers have it). If it does not exist, ends with
# an error and HOW, which says how to get it.
find_data()
{
    local place
    if [ -n "$2" ]; then
        place=$(from_start "$2")
    else
        place=$(realpath -m -- "${OLS_TEST_DATA:-../shared/data}/$1")
    fi
    [ -e "$place" ] || die "$place is not there. $3"
    case $place/ in "$PWD/results/"*) die "$place is a result of a study: name where the data come from" ;; esac
    echo "$place"
}

# outdated FOLDER TEXT: whether FOLDER has to be made: it does not exist, is incomplete, or was made with another TEXT.
# Then empties it. Call made FOLDER TEXT when it is complete.
outdated()
{
    [ "$(cat "$1/made-with" 2>/dev/null)" != "$2" ] || return 1
    rm -rf "$1"
    mkdir -p "$1"
}
made() { echo "$2" >"$1/made-with"; }

# take_voc SOURCE FOLDER: makes in FOLDER a data set in VOC's layout from SOURCE, an archive or a folder. SOURCE is not
# changed: its files are linked, and labels are written to FOLDER.
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

# write_data FILE TRAIN VALID NAMES BACKUP: writes a .data file for `detector`.
write_data() { printf 'classes=%d\ntrain=%s\nvalid=%s\nnames=%s\nbackup=%s\n' "$(wc -l <"$4")" "${@:2}" >"$1"; }

# ---- training and evaluation ----

# with_smoothing METHOD CFG: prints CFG with smoothing=METHOD.
with_smoothing() { sed "s/^smoothing=.*/smoothing=$1/" "$2"; }

# losses LOG: prints "batch loss average-loss" for every batch. A detector logs "12: 3.4, 5.6 avg, ...", a classifier
# "12, 0.05: 3.4, 5.6 avg, ...".
losses() { LC_ALL=C sed -nE 's/^([0-9]+)(, [0-9.]+)?: ([^,]+), ([0-9.eE+-]+) avg,.*/\1 \3 \4/p' "$1"; }

# train KIND DATA SEED CFG...: runs `darknet KIND train` for all networks at the same time. Shows their batches and
# losses and the time left: on a terminal in one line that is overwritten, otherwise one line per 10 %. The output of
# the training of <name>.cfg goes to <name>.log in the same folder.
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

# compare OUT DATA CFG SEEDS JOBS OPTION...: trains with hard labels, LS and OLS, JOBS at a time, and writes OUT/index.html
# and OUT/report.md. Goes on where it was stopped.
compare()
{
    echo "== $1"
    scripts/compare-labels "$2" "$3" --methods hard,ls,ols --seeds "$4" --jobs "$5" --out "$1" --darknet "$darknet" "${@:6}"
}

# side_by_side: how many small networks to train at a time. One does not gain from two threads what two gain from one each.
# (nproc would count the threads of OMP_NUM_THREADS.)
side_by_side() { local cores; cores=$(env -u OMP_NUM_THREADS nproc); echo $((cores < 3 ? cores : 3)); }

# evaluate DATA CFG WEIGHTS REPORT [OPTION...]: writes the output of `detector map` to the file REPORT.
evaluate()
{
    local report=$4
    "$darknet" detector map "$1" "$2" "$3" "${@:5}" >"$report" 2>"$report.log" ||
        { tail -n 3 "$report.log" >&2; die "the evaluation of $3 failed: see $report.log"; }
}

# best_threshold JSON: prints the threshold of the best F1 in an evaluation of `detector map`; .5 where no box was found.
best_threshold()
{
    /usr/bin/python3 -c 'import json, sys; print((json.load(open(sys.argv[1]))["best_f1"] or {}).get("threshold", .5))' "$1"
}

# map_of REPORT: prints the mAP@.50 of a report, in %.
map_of() { sed -n 's/.*(mAP@0.50) = .*, or \([0-9.]*\) %.*/\1/p' "$1"; }
