# For the shell tests of the program, which source it first. Sets:
#     root      the repository
#     darknet   the program under test
#     T         a temporary folder, which becomes the current one, and is removed at the end
#     pid       may be set to a background process that is killed at the end
# and sources tap.sh. The program runs on one thread, so that results repeat on every machine.
# shellcheck shell=bash

set -uo pipefail
export LC_ALL=C OMP_NUM_THREADS=1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
darknet=$(realpath -- "${DARKNET_PROGRAM:-$root/darknet}")
T=$(mktemp -d) || exit 1
pid=
# shellcheck disable=SC2086  # empty without a process
trap 'kill -9 $pid 2>/dev/null; rm -rf "$T"' EXIT
cd "$T" || exit 1

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# without_trailer FILE: a weights file up to its trailer, whose length stands before its last 8 bytes (src/train/trailer.h).
without_trailer() {
    local size length
    size=$(stat -c %s "$1") && length=$(od -A n -t u8 -j $((size - 16)) -N 8 "$1") && head -c $((size - length)) "$1"
}
# same_network FILE FILE: two weights files are the same but for the optimiser's state.
same_network() { [ -s "$1" ] && cmp <(without_trailer "$1") <(without_trailer "$2"); }
# optimiser_arrays FILE: how many arrays of the optimiser's state a weights file holds.
optimiser_arrays() { od -A n -t u4 -j $(($(without_trailer "$1" | wc -c) + 12)) -N 4 "$1" | tr -d ' '; }
