#!/usr/bin/env bash
# Errors in cfg and data files and on the command line, in TAP: each gives one line that names the error, and a status
# other than 0. A wrong value is never silently replaced by another one.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

# --- cfg files --------------------------------------------------------------------------------------------------------

# Parses a cfg and does nothing else.
parse() { "$darknet" ops "$1" -nogpu; }

net() { printf '%s\n' '[net]' batch=3 width=8 height=8 channels=3 momentum=0 learning_rate=.1 max_batches=3; }
convolution() { printf '%s\n' '[convolutional]' "filters=$1" size=3 stride=2 pad=1 activation=linear; }

# cfg SECTION LINES...: a network that ends in this section, with these lines in it.
cfg() {
    local section=$1
    shift
    net
    case $section in
        '[ols]') printf '%s\n' '[connected]' output=3 activation=linear '[ols]' ;;
        '[yolo]') convolution 8 && printf '%s\n' '[yolo]' anchors=3,3 num=1 classes=3 ;;
        '[region]') convolution 8 && printf '%s\n' '[region]' anchors=1,1 num=1 classes=3 coords=4 ;;
        '[detection]')
            printf '%s\n' '[connected]' output=8 activation=linear '[detection]' classes=3 coords=4 side=1 num=1
            ;;
    esac
    printf '%s\n' "$@"
}

# The smoothing keys, from the program's table of them.
mapfile -t smoothing_keys < <(sed -n 's/^    {"\([a-z_]*\)", [A-Z]*, offsetof.*/\1/p' "$root/src/ols/options.c")

[ ${#smoothing_keys[@]} -gt 7 ] || exit 1 # or they are written in another way there

# wrong_values KEY: what it must not be, one a line.
wrong_values() {
    case $1 in
        smoothing) printf '%s\n' OLS olss soft 1 'ols,ls' ;;
        preset) printf '%s\n' Paper cifar10 fine 0 ;;
        alpha | epsilon | freeze | boot_beta | disturb_alpha | gce_q | tfkd_alpha | tfkd_c) printf '%s\n' -0.1 1.01 nan NaN inf abc 0.5x 1e999 '1,5' --1 ;;
        soft_weight) printf '%s\n' -1 10.5 nan inf heavy 1e999 ;;
        period) printf '%s\n' 0 -1 1.5 epochs Epoch nan 2000000000 1e10 ;;
        soft_temperature) printf '%s\n' 0 .05 -1 11 nan inf hot 1e999 ;;
        decay) printf '%s\n' 1 .9995 -0.1 nan inf slow ;;
        start) printf '%s\n' -1 1.5 epoch nan 2000000000 1e10 ;;
        normalise) printf '%s\n' none Sum hit 1 ;;
        init) printf '%s\n' keep one Uniform 0 ;;
        empty) printf '%s\n' ls none 0 ;;
        sce_alpha | sce_beta) printf '%s\n' -1 100.5 nan inf ;;
        sce_a) printf '%s\n' .1 -21 nan -inf ;;
        pc_lambda) printf '%s\n' -1 1001 nan ;;
        pc_start) printf '%s\n' -1 1.5 epoch ;;
        tfkd_temperature) printf '%s\n' 0 .9 1001 nan ;;
    esac
}

# range KEY: what the error says that it must be.
range() {
    case $1 in
        smoothing) echo "hard, ls, ols, ols-single, bootsoft, boothard, disturb, sce, gce, pc or tfkd" ;;
        preset) echo "paper, cifar or fine-grained" ;;
        alpha | epsilon | freeze | boot_beta | disturb_alpha | gce_q | tfkd_alpha | tfkd_c) echo "a number from 0 to 1" ;;
        soft_weight) echo "a number from 0 to 10" ;;
        period) echo "epoch or a whole number of iterations from 1 to 1000000000" ;;
        soft_temperature) echo "a number from 0.1 to 10" ;;
        decay) echo "a number from 0 to 0.999" ;;
        start) echo "a whole number from 0 to 1000000000" ;;
        normalise) echo "sum or hits" ;;
        init) echo "uniform, zero or ls" ;;
        empty) echo "uniform, zero or keep" ;;
        sce_alpha | sce_beta) echo "a number from 0 to 100" ;;
        sce_a) echo "a number from -20 to 0" ;;
        pc_lambda) echo "a number from 0 to 1000" ;;
        pc_start) echo "a whole number from 0 to 1000000000" ;;
        tfkd_temperature) echo "a number from 1 to 1000" ;;
    esac
}

# Also where the method that is chosen does not use the key.
refuses_values() {
    local section=$1 key=$2 value
    [ -n "$(wrong_values "$key")" ] || { echo "wrong_values has none of $key"; return 1; }
    while read -r value; do
        if [ "$key" = smoothing ]; then
            cfg "$section" "$key=$value" >bad.cfg
        else
            cfg "$section" smoothing=hard "$key=$value" >bad.cfg
        fi
        fails "$section (layer 1): $key=$value is not valid: must be $(range "$key")" parse bad.cfg || return
    done < <(wrong_values "$key")
}

# Darknet itself skips a line `key=` with a remark, and takes a line without `=` for a key without a value.
refuses_no_value() {
    local section=$1 line
    for line in "$2=" "$2 = " "$2= # what" "$2"; do
        if [ "$2" = smoothing ]; then
            cfg "$section" "$line" >bad.cfg
        else
            cfg "$section" smoothing=ols "$line" >bad.cfg
        fi
        fails "$2=" parse bad.cfg && grep -qF "darknet: $section" err.txt || return
    done
}

