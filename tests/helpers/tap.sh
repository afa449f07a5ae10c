# TAP output for the shell tests; the name of a test is a sentence. Source it, call try and skip, and finish at the end.
# shellcheck shell=bash

count=0
failed=0

# try SENTENCE COMMAND...: one test, which passes if the command succeeds. Its output is shown only if it fails.
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

# skip REASON: reports one test as skipped.
skip() {
    count=$((count + 1))
    echo "ok $count # SKIP $1"
}

# fails TEXT COMMAND...: darknet ends with a status other than 0, not by a signal, and with one line that starts with
# "darknet: " and holds TEXT; before it there are only notes and Darknet's list of layers. No temporary file stays.
fails() {
    local text=$1 status lines
    shift
    "$@" >out.txt 2>err.txt
    status=$?
    lines=$(grep '^darknet: ' err.txt | grep -v '^darknet: note: ')
    if [ "$status" = 0 ] || [ "$status" -ge 128 ]; then
        echo "status $status of: $*"
    elif [ "$(wc -l <<<"$lines")" != 1 ] || [[ $lines != *"$text"* ]]; then
        echo "wanted one line with: $text"
        echo "got: ${lines:-none, but: $(tail -n 1 err.txt)}"
    elif [ "$(tail -n 1 err.txt)" != "$lines" ]; then
        echo "the line is not the last one:"
        tail -n 3 err.txt
    elif compgen -G '*.tmp' || compgen -G 'backup/*.tmp'; then
        echo "was left behind by: $*"
    else
        return 0
    fi
    return 1
}

# Prints the plan and exits with status 1 if a test has failed.
finish() {
    echo "1..$count"
    exit $failed
}
