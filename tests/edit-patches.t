#!/usr/bin/env bash
# scripts/edit-patches, in TAP: with a Darknet of three files and three patches, and at the end with the real ones.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C
unset DARKNET PATCHES APT_ETC

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if ! command -v git >/dev/null; then
    echo "1..0 # SKIP git is not here"
    exit
fi
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# The user's own git must not matter, neither to the script nor to what is done by hand here; so it gets a bad one.
export HOME=$T/home XDG_CONFIG_HOME=$T/home GIT_CONFIG_NOSYSTEM=1
for variable in $(git rev-parse --local-env-vars); do unset "$variable"; done
mkdir "$T/home"
cat >"$T/home/.gitconfig" <<'CONFIG'
[core]
    autocrlf = true
    quotePath = true
[diff]
    noprefix = true
    context = 7
    suppressBlankEmpty = true
    algorithm = patience
    external = false
    mnemonicPrefix = true
[color]
    ui = always
[status]
    showUntrackedFiles = no
[log]
    showSignature = true
[user]
    useConfigOnly = true
CONFIG

# same WANTED GOT
same() { diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"); }

# has FILE TEXT: among the lines of the file is this one.
has() { grep -qxF -- "$2" "$1" || { echo "$1 has no line: $2"; return 1; }; }
has_not() { ! grep -qxF -- "$2" "$1" || { echo "$1 has the line: $2"; return 1; }; }

# --- a private copy of the scripts, and the small Darknet -------------------------------------------------------------

mkdir -p "$T/repo/scripts" "$T/given/src" "$T/given/include" "$T/first"
cp "$root/scripts/get-darknet" "$root/scripts/edit-patches" "$T/repo/scripts/"

(
    cd "$T/given" || exit
    for name in src/a.c src/b.c include/darknet.h; do
        for i in {1..30}; do echo "$name $i"; done >"$name"
    done
    sed -i '12s/.*//' src/a.c               # an empty line as context
    sed -i 's/$/\r/' src/b.c                # which git must leave alone
    echo "src/b.c" >.gitignore              # Darknet's own names files that are there, too
)
cp -r "$T/given" "$T/work"

# insert FILE NUMBER TEXT: below the line of that number.
insert() { sed -i "$2a\\$3" "$1"; }

# patch_with SUBJECT BODY FILES...: prints the patch from $T/before to $T/work for these files.
patch_with() {
    local subject=$1 body=$2 name
    shift 2
    printf 'Subject: %s\n\n' "$subject"
    [ -z "$body" ] || printf '%s\n\n' "$body"
    for name; do diff -U1 --label "a/$name" --label "b/$name" "$T/before/$name" "$T/work/$name"; done
    rm -rf "$T/before"
    cp -r "$T/work" "$T/before"
}

cp -r "$T/work" "$T/before"
(
    cd "$T/work" || exit
    insert include/darknet.h 9 "first field"
    insert src/a.c 5 "first hook"
    patch_with "Make the first hook" $'Why it is there,\nin two lines.\n\n# and a paragraph that looks like a comment' \
        include/darknet.h src/a.c >"$T/first/0001-first.patch"
    insert src/a.c 12 "second hook"
    patch_with "Make the second hook" "" src/a.c >"$T/first/0002-second.patch"
    sed -i '22s/.*/third hook/' src/a.c
    insert src/b.c 30 "third hook, last line"
    sed -i '31s/$/\r/' src/b.c
    patch_with "Make the third hook" "Why." src/a.c src/b.c >"$T/first/0003-third.patch"
)
printf '%s  %s\n' 0 "$(sed -n 's/^version=/darknet_/p' "$root/scripts/get-darknet" | sed 's/-[0-9]*$//').orig.tar.xz" \
    0 "$(sed -n 's/^version=/darknet_/p' "$root/scripts/get-darknet").debian.tar.xz" >"$T/first/UPSTREAM"
printf '| **%s** |\n' 0001-first 0002-second 0003-third >"$T/first/README.md"
env DARKNET="$T/given" PATCHES="$T/first" "$T/repo/scripts/get-darknet" --hashes >"$T/UPSTREAM"
mv "$T/UPSTREAM" "$T/first/UPSTREAM"

patches=$T/patches      # those that are edited
tree=$T/tree            # where

edit() { env DARKNET="$T/given" PATCHES="$patches" "$T/repo/scripts/edit-patches" "$@"; }
prepare() { env DARKNET="$T/given" PATCHES="$patches" "$T/repo/scripts/get-darknet" "$@"; }

# afresh: the patches as they were, opened.
afresh() {
    rm -rf "$patches" "$tree"
    cp -r "$T/first" "$patches" && edit open "$tree"
}

# refused TEXT COMMAND...: it fails, and says so in one line that holds TEXT.
refused() {
    local text=$1 said
    shift
    if said=$("$@" 2>&1 >/dev/null); then
        echo "it was accepted"
        return 1
    fi
    [ "$(wc -l <<<"$said")" = 1 ] && [[ $said == "edit-patches: "*"$text"* ]] && return
    printf 'wanted one line with: %s\ngot: %s\n' "$text" "$said"
    return 1
}

# keeps COMMAND...: the command leaves the patches as they were, to the date, and nothing of its own beside anything.
fingerprint() {
    find "$patches" -type f -printf '%p %T@ ' -exec sha256sum {} \; && ls -A "$T" "$(dirname "$patches")"
    [ ! -d "$tree/.git" ] || git -C "$tree" rev-parse HEAD
}
keeps() {
    local before
    before=$(fingerprint)
    "$@" || return
    same "$before" "$(fingerprint)"
}

# rebase LINES...: git rebase -i with these lines of its list, by number; 2:squash is the second with that in place of
# pick.
cat >"$T/take-lines" <<'SH'
#!/bin/sh
for line in $LINES; do
    case $line in
        *:*) sed -n "${line%:*}s/^pick/${line#*:}/p" "$1" ;;
        *) sed -n "${line}p" "$1" ;;
    esac