for section in '[ols]' '[yolo]' '[region]' '[detection]'; do
    for key in "${smoothing_keys[@]}"; do
        try "$section: a wrong $key is refused with section, key, value and range" refuses_values "$section" "$key"
    done
    for key in smoothing alpha period start init; do
        try "$section: $key without a value is refused" refuses_no_value "$section" $key
    done
done

refuses_softmax_keys() {
    local value
    for value in 0 -1 nan inf abc 2x ""; do
        cfg '[ols]' "temperature=$value" >bad.cfg
        fails "[ols] (layer 1): temperature=$value is not valid: must be" parse bad.cfg || return
    done
    for value in yes 2 .5 ""; do
        cfg '[ols]' "noloss=$value" >bad.cfg
        fails "[ols] (layer 1): noloss=$value is not valid: must be 0 or 1" parse bad.cfg || return
    done
}

refuses_unknown_keys() {
    local line
    for line in smothing=ols Alpha=.5 epoch=1 classes=3 smothing=; do
        cfg '[ols]' "$line" >bad.cfg
        fails "[ols] (layer 1): unknown key $line: must be one of smoothing, preset, alpha," parse bad.cfg || return
    done
}

refuses_hierarchies() {
    local line
    printf '%s\n' 'a -1' 'b -1' 'c -1' >tree
    for line in tree=tree groups=3 groups=1x spatial=1; do
        cfg '[ols]' "$line" >bad.cfg
        fails "[ols] (layer 1): $line: label smoothing is defined for one flat softmax" parse bad.cfg || return
    done
    for line in groups=1 spatial=0; do # as Darknet's own classifiers have it: one flat softmax
        cfg '[ols]' "$line" >good.cfg
        parse good.cfg || return
    done
    cfg '[region]' smoothing=ols softmax=1 tree=tree >bad.cfg
    fails "[region] (layer 1): smoothing with a tree is not defined" parse bad.cfg &&
        cfg '[region]' smoothing=ols softmax=1 background=1 >bad.cfg &&
        fails "[region] (layer 1): smoothing with background=1 is not defined" parse bad.cfg
}

refuses_companions_alone() {
    local section key
    for section in '[yolo]' '[region]' '[detection]'; do
        for key in "${smoothing_keys[@]:1}"; do
            cfg "$section" "$key=1" >bad.cfg
            fails "$section (layer 1): $key= does nothing without smoothing=" parse bad.cfg || return
        done
    done
}

# Methods in heads whose scores their equations are not about.
refuses_methods_in_heads() {
    local section softmax
    for section in '[yolo]' '[region]' '[detection]'; do
        softmax=softmax=1
        [ "$section" != '[yolo]' ] || softmax=class_loss=softmax
        for method in sce gce; do
            cfg "$section" smoothing=$method >bad.cfg
            fails "$section (layer 1): smoothing=$method is not defined here: it needs a softmax over the classes" parse bad.cfg ||
                return
            cfg "$section" smoothing=$method $softmax >good.cfg
            parse good.cfg || return
        done
        cfg "$section" smoothing=tfkd >bad.cfg
        fails "$section (layer 1): smoothing=tfkd is not defined here: with a temperature it needs a softmax over the classes; tfkd_temperature=1 does without" \
            parse bad.cfg || return
        cfg "$section" tfkd_temperature=1 smoothing=tfkd >good.cfg
        parse good.cfg || return
        cfg "$section" smoothing=pc $softmax >bad.cfg
        fails "$section (layer 1): smoothing=pc is not defined here: it compares pairs of images" parse bad.cfg || return
        for method in disturb boothard ols-single; do
            cfg "$section" smoothing=$method >good.cfg
            parse good.cfg 2>err.txt && grep -q "labels: $method\$" err.txt || return
        done
    done
    cfg '[detection]' smoothing=bootsoft >bad.cfg
    fails "[detection] (layer 1): smoothing=bootsoft is not defined here: it needs probabilities" parse bad.cfg || return
    cfg '[detection]' smoothing=bootsoft softmax=1 >good.cfg
    parse good.cfg
}

# class_gain is 2 where the mean target is soft.
has_class_gain() {
    local method
    for method in hard bootsoft boothard tfkd; do
        cfg '[yolo]' smoothing=$method tfkd_temperature=1 >good.cfg
        parse good.cfg 2>err.txt && ! grep class_gain err.txt || return
    done
    for method in ls ols ols-single disturb; do
        cfg '[yolo]' smoothing=$method >good.cfg
        parse good.cfg 2>err.txt && grep -q 'class_gain=2, the default with these labels' err.txt || return
    done
}

