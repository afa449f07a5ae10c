#!/usr/bin/env bash
# Keys of a cfg that nothing reads, in TAP: a misspelt key of this project, or one in the wrong section, stops; others are
# listed behind the table of layers with what is done in their place, and -strict stops for them.

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

export GOMP_SPINCOUNT=1000 # or the program starts itself again with it, each time

parse() { "$darknet" ops "$@" -nogpu; }

# net LINES..., and sections behind it.
net() { printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 "$@"; }
convolution() { printf '%s\n' '[convolutional]' filters=7 size=1 stride=8 activation=linear "$@"; }
yolo() { convolution && printf '%s\n' '[yolo]' anchors=4,4 num=1 classes=2 "$@"; }
region() { convolution && printf '%s\n' '[region]' anchors=1,1 num=1 classes=2 coords=4 "$@"; }
softmax() { printf '%s\n' '[connected]' output=2 activation=linear '[softmax]' "$@"; }
ols() { printf '%s\n' '[connected]' output=2 activation=linear '[ols]' "$@"; }

# --- Keys of this project ---------------------------------------------------------------------------------------------

# stops TEXT: the cfg from stdin is refused with this text.
stops() {
    cat >bad.cfg
    fails "$1" parse bad.cfg
}

misspelt_keys() {
    local line
    for line in smothing=ols smoothng=ls Smoothing=ols smoothing_=ols; do
        { net && yolo "$line"; } | stops "[yolo] (layer 1): unknown key ${line%=*}=: did you mean smoothing=?" &&
            { net && region "$line"; } | stops "[region] (layer 1): unknown key ${line%=*}=: did you mean smoothing=?" &&
            { net && softmax "$line"; } | stops "[softmax] (layer 1): unknown key ${line%=*}=: did you mean smoothing=?" ||
            return
    done
    { net && yolo smoothing=ols aplha=.4; } | stops "[yolo] (layer 1): unknown key aplha=: did you mean alpha=?" &&
        { net && yolo smoothing=ols class_gian=2; } | stops "did you mean class_gain=?" &&
        { net && yolo iou_tresh=.5; } | stops "did you mean iou_thresh=?" &&
        { net && ols aplha=.4; } | stops "[ols] (layer 1): unknown key aplha=.4" &&
        { net cutuot=2 && softmax; } | stops "[net]: unknown key cutuot=: did you mean cutout=?" &&
        { net nesterof=1 && softmax; } | stops "[net]: unknown key nesterof=: did you mean nesterov=?" &&
        { net policy=cosine max_batches=10 learning_rate_mn=0 && softmax; } | stops "did you mean learning_rate_min=?"
}

keys_in_the_wrong_place() {
    { net && softmax smoothing=ols; } |
        stops "[softmax] (layer 1): smoothing= does nothing here: write [ols] in the place of [softmax]" &&
        { net && convolution smoothing=ols && softmax; } |
        stops "[convolutional] (layer 0): smoothing= does nothing here: it is a key of [ols], [yolo], [region]" &&
        { net && convolution iou_thresh=.2 && softmax; } | stops "(layer 0): iou_thresh= does nothing here: it is a key of [yolo]" &&
        { net smoothing=ls && softmax; } | stops "[net]: smoothing= does nothing here" &&
        { net && convolution nesterov=1 && softmax; } | stops "(layer 0): nesterov= does nothing here: it is a key of [net]" &&
        { net learning_rate_min=.1 && softmax; } | stops "[net]: learning_rate_min= does nothing without policy=cosine"
}

keys_given_twice() {
    { net && yolo smoothing=ols smoothing=ls; } | stops "[yolo] (layer 1): smoothing= is given twice" &&
        { net && ols alpha=.4 alpha=.5; } | stops "[ols] (layer 1): alpha= is given twice" &&
        { net nesterov=0 nesterov=1 && softmax; } | stops "[net]: nesterov= is given twice"
}

try "a misspelt key of smoothing, of [yolo] or of [net] stops with the right one" misspelt_keys
try "a key of ours stops where it means nothing" keys_in_the_wrong_place
try "a key of ours that is given twice stops" keys_given_twice

# --- Keys of other Darknets -------------------------------------------------------------------------------------------

