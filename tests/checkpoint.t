#!/usr/bin/env bash
# Weights files with soft labels, in TAP: a file that is truncated, damaged or of another network is rejected with one
# line, and if saving fails, the old file is unchanged.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# --- a training of nine images and three classes ----------------------------------------------------------------------

mkdir images backup
number=0
for class in red green blue; do
    echo "$class" >>names
    for n in 1 2 3; do
        number=$((number + 1))
        { printf 'P6\n8 8\n255\n' && head -c 192 /dev/zero | tr '\0' "\\$((number + 100))"; } >"images/$class-$n.ppm"
        echo "$T/images/$class-$n.ppm" >>list
    done
done
printf '%s\n' classes=3 "train=$T/list" "labels=$T/names" "backup=$T/backup" >data

# cfg FILTERS SECTION [MAX_BATCHES]: 3 images an iteration, so 3 iterations an epoch.
cfg() {
    printf '%s\n' '[net]' batch=3 width=8 height=8 channels=3 momentum=0 learning_rate=.01 "max_batches=${3:-4}" \
        '[convolutional]' "filters=$1" size=3 stride=2 pad=1 activation=leaky \
        '[connected]' output=3 activation=linear "$2"
}
cfg 4 '[ols]' >net.cfg
cfg 4 '[softmax]' >softmax.cfg
cfg 5 '[ols]' >wider.cfg
cfg 3 '[ols]' >narrower.cfg
# Bytes: header, the convolution's biases and weights, the connected layer's, the block of 3 classes, and the trailer.
first=20
second=$((first + 4 * (4 + 4 * 27)))
block=$((second + 4 * (3 + 3 * 64)))
trailer=$((block + 48 + 2 * 4 * 9 + 2 * 8 * 3 + 16))
whole=$((trailer + 48))

train() { "$darknet" classifier train data "$@" -seed 1 -nogpu; }
# Loads everything and saves it, without a training around it: the strict way.
load() {
    rm -f loaded.weights
    "$darknet" partial "${2:-net.cfg}" "$1" loaded.weights 99 -nogpu
}

