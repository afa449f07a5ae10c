#!/usr/bin/env bash
# The images of letters that `detector test` uses for names, in TAP: they are found in whatever folder the program is
# started, and if they are missing, that gives one line.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C OMP_NUM_THREADS=1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
darknet=$(realpath -- "${DARKNET_PROGRAM:-$root/darknet}")
letters=$root/build/darknet/data/labels
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 1

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# A network that nobody trained gives every box a score of about a quarter, so that many names are drawn.
printf '%s\n' '[net]' width=32 height=32 channels=3 '[convolutional]' filters=8 size=8 stride=8 activation=linear \
    '[yolo]' mask=0 anchors=8,8 num=1 classes=3 >net.cfg
printf '%s\n' ant bee cow >names
printf '%s\n' classes=3 names="$T/names" >data

# draw FOLDER PROGRAM: from that folder; the picture is FOLDER/out.jpg.
draw() {
    (mkdir -p "$1" && cd "$1" && "$2" detector test "$T/data" "$T/net.cfg" '' "$root/build/darknet/data/dog.jpg" \
        -out out -thresh .1 -nogpu)
}

# draws_as_before FOLDER PROGRAM: the same picture as with the letters in the current folder, where Darknet has them.
draws_as_before() { draw "$@" && cmp "$1/out.jpg" here/out.jpg; }

# An X in place of every e.
own_letters_come_first() {
    local size
    mkdir -p own/data && cp -r "$letters" own/data/ && for size in {0..7}; do
        cp "own/data/labels/88_$size.png" "own/data/labels/101_$size.png"
    done && draw own "$darknet" && ! cmp -s own/out.jpg here/out.jpg
}

missing() {
    fails "cannot find the letters to draw names with: neither data/labels here nor " draw alone "$T/bin/darknet"
}

one_missing() {
    mkdir -p hole/data && cp -r "$letters" hole/data/ && rm hole/data/labels/126_7.png &&
        fails "cannot read the image of a letter data/labels/126_7.png: No such file" draw hole "$darknet"
}

mkdir -p here/data && ln -s "$letters" here/data/labels
try "detector test: with data/labels in the current folder" draw here "$darknet"
try "from any other folder" draws_as_before elsewhere "$darknet"
ln -s "$darknet" link && ln -s link link2
try "through a link to the program" draws_as_before linked "$T/link2"
mkdir -p labels/data/labels && echo '0 .5 .5 1 1' >labels/data/labels/0001.txt
try "data/labels with a data set's label files is passed over" draws_as_before labels "$darknet"
try "letters in data/labels of the current folder come first" own_letters_come_first
mkdir -p usr/bin usr/share/darknet-ols/data && cp "$darknet" usr/bin/darknet-ols && ln -s "$letters" usr/share/darknet-ols/data/
try "installed: those of share/darknet-ols" draws_as_before installed "$T/usr/bin/darknet-ols"
mkdir bin && cp "$darknet" bin/darknet
try "letters that are nowhere: one line" missing
try "a letter that is missing: one line with its file" one_missing
finish