done >"$1.new"
mv "$1.new" "$1"
SH
chmod +x "$T/take-lines"
rebase() {
    LINES=$* GIT_SEQUENCE_EDITOR=$T/take-lines GIT_EDITOR=true git -C "$tree" rebase -q -i pristine
}

commit() { git -C "$tree" add -A && git -C "$tree" commit -q "$@"; }

# gives_the_tree: get-darknet makes of the patches what is in the tree.
gives_the_tree() {
    prepare "$T/out" && diff -r --exclude=.git --exclude=.prepared "$T/out" "$tree"
}

names() { (cd "$patches" && echo [0-9]*.patch); }

# --- open and export --------------------------------------------------------------------------------------------------

opens() {
    afresh || return
    same "Darknet without our patches
Make the first hook
Make the second hook
Make the third hook" "$(git -C "$tree" log --reverse --format=%s)" &&
        same "Make the first hook

Why it is there,
in two lines.

# and a paragraph that looks like a comment

Patch: 0001-first.patch" "$(git -C "$tree" log -1 --format=%B HEAD~2)" &&
        same "" "$(git -C "$tree" status --porcelain --untracked-files=all)" &&
        same "$(git -C "$tree" rev-parse HEAD~3)" "$(git -C "$tree" rev-parse pristine)" &&
        gives_the_tree && cmp "$T/given/src/b.c" <(git -C "$tree" show pristine:src/b.c)
}

same_commits_for_same_patches() {
    edit open "$T/again" && same "$(git -C "$tree" rev-parse HEAD)" "$(git -C "$T/again" rev-parse HEAD)"
}

exports_the_same() {
    keeps edit export "$tree" && diff -r "$T/first" "$patches" &&
        same "the commits and the patches are the same
3 patches, 5 hunks: 5 lines added, 1 removed, 9 of context" "$(edit export "$tree" 2>&1)"
}

exports_as_git_hook() {
    GIT_DIR=$T/elsewhere GIT_WORK_TREE=$T/elsewhere GIT_INDEX_FILE=$T/elsewhere/index keeps edit export "$tree"
}

# A patch that stands ten lines too high; and one with what git and diff -r write between files.
makes_patches_regular() {
    afresh && rm -rf "$tree" || return
    sed -i 's/^@@ -12,2 +12,3 @@/@@ -2,2 +2,3 @@/' "$patches/0002-second.patch"
    sed -i 's/^@@.*/& function/; s/^--- /diff --git a b\nindex 123..456 100644\n--- /' "$patches/0003-third.patch"
    edit open "$tree" && same "moved     0002-second.patch (only line numbers)
changed   0003-third.patch" "$(edit status "$tree")" &&
        edit export "$tree" && diff -r "$T/first" "$patches"
}

