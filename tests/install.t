#!/usr/bin/env bash
# make install and make uninstall, in TAP: the installed program works in any folder, programs can be compiled with the
# library, man page and completion have every option of the commands, and uninstall leaves nothing.

# shellcheck disable=SC2317  # the functions are reached, by way of try

set -uo pipefail
export LC_ALL=C OMP_NUM_THREADS=1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 1

# shellcheck source=tests/helpers/tap.sh
. "$root/tests/helpers/tap.sh"

# For root by default, and what only root may read would be of no use to others.
umask 077
run_make() { make -C "$root" --no-print-directory "$@"; }

# in_package TARGET: as for a package: below a folder that is not there yet.
package=$T/new/package
in_package() { run_make "$1" DESTDIR="$package" PREFIX=/usr; }

installs() {
    run_make -s variant
    diff <(echo "installed $package/usr/bin/darknet and what belongs to it") <(in_package install 2>&1)
}

everybody_may_read() {
    local hidden
    hidden=$(find "$package" ! -perm -o=r -o -type d ! -perm -o=x -o -path '*/bin/*' ! -perm -o=x)
    [ -z "$hidden" ] || { echo "$hidden" && return 1; }
}

# The names that others rely on: programs, letters.c, pkg-config, man and bash.
has_its_files() {
    local file status=0
    for file in bin/darknet lib/libdarknet.so lib/libols.a lib/pkgconfig/{darknet-ols,libols}.pc \
        include/{darknet-ols/darknet.h,darknet-ols/accel/cpu/accel_cpu.h,ols/ols.h} \
        share/darknet-ols/cfg/{demo,yolov3-voc-ols}.cfg bin/../share/darknet-ols/data/labels/32_0.png \
        share/man/man1/darknet{-ols,}.1 share/bash-completion/completions/darknet; do
        [ -s "$package/usr/$file" ] || { echo "no $file" && status=1; }
    done
    return "$status"
}

is_of_itself() {
    ldd "$package/usr/bin/darknet" >ldd.txt && ! grep -E 'libdarknet|not found' ldd.txt &&
        ! readelf -d "$package/usr/bin/darknet" "$package/usr/lib/libdarknet.so" | grep -E 'RPATH|RUNPATH' &&
        ! grep -rlF -e "$package" -e "$root" "$package"
}

runs_elsewhere() {
    mkdir -p elsewhere && cd elsewhere && PATH=$package/usr/bin:$PATH &&
        darknet ops "$package/usr/share/darknet-ols/cfg/cifar10-resnet8.cfg" -nogpu 2>/dev/null | grep 'Operations: [1-9]' &&
        darknet ols deploy "$package/usr/share/darknet-ols/cfg/cifar10-resnet8.cfg" portable.cfg && [ -s portable.cfg ]
}

# --- Programs ---------------------------------------------------------------------------------------------------------

# flags PACKAGE: by pkg-config, which is told that / is the folder of the package.
flags() {
    PKG_CONFIG_PATH=$package/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$package PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
        PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --cflags --libs "$1"
}

cat >program.c <<'END'
#include <accel/cpu/accel_cpu.h>
#include <darknet.h>
#include <ols/ols.h>

int main(void)
{
    float input[8 * 8 * 3] = {0}, sum = 0;
    network *net;
    int i;
    gpu_index = -1;
    accel_allow_plans(0);
    net = load_network((char *)"net.cfg", 0, 0);
    network_predict(net, input);
    for (i = 0; i < net->outputs; ++i) sum += net->output[i];
    printf("%d layers, %dx%d, the last is %s with %d classes, sum %.3f\n", net->n, net->w, net->h,
           ols_smoothing_name(ols_default_options(OLS_LS).smoothing), net->layers[net->n - 1].outputs, sum);
    return 0;
}
END
printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 '[convolutional]' filters=5 size=3 stride=1 pad=1 \
    activation=relu '[avgpool]' '[ols]' smoothing=ls >net.cfg

# uses_the_library COMPILER...
uses_the_library() {
    local libraries
    # shellcheck disable=SC2046  # words
    "$@" program.c -x none $(flags darknet-ols) -o program || return 1
    libraries=$package/usr/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    [ "$(LD_LIBRARY_PATH=$libraries ./program 2>/dev/null)" = \
        '3 layers, 8x8, the last is ls with 5 classes, sum 1.000' ] || { LD_LIBRARY_PATH=$libraries ./program && return 1; }
    # accel_cpu.h makes it nothing in programs that lack the define of a library that has it.
    ! nm -D "$package/usr/lib/libdarknet.so" | grep -w accel_allow_plans >nm.txt || nm -u program | grep -w accel_allow_plans
}