# notes TEXT...: the cfg from stdin is read, and the list behind the table of layers has exactly these lines.
notes() {
    cat >good.cfg
    parse good.cfg >out.txt 2>err.txt || { cat err.txt; return 1; }
    ! grep 'Unused field' err.txt &&
        diff <([ $# = 0 ] || printf '    %s\n' "$@") \
            <(sed -n '1,/^darknet: note: what the cfg says/d;p' err.txt | grep '^    ')
}

foreign_keys() {
    { net mosaic=1 cutmix=1 letter_box=1 flip=0 && yolo iou_loss=ciou scale_x_y=1.05 label_smooth_eps=0.1 focal_loss=1; } | notes \
        '[net] mosaic=1: images are not put together' '[net] cutmix=1: images are not put together' \
        '[net] letter_box=1: detector train stretches and crops as Darknet does' \
        '[net] flip=0: half of the images are mirrored' \
        '[yolo] iou_loss=ciou (layer 1): boxes are trained by the squared error, as with iou_loss=mse' \
        '[yolo] scale_x_y=1.05 (layer 1): centres are a plain sigmoid, as with scale_x_y=1' \
        '[yolo] label_smooth_eps=0.1 (layer 1): labels are hard; label smoothing is smoothing=ls and epsilon=0.1' \
        '[yolo] focal_loss=1 (layer 1): no focal loss' &&
        { net && convolution && printf '%s\n' '[route]' layers=-1 groups=2 group_id=1 && softmax; } | notes \
            '[route] groups=2 (layer 1): all channels are taken' '[route] group_id=1 (layer 1): all channels are taken' &&
        { net frobnicate=1 learning_rat=.1 && softmax temprature=2; } | notes '[net] frobnicate=1: it does nothing here' \
            '[net] learning_rat=.1: it does nothing here; did you mean learning_rate=?' \
            '[softmax] temprature=2 (layer 1): it does nothing here'
}

# The line that is named for label_smooth_eps is one that is read.
named_line_is_read() {
    local named
    { net && yolo label_smooth_eps=0.1; } >foreign.cfg && parse foreign.cfg >out.txt 2>err.txt || return
    named=$(sed -n 's/.*label smoothing is \([^ ]*\) and \([^ ]*\).*/\1 \2/p' out.txt err.txt)
    # shellcheck disable=SC2086 # two keys
    [ "$(wc -w <<<"$named")" = 2 ] && { net && yolo $named; } | notes
}

activations() {
    { net && printf '%s\n' '[convolutional]' activation=mish '[convolutional]' activation=leaky '[convolutional]' \
        activation=mish '[convolutional]' activation=hard_mish && softmax; } | notes \
        '[convolutional] activation=mish (2 layers, the first is 0): relu takes its place' \
        '[convolutional] activation=hard_mish (layer 3): relu takes its place' || return
    local name
    for name in $(sed -n '/^ACTIVATION get_activation/,/^}/s/.*strcmp(s, "\([a-z0-9]*\)").*/\1/p' \
        "$root/build/darknet/src/activations.c"); do
        { net && printf '%s\n' '[convolutional]' "activation=$name" && softmax; } | notes || { echo "$name"; return 1; }
    done
}

# What changes nothing, and what belongs to other programs, is not named; nor what Darknet reads with other values alone.
quiet_keys() {
    { net mosaic=0 flip=1 'cutmix = 0 # none' policy=constant steps=1,2 scales=.1,.1 gamma=2 && yolo iou_loss=mse scale_x_y=1.0 \
        new_coords=0 thresh=.2; } | notes
}

# Networks with weights of a hundred megabytes are left out, as their table of layers takes seconds.
stock_cfgs() {
    local cfg
    for cfg in "$root"/build/darknet/cfg/{darknet,tiny,cifar,gru,resnet18,yolov2-tiny-voc,yolov3-tiny}.cfg "$root"/cfg/{demo,cifar10-resnet8,mobilenetv2-yolo-voc-ols}.cfg; do
        notes <"$cfg" || { echo "$cfg"; return 1; }
    done
}

# The rest of what Darknet's reader crashes on: what the command line does not look into, and the file of tree=.
reads_to_the_end() {
    printf '%s\n' '# a remark' width=8 '[net]' >early.cfg
    fails ': line 2 is in no section' parse <(cat early.cfg) || return
    { net && softmax tree=nowhere; } >bad.cfg
    parse bad.cfg >out.txt 2>err.txt
    [ $? = 1 ] && [ "$(tail -n 1 err.txt)" = "Couldn't open file: nowhere" ]
}

second_lines() {
    { net && convolution size=3 && softmax; } | notes '[convolutional] size=3 (layer 0): the first line with this key counts' &&
        { net batch=2 decay=.1 decay=.2 && softmax; } | notes '[net] batch=2: the first line with this key counts' \
            '[net] decay=.2: the first line with this key counts'
}

strict() {
    { net mosaic=1 && yolo focal_loss=1; } >bad.cfg
    fails "-strict: 2 lines of the cfg are not read here" parse bad.cfg -strict && grep -q '^    \[net\] mosaic=1: ' err.txt &&
        { net && yolo; } >good.cfg && parse good.cfg -strict || return
    # A training ends before it opens an image; -nocheck because the image is not there.
    printf '%s\n' classes=2 "train=$T/list" "backup=$T" >my.data && echo nowhere.jpg >list
    fails "-strict: 2 lines of the cfg are not read here" "$darknet" detector train my.data bad.cfg -strict -nocheck -nogpu
}

try "keys of other Darknets are listed behind the table, with what is done in their place" foreign_keys
try "what is named for label_smooth_eps is read here" named_line_is_read
try "an activation that Darknet does not know is listed once, with its layers" activations
try "values that change nothing, keys for OpenCV and those of another policy are not listed" quiet_keys
try "cfgs of Darknet and of this project have nothing to list" stock_cfgs
try "a second line with the same key is listed" second_lines
try "-strict makes it an error, behind the list" strict
try "a key above the first section and a tree= that is not there are errors" reads_to_the_end
finish