try "open makes a commit of the unpatched Darknet and one of each patch, with its subject, why and name" opens
try "the same patches become the same commits" same_commits_for_same_patches
try "open and export give the same patches, byte for byte and with their dates" exports_the_same
try "called from a git hook it works on its own tree" exports_as_git_hook

# --- changing a patch -------------------------------------------------------------------------------------------------

changes_early_patch() {
    afresh || return
    insert "$tree/src/a.c" 1 "an early line" && commit --fixup HEAD~2 || return
    keeps refused "is not in its place yet" edit export "$tree" || return
    rebase 1 2 3 4 && edit export "$tree" || return
    has "$patches/0001-first.patch" "+an early line" &&
        has "$patches/0001-first.patch" "# and a paragraph that looks like a comment" &&
        gives_the_tree && has "$T/out/src/a.c" "an early line" &&
        # The later ones move with it and are else the same.
        has "$patches/0002-second.patch" "@@ -13,2 +13,3 @@" && has "$T/first/0002-second.patch" "@@ -12,2 +12,3 @@" &&
        diff <(grep -v '^@@' "$T/first/0002-second.patch") <(grep -v '^@@' "$patches/0002-second.patch") &&
        diff "$T/first/UPSTREAM" "$patches/UPSTREAM"
}

adds_patch() {
    afresh || return
    insert "$tree/.gitignore" 1 "/new" && commit -m "Ignore: what's new, and a good many other things" -m "Because."
    edit export "$tree" 2>"$T/said" || return
    same "edit-patches: warning: README.md beside the patches has no row **0004-ignore-what-s-new-and-a-good**" \
        "$(cat "$T/said")" &&
        same "Subject: Ignore: what's new, and a good many other things

Because.

--- a/.gitignore
+++ b/.gitignore
@@ -1 +1,2 @@
 src/b.c
+/new" "$(cat "$patches/0004-ignore-what-s-new-and-a-good.patch")" &&
        has "$patches/UPSTREAM" "$(sha256sum <"$T/given/.gitignore" | cut -c -64)  .gitignore" && gives_the_tree &&
        same "the commits and the patches are the same" "$(edit status "$tree")"
}

names_patch_by_its_line() {
    afresh || return
    insert "$tree/.gitignore" 1 "/new" && commit -m "Ignore what is new" -m "Patch: ignore"
    edit export "$tree" && same "0001-first.patch 0002-second.patch 0003-third.patch 0004-ignore.patch" "$(names)" &&
        has_not "$patches/0004-ignore.patch" "Patch: ignore"
}