# The numbers are those of Eq. 4 to 6 in NumPy.
cat >wanted.txt <<'END'
epoch 1: loss 1.2239
epoch 2: loss 0.4045
epoch 3: loss 0.4045
S[0] = 0.8361 0.1411 0.0227
S[1] = 0.0436 0.8766 0.0797
S[2] = 0.0121 0.0178 0.9701
delta of the last sample: -0.0182 0.0240 -0.0058
END
# uses_the_method FLAGS COMPILER...
uses_the_method() {
    local flags=$1
    shift
    # shellcheck disable=SC2086  # words
    "$@" -Wall -Wextra -Wpedantic -Werror "$root/docs/examples/libols.c" -x none $flags -o example &&
        ./example | diff wanted.txt -
}

# Not only what the example needs.
stands_alone() {
    # shellcheck disable=SC2046  # words
    gcc -shared -o all.so -Wl,--no-undefined -Wl,--whole-archive -L"$package/usr/lib" -lols -Wl,--no-whole-archive \
        $(flags libols)
}

# --- Man page and completion ------------------------------------------------------------------------------------------

commands=(check 'classifier train' 'classifier metrics' 'classifier suspects' 'detector train' 'detector map' 'detector anchors' 'ols show' 'ols plot' 'ols deploy')

# Of Darknet itself: one subsection of the man page has them all.
darknets=('classifier predict' 'classifier valid' 'classifier demo' 'detector test' 'detector valid' 'detector demo' detect ops speed)

# options_of COMMAND: those that its --help names.
options_of() {
    # shellcheck disable=SC2086  # words
    "$package/usr/bin/darknet" $1 --help | grep -oE '(^|[[ (])-[a-z][a-z_]*' | grep -oE -- '-.*' | sort -u
}

# What bash offers for the words; the last one may be empty.
offered() {
    bash -c '. "$1/usr/share/bash-completion/completions/darknet" && shift && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) &&
        { _darknet; printf "%s\n" "${COMPREPLY[@]}"; }' bash "$package" "$@" | sort
}
offers() {
    local wanted=$1
    shift
    diff <(tr ' ' '\n' <<<"$wanted" | sort) <(offered "$@") && return
    echo "after: $*"
    return 1
}

man_page=$package/usr/share/man/man1/darknet.1

man_page_is_sound() {
    grep -q "^.Os darknet-ols $(<"$root/VERSION")\$" "$man_page" && ! grep -n '@[a-z]*@' "$man_page" &&
        grep -q '^darknet ols show' <(groff -ww -mdoc -Tascii -P-c "$man_page" 2>said.txt | sed 's/^ *//') &&
        { [ ! -s said.txt ] || { cat said.txt && return 1; }; }
}

# One of the subsections whose heading names the command has the option; some are of all.
man_page_knows_options() {
    local command option heading status=0 known
    for command in "${commands[@]}" "${darknets[@]}"; do
        heading="darknet $command"
        [[ " ${darknets[*]} " != *" $command "* ]] || heading='Commands of Darknet itself'
        known=$(awk -v heading="$heading" '/^\.S[sh]/ { here = index($0 ",", heading ",") || /DESCRIPTION/ } here' \
            "$man_page" | grep -oE 'Fl [a-z_]+' | sed 's/^Fl /-/')
        for option in $(options_of "$command"); do
            grep -qxe "$option" <<<"$known" || { echo "darknet $command: not in the man page: $option" && status=1; }
        done
    done
    return "$status"
}

completion_knows_options() {
    local command wanted status=0
    for command in "${commands[@]}" "${darknets[@]}"; do
        wanted=$({ options_of "$command"; printf '%s\n' -i -nogpu -dont_show; } | sort -u)
        # shellcheck disable=SC2086  # words
        diff <(echo "$wanted") <(offered darknet $command - | grep -vx -e --help) ||
            { echo "darknet $command: what --help names, and what is offered" && status=1; }
    done
    return "$status"
}

completion_of_commands() {
    offers 'detect detector' darknet detec && offers 'deploy plot show' darknet ols '' &&
        offers 'anchors demo map test train valid' darknet -nogpu -i 0 detector ''
}