makes_weights() {
    local name
    for name in net softmax wider narrower; do
        train "$name.cfg" || return
        mv "backup/$name.weights" . || return
    done
    rm -f backup/*
    [ "$(stat -c %s net.weights)" = "$whole" ] && [ "$(stat -c %s softmax.weights)" = $((block + 48)) ]
}
try "four networks are trained" makes_weights

whole_file_loads() {
    load net.weights || return
    # partial starts again from 0 images seen, so the first bytes differ, and the block is a fresh one
    cmp -i 20 -n $((block - 20)) net.weights loaded.weights && rm loaded.weights
    "$darknet" ols show net.weights | tee shown
    grep -q '^3 classes, 1 updates, 3 images and ./3 correct' shown
}
try "a whole file loads, and ols show reads it" whole_file_loads

# without_trailer FILE END: its first bytes as version 1 wrote them, whose header announced no trailer.
without_trailer() { head -c 8 "$1" && printf '\0\0\0\0' && head -c "$2" "$1" | tail -c +13; }

version_1_loads() {
    without_trailer net.weights "$trailer" >v1.weights
    load v1.weights && cmp -i 20 -n $((block - 20)) net.weights loaded.weights && rm loaded.weights || return
    [ "$("$darknet" ols show v1.weights)" = "$("$darknet" ols show net.weights)" ] || return
    train net.cfg v1.weights && rm -f backup/*
}
try "a file of version 1, without a checksum of the whole, loads as ever" version_1_loads

# --- cut off ----------------------------------------------------------------------------------------------------------

cut() { head -c "$1" net.weights >"cut.weights"; }

# cut_at LENGTHS...: refused at each of them, loaded by itself or by a training, and nothing is written.
cut_at() {
    local length
    for length; do
        cut "$length"
        if ! fails "cut.weights" load cut.weights || [ -e loaded.weights ]; then
            echo "... of $length bytes"
            return 1
        fi
    done
}

cut_in_header() { cut_at 0 1 3 4 8 11 12 13 16 19; }
cut_in_layers() { cut_at 20 21 24 35 36 37 $((second - 1)) "$second" $((second + 1)) $((second + 12)) $((block - 1)); }
cut_in_block() {
    # shellcheck disable=SC2046  # words are wanted
    cut_at $(seq $((block + 1)) 6 $((whole - 1))) $((block + 7)) $((block + 8)) $((block + 48)) $((trailer - 16)) \
        $((trailer - 1)) "$trailer" $((trailer + 1)) $((whole - 16)) $((whole - 1))
}
training_refuses() {
    local length
    for length in 0 12 19 $((first + 2)) $((second - 1)) $((block - 1)) $((block + 5)) $((block + 48)) \
        "$trailer" $((whole - 1)); do
        cut "$length"
        if ! fails "cut.weights" train net.cfg cut.weights || [ -n "$(ls backup)" ]; then
            echo "... of $length bytes"
            return 1
        fi
    done
}
show_refuses() {
    local length
    for length in 0 10 "$block" $((block + 47)) "$trailer" $((whole - 1)); do
        cut "$length"
        fails "cut.weights" "$darknet" ols show cut.weights || { echo "... of $length bytes"; return 1; }
    done
}
# Of this program's `partial`, and of a whole network that is the beginning of another, behind which the trailer stands.
starts_from_layers() {
    local file
    printf '%s\n' '[net]' batch=3 width=8 height=8 channels=3 '[convolutional]' filters=4 size=3 stride=2 pad=1 \
        activation=leaky >begin.cfg
    "$darknet" partial net.cfg net.weights part.weights 1 -nogpu && [ "$(stat -c %s part.weights)" = "$second" ] &&
        "$darknet" partial begin.cfg part.weights begin.weights 1 -nogpu &&
        [ "$(stat -c %s begin.weights)" = $((second + 48)) ] || return
    for file in part.weights begin.weights; do
        train net.cfg $file >out.txt 2>err.txt && rm -f backup/* &&
            grep "$file ends before layer 1: the layers from there on start from scratch" err.txt || return
    done
    fails "begin.weights is cut off: it has no weights for layer 1 and after" load begin.weights
}

try "a file that ends in the header is refused" cut_in_header
try "a file that ends in or between the layers is refused" cut_in_layers
try "a file that ends in the soft labels is refused" cut_in_block
try "a training refuses them as well, and writes nothing" training_refuses
try "ols show refuses them as well" show_refuses
try "a training may start from the first layers of a network, and says so" starts_from_layers

# --- damaged and foreign ----------------------------------------------------------------------------------------------

# flip_in FILE OFFSET: one bit of that byte.
flip_in() {
    perl -e 'open F, "+<", $ARGV[0]; seek F, $ARGV[1], 0; read F, $b, 1; seek F, $ARGV[1], 0;
        print F chr(ord($b) ^ 4)' "$1" "$2"
}
flip() { cp net.weights damaged.weights && flip_in damaged.weights "$1"; }
damaged_byte_is_refused() {
    local at
    for at in 0 4 8 12 17 20 23 $((second + 1)) $((block - 1)) $(seq "$block" 9 $((trailer - 1))) \
        $(seq "$trailer" 5 $((whole - 1))); do
        flip "$at"
        if ! fails "damaged.weights" load damaged.weights || [ -e loaded.weights ]; then
            echo "... byte $at"
            return 1
        fi
        fails "damaged.weights" "$darknet" ols show damaged.weights || return
    done
}
# Every command that reads weights: two bits of them, in the file's first weight and in its soft labels.
flips_are_refused_by() {
    local at
    echo "valid=$T/list" | cat data - >data.valid
    for at in $((first + 6)) $((block + 50)); do
        flip "$at"
        fails "damaged.weights is damaged" "$darknet" classifier valid data.valid net.cfg damaged.weights -nogpu &&
            fails "damaged.weights is damaged" "$darknet" classifier metrics data.valid net.cfg damaged.weights -nogpu &&
            fails "damaged.weights is damaged" "$darknet" classifier predict data.valid net.cfg damaged.weights \
                images/red-1.ppm -nogpu &&
            fails "damaged.weights is damaged" "$darknet" ols deploy net.cfg d.cfg damaged.weights d.weights &&
            fails "damaged.weights is damaged" "$darknet" ols plot damaged.weights d.png &&
            fails "damaged.weights is damaged" train net.cfg damaged.weights && [ ! -e d.cfg ] && [ ! -e d.weights ] &&
            [ ! -e d.png ] && [ -z "$(ls backup)" ] || return
    done
}
# A whole file whose beginning is another's, with a checksum that fits.
patched_together_is_refused() {
    python3 - <<'PYTHON' || return
import zlib
data = bytearray(open("net.weights", "rb").read())
data[12] += 3
data[-8:-4] = zlib.crc32(data[:-8]).to_bytes(4, "little")
open("patched.weights", "wb").write(data)
PYTHON
    fails "patched.weights does not belong together: the images seen at its beginning are not those at its end" \
        load patched.weights && fails "patched.weights does not belong together" "$darknet" ols show patched.weights
}
# A network without soft labels has the checksum, too, also what is deployed.
plain_is_refused() {
    local at
    for at in 9 13 22 $((block - 3)) $((block + 2)) $((block + 18)) $((block + 47)); do
        cp softmax.weights damaged.weights
        flip_in damaged.weights "$at"
        fails "damaged.weights" load damaged.weights softmax.cfg || { echo "... byte $at"; return 1; }
    done
    head -c "$block" softmax.weights >cut.weights
    fails "cut.weights is cut off or damaged" load cut.weights softmax.cfg || return
    "$darknet" ols deploy net.cfg d.cfg net.weights d.weights && cp d.weights damaged.weights &&
        flip_in damaged.weights 30 && fails "damaged.weights is damaged" load damaged.weights d.cfg
    local status=$?
    rm -f d.cfg d.weights
    return "$status"
}
try "a file with one wrong bit, also in its weights, is refused" damaged_byte_is_refused
try "every command that reads weights refuses it" flips_are_refused_by
try "weights without soft labels with one wrong bit are refused, or cut where they end, also deployed ones" plain_is_refused

# rewrite WHAT: a block that is sound but for what it says; its checksum and that of the file fit.
rewrite() {
    python3 - "$block" "$trailer" "$1" <<'PYTHON'
import struct, sys, zlib
block, trailer, what = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
data = open("net.weights", "rb").read()
head = bytearray(data[block:block + 48])
k = struct.unpack_from("<I", head, 12)[0]
body = data[block + 48:trailer - 16]
soft = list(struct.unpack_from(f"<{k * k}f", body))
sums = list(struct.unpack_from(f"<{k * k}f", body, 4 * k * k))
correct = list(struct.unpack_from(f"<{k}q", body, 8 * k * k))
seen = list(struct.unpack_from(f"<{k}q", body, 8 * k * k + 8 * k))
nan, inf = float("nan"), float("inf")
if what == "nothing": pass
elif what == "nan in S": soft[4] = nan
elif what == "infinity in S": soft[4] = inf
elif what == "a negative S": soft[3], soft[4] = -.5, soft[4] + soft[3] + .5
elif what == "an S above 1": soft[3:6] = [1.25, .25, 0]
elif what == "nan in A": sums[0] = nan
elif what == "infinity in A": sums[0] = inf
elif what == "a negative A": sums[0] = -1
elif what == "a negative count": correct[0] = -1
elif what == "more correct than seen": correct[1] = seen[1] + 1
elif what == "a negative position": struct.pack_into("<q", head, 16, -3)
elif what == "version 2": struct.pack_into("<I", head, 8, 2)
elif what == "4 classes":
    k = 4
    struct.pack_into("<I", head, 12, k)
    soft, sums, correct, seen = [.25] * 16, [0] * 16, [0] * 4, [0] * 4
else: sys.exit(f"what is {what}?")
new = bytes(head) + struct.pack(f"<{k * k}f{k * k}f{k}q{k}q", *soft, *sums, *correct, *seen)
new += struct.pack("<Q", len(new) + 16)
new += struct.pack("<I4s", zlib.crc32(new), b"OLS\n")
new = data[:block] + new + data[trailer:-8]
open("rewritten.weights", "wb").write(new + struct.pack("<I4s", zlib.crc32(new), b"OLS\n"))
PYTHON
}
impossible_values_are_refused() {
    local what
    rewrite nothing && cmp net.weights rewritten.weights || return
    for what in "nan in S" "infinity in S" "a negative S" "an S above 1" "nan in A" "infinity in A" "a negative A" \
        "a negative count" "more correct than seen" "a negative position"; do
        echo "with $what:"
        rewrite "$what" &&
            fails "rewritten.weights: the soft-label block holds impossible values" load rewritten.weights &&
            fails "impossible values" "$darknet" ols show rewritten.weights || return
    done
}
unknown_version_is_refused() { rewrite "version 2" && fails "rewritten.weights" load rewritten.weights; }
wrong_class_count_is_refused() {
    rewrite "4 classes" &&
        fails "holds soft labels of 4 classes, but [ols] (layer 2) has 3" load rewritten.weights &&
        fails "holds soft labels of 4 classes, but [ols] (layer 2) has 3" train net.cfg rewritten.weights
}
# One flipped bit in the number of classes, which asked for 16.8 GB; in a file without a checksum of the whole.
large_class_count_is_refused() {
    cp v1.weights many.weights
    printf '\003\001' | dd of=many.weights bs=1 seek=$((block + 12)) conv=notrunc 2>/dev/null &&
        fails "many.weights is damaged: its soft labels are said to be of 259 classes, which do not fit in the file" \
            "$darknet" ols show many.weights
}
other_cfg_is_refused() {
    fails "narrower.weights" load narrower.weights && fails "wider.weights" load wider.weights &&
        fails "net.weights" load net.weights narrower.cfg && fails "net.weights" load net.weights wider.cfg &&
        fails "wider.weights" train net.cfg wider.weights && [ ! -e loaded.weights ]
}
bytes_after_are_refused() { { cat net.weights && echo more; } >more.weights && fails "more.weights" load more.weights; }

if command -v python3 >/dev/null; then
    try "soft labels that cannot be are refused, though the checksum fits" impossible_values_are_refused
    try "a block of a later version is refused" unknown_version_is_refused
    try "a file whose images seen are not those of its trailer is refused, though the checksum fits" patched_together_is_refused
    try "soft labels of another number of classes are refused, with both numbers" wrong_class_count_is_refused
else
    for _ in 1 2 3 4; do skip "python3 is not here to write these files"; done
fi
try "a number of classes that does not fit in the file is refused before memory is asked for" large_class_count_is_refused
try "weights of another cfg are refused" other_cfg_is_refused
try "bytes after the soft labels are refused" bytes_after_are_refused

# --- without soft labels, without a file ------------------------------------------------------------------------------

starts_from_init() {
    local file
    without_trailer net.weights "$block" >plain.weights
    for file in plain.weights softmax.weights; do
        train net.cfg "$file" >out.txt 2>err.txt || return
        grep "$file holds no soft labels for \[ols\] (layer 2): they start from init" err.txt || return
        load "$file" >out.txt 2>err.txt || return
        grep "$file holds no soft labels for \[ols\] (layer 2): they start from init" err.txt || return
        rm -f loaded.weights backup/*
    done
    fails "softmax.weights holds no soft labels" "$darknet" ols show softmax.weights
}
ignored_without_ols() {
    load net.weights softmax.cfg && [ "$(stat -c %s loaded.weights)" = $((block + 48)) ] && rm loaded.weights
}
missing_file() {
    local status
    load missing.weights >out.txt 2>err.txt
    status=$?
    [ "$status" = 1 ] && grep -q "missing.weights" err.txt &&
        fails missing.weights "$darknet" ols show missing.weights && [ ! -e loaded.weights ]
}
folder_for_file() { fails backup load backup && fails backup "$darknet" ols show backup; }

try "weights without soft labels load, and it is said that these start from init" starts_from_init
try "a network without [ols] loads weights with soft labels" ignored_without_ols
try "a missing file is named, with status 1" missing_file
try "a folder in place of the file is refused" folder_for_file

# A pipe has no end to look at: of it only the weights are read, and they must be all there.
pipe_is_read() {
    load <(cat net.weights) && cmp -i 20 -n $((block - 20)) net.weights loaded.weights && rm loaded.weights &&
        fails "is cut off, or belongs to another cfg: it ends before the last layer does" \
            load <(head -c $((second + 8)) net.weights) && [ ! -e loaded.weights ] || return
    train net.cfg <(cat net.weights) >out.txt 2>err.txt &&
        grep "is no regular file: its soft labels and momentum are not read, nor is it checked" err.txt || return
    rm -f backup/*
}
try "weights come through a pipe, are refused where it ends too soon, and a training says what it does not take" pipe_is_read

# --- saves that fail --------------------------------------------------------------------------------------------------

# keeps FILE COMMAND...: the command fails in one line, and the file is as it was.
keeps() {
    local file=$1 before
    shift
    before=$(sha256sum "$file")
    fails "$@" && [ "$before" = "$(sha256sum "$file")" ]
}

# $1 a folder where nothing can be written, $2 why
unwritable() {
    sed "s:^backup=.*:backup=$1:" data >data.unwritable
    fails "cannot save weights to the folder backup=$1 of data.unwritable: $2" \
        "$darknet" classifier train data.unwritable net.cfg -seed 1 -nogpu &&
        fails "cannot save weights to $1/loaded.weights" \
            "$darknet" partial net.cfg net.weights "$1/loaded.weights" 99 -nogpu
}
missing_folder() { unwritable "$T/missing" "No such file"; }
file_for_folder() { unwritable "$T/names" "Not a directory"; }
read_only_folder() {
    local result=0
    mkdir locked && cp softmax.weights locked/loaded.weights && chmod a-w locked || return
    keeps locked/loaded.weights "cannot save weights to locked/" \
        "$darknet" partial net.cfg net.weights locked/loaded.weights 99 -nogpu || result=1
    chmod u+w locked
    return "$result"
}
folder_in_the_way() {
    mkdir taken.weights
    fails "cannot save weights to taken.weights" "$darknet" partial net.cfg net.weights taken.weights 99 -nogpu &&
        rmdir taken.weights
}
# A limit on the size of files stands in for a disk that fills up, and needs no root.
file_too_large() {
    cp softmax.weights old.weights
    limited() { (trap '' XFSZ && ulimit -f 1 && "$darknet" partial net.cfg net.weights old.weights 99 -nogpu); }
    keeps old.weights "cannot save weights to old.weights: File too large" limited
}

try "a folder that is missing is named, and nothing is written" missing_folder
try "a file where the folder should be is named" file_for_folder
try "a folder where the file would be saved is named" folder_in_the_way
if [ "$(id -u)" = 0 ]; then
    skip "root may write into a read-only folder"
else
    try "a read-only folder keeps its file" read_only_folder
fi
try "a file that grows too large leaves the one before as it was, and nothing beside it" file_too_large

# In a name space of its own the mount goes away with the test, however that ends.
name_space=(unshare --mount)
[ "$(id -u)" = 0 ] || name_space+=(--map-root-user)
mkdir disk
can_mount() { "${name_space[@]}" mount -t tmpfs -o size=64k none "$T/disk"; }

on_full_disk() {
    mount -t tmpfs -o size=64k none disk && cp softmax.weights disk/old.weights || return
    head -c 1m /dev/zero >disk/filler 2>/dev/null
    keeps disk/old.weights "cannot save weights to disk/old.weights: No space left on device" \
        "$darknet" partial net.cfg net.weights disk/old.weights 99 -nogpu || return
    sed "s:^backup=.*:backup=$T/disk:" data >data.full
    fails "cannot save weights to $T/disk/net_1.weights: No space left on device" \
        "$darknet" classifier train data.full net.cfg -seed 1 -nogpu -nocheck || return
    fails "backup=$T/disk of data.full has 0 kB free, but one checkpoint takes 3 kB: make room" \
        "$darknet" classifier train data.full net.cfg -seed 1 -nogpu || return
    [ "$(ls disk)" = "$(printf 'filler\nold.weights')" ] || { ls disk; return 1; }
    rm disk/filler
    "$darknet" partial net.cfg net.weights disk/old.weights 99 -nogpu && load disk/old.weights
}
full_disk() {
    export -f fails keeps load on_full_disk
    export darknet T
    "${name_space[@]}" bash -c on_full_disk
    local status=$?
    rm -f loaded.weights
    return "$status"
}
if can_mount 2>/dev/null; then
    try "on a full disk the file before stays as it was, and with room again it is saved" full_disk
else
    skip "no small file system can be mounted here"
fi

# --- kill -9 ----------------------------------------------------------------------------------------------------------

# Weights of several MB, so that a save takes long enough to be met; two of them, so that an old file and a new one can
# be told apart. What a killed save leaves is its own temporary file, which nothing ever reads.
makes_large_weights() {
    local name
    printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 learning_rate=.01 max_batches=1 '[connected]' \
        output=12000 activation=leaky '[connected]' output=3 activation=linear '[ols]' >large.cfg
    for name in 1 2; do
        "$darknet" classifier train data large.cfg -seed "$name" -nogpu &&
            "$darknet" partial large.cfg backup/large.weights "large-$name.weights" 99 -nogpu || return
        rm -f backup/*
    done
    ! cmp -s large-1.weights large-2.weights && cp large-1.weights large.weights
}
killed_saves() {
    local i child met=0 start
    for i in {1..12}; do
        rm -f large.weights.tmp
        "$darknet" partial large.cfg "large-$((i % 2 + 1)).weights" large.weights 99 -nogpu >/dev/null 2>&1 &
        child=$!
        start=$SECONDS
        until compgen -G "large.weights.tmp" >/dev/null || [ $((SECONDS - start)) -gt 10 ]; do :; done
        # from at once to a good part of what a save takes
        [ $((i % 4)) = 0 ] || sleep "0.00$((i % 4 * 3))"
        kill -9 "$child" 2>/dev/null
        wait "$child" 2>/dev/null
        [ ! -e "large.weights.tmp" ] || met=$((met + 1))
        cmp -s large.weights large-1.weights || cmp -s large.weights large-2.weights ||
            { echo "kill $i: the file is neither the old nor the new one"; return 1; }
    done
    echo "$met" >met
    [ "$met" -gt 0 ] || { echo "no save was met, so nothing was shown"; return 1; }
    # and the next save goes through, whatever lies beside it, and leaves nothing behind
    "$darknet" partial large.cfg large-2.weights large.weights 99 -nogpu && cmp large.weights large-2.weights &&
        [ ! -e large.weights.tmp ]
}
try "large weights are made" makes_large_weights
try "a save that is killed leaves the old file or the new one, whole" killed_saves
echo "# $(cat met 2>/dev/null) of 12 kills met a save; what they left beside the weights was overwritten by the next"

finish
