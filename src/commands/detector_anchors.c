#include "commands/detector_anchors.h"

#include "data/anchors.h"
#include "data/lists.h"
#include "base/error.h"
#include "base/gnuplot.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/progress.h"
#include "data/label_file.h"
#include "data/data_file.h"

#include "darknet.h"
#include "option_list.h"
#include "stb_image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Arguments -------------------------------------------------------------------------------------------------- */

static const char usage[] = "darknet detector anchors <data> [-num 9] [-width 416] [-height 416] [-stretch] "
                            "[-seed 1] [-restarts 50] [-plot <out.png>]";

typedef struct {
    const char *data_file, *plot;
    unsigned long num, width, height, seed, restarts;
    int stretch;
} arguments;

static unsigned long whole_number(const char *name, const char *text, unsigned long low, unsigned long high)
{
    long long value;
    if (parse_whole_number(text, (long long)low, (long long)high, &value))
        die("%s %s is not valid: must be a whole number from %lu to %lu", name, text, low, high);
    return (unsigned long)value;
}

static arguments parse_arguments(int argc, char **argv)
{
    arguments a = {0, 0, 9, 416, 416, 1, 50, 0};
    const struct {
        const char *name;
        unsigned long *value, low, high;
    } options[] = {
        {"-num", &a.num, 1, 1000},          {"-width", &a.width, 1, 100000},        {"-height", &a.height, 1, 100000},
        {"-seed", &a.seed, 0, 0xffffffffu}, {"-restarts", &a.restarts, 1, 1000000},
    };
    enum { OPTIONS = sizeof options / sizeof *options };
    int i, k, words = 0;
    for (i = 1; i < argc && argv[i]; ++i) {
        const char *value = i + 1 < argc ? argv[i + 1] : 0;
        for (k = 0; k < OPTIONS && strcmp(argv[i], options[k].name); ++k) continue;
        if (k < OPTIONS || !strcmp(argv[i], "-plot")) {
            if (!value) die("detector anchors: %s needs a value", argv[i]);
            if (k < OPTIONS)
                *options[k].value = whole_number(argv[i], value, options[k].low, options[k].high);
            else
                a.plot = value;
            ++i;
        } else if (!strcmp(argv[i], "-stretch")) {
            a.stretch = 1;
        } else if (argv[i][0] == '-' || ++words > 3) { /* "detector", "anchors" and the file */
            die("detector anchors: unexpected argument %s; usage: %s", argv[i], usage);
        } else if (words == 3) {
            a.data_file = argv[i];
        }
    }
    if (!a.data_file) die("usage: %s", usage);
    return a;
}

/* ---- Boxes ------------------------------------------------------------------------------------------------------ */

/* Darknet exits with status 0 where a file is missing, so files are looked at before it gets them. */
static void need_file(const char *what, const char *path)
{
    if (check_file(what, path)) exit(1);
}

enum { QUIET_SECONDS = 2 };

/* find_anchors reports its restarts to a function without a context. */
static progress restarts_progress;

static void show_restarts(int done, int restarts)
{
    (void)done, (void)restarts;
    progress_step(&restarts_progress, 1);
}

/* The value of a key of a data file, to be freed; null where it is not there. */
static char *data_value(list *options, const char *key)
{
    char *value = option_find_str(options, (char *)key, 0);
    return value ? strdup(value) : 0;
}

typedef struct {
    anchor_size *sizes;
    size_t count, images, small;
} training_boxes;

/* How large training makes an image in the network's input, as in load_data_detection but for jitter. */
static anchor_size placed_size(const char *image, const arguments *a)
{
    anchor_size size = {a->width, a->height};
    int w, h, channels;
    double aspect;
    if (a->stretch) return size;
    need_file("image", image);
    if (!stbi_info(image, &w, &h, &channels) || w < 1 || h < 1) die("%s is not an image that can be decoded", image);
    aspect = (double)w / h;
    if (aspect < 1)
        size.w = size.h * aspect;
    else
        size.h = size.w / aspect;
    return size;
}