# two_heads CLASSES LINES...: a head with smoothing=ols and one of so many classes with these lines.
two_heads() {
    cfg '[yolo]' smoothing=ols
    printf '%s\n' '[route]' layers=0
    convolution $((5 + $1))
    shift
    printf '%s\n' '[yolo]' anchors=3,3 num=1 "$@"
}
refuses_disagreement() {
    local line
    two_heads 4 classes=4 smoothing=ols >bad.cfg
    fails "[yolo] (layer 4): classes=4, but [yolo] (layer 1) has classes=3" parse bad.cfg || return
    for line in alpha=.4 soft_weight=1 epsilon=.2 period=7 start=1 init=zero empty=keep normalise=hits soft_temperature=2 \
        decay=.5 freeze=.8 preset=cifar boot_beta=.5 disturb_alpha=.2 sce_alpha=1 sce_beta=1 sce_a=-6 gce_q=.5 pc_lambda=1 \
        pc_start=9 tfkd_alpha=.5 tfkd_c=.9 tfkd_temperature=2; do
        two_heads 3 classes=3 smoothing=ols "$line" >bad.cfg
        fails "[yolo] (layer 4): ${line%=*}= differs from that of [yolo] (layer 1)" parse bad.cfg || return
    done
    two_heads 3 classes=3 smoothing=ls >bad.cfg
    fails "[yolo] (layer 4): smoothing= differs from that of [yolo] (layer 1)" parse bad.cfg || return
    two_heads 3 classes=3 class_loss=softmax >bad.cfg
    fails "[yolo] (layer 4): class_loss= differs from that of [yolo] (layer 1)" parse bad.cfg || return
    two_heads 3 classes=3 smoothing=ols class_gain=2 >good.cfg
    parse good.cfg
}

refuses_impossible_sizes() {
    { net && printf '%s\n' '[connected]' output=1 activation=linear '[ols]'; } >bad.cfg
    fails "[ols] (layer 1): label smoothing needs at least 2 classes, not 1" parse bad.cfg || return
    printf '%s\n' '[net]' batch=1 inputs=1000000 '[ols]' >bad.cfg
    fails "[ols] (layer 0): the soft labels of 1000000 classes take 8000.0 GB of memory" parse bad.cfg
}

# The rate of policy=cosine: a minimum in range, and room for the cosine behind the warm-up.
refuses_bad_cosine() {
    local value
    for value in -.1 .2 nan inf low 0.05x 1e999; do
        cfg '[ols]' | sed "s/^max_batches.*/&\npolicy=cosine\nlearning_rate_min=$value/" >bad.cfg
        fails "[net]: learning_rate_min=$value is not valid: must be a number from 0 to learning_rate (0.1)" \
            parse bad.cfg || return
    done
    cfg '[ols]' | sed "s/^max_batches.*/&\npolicy=cosine\nburn_in=3/" >bad.cfg
    fails "[net]: max_batches=3 is not valid: with policy=cosine it must be above burn_in (3)" parse bad.cfg || return
    cfg '[ols]' | sed "s/^max_batches.*/&\npolicy=cosine\nburn_in=2\nlearning_rate_min=.1/" >good.cfg
    parse good.cfg
}

refuses_bad_nesterov() {
    local value
    for value in 2 -1 yes 1x .5; do
        cfg '[ols]' | sed "s/^max_batches.*/&\nnesterov=$value/" >bad.cfg
        fails "[net]: nesterov=$value is not valid: must be 0 or 1" parse bad.cfg || return
    done
    for value in adam=1 clip=1; do
        cfg '[ols]' | sed "s/^max_batches.*/&\nnesterov=1\n$value/" >bad.cfg
        fails "[net]: nesterov=1 does not go together with ${value%1}" parse bad.cfg || return
    done
    cfg '[ols]' | sed "s/^max_batches.*/&\nnesterov=0\nadam=1/" >good.cfg
    parse good.cfg
}

# A head whose sizes do not go together: what to write is said.
refuses_head_sizes() {
    cfg '[yolo]' | sed 's/^classes=3/classes=4/' >bad.cfg
    fails "[yolo] (layer 1): with classes=4 and 1 anchors of its own it needs filters=9 in the [convolutional] before it, not 8" \
        parse bad.cfg || return
    cfg '[region]' | sed 's/^classes=3/classes=4/' >bad.cfg
    fails "[region] (layer 1): with classes=4 and 1 anchors of its own it needs filters=9" parse bad.cfg || return
    cfg '[yolo]' mask=1 >bad.cfg
    fails "[yolo] (layer 1): mask has a 1: must be below num=1" parse bad.cfg || return
    cfg '[yolo]' | sed 's/^anchors=.*/anchors=3,3, 4,4, 5,5/' >bad.cfg
    fails "[yolo] (layer 1): num=1 needs 2 numbers in anchors=, not 6" parse bad.cfg || return
    cfg '[region]' | sed 's/^anchors=.*/anchors=3/' >bad.cfg
    fails "[region] (layer 1): num=1 needs 2 numbers in anchors=, not 1" parse bad.cfg
}

