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

# The plan, and the status of the program.
finish() {
    echo "1..$count"
    exit $failed
}
