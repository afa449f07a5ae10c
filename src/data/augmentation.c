#include "data/augmentation.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "data/photo.h"
#include "data/random_beta.h"
#include "data/random_stream.h"

#include "image.h"
#include "option_list.h"

#include <stdlib.h>
#include <string.h>

/* Of Darknet's data.c, which no header declares. */
char **get_random_paths(char **paths, int n, int m);
matrix load_labels_paths(char **paths, int n, char **labels, int k, tree *hierarchy);

/* ---- The keys ---------------------------------------------------------------------------------------------------- */

static const char *const keys[] = {"pad", "cutout", "mixup", 0};

int is_augmentation_key(const char *key)
{
    int i;
    for (i = 0; keys[i] && strcmp(key, keys[i]); ++i) continue;
    return keys[i] != 0;
}

static int parse_pixels(list *options, const char *key, int most)
{
    const char *text = option_find(options, (char *)key);
    long long pixels = 0;
    if (text && parse_whole_number(text, 0, most, &pixels))
        die("[net]: %s=%s is not valid: must be a whole number from 0 to %d", key, text, most);
    return (int)pixels;
}

static void check_pad(list *options, const network *net)
{
    static const char *const replaced[] = {"min_crop", "max_crop", "min_ratio", "max_ratio", "angle", "aspect"};
    size_t i;
    for (i = 0; net->pad && i < sizeof replaced / sizeof *replaced; ++i) {
        const char *text = option_find(options, (char *)replaced[i]);
        if (text)
            die("[net]: pad=%d and %s=%s contradict each other: either pad, or min_crop, max_crop, min_ratio, "
                "max_ratio, angle and aspect say how an image is cropped",
                net->pad, replaced[i], text);
    }
}

void parse_augmentation(list *options, network *net)
{
    const double most = 100;
    const char *text = option_find(options, (char *)"mixup");
    double alpha = 0;
    net->pad = parse_pixels(options, "pad", net->w / 2);
    net->cutout = parse_pixels(options, "cutout", net->w > net->h ? net->w : net->h);
    if (text && parse_number(text, 0, most, &alpha))
        die("[net]: mixup=%s is not valid: must be a number from 0 to %g", text, most);
    net->mixup = (float)alpha;
    check_pad(options, net);
}

/* The first key that the network has; NULL: none. */
static const char *key_of(const network *net)
{
    return net->pad ? "pad" : net->cutout ? "cutout" : net->mixup > 0 ? "mixup" : 0;
}

void refuse_augmentation(const network *net)
{
    const char *key = key_of(net);
    if (key) die("[net]: %s= is for the images of `classifier train`; this training would not use it", key);
}

void use_augmentation(network **nets, int n, load_args *args)
{
    int i;
    if (args->type != CLASSIFICATION_DATA && key_of(nets[0]))
        die("[net]: %s= is for images with one label; it does not go together with tag=1", key_of(nets[0]));
    if (args->hierarchy && nets[0]->mixup > 0)
        die("[net]: mixup= is for images with one label; it does not go together with tree=");
    args->pad = nets[0]->pad;
    args->cutout = nets[0]->cutout;
    args->mixup = nets[0]->mixup;
    for (i = 0; i < n; ++i) {
        nets[i]->pad = nets[i]->cutout = 0;
        nets[i]->mixup = 0;
    }
}

/* ---- Images ------------------------------------------------------------------------------------------------------ */

/* Sets crop(x, y) = whole(x + dx, y + dy) where that is inside. Both are squares of one size; `crop` is black. */
static void shift(image whole, int dx, int dy, image crop)
{
    const int n = whole.w, width = n - abs(dx);
    int c, y;
    for (c = 0; c < whole.c; ++c) {
        for (y = dy < 0 ? -dy : 0; y < n && y + dy < n; ++y)
            memcpy(crop.data + (size_t)(c * n + y) * n + (dx < 0 ? -dx : 0),
                   whole.data + (size_t)(c * n + y + dy) * n + (dx > 0 ? dx : 0), width * sizeof(float));
    }
}

