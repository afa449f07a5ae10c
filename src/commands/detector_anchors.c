#include "commands/detector_anchors.h"

#include "base/error.h"
#include "base/gnuplot.h"
#include "base/memory.h"
#include "base/progress.h"
#include "commands/command_line.h"
#include "data/anchors.h"
#include "data/data_file.h"
#include "data/label_file.h"
#include "data/lists.h"
#include "data/photo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Arguments -------------------------------------------------------------------------------------------------- */

static const char command[] = "detector anchors";

static const char usage[] =
    "usage: darknet detector anchors <data> [options]\n"
    "           finds anchors for the labelled boxes of the data file's train= list, by k-means over IoU, and prints\n"
    "           them as the line to paste into [yolo]\n"
    "    -num <n>       how many (default 9); in other Darknets it is -num_of_clusters\n"
    "    -width <n>     of the network's input, in pixels (default 416)\n"
    "    -height <n>    (default 416)\n"
    "    -stretch       images are stretched to the network's input; Darknet keeps their proportions\n"
    "    -seed <n>      the same seed finds the same anchors (default 1)\n"
    "    -restarts <n>  the best of so many runs is taken (default 50)\n"
    "    -plot <png>    a picture of the boxes and the anchors (needs gnuplot)\n";

typedef struct {
    const char *data_file, *plot;
    long long num, width, height, seed, restarts;
    int stretch;
} arguments;

static arguments read_arguments(int argc, char **argv)
{
    arguments a = {.num = 9, .width = 416, .height = 416, .seed = 1, .restarts = 50};
    command_option options[] = {
        {"-num", OPTION_WHOLE, &a.num, 1, 1000, 0, 0},
        {"-num_of_clusters", OPTION_WHOLE, &a.num, 1, 1000, 0, 0},
        {"-width", OPTION_WHOLE, &a.width, 1, 100000, 0, 0},
        {"-height", OPTION_WHOLE, &a.height, 1, 100000, 0, 0},
        {"-seed", OPTION_WHOLE, &a.seed, 0, 0xffffffffu, 0, 0},
        {"-restarts", OPTION_WHOLE, &a.restarts, 1, 1000000, 0, 0},
        {"-stretch", OPTION_FLAG, &a.stretch, 0, 0, 0, 0},
        {"-plot", OPTION_PICTURE, &a.plot, 0, 0, 0, 0},
    };
    command_line line = {command, usage, "<data>", options, sizeof options / sizeof *options, &a.data_file, 1, 1, 0, 0};
    read_command_line(&line, argc, argv);
    return a;
}

/* ---- Boxes ------------------------------------------------------------------------------------------------------ */

enum { QUIET_SECONDS = 2 };

/* A global, because find_anchors reports progress to a function that takes no context. */
static progress restarts_progress;

static void show_restarts(int done, int restarts)
{
    (void)done, (void)restarts;
    progress_step(&restarts_progress, 1);
}

typedef struct {
    anchor_size *sizes; /* in pixels of the network's input */
    size_t count, capacity;
    size_t images; /* images that were read */
    size_t small;  /* boxes too small for training, not in `sizes` */
} training_boxes;

/* The size of an image after training has scaled it to the network's input, as in load_data_detection without
 * jitter. */
static anchor_size placed_size(const char *image, const arguments *a)
{
    anchor_size size = {(double)a->width, (double)a->height};
    int w, h;
    double aspect;
    if (a->stretch) return size;
    if (check_file("image", image)) exit(1);
    if (!photo_size(image, &w, &h)) die("%s is not an image that can be decoded", image);
    aspect = (double)w / h;
    if (aspect < 1)
        size.w = size.h * aspect;
    else
        size.h = size.w / aspect;
    return size;
}

/* Appends the boxes of one image, in pixels of the network's input. */
static void add_image(const char *image, int classes, const arguments *a, label_boxes *labels, training_boxes *boxes)
{
    char path[LABEL_PATH_SIZE], reason[LABEL_PATH_SIZE + 256];
    anchor_size placed;
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
    ++boxes->images;
    placed = placed_size(image, a);
    for (i = 0; i < labels->count; ++i) {
        const label_box *box = &labels->items[i];
        if (box->w < LABEL_SMALLEST_SIDE || box->h < LABEL_SMALLEST_SIDE) {
            ++boxes->small;
            continue;
        }
        boxes->sizes = (anchor_size *)grow_array(boxes->sizes, boxes->count, &boxes->capacity, sizeof placed);
        boxes->sizes[boxes->count].w = box->w * placed.w;
        boxes->sizes[boxes->count++].h = box->h * placed.h;
    }
}

/* Reads the boxes of the `train` list. The caller frees `sizes`. */
static training_boxes read_boxes_of(const arguments *a)
{
    training_boxes boxes = {0, 0, 0, 0, 0};
    label_boxes labels = {0, 0, 0};
    text_lines images;
    progress labels_progress;
    int classes, i;

    if (training_list_read(a->data_file, &classes, &images)) exit(1);
    progress_begin(&labels_progress, "images", (size_t)images.count, images.count, QUIET_SECONDS);
    for (i = 0; i < images.count; ++i) {
        add_image(images.text[i], classes, a, &labels, &boxes);
        progress_step(&labels_progress, 1);
    }
    progress_end(&labels_progress);
    if (!boxes.count)
        die("%s: none of its %lu images has a labelled object", a->data_file, (unsigned long)boxes.images);
    free_lines(&images);
    free(labels.items);
    return boxes;
}

/* ---- The result ------------------------------------------------------------------------------------------------- */

/* Prints a side with three digits: 372, 62.1, 7.25. */
static void format_side(double side, char text[32])
{
    snprintf(text, 32, "%.*f", side >= 99.95 ? 0 : side >= 9.995 ? 1 : 2, side);
}