# class_gain=, class_loss= and iou_thresh=, which [yolo] has alone.
refuses_head_values() {
    local value section
    for value in 0 -1 100.1 nan inf abc 2x 1e-60; do
        cfg '[yolo]' "class_gain=$value" >bad.cfg
        fails "[yolo] (layer 1): class_gain=$value is not valid: must be a number above 0, up to 100" parse bad.cfg || return
    done
    for value in Softmax soft softmaxx logistic 1; do
        cfg '[yolo]' smoothing=ols "class_loss=$value" >bad.cfg
        fails "[yolo] (layer 1): class_loss=$value is not valid: must be sigmoid or softmax" parse bad.cfg || return
    done
    for value in -.1 1.1 nan inf abc .5x; do
        cfg '[yolo]' "iou_thresh=$value" >bad.cfg
        fails "[yolo] (layer 1): iou_thresh=$value is not valid: must be a number from 0 to 1" parse bad.cfg || return
    done
    for value in class_gain class_loss iou_thresh; do
        refuses_no_value '[yolo]' "$value" || return
    done
    for section in '[region]' '[detection]'; do
        cfg "$section" class_gain=1 >bad.cfg
        fails "$section (layer 1): class_gain= is a key of [yolo]; here it is class_scale=" parse bad.cfg || return
        cfg "$section" smoothing=ls class_loss=softmax >bad.cfg
        fails "$section (layer 1): class_loss= is a key of [yolo]; here it is softmax=" parse bad.cfg || return
        cfg "$section" iou_thresh=.2 >bad.cfg
        fails "$section (layer 1): iou_thresh= is a key of [yolo]; here an object is trained in one place" parse bad.cfg || return
    done
    for value in class_gain=100 class_gain=.001 class_loss=sigmoid class_loss=softmax iou_thresh=0 iou_thresh=1; do
        cfg '[yolo]' "$value" >good.cfg
        parse good.cfg 2>err.txt && ! grep 'does nothing here' err.txt || return
    done
}

# One class is no distribution; without a softmax it may have a gain.
refuses_softmax_of_one() {
    { net && convolution 6 && printf '%s\n' '[yolo]' anchors=3,3 num=1 classes=1 class_loss=softmax; } >bad.cfg
    fails "[yolo] (layer 1): class_loss=softmax needs at least 2 classes, not 1" parse bad.cfg || return
    sed 's/class_loss=.*/class_gain=2/' bad.cfg >good.cfg
    parse good.cfg
}

says_softmax() {
    cfg '[yolo]' class_loss=softmax >good.cfg
    parse good.cfg 2>err.txt && grep -qx ' *softmax over 3 classes' err.txt || return
    cfg '[yolo]' class_loss=sigmoid >good.cfg
    parse good.cfg 2>err.txt && ! grep -q softmax err.txt
}

unknown_section() {
    { net && printf '%s\n' '[connected]' output=3 '[olss]'; } >bad.cfg
    fails "bad.cfg:11: [olss] is no layer of this Darknet: did you mean [ols]?" parse bad.cfg
}

# What Darknet has begun to print, the number of a layer, stays a line of its own.
own_lines() {
    cfg '[ols]' | sed 's/^output=3/output=x/' >bad.cfg
    fails "bad.cfg:10: [connected] output=x is not valid: must be a whole number" parse bad.cfg || return
    { net && printf '%s\n' '[route]' layers=4; } >bad.cfg
    fails "[route] (layer 0): there is no layer 4 before it" parse bad.cfg || return
    cfg '[ols]' | sed 's/^max_batches=3/max_batches=3000000000/' >bad.cfg
    fails "bad.cfg:8: [net] max_batches=3000000000 is not valid: must be a whole number from -2147483648 to 2147483647" \
        parse bad.cfg
}

try "[ols]: a wrong temperature or noloss is refused" refuses_softmax_keys
try "[ols]: a misspelt or foreign key is refused" refuses_unknown_keys
try "hierarchies, groups and a background class are refused" refuses_hierarchies
try "a head with a key of smoothing, but without smoothing=, is refused" refuses_companions_alone
try "a method that makes no sense for a head's scores is refused by name, with the reason" refuses_methods_in_heads
try "[yolo]: with a soft mean target class_gain is 2" has_class_gain
try "heads that share soft labels but differ in a key are refused" refuses_disagreement
try "one class is refused, and so is what no memory holds" refuses_impossible_sizes
try "policy=cosine: a wrong learning_rate_min or max_batches is refused" refuses_bad_cosine
try "nesterov=: a wrong value is refused, and so is 1 with adam=1 or clip=" refuses_bad_nesterov
try "a head whose filters, mask or anchors do not go together is refused" refuses_head_sizes
try "[yolo]: a wrong class_gain, class_loss or iou_thresh is refused, and all of them in other heads" refuses_head_values
try "[yolo]: a softmax over one class is refused" refuses_softmax_of_one
try "[yolo]: the layer table says that there is a softmax" says_softmax
try "an unknown section is named" unknown_section
try "an error stands in a line of its own" own_lines

# --- what is no error -------------------------------------------------------------------------------------------------

mkdir images backup
number=0
for class in red green blue; do
    echo "$class" >>names
    for n in 1 2 3; do
        number=$((number + 1))
        { printf 'P6\n8 8\n255\n' && head -c 192 /dev/zero | tr '\0' "\\$((number + 100))"; } >"images/$class-$n.ppm"
        echo "$T/images/$class-$n.ppm" >>list
    done
done
good=("classes=3" "train=$T/list" "labels=$T/names" "backup=$T/backup")

train() { "$darknet" classifier train "$1" "$2" -seed 1 -nogpu; }

