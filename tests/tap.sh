# For the shell tests: one test a sentence, in TAP. Source it, call try and skip, and end with finish.
# shellcheck shell=bash

count=0
failed=0

# try SENTENCE COMMAND...: one test; what the command prints is shown only if it fails.
try() {
    local sentence=$1 said
    shift
    count=$((count + 1))
    if said=$("$@" 2>&1); then
        echo "ok $count - $sentence"
    else
        failed=1
        echo "not ok $count - $sentence"
        printf '%s\n' "$said" | tail -n 40 | sed 's/^/# /'
    fi
}

# skip REASON: in place of one test.
skip() {
    count=$((count + 1))
    echo "ok $count # SKIP $1"
}

# The plan, and the status of the program.
finish() {
    echo "1..$count"
    exit $failed
}
