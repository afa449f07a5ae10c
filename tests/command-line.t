#!/usr/bin/env bash
# The command line of every command, in TAP: --help, unknown options and commands with the nearest name, values that are
# no numbers, files in the place of others, and the words of other Darknets.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

export GOMP_SPINCOUNT=1000 # or the program starts itself again with it, each time

# The commands of the program's table, one a line: group, name.
mapfile -t commands < <(sed -n '/^static const command_row commands/,/^};/s/^    {"\([a-z0-9]*\)", \(0\|"\([a-z0-9_]*\)"\),.*/\1 \3/p' \
    "$root/src/commands/command_table.c")
[ ${#commands[@]} -gt 40 ] || exit 1 # or they are written in another way there

# A detector and a classifier of 8 x 8 pixels, and one image.
mkdir backup images labels
printf 'a\nb\n' >names
/usr/bin/python3 -c 'import PIL.Image; PIL.Image.new("RGB", (40, 20), (200, 90, 30)).save("images/a-1.jpg")' || exit 1
echo '0 .5 .5 .5 .5' >labels/a-1.txt
echo images/a-1.jpg >list # of the folder's random name the class b may be a part
printf '%s\n' classes=2 "train=$T/list" "valid=$T/list" "names=$T/names" "labels=$T/names" "backup=$T/backup" >my.data
net() { printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 max_batches=1; }
{ net && printf '%s\n' '[convolutional]' filters=7 size=1 stride=8 activation=linear '[yolo]' anchors=4,4 num=1 classes=2; } >detector.cfg
{ net && printf '%s\n' '[connected]' output=2 activation=linear '[ols]'; } >classifier.cfg
"$darknet" classifier train my.data classifier.cfg -seed 1 -nogpu >said.txt 2>&1 &&
    mv backup/classifier.weights classifier.weights && rm -f backup/*
"$darknet" detector train my.data detector.cfg -seed 1 -nogpu >said.txt 2>&1 &&
    mv backup/detector_final.weights detector.weights && rm -f backup/*

# --- Help -------------------------------------------------------------------------------------------------------------

# explains TEXT ARGUMENTS...: darknet prints a line that begins with TEXT to stdout, nothing to stderr, with status 0.
explains() {
    local text=$1
    shift
    "$darknet" "$@" >out.txt 2>err.txt && [ ! -s err.txt ] && grep -q -- "^ *$text" out.txt && return
    echo "wanted: $text, of: $*"
    head -n 3 out.txt err.txt
    return 1
}

help_names_every_command() {
    local words command
    for words in '' --help -h help '-nogpu --help'; do
        # shellcheck disable=SC2086  # words are wanted
        explains 'usage: darknet <command>' $words && explains 'darknet --version' $words || return
        for command in "${commands[@]}"; do
            grep -q "^    ${command% }  *[a-zA-Z]" out.txt || { echo "not named: $command"; return 1; }
        done
    done
}

# With -h, too, and wherever it stands.
every_command_explains_itself() {
    local command words
    for command in "${commands[@]}"; do
        for words in "$command --help" "$command -h" "$command a b --help" "--help $command"; do
            [[ $words == --help* ]] && continue
            # shellcheck disable=SC2086
            explains "usage: darknet ${command/calc_/}" $words || return
        done
    done
}

groups_explain_themselves() {
    local group name
    for group in classifier detector ols; do
        explains "usage: darknet $group <command>" "$group" --help || return
        for name in $(printf '%s\n' "${commands[@]}" | sed -n "s/^$group //p"); do
            grep -q "^    $group $name " out.txt || { echo "not named: $group $name"; return 1; }
        done
        "$darknet" "$group" >out.txt 2>err.txt && return 1
        [ ! -s out.txt ] && grep -q "^usage: darknet $group" err.txt || return
    done
    explains 'usage: darknet rnn' rnn --help
}

# Where files are required and nothing follows: the same on stderr, and status 1.
usage_without_files() {
    local command status
    for command in "${commands[@]}"; do
        # shellcheck disable=SC2086
        "$darknet" $command >out.txt 2>err.txt
        status=$?
        [ "$status" = 1 ] && [ ! -s out.txt ] && grep -q "^usage: darknet ${command/calc_/}" err.txt ||
            { echo "status $status of $command"; head -n 3 out.txt err.txt; return 1; }
    done
}

# The options of Darknet's commands in the source of Darknet.
help_has_darknets_options() {
    local option
    for option in $(sed -n '/^void run_detector/,/^}/s/^[^/]*find_[a-z]*_*arg(argc, argv, "\(-[a-z]*\)".*/\1/p' \
        "$root/build/darknet/examples/detector.c"); do
        "$darknet" detector demo --help >out.txt
        "$darknet" detector train --help >>out.txt
        "$darknet" detector test --help >>out.txt
        grep -q "^    $option " out.txt || { echo "no help for $option"; return 1; }
    done
}

try "darknet, darknet --help, -h and help: every command, on stdout, with status 0" help_names_every_command
try "every command explains itself with --help, whatever else stands there" every_command_explains_itself
try "so do classifier, detector and ols; alone they are an error with the same text" groups_explain_themselves
try "a command without its files is an error with its usage" usage_without_files
try "the help has all options that run_detector reads" help_has_darknets_options

# --- Commands and options that do not exist ---------------------------------------------------------------------------

refuses_commands() {
    fails "no command detector maps: did you mean map? (see darknet detector --help)" "$darknet" detector maps my.data &&
        fails "no command classifier metric: did you mean metrics?" "$darknet" -nogpu classifier metric my.data &&
        fails "no command detector frobnicate (see darknet detector --help)" "$darknet" detector frobnicate my.data &&
        fails "no command detectr: did you mean detector? (see darknet --help)" "$darknet" detectr test &&
        fails "no command ols shwo: did you mean show?" "$darknet" ols shwo a.weights &&
        fails "no command frobnicate (see darknet --help)" "$darknet" frobnicate &&
        fails "no command: see darknet --help" "$darknet" -nogpu
}

# Before the command, between its two words, among the files and at the end.
refuses_options() {
    local command words
    for command in "${commands[@]}"; do
        # shellcheck disable=SC2086
        fails "unknown option -nogpo: did you mean -nogpu? (see darknet ${command/calc_/}" "$darknet" $command a -nogpo b ||
            return
    done
    for words in 'detector test my.data detector.cfg -tresh .5' 'detector test -tresh .5 my.data detector.cfg' \
        'detector -tresh .5 test my.data detector.cfg' '-tresh .5 detector test my.data detector.cfg' \
        'detector test my.data --thresh .5 detector.cfg' 'detector test my.data -THRESH .5 detector.cfg'; do
        # shellcheck disable=SC2086
        fails 'did you mean -thresh?' "$darknet" $words || return
    done
    fails "classifier train: unknown option -frobnicate (see darknet classifier train --help)" \
        "$darknet" classifier train my.data classifier.cfg -frobnicate &&
        fails "detector test: -map is an option of detector train" "$darknet" detector test my.data detector.cfg -map &&
        fails "classifier train: -map is an option of detector train" \
            "$darknet" classifier train my.data classifier.cfg -map &&
        fails "detector train: unknown option -sead: did you mean -seed?" \
            "$darknet" detector train my.data detector.cfg -sead 1 &&
        [ -z "$(ls backup)" ]
}

try "a command that does not exist is an error with the nearest one" refuses_commands
try "an option that no command knows is an error with the nearest one, wherever it stands" refuses_options

# --- Values and words -------------------------------------------------------------------------------------------------

# Darknet itself reads 0 from a word, and .3 from .3x.
refuses_values() {
    local value
    for value in half .3x '' nan 1.1 -0.1 1e999; do
        fails "detector test: -thresh $value is not valid: must be a number from 0 to 1" \
            "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -thresh "$value" || return
    done
    fails "classifier predict: -t three is not valid: must be a whole number from 0" \
        "$darknet" classifier predict my.data classifier.cfg classifier.weights -t three &&
        fails "detector demo: -c front is not valid" "$darknet" detector demo my.data detector.cfg -c front &&
        fails "-i first is not valid: must be a whole number from -1" "$darknet" ops detector.cfg -i first &&
        fails "-i first is not valid: must be a whole number from -1" \
            "$darknet" detector map my.data detector.cfg detector.weights -i first &&
        fails "-i first is not valid: must be a whole number from -1" "$darknet" rnn generate detector.cfg -i first &&
        fails "-gpus 0;1 is not valid: must be whole numbers with commas in between, as in 0,1" \
            "$darknet" detector train my.data detector.cfg -gpus '0;1' &&
        fails "-thresh needs a value" "$darknet" detector test my.data detector.cfg -thresh &&
        fails "-thresh needs a value" "$darknet" detector test my.data detector.cfg -thresh -nogpu &&
        fails "-thresh is given twice" "$darknet" detector test my.data detector.cfg -thresh .1 -thresh .2 &&
        fails "speed: ten is not valid: n must be a whole number from 0" "$darknet" speed detector.cfg ten &&
        fails "partial: all is not valid: n must be" "$darknet" partial detector.cfg detector.weights out.weights all &&
        [ ! -e out.weights ]
}

refuses_too_many_or_few() {
    fails "detector train: unexpected argument more (see darknet detector train --help)" \
        "$darknet" detector train my.data detector.cfg detector.weights more &&
        fails "ops: unexpected argument more" "$darknet" ops detector.cfg more &&
        fails "detector train: needs <data> <cfg> [weights] (see" "$darknet" detector train my.data &&
        fails "classifier try: needs <data> <cfg> <weights> <image> <n>" \
            "$darknet" classifier try my.data classifier.cfg classifier.weights &&
        fails "average: needs <cfg> <out.weights> <weights...>" "$darknet" average detector.cfg out.weights &&
        fails "partial: needs <cfg> <weights> <out.weights> <n>" "$darknet" partial detector.cfg detector.weights
}

refuses_other_files() {
    local trainer
    for trainer in "classifier train" "detector train" "detector test" "classifier metrics"; do
        # shellcheck disable=SC2086
        fails "$trainer: detector.cfg is a cfg, and my.data a .data file: the .data file comes first" \
            "$darknet" $trainer detector.cfg my.data detector.weights || return
    done
    fails "detector train: detector.cfg is a cfg, in the place of <data>" \
        "$darknet" detector train detector.cfg classifier.cfg &&
        fails "detector train: my.data is a .data file, in the place of <cfg>" "$darknet" detector train my.data my.data &&
        fails "detector map: my.data is a .data file, in the place of <cfg>" \
            "$darknet" detector map my.data my.data detector.weights &&
        fails "detector test: detector.weights is weights, in the place of <cfg>" \
            "$darknet" detector test my.data detector.weights detector.cfg &&
        fails "detector test: detector.cfg is a cfg, in the place of [weights]" \
            "$darknet" detector test my.data detector.cfg detector.cfg images/a-1.jpg &&
        fails "detector test: images/a-1.jpg is an image, in the place of [weights]" \
            "$darknet" detector test my.data detector.cfg images/a-1.jpg &&
        fails "ols show: classifier.cfg is a cfg, in the place of <weights>" "$darknet" ols show classifier.cfg &&
        fails "ols deploy: my.data is a .data file, in the place of <in.cfg>" "$darknet" ols deploy my.data out.cfg &&
        fails "ops: images is a folder, in the place of <cfg>" "$darknet" ops images &&
        fails "ops: names is text of another kind, in the place of <cfg>" "$darknet" ops names &&
        fails "detector test: names is text of another kind, in the place of [weights]" \
            "$darknet" detector test my.data detector.cfg names &&
        fails "classifier metrics: my.data is a .data file, in the place of <weights>" "$darknet" classifier metrics \
            my.data classifier.cfg classifier.weights my.data &&
        [ -z "$(ls backup)" ]
}

# What is no regular file is not looked into, which would take from it.
takes_pipes() {
    "$darknet" ops <(cat detector.cfg) -nogpu >out.txt 2>/dev/null && grep -q 'Operations' out.txt &&
        { printf '\357\273\277# a remark\r\n\r\n' && cat my.data; } >marked.data &&
        "$darknet" detector anchors marked.data -num 1 >out.txt && grep -q anchors out.txt
}

try "a word where a number belongs is an error with its range" refuses_values
try "too many files, or too few, are an error" refuses_too_many_or_few
try "a file of another kind than its place asks for is named, with what it is" refuses_other_files
try "a cfg may come from a pipe, and a .data file begin with remarks" takes_pipes

# --- Darknet gets what it needs, wherever it stands -------------------------------------------------------------------

# Without options, and with them between and before all words: the same boxes.
places_of_options() {
    local words
    for words in 'detector test my.data detector.cfg detector.weights images/a-1.jpg -thresh .01 -out found' \
        '-thresh .01 detector -out found test my.data -nogpu detector.cfg detector.weights -dont_show images/a-1.jpg' \
        '-nogpu -i 0 detector test my.data detector.cfg -thresh .01 detector.weights images/a-1.jpg -out found'; do
        rm -f found*
        # shellcheck disable=SC2086
        "$darknet" $words >out.txt 2>err.txt || { cat err.txt; return 1; }
        grep -v seconds out.txt >found.txt
        compgen -G 'found.*[gp]' >/dev/null || { echo "no picture: $words"; return 1; }
        [ -e wanted.txt ] || mv found.txt wanted.txt
        [ ! -e found.txt ] || diff wanted.txt found.txt || return
    done
    grep -q '%$' wanted.txt
}

# detect took its first option behind the weights for an image.
reads_stdin() {
    local words
    mkdir -p cfg && cp my.data cfg/coco.data && rm -f found* predictions* || return
    for words in '-thresh .01 -out found' '-out found -thresh .01' '-fullscreen -out found -nogpu -thresh .01'; do
        # shellcheck disable=SC2086
        echo images/a-1.jpg | "$darknet" detect detector.cfg detector.weights $words >out.txt 2>err.txt || { cat err.txt; return 1; }
        grep -q '%$' out.txt && compgen -G 'found.*[gp]' >/dev/null && rm found* || return
    done
    echo images/a-1.jpg | "$darknet" detector test my.data -thresh .01 detector.cfg detector.weights >out.txt 2>err.txt &&
        grep -q '%$' out.txt && echo images/a-1.jpg |
        "$darknet" classifier predict my.data classifier.cfg -t 1 classifier.weights >out.txt 2>err.txt && grep -q '%: [ab]$' out.txt
}

# Each as its first bytes say.
pictures_have_the_format_of_their_name() {
    local name magic ending
    while read -r name magic; do
        rm -f found*
        "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -thresh .01 -out "$name" >out.txt 2>err.txt ||
            { cat err.txt; return 1; }
        [ "$(compgen -G 'found*')" = "${name%/}" ] && [ "$(head -c 4 "$name" | od -An -tx1 | tr -d ' ' | cut -c 1-${#magic})" = "$magic" ] ||
            { echo "$name"; ls found*; return 1; }
    done <<<$'found.png 89504e47\nfound.jpg ffd8\nfound.bmp 424d\nfound.tga 0000\nfound.JPEG ffd8'
    rm -f found*
    "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -out /dev/stdout 2>err.txt | grep -aq JFIF &&
        [ ! -e /dev/stdout.jpg ] || return
    fails 'cannot write found.gif: pictures are .jpg, .png, .bmp or .tga' \
        "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -out found.gif || return
    fails 'cannot write /dev/full: No space left on device' \
        "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -out /dev/full || return
    fails 'cannot write nowhere/found.png: No such file or directory' \
        "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -out nowhere/found.png || return
    for ending in jpg svg weights.jpg; do
        fails "detector map: pictures are written as PNG: chart.$ending does not end in .png" \
            "$darknet" detector map my.data detector.cfg detector.weights -curves "chart.$ending" || return
    done
    fails 'ols plot: pictures are written as PNG: chart.jpg does not end in .png' "$darknet" ols plot classifier.weights chart.jpg
}

keeps_what_it_reads() {
    cp my.data kept.data && cp detector.weights kept.weights || return
    fails 'detector map: -json: ./kept.data would be overwritten: give it another name' \
        "$darknet" detector map kept.data detector.cfg detector.weights -json ./kept.data &&
        fails 'partial: kept.weights would be overwritten: give <out.weights> another name' \
            "$darknet" partial detector.cfg kept.weights kept.weights 1 &&
        fails 'average: kept.weights would be overwritten: give <out.weights> another name' \
            "$darknet" average detector.cfg ./kept.weights detector.weights kept.weights &&
        cmp kept.data my.data && cmp kept.weights detector.weights
}
prints_all_or_fails() {
    fails 'cannot write all that is printed' bash -c '"$1" check my.data detector.cfg >/dev/full' bash "$darknet" &&
        fails 'cannot write all that is printed' bash -c '"$1" ols show --help >/dev/full' bash "$darknet"
}
refuses_empty_words() {
    fails 'detector train: an argument is empty: was a variable of the shell not set?' \
        "$darknet" detector train my.data detector.cfg '' &&
        fails 'detector train: an argument is empty' "$darknet" detector train '' detector.cfg &&
        fails 'detector map: an argument is empty' "$darknet" detector map '' detector.cfg detector.weights &&
        "$darknet" detector test my.data detector.cfg '' images/a-1.jpg -out found # Darknet's way to say: no weights
}
names_the_layers_there_are() {
    fails 'there is no layer 9: the network has layers 0 to ' "$darknet" print detector.cfg detector.weights 9 &&
        fails 'layer 1 is no [convolutional]' "$darknet" print classifier.cfg classifier.weights 1 &&
        fails 'there is no layer 9: ' "$darknet" classifier try my.data classifier.cfg classifier.weights images/a-1.jpg 9
}
refuses_experiments_without_words() {
    local group
    for group in cifar coco go isegmenter lsd nightmare regressor rnn segmenter super tag yolo; do
        "$darknet" "$group" >out.txt 2>err.txt
        [ $? = 1 ] && [ ! -s out.txt ] && grep -q "^usage: darknet $group" err.txt || { echo "$group"; return 1; }
    done
    for group in art yolo rnn nightmare; do
        "$darknet" "$group" --help >out.txt && grep -q "^usage: darknet $group" out.txt || { echo "$group"; return 1; }
    done
    fails "no command yolo trian: did you mean train? (see darknet yolo --help)" "$darknet" yolo trian a.cfg &&
        fails "no command rnn frobnicate (see darknet rnn --help)" "$darknet" rnn frobnicate a.cfg b.weights
}

# A word is repeated so far that one knows which.
shortens_long_words() {
    local long
    long=$(head -c 3000 /dev/zero | tr '\0' a)
    for words in "$long" "detector $long" "yolo $long" "detector map a b c -$long" "detector map a b c -thresh $long" "-i $long ops"; do
        # shellcheck disable=SC2086 # words
        fails "aaaaaaaa" "$darknet" $words && [ "$(wc -c <err.txt)" -lt 300 ] || { echo "${words:0:30}"; return 1; }
    done
}

# Darknet crashes for more classes than the network has, as `classify` always asks for 5, and for fewer names.
prints_the_classes_there_are() {
    local words
    mkdir -p cfg && cp my.data cfg/imagenet1k.data && { cat my.data && echo top=7; } >seven.data || return
    for words in 'classify classifier.cfg classifier.weights images/a-1.jpg' \
        'classifier predict my.data classifier.cfg classifier.weights images/a-1.jpg -t 9' \
        'classifier predict seven.data classifier.cfg classifier.weights images/a-1.jpg' \
        'classifier try seven.data classifier.cfg classifier.weights images/a-1.jpg 0'; do
        # shellcheck disable=SC2086
        "$darknet" $words >out.txt 2>err.txt || { echo "status $?: $words"; return 1; }
        [ "$(grep -cE '(%: [ab]|[ab]: [0-9.]+)$' out.txt)" = 2 ] || { cat out.txt; return 1; }
    done
    { cat my.data && echo top=-1; } >wrong.data && echo a >one-name && sed "s|=.*/names$|=$T/one-name|" my.data >few.data || return
    fails 'top=-1 is not valid' "$darknet" classifier predict wrong.data classifier.cfg classifier.weights images/a-1.jpg &&
        fails '2 classes, but 1 names' "$darknet" classifier predict few.data classifier.cfg classifier.weights images/a-1.jpg
}

# Darknet's demos end with status 0, and classifier demo without a word.
refuses_demos() {
    local command
    [[ $("$darknet" --version) == *" OPENCV"* ]] && return
    for command in 'detector demo' 'classifier demo' 'classifier gun' 'classifier threat'; do
        # shellcheck disable=SC2086
        fails "$command needs a build with OPENCV=1" "$darknet" $command my.data classifier.cfg classifier.weights || return
    done
}

averages() {
    "$darknet" average detector.cfg mean.weights detector.weights detector.weights -nogpu >/dev/null 2>&1 &&
        cmp detector.weights mean.weights
}

prints_coordinates() {
    "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -thresh .01 -nogpu >plain.txt 2>/dev/null &&
        "$darknet" detector test my.data detector.cfg detector.weights images/a-1.jpg -thresh .01 -ext_output -nogpu \
            >boxes.txt 2>/dev/null || return
    [ "$(grep -c '%$' plain.txt)" = "$(grep -cE $'^[ab]: [0-9]+%\t\\(left_x: +-?[0-9]+   top_y: +-?[0-9]+   width: +[0-9]+   height: +[0-9]+\\)$' boxes.txt)" ] &&
        grep -q '%$' plain.txt && ! grep left_x plain.txt || return
    # detector valid writes the same corner, counted from 1, where it is inside of the image.
    "$darknet" detector valid my.data detector.cfg detector.weights -nogpu >/dev/null 2>&1 || return
    tr -d '(),' <boxes.txt | awk 'NR == FNR { x = $3; y = $4; next } /^a: .*left_x/ { n++; dx = $4 + 1 - x; dy = $6 + 1 - y }
        END { exit !(n == 1 && dx * dx < .4 && dy * dy < .4) }' results/comp4_det_test_a.txt - ||
        { cat boxes.txt results/comp4_det_test_a.txt; return 1; }
}

calculates_anchors() {
    "$darknet" detector anchors my.data -num 1 -width 64 -height 64 >wanted &&
        "$darknet" detector calc_anchors my.data -num_of_clusters 1 -width 64 -height 64 -dont_show >got && diff wanted got &&
        grep -q anchors wanted
}

accepts_dont_show() {
    local words
    for words in 'detector map my.data detector.cfg detector.weights -dont_show -nogpu' \
        'classifier predict my.data classifier.cfg classifier.weights images/a-1.jpg -dont_show -nogpu' \
        'ols show -dont_show classifier.weights -i 0'; do
        # shellcheck disable=SC2086
        "$darknet" $words >out.txt 2>err.txt || { echo "status $? of: $words"; tail -n 3 err.txt; return 1; }
    done
}

try "detector test does the same wherever its options stand" places_of_options
try "images are read from stdin, with options behind the weights, too" reads_stdin
try "a picture has the format of its name, or is refused" pictures_have_the_format_of_their_name
try "what a command reads is not replaced by what it writes" keeps_what_it_reads
try "an empty word, as of a variable that is not set, is an error" refuses_empty_words
try "a report that a full disk does not take is an error" prints_all_or_fails
try "a layer that the network has not is named, by print and classifier try" names_the_layers_there_are
try "an experiment of Darknet's author without words, or with a command that it has not, is an error" refuses_experiments_without_words
try "a long word is not repeated whole" shortens_long_words
try "classifier predict prints no more classes than there are, and refuses fewer names" prints_the_classes_there_are
try "a demo in a build without OPENCV=1 is an error" refuses_demos
try "average takes -nogpu, too" averages
try "-ext_output prints the corner and the size of every box" prints_coordinates
try "calc_anchors and -num_of_clusters are anchors and -num" calculates_anchors
try "-dont_show and -i do no harm anywhere" accepts_dont_show

# --- What a training prints, and where detector valid writes ----------------------------------------------------------

# Four iterations, the second image without an object, whose averages are divisions by 0.
longer() { sed "s/^max_batches=.*/max_batches=4/" "$1" >longer.cfg; }
train_longer() { rm -f backup/* && "$darknet" "$1" train two.data longer.cfg -seed 1 -nogpu "${@:2}" >out.txt 2>err.txt; }
iterations() { sed -nE 's/^([0-9]+)(, [0-9.]+)?: .* avg, .* ETA .*/\1/p' out.txt | tr '\n' ' '; }
cp images/a-1.jpg images/a-2.jpg
: >labels/a-2.txt
{ cat list && echo images/a-2.jpg; } >two
sed "s|=.*/list$|=$T/two|" my.data >two.data

one_line_an_iteration() {
    local kind
    for kind in detector classifier; do
        longer "$kind.cfg" && train_longer "$kind" && [ "$(iterations)" = '1 2 3 4 ' ] &&
            ! grep -E 'Avg IOU|Loaded|nan' out.txt || return
        train_longer $kind -log 3 && [ "$(iterations)" = '3 4 ' ] && train_longer $kind -log 2 && [ "$(iterations)" = '2 4 ' ] ||
            return
    done
}
more_lines_on_demand() {
    longer detector.cfg && train_longer detector -v && [ "$(iterations)" = '1 2 3 4 ' ] && grep -q '^Region 1 Avg IOU' out.txt &&
        [ "$(grep -c '^Loaded: ' out.txt)" = 4 ] && ! grep nan out.txt
}
table_names_labels() {
    local smoothing
    for smoothing in hard ls ols; do
        { cat detector.cfg && echo smoothing=$smoothing; } >smoothed.cfg
        "$darknet" ops smoothed.cfg -nogpu >out.txt 2>err.txt && grep -qx " *labels: $smoothing" err.txt || return
    done
    "$darknet" ops detector.cfg -nogpu >out.txt 2>err.txt && ! grep labels: err.txt
}

# Of one image, where Darknet loaded four.
valid_makes_its_folder() {
    rm -rf results && "$darknet" detector valid my.data detector.cfg detector.weights -nogpu >out.txt 2>err.txt &&
        [ -s results/comp4_det_test_a.txt ] && [ -e results/comp4_det_test_b.txt ] && rm -r results && echo x >results &&
        fails 'cannot write to the folder results: Not a directory' \
            "$darknet" detector valid my.data detector.cfg detector.weights -nogpu || return
    { cat my.data && echo results=there/deep; } >deep.data
    fails 'cannot make the folder there/deep: No such file' \
        "$darknet" detector valid deep.data detector.cfg detector.weights -nogpu && echo a >one-name &&
        sed "s|^names=.*|names=$T/one-name|" my.data >few.data &&
        fails '2 classes, but 1 names' "$darknet" detector valid few.data detector.cfg detector.weights -nogpu
}

try "a training prints one line an iteration, or one every -log n and the last" one_line_an_iteration
try "-v prints Darknet's own lines too, and none with nan" more_lines_on_demand
try "the table of layers names the labels of a head" table_names_labels
try "detector valid makes the folder that it writes to, or says in one line why not" valid_makes_its_folder
finish