drops_patch() {
    afresh || return
    touch -d "2020-01-01" "$patches"/*
    rebase 1 3 && edit export "$tree" || return
    same "0001-first.patch 0003-third.patch" "$(names)" && gives_the_tree && has_not "$T/out/src/a.c" "second hook" &&
        # For make: UPSTREAM is new although it says the same, and what is the same is not.
        same "0003-third.patch UPSTREAM" \
            "$(cd "$patches" && find . -type f -newermt "2020-01-02" -printf '%f\n' | sort | paste -sd' ')" &&
        diff "$T/first/UPSTREAM" "$patches/UPSTREAM"
}

forgets_hash() {
    afresh || return
    rebase 1 2 && edit export "$tree" && grep 'src/a.c' "$patches/UPSTREAM" &&
        ! grep 'src/b.c' "$patches/UPSTREAM"
}

reorders_patches() {
    afresh || return
    rebase 1 3 2 && same "Make the first hook
Make the third hook
Make the second hook" "$(git -C "$tree" log --reverse --format=%s pristine..)" || return
    edit export "$tree" && same "0001-first.patch 0002-third.patch 0003-second.patch" "$(names)" && gives_the_tree &&
        same "Patch: 0002-third.patch" "$(git -C "$tree" log -1 --format=%B HEAD~1 | grep Patch)" &&
        same "the commits and the patches are the same" "$(edit status "$tree")"
}

inserts_patch() {
    afresh || return
    insert "$tree/.gitignore" 1 "/new" && commit -m "Between" && rebase 1 4 2 3 && edit export "$tree" &&
        same "0001-first.patch 0002-between.patch 0003-second.patch 0004-third.patch" "$(names)" && gives_the_tree
}

fills_gap() {
    afresh || return
    rebase 1 3 && edit export "$tree" || return
    insert "$tree/.gitignore" 1 "/new" && commit -m "Last" && edit export "$tree" &&
        same "0001-first.patch 0003-third.patch 0004-last.patch" "$(names)"
}

squashes_without_second_name() {
    afresh || return
    # What squash leaves in a message: both names.
    rebase 1 2:squash 3 && keeps refused "more than one line 'Patch: ...'" edit export "$tree"
}

warns_of_long_hook() {
    afresh || return
    insert "$tree/src/a.c" 25 'one\ntwo\nthree\nfour' && commit -m "Too long" && edit export "$tree" 2>&1 >/dev/null |
        grep -F "warning: 0004-too-long.patch: src/a.c: the hunk at line 25 adds 4 lines; a hook has at most three"
}

reports_changes() {
    afresh || return
    same "the commits and the patches are the same" "$(edit status "$tree")" || return
    insert "$tree/src/a.c" 1 "an early line"
    same "not committed: src/a.c
the commits and the patches are the same" "$(edit status "$tree")" || return
    commit --fixup HEAD~2
    edit status "$tree" | grep "^not to be exported yet: the commit 'fixup! Make the first hook'" >/dev/null || return
    rebase 1 2 4 || return
    insert "$tree/.gitignore" 1 "/new" && commit -m "Last"
    sed -i 's/Why\./Whyever./' "$patches/0003-third.patch"
    same "changed   0001-first.patch
changed   0003-third.patch
new       0004-last.patch
removed   0002-second.patch
changed in $patches since the tree was opened: 0003-third.patch" "$(edit status "$tree")"
}

try "a fixup of an early patch moves the later ones, and nothing else" changes_early_patch
try "a new commit becomes the next patch, named by its subject, and new hashes are recorded" adds_patch
try "a new commit can name its patch" names_patch_by_its_line
try "the file of a dropped commit is removed; the others keep their names, and make is told" drops_patch
try "the hash of a file that no patch touches any more goes" forgets_hash
try "reordered commits are renumbered, also in what they remember" reorders_patches
try "a commit in between pushes the numbers behind it up" inserts_patch
try "a new patch does not take the number of a dropped one before it" fills_gap
try "a squash that left both names is refused" squashes_without_second_name
try "a hook of more than three lines gets a warning" warns_of_long_hook
try "patches with wrong line numbers and other programs' lines become regular" makes_patches_regular
try "status says what differs" reports_changes

# --- refusing ---------------------------------------------------------------------------------------------------------

refuses_uncommitted() {
    afresh || return
    insert "$tree/src/a.c" 1 "an early line"
    keeps refused "not committed in $tree: src/a.c" edit export "$tree" && git -C "$tree" checkout -q . || return
    echo new >"$tree/src/c.c"
    keeps refused "not committed in $tree: src/c.c" edit export "$tree"
}

refuses_unfinished() {
    afresh || return
    rebase 1:edit 2 3
    keeps refused "a rebase is not finished" edit export "$tree" && keeps refused "a rebase is" edit open "$tree" &&
        edit status "$tree" | grep "^a rebase is not finished" >/dev/null && git -C "$tree" rebase --abort || return
    git -C "$tree" checkout -q --detach HEAD~1
    keeps refused "no branch is checked out" edit export "$tree" && git -C "$tree" checkout -q patches || return
    # Two that stop at a conflict.
    sed -i 's/second hook/& as well/' "$tree/src/a.c" && commit -m "In the way" || return
    ! rebase 1 4 2 3 || return
    keeps refused "a rebase is not finished" edit export "$tree" && git -C "$tree" rebase --abort || return
    ! git -C "$tree" revert --no-edit HEAD~2 || return
    keeps refused "revert is not finished" edit export "$tree"
}

# refuses_commit TEXT COMMAND...: what the command did to the files, committed.
refuses_commit() {
    local text=$1
    shift
    afresh && (cd "$tree" && "$@") && commit -m "Bad" && keeps refused "$text" edit export "$tree"
}

refuses_what_patches_cannot() {
    refuses_commit "the commit 'Bad' creates src/c.c" cp src/a.c src/c.c &&
        refuses_commit "the commit 'Bad' removes src/b.c" rm src/b.c &&
        refuses_commit "the commit 'Bad' changes the mode of src/a.c" chmod +x src/a.c &&
        refuses_commit "the commit 'Bad' changes a binary file" sed -i '1s/^/\x00/' src/a.c
}

refuses_odd_history() {
    afresh || return
    git -C "$tree" checkout -q -b side HEAD~1 && insert "$tree/.gitignore" 1 "/new" && commit -m "Side" &&
        git -C "$tree" checkout -q patches && git -C "$tree" merge -q -m "Merge" side || return
    keeps refused "there is a merge commit" edit export "$tree" || return
    afresh
    git -C "$tree" commit -q --allow-empty -m "Nothing"
    keeps refused "the commit 'Nothing' changes nothing" edit export "$tree" || return
    git -C "$tree" reset -q --hard pristine
    keeps refused "no commit after pristine" edit export "$tree" || return
    git -C "$tree" checkout -q --orphan patches2 && git -C "$tree" commit -q -m "Root"
    keeps refused "the commit of the unpatched Darknet was changed" edit export "$tree" || return
    afresh
    insert "$tree/.gitignore" 1 "/new" && commit -m "Copied" -m "Patch: 0002-second.patch"
    keeps refused "two commits have the line 'Patch: 0002-second.patch'" edit export "$tree" &&
        git -C "$tree" commit -q --amend -m "Named" -m "Patch: ../escape" &&
        keeps refused "'../escape' is no name for a patch" edit export "$tree"
}

refuses_changed_patches() {
    afresh || return
    insert "$tree/src/a.c" 1 "an early line" && commit -m "Fourth"
    sed -i 's/Why\./Whyever./' "$patches/0003-third.patch"
    keeps refused "$patches was changed since $tree was opened: 0003-third.patch" edit export "$tree" || return
    cp "$T/first/0003-third.patch" "$patches" && cp "$T/first/0003-third.patch" "$patches/0005-fifth.patch"
    keeps refused "was changed since $tree was opened: 0005-fifth.patch" edit export "$tree" || return
    rm "$patches/0005-fifth.patch"
    echo "# more" >>"$patches/UPSTREAM"
    keeps refused "was changed since $tree was opened: UPSTREAM" edit export "$tree"
}

# An export that was interrupted between two of its renames can be repeated.
finishes_interrupted_export() {
    afresh || return
    insert "$tree/src/a.c" 1 "an early line" && commit --fixup HEAD~2 && rebase 1 2 3 4 || return
    cp -r "$patches" "$T/old-patches" && cp -r "$tree" "$T/old-tree" && edit export "$tree" || return
    cp -r "$patches" "$T/new-patches"
    rm -rf "$tree" && mv "$T/old-tree" "$tree" && cp "$T/old-patches/0002-second.patch" "$patches/"
    edit export "$tree" && diff -r "$T/new-patches" "$patches"
}

# With a get-darknet whose patched trees have a line too many.
writes_only_what_was_verified() {
    afresh || return
    insert "$tree/src/a.c" 1 "an early line" && commit -m "Fourth"
    mv "$T/repo/scripts/get-darknet" "$T/repo/scripts/right"
    cat >"$T/repo/scripts/get-darknet" <<'SH'
#!/bin/sh
"${0%/*}/right" "$@" && case $1 in --*) ;; *) echo "too much" >>"$1/src/b.c" ;; esac
SH
    chmod +x "$T/repo/scripts/get-darknet"
    keeps refused "the new patches would not give the files of $tree: src/b.c; nothing was written" edit export "$tree"
    local status=$?
    mv "$T/repo/scripts/right" "$T/repo/scripts/get-darknet"
    return "$status"
}

refuses_to_open_over_work() {
    afresh && edit open "$tree" || return
    insert "$tree/src/a.c" 1 "an early line"
    keeps refused "has work that is not exported (not committed: src/a.c)" edit open "$tree" || return
    git -C "$tree" stash -q
    keeps refused "has work that is not exported (commits on a branch or in the stash)" edit open "$tree" || return
    git -C "$tree" stash pop -q && commit -m "Fourth"
    keeps refused "has work that is not exported (commits on" edit open "$tree" || return
    edit export "$tree" && edit open "$tree" && has "$tree/src/a.c" "an early line"
}

refuses_foreign_folders() {
    afresh || return
    mkdir "$T/foreign" && echo mine >"$T/foreign/thesis"
    keeps refused "was not made by edit-patches" edit open "$T/foreign" && has "$T/foreign/thesis" mine &&
        keeps refused "was not made by edit-patches" edit export "$T/foreign" &&
        keeps refused "was not made by edit-patches" edit status "$tree/src" &&
        keeps refused "is not there; scripts/edit-patches open makes it" edit export "$T/none"
}

# Else get-darknet would replace the work in it.
get_darknet_leaves_tree_alone() {
    afresh && ! prepare "$tree" 2>/dev/null && has "$tree/src/a.c" "third hook"
}

refuses_bad_patches() {
    afresh || return
    rm -rf "$tree"
    sed -i '1s/Subject: //' "$patches/0002-second.patch"
    keeps refused "0002-second.patch does not begin with a line 'Subject: ...'" edit open "$tree" || return
    sed -i 's/second hook/& x/; s/^ .*/ no such line/' "$patches/0002-second.patch"
    sed -i '1s/^/Subject: /' "$patches/0002-second.patch"
    keeps refused "cannot apply 0002-second.patch" edit open "$tree"
}