/* Adds the boxes of one image, in pixels of the network's input. */
static void add_image(const char *image, int classes, const arguments *a, label_boxes *labels, training_boxes *boxes)
{
    char path[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    anchor_size *grown, placed;
    size_t i;
    if (label_file_path(image, path, reason, sizeof reason) != LABELS_OK) die("%s", reason);
    labels->count = 0;
    switch (label_file_read(path, classes, labels, reason, sizeof reason)) {
    case LABELS_OK:
        break;
    case LABELS_MISSING:
        die("no label file %s of the image %s: training would end there", path, image);
    default:
        die("%s", reason);
    }
    grown = (anchor_size *)realloc(boxes->sizes, (boxes->count + labels->count + 1) * sizeof *grown);
    if (!grown) die("out of memory");
    boxes->sizes = grown;
    ++boxes->images;
    placed = placed_size(image, a);
    for (i = 0; i < labels->count; ++i) {
        const label_box *box = &labels->items[i];
        if (box->w < LABEL_SMALLEST_SIDE || box->h < LABEL_SMALLEST_SIDE) {
            ++boxes->small;
            continue;
        }
        boxes->sizes[boxes->count].w = box->w * placed.w;
        boxes->sizes[boxes->count++].h = box->h * placed.h;
    }
}

/* The boxes of the `train` list. */
static training_boxes read_boxes_of(const arguments *a)
{
    training_boxes boxes = {0, 0, 0, 0};
    label_boxes labels = {0, 0, 0};
    text_lines images;
    progress labels_progress;
    list *options;
    char *train, *classes_text;
    unsigned long classes;
    int i;

    need_file("data file", a->data_file);
    options = read_data_cfg((char *)a->data_file);
    train = data_value(options, "train");
    classes_text = data_value(options, "classes");
    if (!train) die("%s has no train=", a->data_file);
    if (!classes_text) die("%s has no classes=", a->data_file);
    classes = whole_number("classes", classes_text, 1, 1000000);
    if (read_lines("list of images", train, &images)) exit(1);
    progress_begin(&labels_progress, "images", (size_t)images.count, images.count, QUIET_SECONDS);
    for (i = 0; i < images.count; ++i) {
        add_image(images.text[i], (int)classes, a, &labels, &boxes);
        progress_step(&labels_progress, 1);
    }
    progress_end(&labels_progress);
    if (!boxes.count) die("%s: none of its %lu images has a labelled object", train, (unsigned long)boxes.images);
    free_lines(&images), free(labels.items), free(train), free(classes_text);
    free_data_options(options);
    return boxes;
}

/* ---- The result ------------------------------------------------------------------------------------------------- */

/* A side to three digits: 372, 62.1, 7.25. */
static void format_side(double side, char text[32])
{
    snprintf(text, 32, "%.*f", side >= 99.95 ? 0 : side >= 9.995 ? 1 : 2, side);
}

/* "w,h", and the same numbers back in the anchor, so that what is reported is of what is printed. */
static void format_anchor(anchor_size *anchor, char text[80])
{
    char w[32], h[32];
    format_side(anchor->w, w);
    format_side(anchor->h, h);
    snprintf(text, 80, "%s,%s", w, h);
    anchor->w = atof(w);
    anchor->h = atof(h);
}

static void draw(const arguments *a, const training_boxes *boxes, const anchor_size *anchors, double average)
{
    gnuplot_picture p;
    const char *error;
    double largest = 0;
    size_t i;
    gnuplot_begin(&p, a->plot, 820, 800);
    for (i = 0; i < boxes->count; ++i) {
        if (boxes->sizes[i].w > largest) largest = boxes->sizes[i].w;
        if (boxes->sizes[i].h > largest) largest = boxes->sizes[i].h;
    }
    fprintf(p.script,
            "set title '%lu boxes and their %lu anchors at %lux%lu, average IoU %.4f'\nset xlabel 'width, pixels'\n"
            "set ylabel 'height, pixels'\nset xrange [0:%g]\nset yrange [0:%g]\nset size ratio -1\nset key off\n"
            "set grid lc rgb '#dddddd'\n",
            (unsigned long)boxes->count, a->num, a->width, a->height, average, 1.05 * largest, 1.05 * largest);
    for (i = 0; i < a->num; ++i)
        fprintf(p.script, "set object %lu rect from 0,0 to %g,%g front fs empty border lc rgb '#d62728' lw 1\n",
                (unsigned long)i + 1, anchors[i].w, anchors[i].h);
    fputs("plot '-' with points pt 7 ps .35 lc rgb '#a02171b5', '-' with points pt 7 ps 1.3 lc rgb '#d62728', "
          "'-' with labels left offset .7,.5\n",
          p.script);
    for (i = 0; i < boxes->count; ++i) fprintf(p.script, "%g %g\n", boxes->sizes[i].w, boxes->sizes[i].h);
    fputs("e\n", p.script);
    for (i = 0; i < a->num; ++i) fprintf(p.script, "%g %g\n", anchors[i].w, anchors[i].h);
    fputs("e\n", p.script);
    for (i = 0; i < a->num; ++i) fprintf(p.script, "%g %g %lu\n", anchors[i].w, anchors[i].h, (unsigned long)i);
    fputs("e\n", p.script);
    error = gnuplot_end(&p);
    if (error) die("cannot draw %s: %s", a->plot, error);
}

int detector_anchors(int argc, char **argv)
{
    const arguments a = parse_arguments(argc, argv);
    training_boxes boxes = read_boxes_of(&a);
    anchor_size *anchors = (anchor_size *)calloc(a.num, sizeof *anchors);
    size_t *matched = (size_t *)calloc(a.num, sizeof *matched), i;
    double *iou = (double *)calloc(a.num, sizeof *iou), average;
    char(*text)[80] = (char(*)[80])calloc(a.num, sizeof *text);

    if (!anchors || !matched || !iou || !text) die("out of memory");
    progress_begin(&restarts_progress, "restarts", a.restarts, (double)a.restarts, QUIET_SECONDS);
    switch (
        find_anchors(boxes.sizes, boxes.count, (int)a.num, (unsigned)a.seed, (int)a.restarts, anchors, show_restarts)) {
    case ANCHORS_OK:
        break;
    case ANCHORS_TOO_FEW_SIZES:
        die("-num %lu is more than the %lu different sizes of the %lu boxes in %lu images", a.num,
            (unsigned long)count_different_sizes(boxes.sizes, boxes.count), (unsigned long)boxes.count,
            (unsigned long)boxes.images);
    default:
        die("out of memory");
    }
    progress_end(&restarts_progress);
    for (i = 0; i < a.num; ++i) format_anchor(&anchors[i], text[i]);
    average = match_anchors(boxes.sizes, boxes.count, anchors, (int)a.num, matched, iou);

    printf("%lu boxes in %lu images %s %lux%lu, seed %lu, best of %lu restarts\n", (unsigned long)boxes.count,
           (unsigned long)boxes.images, a.stretch ? "stretched to" : "fitted into", a.width, a.height, a.seed,
           a.restarts);
    if (boxes.small)
        printf("%lu more have a side below %g of the image: training leaves them out\n", (unsigned long)boxes.small,
               LABEL_SMALLEST_SIDE);
    printf("\n%3s  %-13s %8s %8s  %s\n", "", "anchor", "boxes", "", "average IoU");
    for (i = 0; i < a.num; ++i)
        printf("%3lu  %-13s %8lu %6.1f %%  %.4f\n", (unsigned long)i, text[i], (unsigned long)matched[i],
               100. * matched[i] / boxes.count, iou[i]);
    printf("\naverage IoU %.4f\nanchors = ", average);
    for (i = 0; i < a.num; ++i) printf("%s%s", i ? ", " : "", text[i]);
    printf("\n");
    if (fflush(stdout) || ferror(stdout)) die("cannot write the result: %s", strerror(errno));
    if (a.plot) draw(&a, &boxes, anchors, average);
    free(boxes.sizes), free(anchors), free(matched), free(iou), free(text);
    return 0;
}
