#!/bin/bash
# docs/keys.md has a row for every smoothing key, with the program's default and range, and for the keys of [yolo] and
# of augmentation.
cd "$(dirname "$0")/.." || exit 1
. tests/helpers/tap.sh

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
table=src/ols/options.c
darknet=$(realpath -- "${DARKNET_PROGRAM:-./darknet}")

# The keys of the table, in its order.
keys() { sed -n 's/^    {"\([a-z_]*\)", [A-Z]*, offsetof.*/\1/p' "$table"; }

head_keys() { sed -n '/^} head_keys/,/^};/s/^    {"\([a-z_]*\)".*/\1/p' src/layers/class_head.c; }

row() { grep "^| \`$1\` |" docs/keys.md; }

every_key_has_a_row() {
    local key
    [ "$(keys | wc -l)" -ge 8 ] || { echo "no table of options found in $table"; return 1; }
    for key in $(keys); do
        row "$key" >/dev/null || { echo "docs/keys.md has no row for $key"; return 1; }
    done
}

# A value of which only its start is right makes the program say what is allowed.
ranges_are_those_of_the_program() {
    local key said word
    head -c 20 /dev/zero >"$T/net.weights"
    for key in $(keys); do
        printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 '[connected]' output=3 '[ols]' "$key=wrong" >"$T/net.cfg"
        said=$("$darknet" ols deploy "$T/net.cfg" "$T/out.cfg" "$T/net.weights" "$T/out.weights" 2>&1 | sed -n 's/.*must be //p')
        [ -n "$said" ] || { echo "$key=wrong was not refused"; return 1; }
        for word in $(tr -d , <<<"$said"); do
            case $word in
            a|number|from|or|whole|of|iterations|to|1000000000) continue ;;
            esac
            row "$key" | grep -qw -- "$word" || { echo "$key must be $said, but docs/keys.md says:"; row "$key"; return 1; }
        done
    done
}

# Keys of [net], from the list of them in the source; their ranges are of a network of 8 x 8 pixels.
augmentation_keys_have_rows() {
    local key said
    for key in $(sed -n 's/^static const char \*const keys\[\] = {\(.*\), 0};/\1/p' src/data/augmentation.c | tr -d ',"'); do
        printf '%s\n' '[net]' width=8 height=8 channels=3 "$key=wrong" '[softmax]' >"$T/net.cfg"
        said=$("$darknet" ops "$T/net.cfg" -nogpu 2>&1 | sed -n 's/.*must be a \(whole \)*number from 0 to //p')
        case $key in
        pad) [ "$said" = 4 ] && row pad | grep -q '| 0 | 0 to half the width |' ;;
        cutout) [ "$said" = 8 ] && row cutout | grep -q '| 0 | 0 to the larger side |' ;;
        mixup) [ "$said" = 100 ] && row mixup | grep -q '| 0 | 0 to 100 |' ;;
        *) false ;;
        esac || { echo "$key must be up to $said, but docs/keys.md says:"; row "$key"; return 1; }
    done
}

# Keys of [yolo], from the list of them in the source.
head_keys_have_rows() {
    local key said word
    [ -n "$(head_keys)" ] || { echo "no table of keys found"; return 1; }
    for key in $(head_keys); do
        printf '%s\n' '[net]' width=8 height=8 channels=3 '[convolutional]' filters=8 '[yolo]' classes=3 anchors=4,4 "$key=wrong" >"$T/net.cfg"
        said=$("$darknet" ops "$T/net.cfg" -nogpu 2>&1 | sed -n 's/.*must be //p')
        [ -n "$said" ] || { echo "$key=wrong was not refused"; return 1; }
        for word in $(tr -d , <<<"$said"); do
            case $word in
            a|number|or|from|up|to) continue ;;
            esac
            row "$key" | grep -qw -- "$word" || { echo "$key must be $said, but docs/keys.md says:"; row "$key"; return 1; }
        done
    done
}

try "every smoothing key has a row in docs/keys.md" every_key_has_a_row
try "the rows have the ranges that the program names" ranges_are_those_of_the_program
try "so have the keys of [yolo]" head_keys_have_rows
try "so have the keys of augmentation" augmentation_keys_have_rows
finish