/* Prints an anchor as "w,h", and rounds it to the printed numbers, so that the statistics are those of the printed
 * anchors. */
static void format_anchor(anchor_size *anchor, char text[80])
{
    char w[32], h[32];
    format_side(anchor->w, w);
    format_side(anchor->h, h);
    snprintf(text, 80, "%s,%s", w, h);
    anchor->w = atof(w);
    anchor->h = atof(h);
}

/* `num` anchors and their statistics from match_anchors. */
typedef struct {
    int num;
    anchor_size *sizes;
    char (*text)[80]; /* as printed */
    size_t *boxes;    /* how many boxes have their largest IoU with this anchor */
    double *iou;      /* their average IoU */
    double average;   /* average IoU of all boxes */
} anchor_table;

static anchor_table find_anchors_for(const training_boxes *boxes, const arguments *a)
{
    const int num = (int)a->num;
    anchor_table t = {num,
                      (anchor_size *)xcalloc(num, sizeof *t.sizes),
                      (char(*)[80])xcalloc(num, sizeof *t.text),
                      (size_t *)xcalloc(num, sizeof *t.boxes),
                      (double *)xcalloc(num, sizeof *t.iou),
                      0};
    int k;
    progress_begin(&restarts_progress, "restarts", (size_t)a->restarts, (double)a->restarts, QUIET_SECONDS);
    if (find_anchors(boxes->sizes, boxes->count, num, (unsigned)a->seed, (int)a->restarts, t.sizes, show_restarts) !=
        ANCHORS_OK)
        die("-num %d is more than the %zu different sizes of the %zu boxes in %zu images", num,
            count_different_sizes(boxes->sizes, boxes->count), boxes->count, boxes->images);
    progress_end(&restarts_progress);
    for (k = 0; k < num; ++k) format_anchor(&t.sizes[k], t.text[k]);
    t.average = match_anchors(boxes->sizes, boxes->count, t.sizes, num, t.boxes, t.iou);
    return t;
}

static void print_table(const arguments *a, const training_boxes *boxes, const anchor_table *t)
{
    int k;
    printf("%zu boxes in %zu images %s %lldx%lld, seed %lld, best of %lld restarts\n", boxes->count, boxes->images,
           a->stretch ? "stretched to" : "fitted into", a->width, a->height, a->seed, a->restarts);
    if (boxes->small)
        printf("%zu more have a side below %g of the image: training leaves them out\n", boxes->small,
               LABEL_SMALLEST_SIDE);
    printf("\n%3s  %-13s %8s %8s  %s\n", "", "anchor", "boxes", "", "average IoU");
    for (k = 0; k < t->num; ++k)
        printf("%3d  %-13s %8zu %6.1f %%  %.4f\n", k, t->text[k], t->boxes[k], 100. * t->boxes[k] / boxes->count,
               t->iou[k]);
    printf("\naverage IoU %.4f\nanchors = ", t->average);
    for (k = 0; k < t->num; ++k) printf("%s%s", k ? ", " : "", t->text[k]);
    printf("\n");
    if (fflush(stdout) || ferror(stdout)) die("cannot write the result: %s", strerror(errno));
}

static void draw(const arguments *a, const training_boxes *boxes, const anchor_table *t)
{
    gnuplot_picture p;
    const char *error;
    double largest = 0;
    size_t i;
    int k;
    gnuplot_begin(&p, a->plot, 820, 800);
    for (i = 0; i < boxes->count; ++i) {
        if (boxes->sizes[i].w > largest) largest = boxes->sizes[i].w;
        if (boxes->sizes[i].h > largest) largest = boxes->sizes[i].h;
    }
    fprintf(p.script,
            "set title '%zu boxes and their %d anchors at %lldx%lld, average IoU %.4f'\nset xlabel 'width, pixels'\n"
            "set ylabel 'height, pixels'\nset xrange [0:%g]\nset yrange [0:%g]\nset size ratio -1\nset key off\n"
            "set grid lc rgb '#dddddd'\n",
            boxes->count, t->num, a->width, a->height, t->average, 1.05 * largest, 1.05 * largest);
    for (k = 0; k < t->num; ++k)
        fprintf(p.script, "set object %d rect from 0,0 to %g,%g front fs empty border lc rgb '#d62728' lw 1\n", k + 1,
                t->sizes[k].w, t->sizes[k].h);
    fputs("plot '-' with points pt 7 ps .35 lc rgb '#a02171b5', '-' with points pt 7 ps 1.3 lc rgb '#d62728', "
          "'-' with labels left offset .7,.5\n",
          p.script);
    for (i = 0; i < boxes->count; ++i) fprintf(p.script, "%g %g\n", boxes->sizes[i].w, boxes->sizes[i].h);
    fputs("e\n", p.script);
    for (k = 0; k < t->num; ++k) fprintf(p.script, "%g %g\n", t->sizes[k].w, t->sizes[k].h);
    fputs("e\n", p.script);
    for (k = 0; k < t->num; ++k) fprintf(p.script, "%g %g %d\n", t->sizes[k].w, t->sizes[k].h, k);
    fputs("e\n", p.script);
    error = gnuplot_end(&p);
    if (error) die("cannot draw %s: %s", a->plot, error);
}

int detector_anchors(int argc, char **argv)
{
    const arguments a = read_arguments(argc, argv);
    training_boxes boxes = read_boxes_of(&a);
    anchor_table table = find_anchors_for(&boxes, &a);
    print_table(&a, &boxes, &table);
    if (a.plot) draw(&a, &boxes, &table);
    free(boxes.sizes);
    free(table.sizes);
    free(table.text);
    free(table.boxes);
    free(table.iou);
    return 0;
}