/* With random=1 the size may be smaller than the network's was when pad= was read: then half of it is padded. */
static image pad_and_crop(photo p, int pad, int size)
{
    image whole = photo_center_crop(p, size, size), crop = make_image(size, size, whole.c);
    const int most = pad < size / 2 ? pad : size / 2;
    const int dx = random_rand() % (2 * most + 1) - most, dy = random_rand() % (2 * most + 1) - most;
    shift(whole, dx, dy, crop);
    free_image(whole);
    return crop;
}

/* The part of a square's side from `start` on that lies in 0..n-1: *start and the returned end are within it. */
static int clip(int *start, int side, int n)
{
    const int end = *start + side;
    if (*start < 0) *start = 0;
    return end < n ? end : n;
}

static void cut_out(image im, int side)
{
    int left = random_rand() % im.w - side / 2, top = random_rand() % im.h - side / 2, c, x, y;
    const int right = clip(&left, side, im.w), bottom = clip(&top, side, im.h);
    for (c = 0; c < im.c; ++c)
        for (y = top; y < bottom; ++y)
            for (x = left; x < right; ++x) im.data[((size_t)c * im.h + y) * im.w + x] = CUTOUT_VALUE;
}

/* Draws its random numbers in the order of Darknet's load_image_augment_paths. */
static image augmented_image(char **path, const load_args *a)
{
    photo p = photo_open_for_training(path);
    image im = a->pad ? pad_and_crop(p, a->pad, a->size)
                      : photo_random_augment(p, a->angle, a->aspect, a->min, a->max, a->size, a->size);
    photo_close(p);
    if (random_rand() % 2) flip_image(im);
    photo_random_distort(im, a->hue, a->saturation, a->exposure);
    if (a->cutout) cut_out(im, a->cutout);
    return im;
}

/* ---- A part of a batch ------------------------------------------------------------------------------------------- */

static data load_images(char **paths, const load_args *a)
{
    data d;
    int i;
    memset(&d, 0, sizeof d);
    d.w = d.h = a->size;
    d.X.rows = a->n;
    d.X.cols = a->size * a->size * 3;
    d.X.vals = (float **)xcalloc(a->n, sizeof *d.X.vals);
    for (i = 0; i < a->n; ++i) d.X.vals[i] = augmented_image(paths + i, a).data;
    d.y = load_labels_paths(paths, a->n, a->labels, a->classes, a->hierarchy);
    return d;
}

static void mix(float *row, const float *other, int n, float share)
{
    int i;
    for (i = 0; i < n; ++i) row[i] = share * row[i] + (1 - share) * other[i];
}

static void mix_with_others(data d, const load_args *a)
{
    char **paths = (char **)xcalloc(a->n, sizeof *paths);
    uint64_t stream = (uint64_t)random_rand() << 31;
    data others;
    int i;
    stream ^= (uint64_t)random_rand();
    for (i = 0; i < a->n; ++i) paths[i] = a->paths[random_rand() % a->m];
    others = load_images(paths, a);
    for (i = 0; i < a->n; ++i) {
        const float share = (float)random_beta(&stream, a->mixup, a->mixup);
        mix(d.X.vals[i], others.X.vals[i], d.X.cols, share);
        mix(d.y.vals[i], others.y.vals[i], d.y.cols, share);
    }
    free_data(others);
    free(paths);
}

int augments(const load_args *args)
{
    return args->type == CLASSIFICATION_DATA && (args->pad || args->cutout || args->mixup > 0);
}

data load_augmented(const load_args *args)
{
    char **paths = get_random_paths(args->paths, args->n, args->m);
    data d = load_images(paths, args);
    if (args->mixup > 0) mix_with_others(d, args);
    free(paths);
    return d;
}
