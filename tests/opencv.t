#!/usr/bin/env bash
# What a build with OPENCV=1 does about windows, videos and images that are not there, in TAP; skipped for other builds.
# (make OPENCV=1 variant; DARKNET_PROGRAM=$(make -s OPENCV=1 print-out)/darknet.bin tests/opencv.t)

# shellcheck disable=SC2317  # the functions are reached, by way of try

# shellcheck source=tests/helpers/workplace.sh
. "$(dirname "${BASH_SOURCE[0]}")/helpers/workplace.sh"

if [[ $("$darknet" --version) != *" OPENCV"* ]]; then
    skip "windows, videos and images of OpenCV: the program is not of make OPENCV=1"
    finish
fi

# No display, whatever there is where the tests run.
unset DISPLAY WAYLAND_DISPLAY
export QT_QPA_PLATFORM=xcb

# A detector and a classifier of 8 x 8 pixels, an image, and a video of three frames.
mkdir backup images labels video
printf 'a\nb\n' >names
/usr/bin/python3 -c 'import PIL.Image
for name in ("images/a-1", "video/0", "video/1", "video/2"): PIL.Image.new("RGB", (40, 20), (200, 90, 30)).save(name + ".jpg")' || exit 1
echo '0 .5 .5 .5 .5' >labels/a-1.txt
echo images/a-1.jpg >list
printf '%s\n' classes=2 "train=$T/list" "valid=$T/list" "names=$T/names" "labels=$T/names" "backup=$T/backup" >my.data
net() { printf '%s\n' '[net]' batch=1 width=8 height=8 channels=3 max_batches=1; }
{ net && printf '%s\n' '[convolutional]' filters=7 size=1 stride=8 activation=linear '[yolo]' anchors=4,4 num=1 classes=2; } >detector.cfg
{ net && printf '%s\n' '[connected]' output=2 activation=linear '[ols]'; } >classifier.cfg
"$darknet" classifier train my.data classifier.cfg -seed 1 -nogpu >said.txt 2>&1 &&
    "$darknet" detector train my.data detector.cfg -seed 1 -nogpu >said.txt 2>&1 || exit 1
detector=(my.data detector.cfg backup/detector_final.weights)
classifier=(my.data classifier.cfg backup/classifier.weights)

# limited COMMAND...: a window that opens waits for a key for ever.
limited() { timeout 60 "$darknet" "$@" -nogpu; }

needs_a_display() {
    local text="no window can be opened: there is no display here (-dont_show does without)"
    fails "$text" limited detector test "${detector[@]}" images/a-1.jpg &&
        fails "$text" limited detector demo "${detector[@]}" video/%d.jpg &&
        fails "$text" limited classifier demo "${classifier[@]}" video/%d.jpg &&
        fails "$text" limited imtest images/a-1.jpg
}

shows_nothing() {
    rm -f predictions.jpg
    limited detector test "${detector[@]}" images/a-1.jpg -dont_show && [ -s predictions.jpg ] &&
        limited detector demo "${detector[@]}" video/%d.jpg -dont_show >out.txt && grep -q "^FPS" out.txt &&
        limited classifier demo "${classifier[@]}" video/%d.jpg -dont_show >out.txt && grep -q "^FPS" out.txt &&
        limited detector demo "${detector[@]}" video/%d.jpg -prefix frame && [ -s frame_00000000.jpg ]
}

# A window of the platform that draws into memory: the program waits for a key.
opens_a_window() {
    QT_QPA_PLATFORM=offscreen timeout 10 "$darknet" detector test "${detector[@]}" images/a-1.jpg -nogpu
    [ $? = 124 ]
}

names_videos() {
    echo text >text.mp4
    fails "cannot open the video nothing.mp4" limited detector demo "${detector[@]}" nothing.mp4 &&
        fails "cannot open the video text.mp4" limited detector demo "${detector[@]}" text.mp4 &&
        fails "cannot open the video nothing.mp4" limited classifier demo "${classifier[@]}" nothing.mp4 &&
        fails "cannot open camera 77" limited detector demo "${detector[@]}" -c 77
}

# Darknet gave the name to a shell, and went on with a black image.
names_images() {
    local name='x;touch hacked;.jpg'
    fails "cannot load the image $name: No such file or directory" limited imtest "$name" || return
    cp my.data "$name"
    fails "cannot load the image $name: it is no JPEG, PNG or BMP" limited imtest "$name" &&
        fails "cannot load the image $name: it is no JPEG, PNG or BMP" limited detector test "${detector[@]}" "$name" &&
        [ ! -e hacked ]
}

try "where there is no display, a command that shows something says so" needs_a_display
try "-dont_show opens no window, and a video ends" shows_nothing
try "a window is opened where that is possible" opens_a_window
try "a video or camera that is not there is named" names_videos
try "an image that is not there, or is none, is named, and its name is no command" names_images
finish
