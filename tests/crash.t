#!/usr/bin/env bash
# A short run of tests/crash/run, which `make crash` gives minutes, and that it notices what it looks for.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# attack OPTIONS...: with a program and a fixed seed, in this folder.
attack() { TMPDIR=$T DARKNET_PROGRAM=$darknet "$root/tests/crash/run" --minutes 1 --seed 3 "$@" >out.txt 2>err.txt; }

short_run() {
    attack --kills 12 --tries 12 || { cat out.txt err.txt; return 1; }
    # 4 trainings; 2 of them damaged in 3 ways
    [ "$(grep -cE ' +[1-9][0-9]* ' out.txt)" = 10 ] && ! compgen -G 'crash.*'
}
takes_everything() {
    printf '#!/bin/bash\n[ "$1" = partial ] || exec "%s" "$@"\n' "$darknet" >other
    chmod +x other
    darknet=$T/other
    ! attack --only flips --tries 40 && grep 'a flipped bit of byte .* is not noticed' err.txt && grep 'seed 3' err.txt &&
        compgen -G 'crash.*/place/damaged.weights'
}

try "killed trainings end as others do, damage is refused, and a full disk takes nothing" short_run
try "a damaged checkpoint that loads ends the run with status 1, and is kept" takes_everything
finish
