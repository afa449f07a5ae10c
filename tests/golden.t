#!/usr/bin/env bash
# The golden values, in TAP: ols.txt and heads.txt, which test_ols_golden and test_class_heads_golden use, are what
# their scripts compute from the equations; and a changed number is noticed.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C

golden=$(cd "$(dirname "${BASH_SOURCE[0]}")/golden" && pwd)
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# shellcheck source=tests/helpers/tap.sh
. "$golden/../helpers/tap.sh"

# finds_a_change SCRIPT FILE: a soft label that is a millionth larger in a copy.
finds_a_change() {
    local line said
    cp "$golden/$1" "$T" || return
    line=$(grep -n '^soft ' "$golden/$2" | tail -n 1 | cut -d: -f1)
    awk -v line="$line" 'NR == line { $2 = sprintf("%.9g", $2 + 1e-6) } 1' "$golden/$2" >"$T/$2"
    said=$("$T/$1" --check 2>&1) && return 1
    echo "$said"
    [ "$said" = "$1: line $line of $2 is not what the equations give" ]
}

while read -r script file; do
    if /usr/bin/python3 -c 'import torch' 2>/dev/null; then
        try "$file is what $script computes from the equations" "$golden/$script" --check
        try "$script --check finds a number that was changed" finds_a_change "$script" "$file"
    else
        skip "$file against the equations: no PyTorch for /usr/bin/python3 (python3-torch)"
        skip "$script --check finds a number that was changed: no PyTorch for /usr/bin/python3"
    fi
done <<'EOT'
make-golden ols.txt
make-golden-heads heads.txt
EOT
finish