# trained NAME LINES...: the weights after a training with these lines in [ols].
trained() {
    local name=$1
    shift
    printf '%s\n' "${good[@]}" >data
    cfg '[ols]' "$@" >"$name.cfg" && train data "$name.cfg" && mv "backup/$name.weights" . && rm -f backup/*
}

comments_change_nothing() {
    trained plain smoothing=ols alpha=.3 period=2 init=ls empty=keep freeze=.9 temperature=2 &&
        trained remarks 'smoothing=ols # the default' 'alpha = .3# a = .3' "period=2	# a tab" 'init= ls #' \
            '# alpha=7' '; alpha=8' 'empty=keep #;' 'freeze=.9 # #' 'temperature=2 # two' &&
        trained other smoothing=ols alpha=.9 period=2 init=ls empty=keep freeze=.9 temperature=2 || return
    cmp plain.weights remarks.weights && ! cmp -s plain.weights other.weights || return
    cfg '[ols]' smoothing=ols alpha=.3 period=2 init=ls empty=keep freeze=.9 temperature=2 |
        sed 's/$/ # a = b/; s/^\(.net.*\)#.*/\1;]/' >remarks.cfg
    printf '%s # ; x = y\n' "${good[@]}" >data && train data remarks.cfg && cmp backup/remarks.weights plain.weights &&
        rm -f backup/*
}

limits_are_values() {
    local line
    for line in alpha=0 alpha=1 alpha=1.0 alpha=5e-1 soft_weight=0 soft_weight=10 epsilon=0 epsilon=1 period=1 \
        period=1000000000 period=epoch start=0 start=1000000000 normalise=sum normalise=hits \
        soft_temperature=.1 soft_temperature=10 decay=0 decay=.999 freeze=0 freeze=1 init=zero init=ls empty=zero empty=keep smoothing=hard; do
        cfg '[ols]' "$line" >good.cfg
        parse good.cfg || { echo "... $line"; return 1; }
    done
}

unknown_keys_elsewhere() {
    local section
    for section in '[yolo]' '[region]' '[detection]'; do
        cfg "$section" smoothing=ols frobnicate=1 iou_loss=giou >good.cfg
        parse good.cfg 2>err.txt || return
        grep -qxF "    $section frobnicate=1 (layer 1): it does nothing here" err.txt && ! grep ' smoothing=' err.txt || return
    done
}

# with_layer LINES...: a classifier with this layer in the middle.
with_layer() { net && convolution 4 && printf '%s\n' "$@" '[connected]' output=3 activation=linear '[ols]'; }

# Darknet wrote to other memory: in a short training that shows in a build with SANITIZE=1 alone.
trains_layers() {
    local layer
    printf '%s\n' "${good[@]}" >data
    for layer in "[local] filters=4 size=3 stride=1 pad=1" "[batchnorm]" "[rnn] output=16 batch_normalize=1" "[gru] output=16" \
        "[crnn] hidden_filters=4 output_filters=4" "[convolutional] filters=3 size=1 binary=1" "[softmax] noloss=1" \
        "[deconvolutional] filters=4 size=2 stride=2" "[lrn]" "[l2norm]" "[reorg] stride=2" "[crop]"; do
        # shellcheck disable=SC2086 # words are lines
        with_layer $layer >layer.cfg
        train data layer.cfg >out.txt 2>err.txt || { echo "$layer: $(tail -n 1 err.txt)"; return 1; }
    done
    rm -f backup/*
}

refuses_layers() {
    printf '%s\n' "${good[@]}" >data
    with_layer '[lstm]' output=4 >layer.cfg
    fails "[lstm] (layer 1): Darknet has all of this layer for a GPU alone" train data layer.cfg || return
    parse layer.cfg || return # to run one that was trained elsewhere
    for layer in softmax logistic cost; do
        with_layer "[$layer]" >layer.cfg
        fails "[$layer] (layer 1) of layer.cfg compares its 64 outputs with 3 values of the labels" train data layer.cfg &&
            fails "[$layer] (layer 1) of layer.cfg compares" train data layer.cfg -nocheck &&
            fails "[$layer] (layer 1) of layer.cfg compares" "$darknet" check data layer.cfg || return
    done
}

# Single samples have no partner: it would train with hard labels.
pc_needs_pairs() {
    printf '%s\n' "${good[@]}" >data
    { with_layer '[lrn]' && echo smoothing=pc; } >layer.cfg
    sed -i 's/^batch=3/&\nsubdivisions=3/' layer.cfg
    for command in "train data layer.cfg" "train data layer.cfg -nocheck" "$darknet check data layer.cfg"; do
        # shellcheck disable=SC2086 # words
        fails "smoothing=pc pairs images that are forwarded together, but batch= divided by subdivisions= is 1" $command || return
    done
    parse layer.cfg || return # to run one that was trained
    sed -i 's/^subdivisions=3/subdivisions=1/' layer.cfg
    train data layer.cfg >out.txt 2>err.txt && rm -f backup/*
}

try "layers whose memory was too small train" trains_layers
try "pairwise confusion without pairs is refused" pc_needs_pairs
try "layers that cannot be trained on a CPU, or that read more labels than there are, are refused" refuses_layers
try "comments after values and sections, in a .data file too, and of whole lines, change nothing" comments_change_nothing
try "the ends of every range are inside it" limits_are_values
try "unknown keys in heads are ignored, as in any Darknet, and listed" unknown_keys_elsewhere

# --- data files -------------------------------------------------------------------------------------------------------

# data LINES...: a .data file with these lines before those of a good one, which so lose.
data() { printf '%s\n' "$@" "${good[@]}" >data; }
head -n 2 names >two-names
{ cat names && echo more; } >four-names
: >empty-list
echo "$T/images/nowhere-$(head -n 1 names)-1.ppm" >lost-list
echo "no image" >"$T/broken-$(head -n 1 names).ppm"
echo "$T/broken-$(head -n 1 names).ppm" >broken-list

# An image without objects has an empty label file.
mkdir -p labels
for image in images/*.ppm "images/$(basename "$(cat lost-list)")"; do : >"labels/$(basename "$image" .ppm).txt"; done
: >"$(sed 's/ppm$/txt/' broken-list)"

# data_errors TRAINER SECTION CLASSES NAMES: the same mistakes in front of either trainer, in its words.
data_errors() {
    local trainer=$1 section=$2
    run_trainer() { "$darknet" "$trainer" train data net.cfg -seed 1 -nogpu "$@"; }
    cfg "$section" smoothing=ols >net.cfg
    data classes=4 "labels=$T/four-names"
    fails "$3" run_trainer || return
    data "names=$T/two-names"
    fails "$T/two-names has 2 $4" run_trainer || return
    data "names=$T/nowhere.names"
    fails "cannot read the list of names $T/nowhere.names" run_trainer || return
    data "train=$T/empty-list"
    fails "the list of images $T/empty-list is empty" run_trainer || return
    data "train=$T/nowhere.list"
    fails "cannot read the list of images $T/nowhere.list: No such file or directory" run_trainer || return
    data "train=$T/lost-list"
    fails "lost-list:1: image $(cat lost-list): No such file or directory" run_trainer || return
    fails "cannot load the image" run_trainer -nocheck || return
    data "train=$T/broken-list"
    fails "broken-list:1: image $(cat broken-list): it is no JPEG, PNG or BMP" run_trainer || return
    fails "cannot load the image $(cat broken-list): it is no JPEG, PNG or BMP" run_trainer -nocheck || return
    rm -f data
    fails "cannot read the data file data: No such file or directory" run_trainer || return
    data && rm -f net.cfg
    fails "cannot read the cfg net.cfg: No such file or directory" run_trainer || return
    [ -z "$(ls backup)" ]
}
labels_errors() {
    cfg '[ols]' smoothing=ols >net.cfg
    data "labels=$T/two-names"
    fails "$T/two-names has 2 lines, but data says classes=3" train data net.cfg || return
    data "labels=$T/nowhere.names"
    fails "cannot read the list of labels $T/nowhere.names: No such file or directory" train data net.cfg
}
try "classifier train: mistakes in the .data file and missing files are named" data_errors classifier '[ols]' \
    "the .data file says classes=4, but [ols] (layer 1) has 3" "lines, but data says classes=3"
try "detector train: mistakes in the .data file and missing files are named" data_errors detector '[yolo]' \
    "data: classes=4, but the network has 3: must be the same" "names, but there are 3 classes"
try "classifier train: too few labels, or none, are named" labels_errors

# --- the command line -------------------------------------------------------------------------------------------------

refuses_seeds() {
    local seed
    for seed in "" abc -1 1.5 0x10 4294967296 99999999999999999999 "1 2" 1e3; do
        fails "-seed $seed is not valid: must be a whole number from 0 to 4294967295" \
            "$darknet" classifier train data net.cfg -seed "$seed" || return
    done
    fails "-seed needs a value" "$darknet" classifier train data net.cfg -seed &&
        fails "classifier train: -seed is given twice" "$darknet" classifier train data net.cfg -seed 1 -seed 2
}

# says TEXT LINES...: a cfg of these lines is refused with TEXT.
says() {
    printf '%s\n' "${@:2}" >odd.cfg
    fails "$1" parse odd.cfg
}
small=('[net]' batch=1 width=8 height=8 channels=3)
refuses_text_behind_numbers() {
    local value
    for value in 8x x 8.5 1e1 0x8 99999999999 8,8 '"8"'; do
        says "odd.cfg:6: [net] max_batches=$value is not valid: must be a whole number" "${small[@]}" "max_batches=$value" || return
    done
    for value in .0l x 1,5 nan inf 0x1p3 1e999 .1.2; do
        says "odd.cfg:6: [net] learning_rate=$value is not valid: must be a number" "${small[@]}" "learning_rate=$value" || return
        says "odd.cfg:9: [dropout] probability=$value is not valid: must be a number" "${small[@]}" '[maxpool]' '' \
            '[dropout]' "probability=$value" || return
    done
    for value in 1,x 1, ,1 1,,2 1.5,2; do
        says "odd.cfg:7: [net] steps=$value is not valid: must be whole numbers with commas" "${small[@]}" policy=steps \
            "steps=$value" scales=.1,.1 || return
        says "odd.cfg:7: [route] layers=$value is not valid: must be whole numbers with commas" "${small[@]}" '[route]' \
            "layers=$value" || return
    done
    for value in 1,2x 1,x '1,2,' 1,1e999; do
        says "odd.cfg:7: [yolo] anchors=$value is not valid: must be numbers with commas" "${small[@]}" '[yolo]' \
            "anchors=$value" num=1 || return
    done
    # in a .data file
    printf '%s\n' '# two' classes=2x names=names valid=list >odd.data
    fails 'odd.data:2: classes=2x is not valid: must be a whole number' "$darknet" classifier valid odd.data plain.cfg plain.weights
}
reads_numbers_with_comments() {
    printf '%s\n' '[net]' 'batch = 1 # an image' 'width=8;' height=8 channels=3 'learning_rate = -1.5e-3 # less' policy=steps \
        'steps = 1, 2 # two, not three' 'scales = .1, 1.E-1' '[maxpool]' 'size = 2' '[route]' \
        'layers = -1, +0 # both, x' '[convolutional]' filters=8 '[yolo]' 'mask = 0 ;0,1' \
        'anchors = 1,1, +2,2 # by k-means, 416' num=+2 classes=3 >fine.cfg
    parse fine.cfg || return
    printf '%s\n' 'classes=two # three, at first' train=list >odd.data
    fails 'odd.data:1: classes=two is not valid: must be a whole number from 1 to' "$darknet" detector anchors odd.data -num 1 ||
        return
    printf '%s\n' 'classes=3 # dog, cat' valid=none names=none >odd.data
    fails 'none' "$darknet" detector map odd.data plain.cfg plain.weights && ! grep classes err.txt
}
refuses_what_has_no_value() {
    local key
    for key in batch learning_rate policy; do
        says "odd.cfg:6: $key= has no value" "${small[@]}" "$key=" || return
    done
    says 'odd.cfg:7: steps= has no value' "${small[@]}" policy=steps steps= scales=.1 || return
    says 'odd.cfg:7: steps= has no value' "${small[@]}" policy=steps steps scales=.1 || return
    printf '%s\n' classes=2 names= >odd.data
    fails 'odd.data:2: names= has no value' "$darknet" detector test odd.data plain.cfg plain.weights plain.cfg
}
refuses_zeros_that_crash() {
    local key
    for key in batch subdivisions; do
        says "odd.cfg:6: [net] $key=0 is not valid: must be a whole number above 0" '[net]' width=8 height=8 channels=3 inputs=192 \
            "$key=0" '[maxpool]' || return
    done
    says '[maxpool] stride=0 is not valid: must be a whole number above 0' "${small[@]}" '[maxpool]' stride=0 &&
        says '[maxpool] size=0 is not valid: must be a whole number above 0' "${small[@]}" '[maxpool]' size=0 &&
        says '[convolutional] filters=-1 is not valid' "${small[@]}" '[convolutional]' filters=-1 &&
        says '[net] step=0 is not valid: must be a whole number above 0' "${small[@]}" policy=step step=0 &&
        says '[yolo] max=0 is not valid: must be a whole number above 0' "${small[@]}" '[convolutional]' filters=6 '[yolo]' mask=0 \
            classes=1 anchors=4,4 max=0
}
refuses_what_does_not_fit() {
    says 'STEPS policy must have steps and scales' "${small[@]}" policy=steps steps=1 &&
        says '[detection] (layer 0): with side=2, num=1, classes=3 and coords=4 it needs 32 values from the layer before it, not 192' \
            "${small[@]}" '[detection]' side=2 num=1 classes=3 coords=4 &&
        says 'needs inputs%groups == 0' "${small[@]}" '[softmax]' groups=5 &&
        says '[convolutional] groups=2 is not valid: must be a divisor of the 3 channels before it and of filters=4' "${small[@]}" \
            '[convolutional]' filters=4 groups=2 &&
        says '[convolutional] groups=3 is not valid: must be a divisor' "${small[@]}" '[convolutional]' filters=4 groups=3 &&
        says '[yolo] (layer 1): anchors= is missing' "${small[@]}" '[convolutional]' filters=6 '[yolo]' mask=0 classes=1 &&
        says '[route] (layer 1): there is no layer 1 before it' "${small[@]}" '[maxpool]' '[route]' layers=-1,1 &&
        says '[route] (layer 1): there is no layer -2 before it' "${small[@]}" '[maxpool]' '[route]' layers=-2 &&
        says '[route] (layer 0): layers= is missing' "${small[@]}" '[route]' &&
        says '[shortcut] (layer 0): there is no layer 99 before it' "${small[@]}" '[shortcut]' from=99 &&
        says '[shortcut] (layer 0): from= is missing' "${small[@]}" '[shortcut]'
}

refuses_scales_that_do_not_fit() {
    local scales=("${small[@]}" '[convolutional]' filters=4 activation=linear '[avgpool]')
    says '[scale_channels] (layer 0): from= is missing' "${small[@]}" '[scale_channels]' &&
        says '[scale_channels] (layer 2): there is no layer 2 before it' "${scales[@]}" '[scale_channels]' from=2 &&
        says '[scale_channels] (layer 1): the layer before it gives 8 x 8 x 4, but must give 1 x 1 x 4 for layer 0, which is 8 x 8 x 4' \
            "${small[@]}" '[convolutional]' filters=4 activation=linear '[scale_channels]' from=0 &&
        says '[scale_channels] (layer 2): the layer before it gives 1 x 1 x 4, but must give 8 x 8 x 1 for layer 0' \
            "${scales[@]}" '[scale_channels]' from=0 scale_wh=1 &&
        says '[scale_channels] (layer 2): scale_wh=2 is not valid: must be 0 or 1' "${scales[@]}" '[scale_channels]' from=0 scale_wh=2
}

refuses_swish_without_its_input() {
    local text='(layer 0): activation=swish is for [convolutional], [connected], [shortcut], [activation] and [scale_channels]'
    says "[local] $text" "${small[@]}" '[local]' filters=2 size=3 activation=swish &&
        says "[rnn] $text" '[net]' batch=1 inputs=9 '[rnn]' output=3 activation=swish
}

refuses_loaders_and_caches() {
    local number
    for number in "" abc -1 1.5 1025; do
        fails "-loaders $number is not valid: must be a whole number from 0 to 1024" \
            "$darknet" detector train data net.cfg -loaders "$number" || return
    done
    fails "-cache 2M is not valid: must be a whole number from 0 to" "$darknet" detector train data net.cfg -cache 2M &&
        fails "-cache needs a value" "$darknet" classifier train data net.cfg -cache
}

# explains TEXT ARGUMENTS...: darknet prints a line that matches TEXT to stdout, nothing to stderr, and ends with status 0.
explains() {
    local text=$1
    shift
    "$darknet" "$@" >out.txt 2>err.txt && [ ! -s err.txt ] && grep -q "$text" out.txt && return
    echo "wanted: $text, of: $*"
    cat out.txt err.txt
    return 1
}
ols_options() {
    fails "no command ols frobnicate (see darknet ols --help)" "$darknet" ols frobnicate &&
        fails "ols show: unexpected argument b (see" "$darknet" ols show a b &&
        fails "ols plot: needs <weights>... <out.png> (see" "$darknet" ols plot a &&
        fails "ols deploy: needs <in.cfg> <out.cfg> [in.weights] [out.weights]" "$darknet" ols deploy a.cfg &&
        fails "ols deploy: c has no file for its result" "$darknet" ols deploy a b c &&
        fails "ols show: unknown option -tip: did you mean -top? (see darknet ols show --help)" "$darknet" ols show plain.weights -tip 3 &&
        fails "ols plot: unknown option -top" "$darknet" ols plot plain.weights out.png -top 3 &&
        fails "-top needs a value" "$darknet" ols show plain.weights -top &&
        fails "-top is given twice" "$darknet" ols show -top 3 plain.weights -top 3 &&
        fails "-top 0 is not valid: must be a whole number from 1 to 1000000" "$darknet" ols show plain.weights -top 0 &&
        fails "-top 3x is not valid" "$darknet" ols show plain.weights -top 3x &&
        fails "-set -1 is not valid: must be a whole number from 0 to" "$darknet" ols show plain.weights -set -1 &&
        fails "plain.weights holds fewer sets of soft labels" "$darknet" ols show plain.weights -set 1
}

# Lines with the version, the Darknet and the switches, on stdout; in a build for GPUs none is asked for.
prints_version() {
    local word
    for word in --version -version; do
        explains '^built from: Darknet [^ ]' "$word" && grep -q '^switches: [A-Z]' out.txt &&
            [ "$(head -n 1 out.txt)" = "darknet-ols $(cat "$root/VERSION")" ] || return
    done
}
ols_files() {
    fails "cannot open nowhere.weights: No such file" "$darknet" ols show nowhere.weights &&
        fails "ols show: names is text of another kind, in the place of <weights>" "$darknet" ols show names &&
        fails "cannot read the list of names nowhere.names: No such file" "$darknet" ols show plain.weights -names nowhere.names &&
        fails "two-names has 2 names, but the soft labels are of 3 classes" "$darknet" ols show plain.weights \
            -names two-names &&
        fails "cannot draw nowhere/plot.png" "$darknet" ols plot plain.weights nowhere/plot.png &&
        fails "cannot open nowhere.cfg: No such file" "$darknet" ols deploy nowhere.cfg out.cfg &&
        fails "cannot write nowhere/out.cfg: No such file" "$darknet" ols deploy plain.cfg nowhere/out.cfg &&
        [ ! -e out.cfg ] && ! compgen -G '*.tmp'
}

# Darknet takes blanks out of a line before it reads it.
deploys_with_blanks() {
    { net && printf '%s\n' '[connected]' output=3 ' [ ols ]' ' alpha = .3' "	period=2" temperature=2; } >blanks.cfg
    parse blanks.cfg && "$darknet" ols deploy blanks.cfg flat.cfg || return
    [ "$(tail -n 2 flat.cfg)" = "$(printf '%s\n' '[softmax]' temperature=2)" ] || { cat flat.cfg; return 1; }
}

try "-seed is refused where it is no whole number of 32 bits" refuses_seeds
try "a number with text behind it is refused with file, line, section and key, in lists and .data files too" refuses_text_behind_numbers
try "numbers may have blanks and a comment behind them" reads_numbers_with_comments
try "a key without a value is refused" refuses_what_has_no_value
try "a zero with which Darknet would divide is refused" refuses_zeros_that_crash
try "sizes and layers that do not fit end with one line, not with an assertion" refuses_what_does_not_fit
try "[scale_channels] needs a layer before it, and a number for each channel or pixel" refuses_scales_that_do_not_fit
try "swish is refused where no layer keeps what it was computed from" refuses_swish_without_its_input
try "-loaders and -cache are refused where they are no whole numbers in their range" refuses_loaders_and_caches
try "--version: the version, the Darknet that it was built from, and the switches" prints_version
try "darknet ols: wrong options are named, with their range" ols_options
try "darknet ols: files that are missing or of another kind are named, and none is written" ols_files
try "darknet ols deploy: a section with blanks is a section" deploys_with_blanks

finish