refuses_wrong_usage() {
    refused "say open, export or status" edit && refused "unknown command close" edit close &&
        refused "unknown option --force" edit open --force && refused "more than one FOLDER" edit open a b
}

missing_git_is_named() {
    mkdir "$T/bin"
    for name in bash dirname; do ln -s "$(command -v "$name")" "$T/bin/"; done
    refused "install Debian's package git" env PATH="$T/bin" "$T/repo/scripts/edit-patches" open
}

try "uncommitted changes and forgotten files are refused" refuses_uncommitted
try "an unfinished rebase or revert, and a HEAD on no branch, are refused" refuses_unfinished
try "new and removed files, modes and binary files are refused" refuses_what_patches_cannot
try "merges, empty commits, another root and doubtful names are refused" refuses_odd_history
try "patches that were changed since they were opened are not overwritten" refuses_changed_patches
try "an export that was interrupted between its renames can be repeated" finishes_interrupted_export
try "patches that do not give the tree are not written" writes_only_what_was_verified
try "open does not replace work that was not exported, and does replace what was" refuses_to_open_over_work
try "folders that edit-patches did not make are refused" refuses_foreign_folders
try "get-darknet does not replace an opened tree" get_darknet_leaves_tree_alone
try "a patch without a subject, and one that does not fit, are named" refuses_bad_patches
try "wrong usage is answered in one line" refuses_wrong_usage
try "a missing git is named with its package" missing_git_is_named

# --- the real package and the real patches ----------------------------------------------------------------------------

real_patches_stay() {
    env PATCHES="$T/real-patches" "$root/scripts/edit-patches" export "$T/real" >/dev/null || return
    diff -r "$root/darknet-patch" "$T/real-patches"
}

# A real patch whose lines are where it says gives no remark about an offset.
real_patches_have_no_offset() {
    local name
    git -C "$T/real" checkout -q -B check pristine || return
    for name in "$root"/darknet-patch/[0-9]*.patch; do
        patch -d "$T/real" -p1 --fuzz=0 --batch --no-backup-if-mismatch -i "$name" | grep -B 1 'offset' && return 1
    done
    return 0
}

cp -r "$root/darknet-patch" "$T/real-patches"
said=$(env PATCHES="$T/real-patches" "$root/scripts/edit-patches" open "$T/real" 2>&1) || true
case $said in
    *"cannot fetch"* | *"names no package source"* | *"the command "*" is missing"*)
        for ((i = 0; i < 2; i++)); do skip "the real package is not here: ${said##*get-darknet: }"; done
        ;;
    *)
        try "the real patches are as export writes them, byte for byte" real_patches_stay
        try "the real patches stand at the lines that they name" real_patches_have_no_offset
        ;;
esac

finish