completion_of_files() {
    mkdir -p files/sub && cd files && touch my.data my.cfg 'a b.cfg' a.weights b.backup c.conv.74 my.names x.png y.txt &&
        [ "$(offered darknet detector train my.data '')" = $'a b.cfg\nmy.cfg\nsub' ] &&
        offers 'my.data sub' darknet detector train '' &&
        offers 'a.weights b.backup c.conv.74 sub' darknet detector map my.data -points 11 -flip my.cfg '' &&
        offers 'sub' darknet detector map my.data -voc_out '' &&
        offers 'my.names sub y.txt' darknet ols show a.weights -names '' &&
        offers 'a.weights b.backup c.conv.74 sub' darknet ols plot '' &&
        offers 'a.weights b.backup c.conv.74 sub x.png' darknet ols plot a.weights b.backup '' &&
        offers '' darknet ols show a.weights -top '' &&
        offers 'my.cfg' darknet detector train -map my.data m && offers 'my.cfg' darknet detector train -map 5 my.data m
}

# --- Taking it away ---------------------------------------------------------------------------------------------------

# What an earlier version had installed goes with the next one.
replaces() {
    echo old >"$package/usr/share/darknet-ols/cfg/old.cfg" &&
        echo usr/share/darknet-ols/cfg/old.cfg >>"$package/usr/share/darknet-ols/installed" &&
        in_package install && [ ! -e "$package/usr/share/darknet-ols/cfg/old.cfg" ]
}

leaves_nothing() { in_package uninstall && [ ! -e "$T/new" ]; }

# The folders one by one, in one that is there already and holds files of others.
other_folders=(prefix="$T/mine" libdir="$T/mine/lib64" mandir="$T/mine/man")
leaves_what_is_not_ours() {
    mkdir -p mine/bin mine/lib64 && echo theirs >mine/bin/other && run_make install "${other_folders[@]}" &&
        [ -s mine/lib64/pkgconfig/libols.pc ] && [ -s mine/man/man1/darknet.1 ] && [ ! -e mine/lib ] &&
        echo theirs >mine/share/darknet-ols/cfg/theirs.cfg && run_make uninstall "${other_folders[@]}" &&
        diff <(find mine ! -type d -o -empty | sort) <(printf 'mine/%s\n' bin/other lib64 share/darknet-ols/cfg/theirs.cfg)
}

# refuses TEXT COMMAND...: one line of the installer, and a status other than 0.
refuses() {
    local text=$1
    shift
    "$@" >out.txt 2>err.txt && echo "it was done: $*" && return 1
    # make adds a line of its own.
    [[ $(grep -v '^make.*: \*\*\*' err.txt) == "make "*"$text"* ]] && [ "$(wc -l <err.txt)" = 2 ] && return
    cat err.txt
    return 1
}

try "make install puts what is built below DESTDIR and builds nothing anew" installs
try "everybody may read it" everybody_may_read
try "every file is where it is looked for" has_its_files
try "the program needs no library of ours, and no file names a folder of the build" is_of_itself
try "the program runs in another folder, with an installed cfg" runs_elsewhere
try "a C program is compiled by pkg-config darknet-ols, and predicts" uses_the_library gcc -std=c99
try "a C++ program too" uses_the_library g++ -x c++
try "libols.a: the example in C99, by pkg-config" uses_the_method "$(flags libols)" gcc -std=c99
try "libols.a: the example in C++, with nothing but ols.h and the library" uses_the_method \
    "-I$package/usr/include -L$package/usr/lib -lols -lz -lm" g++ -x c++ -std=c++11
try "libols.a: all of it links with what pkg-config says" stands_alone
if command -v groff >/dev/null; then
    try "the man page is sound and has the version" man_page_is_sound
else
    skip "no groff here to read the man page with"
fi
try "every option that a command's --help names is in the man page" man_page_knows_options
try "the completion offers the options that --help names and no others" completion_knows_options
try "completion of commands" completion_of_commands
try "completion of files by their endings" completion_of_files
try "installed over an earlier version, it removes what that had alone" replaces
try "make uninstall leaves nothing" leaves_nothing
try "make uninstall leaves files of others and the folders that were there" leaves_what_is_not_ours
try "nothing to uninstall: one line" refuses 'nothing was installed' in_package uninstall
try "a PREFIX that is no absolute path: one line" refuses 'prefix is x: must be an absolute path' run_make install PREFIX=x
try "a folder that cannot be made: one line" refuses "cannot create directory '/dev/null" run_make install PREFIX=/dev/null/x
finish
