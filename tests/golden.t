#!/usr/bin/env bash
# The golden values, in TAP: ols.txt, methods.txt and heads.txt, which test_ols_golden and test_class_heads_golden use, are what
# their scripts compute from the equations, and tide.txt, for test_error_split, is what tidecv gives; and a changed
# number is noticed.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C

golden=$(cd "$(dirname "${BASH_SOURCE[0]}")/golden" && pwd)
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# shellcheck source=tests/helpers/tap.sh
. "$golden/../helpers/tap.sh"

# finds_a_change SCRIPT FILE WORD: in a copy, the number behind the WORD of a line is a millionth larger.
finds_a_change() {
    local line said
    cp "$golden/$1" "$golden"/*.py "$T" || return
    line=$(grep -n "^$3 " "$golden/$2" | tail -n 1 | cut -d: -f1)
    awk -v line="$line" 'NR == line { $2 = sprintf("%.9g", $2 + 1e-6) } 1' "$golden/$2" >"$T/$2"
    said=$("$T/$1" --check 2>&1) && return 1
    echo "$said"
    [[ $said == "$1: line $line of $2 is not what "* ]]
}

while read -r script file word module; do
    if /usr/bin/python3 -c "import $module" 2>/dev/null; then
        try "$file is what $script makes" "$golden/$script" --check
        try "$script --check finds a number that was changed" finds_a_change "$script" "$file" "$word"
    else
        skip "$file is what $script makes: no $module for /usr/bin/python3"
        skip "$script --check finds a number that was changed: no $module for /usr/bin/python3"
    fi
done <<'EOT'
make-golden ols.txt soft torch
make-golden-methods methods.txt soft torch
make-golden-heads heads.txt soft torch
make-golden-tide tide.txt split tidecv
EOT
finish
