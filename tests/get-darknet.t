#!/usr/bin/env bash
# scripts/get-darknet, in TAP. Most tests use a Darknet of a few lines, packed like Debian's package and fetched from a
# folder, so that fetching, verifying and errors are tested without a network. The last part uses the real package and
# the real patches.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C
unset DARKNET PATCHES APT_ETC

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# same WANTED GOT
same() { diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"); }

# Everything about a folder that a careless copy or patch would change.
fingerprint() { (cd "$1" && find . -printf '%p %y %m %T@ %l\n' | sort && find . -type f -exec sha256sum {} + | sort); }

# refused TEXT COMMAND...: it fails, and says so in one line that holds TEXT.
refused() {
    local text=$1 said
    shift
    if said=$("$@" 2>&1 >/dev/null); then
        echo "it was accepted"
        return 1
    fi
    said=$(grep -v '^get-darknet: fetching' <<<"$said")
    [ "$(wc -l <<<"$said")" = 1 ] && [[ $said == "get-darknet: "*"$text"* ]] && return
    printf 'wanted one line with: %s\ngot: %s\n' "$text" "$said"
    return 1
}

# keeps_output COMMAND...: the command leaves the prepared folder $T/out as it was, and nothing of its own beside it.
keeps_output() {
    local before after
    before=$(fingerprint "$T/out" && ls "$T")
    "$@" || return
    after=$(fingerprint "$T/out" && ls "$T")
    same "$before" "$after"
}

# has FILE TEXT: among the lines of the file is this one.
has() { grep -qxF -- "$2" "$1" || { echo "$1 has no line: $2"; return 1; }; }
has_not() { ! grep -qxF -- "$2" "$1" || { echo "$1 has the line: $2"; return 1; }; }

# --- a private copy of the script, and the small Darknet --------------------------------------------------------------

version=$(sed -n 's/^version=//p' "$root/scripts/get-darknet")
upstream_archive=darknet_${version%-*}.orig.tar.xz
debian_archive=darknet_$version.debian.tar.xz

mkdir -p "$T/repo/scripts" "$T/patches" "$T/etc/sources.list.d" "$T/served"
cp "$root/scripts/get-darknet" "$T/repo/scripts/"

# get [VARIABLE=VALUE...] [ARGUMENTS...]: the copy, with the small patches and the sources in $T/etc.
get() {
    local settings=(APT_ETC="$T/etc" PATCHES="$T/patches")
    while [[ ${1-} == [A-Z]*=* ]]; do
        settings+=("$1")
        shift
    done
    env "${settings[@]}" "$T/repo/scripts/get-darknet" "$@"
}

# change FILE NUMBER TEXT: puts TEXT into that line and prints the patch that does so, with one line of context.
change() {
    sed "$2s/.*/$3/" "$1" >"$T/changed"
    diff -U1 --label "a/$1" --label "b/$1" "$1" "$T/changed"
    mv "$T/changed" "$1"
}

small=$T/small/darknet
debian=$T/small/debian/patches
mkdir -p "$small"/{src,include,python} "$debian"
for name in Makefile README.md python/darknet.py src/image.c src/image_opencv.cpp src/utils.c include/darknet.h; do
    printf '%s\n' "first of $name" second third fourth fifth >"$small/$name"
done
cp -r "$small" "$T/patched"
(
    cd "$T/patched" || exit
    change src/image.c 2 "folders of Debian" >"$debian/0001_fix_data_label_path.patch"
    change Makefile 2 "OpenCV 4" >"$debian/0003-Fix-compilation-with-latest-OpenCV.patch"
    change Makefile 5 "C++11" >"$debian/0004-Enable-C-11-for-OpenCV-4.patch"
    change src/image_opencv.cpp 2 "use after free" >"$debian/0005-Fix-1421-use-after-free.patch"
    change src/utils.c 2 "hook" >"$T/patches/0001-hook.patch"
    change include/darknet.h 3 "field" >>"$T/patches/0001-hook.patch"
    change src/utils.c 3 "after hook" >"$T/patches/0002-after-hook.patch"
    # Without a number it is a draft, which must not be applied.
    change src/utils.c 5 "draft" >"$T/patches/draft.patch"
)

# Packed as Debian does, and served from a folder as a repository.
tar -C "$T/small" -cJf "$T/served/$upstream_archive" darknet
tar -C "$T/small" -cJf "$T/served/$debian_archive" debian
serve() {
    local name
    cd "$T/served" || return
    echo "Source: darknet" >"darknet_$version.dsc"
    {
        printf '%s\n' "Package: darknet" "Binary: darknet" "Version: $version" "Architecture: any" "Directory: ."
        echo "Format: 3.0 (quilt)"
        echo "Files:"
        for name in *.dsc *.xz; do echo " $(md5sum <"$name" | cut -c -32) $(stat -c %s "$name") $name"; done
        echo "Checksums-Sha256:"
        for name in *.dsc *.xz; do echo " $(sha256sum <"$name" | cut -c -64) $(stat -c %s "$name") $name"; done
    } >Sources
}
(serve)
echo "deb [trusted=yes] copy:$T/served ./" >"$T/etc/sources.list"

(cd "$T/served" && sha256sum "$upstream_archive" "$debian_archive") >"$T/patches/UPSTREAM"
get DARKNET="$small" --hashes >"$T/UPSTREAM"
mv "$T/UPSTREAM" "$T/patches/UPSTREAM"

# --- apt's sources ----------------------------------------------------------------------------------------------------

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")

mkdir -p "$T/one-line/sources.list.d" "$T/deb822/sources.list.d"
cat >"$T/one-line/sources.list" <<LINES
# a comment
#deb http://commented.invalid/debian $codename main
deb cdrom:[Debian GNU/Linux #1]/ $codename main
  deb	[ arch=amd64,arm64 signed-by=/keys/one.gpg  lang-=de ] http://one.invalid/debian $codename main contrib # why
deb-src http://two.invalid/debian $codename-updates main
deb http://two.invalid/debian   $codename-updates main
deb [arch=amd64] http://three.invalid/debian stable main
LINES
cat >"$T/one-line/sources.list.d/other.list" <<LINES
deb [signed-by=/keys/#4.gpg trusted=no] http://four.invalid/thing ./
deb http://four.invalid/debian $codename-backports main
LINES
echo "deb http://five.invalid/debian $codename main" >"$T/one-line/sources.list.d/other.list.disabled"

one_line_release="deb-src [ signed-by=/keys/one.gpg ] http://one.invalid/debian $codename main contrib
deb-src http://two.invalid/debian $codename-updates main
deb-src http://three.invalid/debian stable main"
one_line_rest="deb-src [ signed-by=/keys/#4.gpg trusted=no ] http://four.invalid/thing ./
deb-src http://four.invalid/debian $codename-backports main"

cat >"$T/deb822/sources.list.d/a.sources" <<STANZAS
# a comment
Types: deb deb-src
# http://comment.invalid
URIs: http://one.invalid/debian
Suites: $codename $codename-updates
 $codename-backports
Components: main contrib
Architectures: amd64
 arm64
Signed-By: /keys/one.gpg


types: deb
uris: http://two.invalid/security
suites: $codename-security
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 # not really a key: and no field either
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://off.invalid/debian
Suites: $codename
Enabled: No
Components: main
STANZAS
# Without a newline at the end: the next file must not run into it.
printf 'Enabled: yes\nTypes: deb\nURIs: http://three.invalid/thing\nSuites: ./\nTargets: Packages' \
    >"$T/deb822/sources.list.d/b.sources"
printf 'Types: deb\nURIs: cdrom:[Debian]/\nSuites: %s\nComponents: main\n' "$codename" \
    >"$T/deb822/sources.list.d/c.sources"

# deb822_stanzas SUITES: what the first two stanzas become, the first one with these suites.
deb822_stanzas() {
    cat <<STANZAS
Types: deb-src
URIs: http://one.invalid/debian
Suites: $1
Components: main contrib
Signed-By: /keys/one.gpg

Types: deb-src
URIs: http://two.invalid/security
Suites: $codename-security
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 # not really a key: and no field either
 -----END PGP PUBLIC KEY BLOCK-----
STANZAS
}

first="# asked first: the suites of this release"
then="# asked if that fails: everything"

one_line_sources() {
    same "$first
$one_line_release
$then
$one_line_release
$one_line_rest" "$(env APT_ETC="$T/one-line" "$T/repo/scripts/get-darknet" --print-sources)"
}

deb822_sources() {
    same "$first
$(deb822_stanzas "$codename $codename-updates")

$then
$(deb822_stanzas "$codename $codename-updates $codename-backports")

Types: deb-src
URIs: http://three.invalid/thing
Suites: ./" "$(env APT_ETC="$T/deb822" "$T/repo/scripts/get-darknet" --print-sources)"
}

try "one-line sources become deb-src: keys kept; comments, cdrom and choices of binaries dropped" one_line_sources
try "deb822 sources become deb-src: keys kept, also whole ones; disabled stanzas and choices of binaries dropped" \
    deb822_sources

# --- DARKNET=<folder> -------------------------------------------------------------------------------------------------

takes_given_tree() {
    local given=$T/given before
    rm -rf "$given"
    cp -r "$small" "$given"
    # What Debian's patches, a user and a build may have changed or added.
    for name in Makefile README.md python/darknet.py src/image.c src/image_opencv.cpp; do
        echo "another line" >>"$given/$name"
    done
    mkdir -p "$given"/{.git,obj,backup,results,data/labels,data/coco,examples}
    touch "$given"/{.git/config,obj/a.d,backup/a,results/a,data/coco/a.jpg}
    touch "$given"/{darknet,libdarknet.so,libdarknet.a,src/a.o,a.weights}
    touch "$given"/{data/labels/a.png,data/voc.names,examples/darknet.c}
    chmod a-w "$given/src/utils.c"
    before=$(fingerprint "$given")
    get DARKNET="$given" "$T/out" || return
    same "$before" "$(fingerprint "$given")" &&
        has "$T/out/src/utils.c" "hook" && has "$T/out/include/darknet.h" "field" &&
        has "$T/out/src/utils.c" "after hook" && has_not "$T/out/src/utils.c" "draft" &&
        has "$T/out/Makefile" "another line" && has "$T/out/src/image.c" "another line" &&
        same "./.prepared ./Makefile ./README.md ./data/labels/a.png ./data/voc.names ./examples/darknet.c\
 ./include/darknet.h ./python/darknet.py ./src/image.c ./src/image_opencv.cpp ./src/utils.c" \
            "$(cd "$T/out" && find . ! -type d | sort | paste -sd' ')"
}

leaves_out_our_patches() {
    get DARKNET="$small" --pristine "$T/plain" || return
    diff -r --exclude=.prepared "$small" "$T/plain"
}

says_what_was_applied() {
    same "$(cat "$T"/patches/000[12]*.patch | sha256sum | cut -c -64)" "$(cat "$T/out/.prepared")" &&
        same "" "$(find "$T/out" -type f -newer "$T/out/.prepared")"
}

keeps_dates() { same "$(stat -c %Y "$small/README.md")" "$(stat -c %Y "$T/plain/README.md")"; }

refuses_changed_file() {
    local given=$T/given before
    rm -rf "$given"
    cp -r "$small" "$given"
    sed -i 's/fifth/FIFTH/' "$given/include/darknet.h"  # not a line that the patch would notice
    before=$(fingerprint "$given")
    keeps_output refused "include/darknet.h in DARKNET=" get DARKNET="$given" "$T/out" &&
        same "$before" "$(fingerprint "$given")"
}

refuses_missing_file() {
    rm -rf "$T/given"
    cp -r "$small" "$T/given"
    rm "$T/given/src/utils.c"
    keeps_output refused "src/utils.c in DARKNET=" get DARKNET="$T/given" "$T/out"
}

refuses_patched_tree() { keeps_output refused "src/utils.c in DARKNET=" get DARKNET="$T/patched" "$T/out"; }

refuses_folder_inside_other() {
    refused "lies inside DARKNET" get DARKNET="$small" "$small/build" && [ ! -e "$small/build" ] &&
        cp -r "$small" "$T/out/inside" &&
        keeps_output refused "lies inside OUTPUT" get DARKNET="$T/out/inside" "$T/out" &&
        rm -r "$T/out/inside"
}

names_failing_patch() {
    cp -r "$T/patches" "$T/misfit"
    sed -i 's/^ fourth/ FOURTH/' "$T/misfit/0002-after-hook.patch"
    keeps_output refused "apply 0002-after-hook.patch" get DARKNET="$small" PATCHES="$T/misfit" "$T/out"
}

refuses_unlisted_file() {
    cp -r "$T/patches" "$T/unlisted"
    sed -i '/utils/d' "$T/unlisted/UPSTREAM"
    keeps_output refused "no hash for src/utils.c" get DARKNET="$small" PATCHES="$T/unlisted" "$T/out"
}

# Stopped while it patches: the patch command waits here until the signal was sent.
stop_half_way() {
    local pid
    env DARKNET="$small" PATCHES="$T/patches" PATH="$T/slow:$PATH" "$T/repo/scripts/get-darknet" "$T/out" &
    pid=$!
    until [ -e "$T/slow/started" ] || ! kill -0 "$pid"; do sleep .02; done
    kill -TERM "$pid"
    touch "$T/slow/go"
    wait "$pid"
    same 143 $?
}

survives_signal() {
    mkdir "$T/slow"
    cat >"$T/slow/patch" <<STUB
#!/bin/sh
touch "$T/slow/started"
until [ -e "$T/slow/go" ]; do sleep .02; done
STUB
    chmod +x "$T/slow/patch"
    keeps_output stop_half_way
}

refuses_foreign_output() {
    mkdir -p "$T/foreign"
    echo mine >"$T/foreign/thesis"
    refused "was not made by get-darknet" get DARKNET="$small" "$T/foreign" && has "$T/foreign/thesis" mine
}

refuses_edited_output() {
    mkdir "$T/edited" && get DARKNET="$small" "$T/edited" && echo "by hand" >>"$T/edited/src/utils.c" &&
        refused "$T/edited/src/utils.c was edited" get DARKNET="$small" "$T/edited" &&
        has "$T/edited/src/utils.c" "by hand"
}

refuses_wrong_usage() {
    refused "unknown option --prisitne" get --prisitne "$T/out" &&
        refused "more than one OUTPUT" get "$T/out" "$T/out2" &&
        refused "is not a folder that holds Darknet" get DARKNET="$T/served" "$T/out"
}

# A PATH that has what every Debian has, but not what can be missing.
mkdir "$T/bin"
for name in awk bash cat chmod cp cut df dirname env find grep ls mkdir mktemp mv realpath rm sha256sum sort tail timeout \
    xargs; do
    ln -s "$(command -v $name)" "$T/bin/"
done
missing_command_is_named() {
    ln -s "$(command -v tar)" "$T/bin/"
    refused "install Debian's package patch" get PATH="$T/bin" "$T/out" &&
        ln -s "$(command -v patch)" "$T/bin/" &&
        refused "install Debian's package xz-utils" get PATH="$T/bin" "$T/out" &&
        ln -s "$(command -v xz)" "$T/bin/" &&
        refused "apt-get is missing" get PATH="$T/bin" "$T/out" &&
        get DARKNET="$small" PATH="$T/bin" "$T/out"
}

try "a given Darknet is copied without built files and data sets, patched, and itself left as it was" takes_given_tree
try ".prepared holds the hash of the applied patches and is the newest file" says_what_was_applied
try "--pristine leaves out our patches" leaves_out_our_patches
try "unpatched files keep their dates" keeps_dates
try "a given Darknet with one changed file that we patch is refused, by name; it and OUTPUT stay" refuses_changed_file
try "a given Darknet without a file that we patch is refused; OUTPUT stays" refuses_missing_file
try "a given Darknet that is patched already is refused; OUTPUT stays" refuses_patched_tree
try "OUTPUT inside DARKNET and DARKNET inside OUTPUT are refused" refuses_folder_inside_other
try "a patch that does not fit is named; OUTPUT stays" names_failing_patch
try "a patched file that UPSTREAM does not list is refused; OUTPUT stays" refuses_unlisted_file
try "stopped half way it leaves OUTPUT as it was, and nothing beside it" survives_signal
try "a folder that get-darknet did not make is never replaced" refuses_foreign_output
try "files that were edited in OUTPUT are not lost" refuses_edited_output
try "wrong usage is answered in one line" refuses_wrong_usage
try "a missing command is named with its package" missing_command_is_named

# --- fetching, from the folder ----------------------------------------------------------------------------------------

fetches() {
    rm -rf "$T/repo/build" "$T/plain" "$T/out"
    get "$T/out" && get --pristine "$T/plain" || return
    has "$T/plain/Makefile" "OpenCV 4" && has "$T/plain/Makefile" "C++11" &&
        has "$T/plain/src/image_opencv.cpp" "use after free" && has_not "$T/plain/src/image.c" "folders of Debian" &&
        has_not "$T/plain/src/utils.c" "hook" &&
        has "$T/out/Makefile" "C++11" && has "$T/out/src/utils.c" "after hook"
}

fetches_once() {
    mkdir -p "$T/no-sources"
    get APT_ETC="$T/no-sources" "$T/out"
}

prints_same_hashes() { same "$(cat "$T/patches/UPSTREAM")" "$(get --hashes)"; }

mends_cache() {
    local archive="$T/repo/build/download/$upstream_archive"
    echo damage >>"$archive"
    get "$T/out" 2>/dev/null && cmp "$archive" "$T/served/$upstream_archive"
}

# The repository vouches for the archive, as apt sees it; it is just not the one that we know.
refuses_other_archive() {
    rm -rf "$T/repo/build"
    tar -C "$T" -cJf "$T/served/$upstream_archive" patched
    (serve)
    keeps_output refused "$upstream_archive came with another SHA-256" get "$T/out" &&
        [ ! -e "$T/repo/build/download/$upstream_archive" ]
}

says_why_nothing_came() {
    rm -rf "$T/repo/build"
    mkdir -p "$T/no-sources" "$T/no-darknet"
    echo "deb [trusted=yes] copy:$T/none-such ./" >"$T/no-darknet/sources.list"
    keeps_output refused "names no package source" get APT_ETC="$T/no-sources" "$T/out" &&
        keeps_output refused "cannot fetch Darknet" get APT_ETC="$T/no-darknet" "$T/out"
}

fetching=(
    "the package is fetched by apt-get and gets Debian's patches 0003 to 0005 and ours" fetches
    "what was fetched is used again, without any source" fetches_once
    "--hashes prints the same for the package and for a given tree" prints_same_hashes
    "a damaged archive in the cache is fetched again" mends_cache
    "an archive with another hash than UPSTREAM's is refused and not stored; OUTPUT stays" refuses_other_archive
    "no source, and no Darknet in the sources, are told apart in one line; OUTPUT stays" says_why_nothing_came
)
for ((i = 0; i < ${#fetching[@]}; i += 2)); do
    if command -v apt-get >/dev/null && command -v xz >/dev/null; then
        try "${fetching[i]}" "${fetching[i + 1]}"
    else
        skip "fetching needs apt-get and xz"
    fi
done

# --- the real package and the real patches ----------------------------------------------------------------------------

real=$root/scripts/get-darknet

reversing_gives_pristine() {
    local patches=("$root"/darknet-patch/[0-9]*.patch) i
    [ -e "${patches[0]}" ] || patches=()
    "$real" "$T/real" || return
    for ((i = ${#patches[@]} - 1; i >= 0; i--)); do
        patch -d "$T/real" -R -p1 --fuzz=0 --no-backup-if-mismatch --batch --silent -i "${patches[i]}" || return
    done
    diff -r --exclude=.prepared "$T/pristine" "$T/real"
}

upstream_is_current() { same "$(cat "$root/darknet-patch/UPSTREAM")" "$("$real" --hashes)"; }

# The five files in which pjreddie's later master differs: one set of patches serves both only without them.
later_master_is_accepted() {
    local name
    cp -r "$T/pristine" "$T/master"
    for name in Makefile README.md python/darknet.py src/image.c src/image_opencv.cpp; do
        echo "another line" >>"$T/master/$name"
    done
    env DARKNET="$T/master" "$real" "$T/from-master" || return
    for name in Makefile README.md python/darknet.py src/image.c src/image_opencv.cpp; do
        cmp "$T/master/$name" "$T/from-master/$name" || return
    done
}

# Only what the machine cannot give is a reason to skip: any other failure must show, as the failures of the tests.
said=$("$real" --pristine "$T/pristine" 2>&1) || true
case $said in
    *"cannot fetch"* | *"names no package source"* | *"the command "*" is missing"*)
        for ((i = 0; i < 3; i++)); do skip "the real package is not here: ${said##*get-darknet: }"; done
        ;;
    *)
        try "reversing our patches gives back the pristine Darknet, byte for byte" reversing_gives_pristine
        try "UPSTREAM is what --hashes prints" upstream_is_current
        try "our patches leave alone what differs in pjreddie's later master" later_master_is_accepted
        ;;
esac

finish
