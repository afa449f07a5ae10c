#include "commands/detector_map.h"

#include "eval/average_precision.h"
#include "base/error.h"
#include "base/numbers.h"
#include "eval/confusion.h"
#include "eval/detect.h"
#include "eval/detections_file.h"
#include "data/lists.h"
#include "eval/ground_truth.h"
#include "commands/map_report.h"
#include "commands/pr_curves.h"
#include "data/data_file.h"

#include "darknet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: darknet detector map <data> <cfg> <weights> [options]\n"
    "           detects in the images of the data file's valid= list, and prints the average precision (AP) of every\n"
    "           class, the mean (mAP), and which class was taken for which\n"
    "       darknet detector map <data> -dets <path> [options]\n"
    "           the same of detections in files: a folder of VOC's (<...>_<class>.txt: image score xmin ymin xmax "
    "ymax)\n"
    "           or a .json of COCO's results\n"
    "what counts, and how:\n"
    "    -iou_thresh <n>  IoU that a true positive needs (default .5)\n"
    "    -points <n>      AP is the area under the interpolated curve (0, the default: VOC from 2010 on), or the mean "
    "at\n"
    "                     11 recall points (VOC 2007), or at 101 (COCO)\n"
    "    -difficult       difficult objects (labels-difficult/ beside labels/) count as all others; without it they "
    "are\n"
    "                     neither hit nor miss, as in VOC\n"
    "    -coco            COCO's rules: a box may take the second-best object, 100 boxes a class and image, 101 "
    "points; and\n"
    "                     its twelve numbers, with AP averaged over IoU .50:.95\n"
    "    -thresh <n>      precision, recall, F1 and the confusion table are of boxes that score above it (default "
    ".25)\n"
    "    -voc_label       the labels are those of Darknet's own voc_label.py, a pixel short: adds it\n"
    "how the network detects:\n"
    "    -nms <n>         of two boxes of a class with an IoU above it the lower is dropped (default .45; 0 keeps "
    "all)\n"
    "    -scales <n,...>  sizes of the network's input, e.g. 320,416,512,608: the boxes of all are merged by the NMS\n"
    "    -flip            also detects in the mirrored images\n"
    "    -letterbox       keeps the images' proportions and fills up with grey (default for [yolo] and [region])\n"
    "    -plain           stretches the images to the network's input (default for [detection])\n"
    "what is written beside the report:\n"
    "    -json <file>     all numbers as JSON; - is standard output, in place of the report\n"
    "    -curves <png>    precision/recall curves of every class (needs gnuplot)\n"
    "    -voc_out <dir>   the detections in VOC's format, comp4_det_test_<class>.txt\n"
    "    -coco_out <file> the detections in COCO's\n";

/* ---- Arguments -------------------------------------------------------------------------------------------------- */

static int is_points(double value)
{
    return value == 0 || value == 11 || value == 101;
}

static int is_iou_threshold(double value)
{
    return value > 0 && value <= 1;
}

/* Scores in files may be anything. */
static int is_score(double value)
{
    return isfinite(value);
}

static int is_nms(double value)
{
    return value >= 0 && value <= 1;
}

enum { UNSET = -1 }; /* -points: it depends on -coco */

typedef struct {
    char *files[3]; /* data, cfg, weights */
    int file_count;
    char *dets, *json, *curves, *voc_out, *coco_out, *scales;
    double points, iou_threshold, score_threshold, nms;
    int coco, difficult, voc_label, flip, letterbox, plain;
    detect_options how;
} map_arguments;

/* "320,416": whole numbers with commas in between. */
static int parse_scales(const char *text, detect_options *how)
{
    const int most = sizeof how->scales / sizeof *how->scales;
    const char *at = text;
    for (;;) {
        char *end;
        long value;
        errno = 0;
        value = strtol(at, &end, 10);
        if (end == at || *at < '0' || *at > '9' || errno || value < 1 || value > 1 << 16 || (*end && *end != ','))
            return report_error("-scales %s: must be sizes with commas in between, as in 320,416", text);
        if (how->scale_count == most) return report_error("-scales %s: must be %d sizes at most", text, most);
        how->scales[how->scale_count++] = (int)value;
        if (!*end) return 0;
        at = end + 1;
    }
}

static int parse_arguments(int argc, char **argv, map_arguments *a)
{
    const struct {
        const char *name;
        double *number; /* one of these three */
        char **text;
        int *flag;
        int (*valid)(double); /* of a number */
        const char *range;
        int needs_network;
    } options[] = {
        {"-points", &a->points, 0, 0, is_points, "0, 11 or 101", 0},
        {"-iou_thresh", &a->iou_threshold, 0, 0, is_iou_threshold, "a number above 0, and 1 at most", 0},
        {"-thresh", &a->score_threshold, 0, 0, is_score, "a number", 0},
        {"-nms", &a->nms, 0, 0, is_nms, "a number from 0 to 1", 1},
        {"-coco", 0, 0, &a->coco, 0, 0, 0},
        {"-difficult", 0, 0, &a->difficult, 0, 0, 0},
        {"-voc_label", 0, 0, &a->voc_label, 0, 0, 0},
        {"-scales", 0, &a->scales, 0, 0, 0, 1},
        {"-flip", 0, 0, &a->flip, 0, 0, 1},
        {"-letterbox", 0, 0, &a->letterbox, 0, 0, 1},
        {"-plain", 0, 0, &a->plain, 0, 0, 1},
        {"-dets", 0, &a->dets, 0, 0, 0, 0},
        {"-json", 0, &a->json, 0, 0, 0, 0},
        {"-curves", 0, &a->curves, 0, 0, 0, 0},
        {"-voc_out", 0, &a->voc_out, 0, 0, 0, 0},
        {"-coco_out", 0, &a->coco_out, 0, 0, 0, 0},
    };
    enum { OPTIONS = sizeof options / sizeof *options };
    int given[OPTIONS] = {0};
    int i, k;

    memset(a, 0, sizeof *a);
    a->points = UNSET;
    a->iou_threshold = .5;
    a->score_threshold = .25;
    a->nms = .45;
    for (i = 3; i < argc && argv[i]; ++i) {
        char *value = i + 1 < argc ? argv[i + 1] : 0;
        if (argv[i][0] != '-') {
            if (a->file_count == 3) return report_error("detector map: unexpected argument %s", argv[i]);
            a->files[a->file_count++] = argv[i];
            continue;
        }
        for (k = 0; k < OPTIONS && strcmp(argv[i], options[k].name); ++k) continue;
        if (k == OPTIONS) return report_error("detector map: unknown option %s (see detector map --help)", argv[i]);
        if (given[k]++) return report_error("detector map: %s: given twice", argv[i]);
        if (options[k].flag) {
            *options[k].flag = 1;
            continue;
        }
        if (!value) return report_error("detector map: %s: needs a value", argv[i]);
        ++i;
        if (options[k].text) {
            *options[k].text = value;
        } else if (parse_number(value, -HUGE_VAL, HUGE_VAL, options[k].number) ||
                   !options[k].valid(*options[k].number)) {
            return report_error("detector map: %s %s: must be %s", argv[i - 1], value, options[k].range);
        }
    }
    for (k = 0; k < OPTIONS; ++k) {
        if (a->dets && given[k] && options[k].needs_network)
            return report_error("detector map: %s is for a network, and -dets has none", options[k].name);
    }
    if (!a->dets && !(a->score_threshold >= DETECT_LOWEST_SCORE && a->score_threshold <= 1))
        return report_error("detector map: -thresh %g: must be a number from .005 to 1", a->score_threshold);
    if (a->letterbox && a->plain) return report_error("detector map: -letterbox and -plain exclude each other");
    if (a->coco && a->points != UNSET && a->points != 101)
        return report_error("detector map: -points %.0f: must be 101 with -coco", a->points);
    if (a->points == UNSET) a->points = a->coco ? 101 : 0;
    if (a->dets && a->file_count > 1) return report_error("detector map: -dets takes the place of <cfg> and <weights>");
    if (a->file_count < (a->dets ? 1 : 3))
        return report_error(
            "detector map: needs <data> <cfg> <weights>, or <data> -dets <path> (see detector map --help)");
    a->how.letterbox = a->letterbox ? 1 : a->plain ? 0 : -1;
    a->how.flip = a->flip;
    a->how.nms = a->nms;
    return a->scales ? parse_scales(a->scales, &a->how) : 0;
}

/* ---- Detections ------------------------------------------------------------------------------------------------- */

/* How the network is going to see the images. */
static void describe(const map_arguments *a, const network *net, char *text, size_t size)
{
    const int letterbox = detect_letterbox(net, &a->how), scales = a->how.scale_count;
    int i;
    size_t length = snprintf(text, size, "images %s ", letterbox ? "letterboxed to" : "stretched (plain resize) to");
    for (i = 0; i < (scales ? scales : 1) && length < size; ++i) {
        detect_size at = {net->w, net->h};
        if (scales) at = detect_scale(net, a->how.scales[i]);
        length += snprintf(text + length, size - length, "%s%dx%d", i ? ", " : "", at.w, at.h);
    }
    if (length < size)
        snprintf(text + length, size - length, "%s; NMS %g", a->how.flip ? ", and mirrored" : "", a->nms);
}

/* One more pixel to the right and down. */
static void lengthen(ap_box *box)
{
    box->x += .5;
    box->y += .5;
    box->w += 1;
    box->h += 1;
}

/* One side of a box, cut to 0..size. A box beside the image is left with a length of 0. */
static void cut(double *centre, double *length, int size)
{
    double low = *centre - *length / 2, high = *centre + *length / 2;
    if (low >= 0 && high <= size) return; /* the same bits */
    low = fmin(fmax(low, 0), size);
    high = fmin(fmax(high, 0), size);
    *centre = (low + high) / 2;
    *length = high - low;
}

/* Runs the network, and puts into `source` (size) how. */
static int detect(const map_arguments *a, const valid_data *data, network *net, detect_result *found,
                  detect_size *sizes, char *source, size_t size)
{
    size_t i;
    describe(a, net, source, size);
    fprintf(stderr, "%s\n", source);
    if (detect_images(net, data->classes, data->images.text, data->images.count, &a->how, found, sizes)) return 1;
    for (i = 0; i < found->count; ++i) {
        ap_detection *d = &found->detections[i];
        if (a->voc_label) lengthen(&d->box);
        cut(&d->box.x, &d->box.w, sizes[d->image].w);
        cut(&d->box.y, &d->box.h, sizes[d->image].h);
    }
    return 0;
}

/* ---- COCO's order ----------------------------------------------------------------------------------------------- */

typedef struct {
    long long id;
    char *path;
} image_id;

static int by_id(const void *pa, const void *pb)
{
    const image_id *a = (const image_id *)pa, *b = (const image_id *)pb;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* COCO takes images by their ids, which decides between equal scores. */
static int sort_images(text_lines *images)
{
    image_id *order = (image_id *)calloc(images->count, sizeof *order);
    long long *ids = (long long *)calloc(images->count, sizeof *ids);
    int i, status = order && ids ? 0 : report_error("out of memory");
    if (!status) coco_image_ids(images, ids);
    for (i = 0; i < images->count && !status; ++i) {
        order[i].id = ids[i];
        order[i].path = images->text[i];
    }
    if (!status) qsort(order, images->count, sizeof *order, by_id);
    for (i = 0; i < images->count && !status; ++i) images->text[i] = order[i].path;
    free(order);
    free(ids);
    return status;
}

/* ---- The command ------------------------------------------------------------------------------------------------ */

/* Evaluates, and writes everything that was asked for. */
static int evaluate(const map_arguments *a, const valid_data *data, const label_list *labels,
                    const detect_result *found, const char *source)
{
    const int classes = data->classes;
    ap_options options = ap_default_options(classes);
    ap_class *per_class = (ap_class *)calloc(classes, sizeof *per_class);
    ap_match *matches = (ap_match *)calloc(found->count + 1, sizeof *matches);
    double *coco_ap = (double *)calloc(classes, sizeof *coco_ap);
    coco_metrics coco;
    confusion names;
    map_result result;
    ap_status error = per_class && matches && coco_ap ? AP_OK : AP_NO_MEMORY;
    int status = 0;

    memset(&names, 0, sizeof names);
    options.rule = a->coco ? AP_COCO : AP_VOC;
    options.max_detections = a->coco ? COCO_MAX_DETECTIONS : 0;
    options.points = (int)a->points;
    options.iou_threshold = a->iou_threshold;
    options.score_threshold = a->score_threshold;
    if (error == AP_OK)
        error = average_precision_matches(labels->objects, labels->count, found->detections, found->count, &options,
                                          per_class, matches);
    if (error == AP_OK)
        error = confusion_count(labels->objects, labels->count, found->detections, found->count, matches, classes,
                                options.iou_threshold, options.score_threshold, &names);
    if (error == AP_OK && a->coco)
        error = coco_evaluate(labels->objects, labels->count, found->detections, found->count, classes, &coco, coco_ap);
    if (error != AP_OK) status = report_error("detector map: %s", ap_status_text(error));

    if (!status) {
        memset(&result, 0, sizeof result);
        result.data = data;
        result.options = &options;
        result.per_class = per_class;
        result.names = &names;
        result.coco = a->coco ? &coco : 0;
        result.coco_ap = a->coco ? coco_ap : 0;
        result.detections = found->detections;
        result.matches = matches;
        result.detection_count = found->count;
        result.difficult = labels->difficult;
        result.count_difficult = a->difficult;
        result.source = source;
        if (!a->json || strcmp(a->json, "-")) status = map_report_text(&result);
        if (!status && a->json) status = map_report_json(&result, a->json);
    }
    if (!status && a->curves) {
        char title[300];
        const double map = mean_average_precision(per_class, classes);
        snprintf(title, sizeof title, "mAP %.2f %% at IoU %g; AP is %s", 100 * map, a->iou_threshold,
                 points_text(options.points));
        status = pr_curves_png(a->curves, title, data->names.text, per_class, classes, found->detections, matches,
                               found->count);
    }
    confusion_free(&names);
    free(coco_ap);
    free(matches);
    free(per_class);
    return status;
}

int detector_map(int argc, char **argv)
{
    map_arguments arguments;
    valid_data data;
    label_list labels;
    detect_result found;
    detect_size *sizes = 0;
    network *net = 0;
    char source[500] = "";
    int status, classes = 0, i;
    size_t k;

    for (i = 3; i < argc && argv[i]; ++i) {
        if (strcmp(argv[i], "--help") && strcmp(argv[i], "-h")) continue;
        fputs(usage, stdout);
        return 0;
    }
    if (i == 3) {
        fputs(usage, stderr);
        return 1;
    }
    memset(&data, 0, sizeof data);
    memset(&labels, 0, sizeof labels);
    memset(&found, 0, sizeof found);

    status = parse_arguments(argc, argv, &arguments);
    if (!status) status = valid_data_read(arguments.files[0], &data);
    if (!status && data.classes != data.names.count)
        status = report_error("classes=%d in %s, but %d names in %s: must be the same", data.classes,
                              arguments.files[0], data.names.count, data.names_file);
    if (!status && arguments.coco) status = sort_images(&data.images);
    if (!status && !arguments.dets) {
        status = check_file("cfg", arguments.files[1]) || check_file("weights", arguments.files[2]);
        if (!status) net = load_detector(arguments.files[1], arguments.files[2], &classes);
        status = !net || detect_check(net, &arguments.how);
        if (!status && classes != data.classes)
            status = report_error("classes=%d in %s, but %d in %s: must be the same", data.classes, arguments.files[0],
                                  classes, arguments.files[1]);
    }
    if (!status) status = labels_read(&data, &labels);
    if (!status && !arguments.difficult && labels.count == labels.difficult)
        status = report_error("detector map: all labelled objects are difficult ones: -difficult counts them");
    if (!status) {
        sizes = (detect_size *)calloc(data.images.count, sizeof *sizes);
        if (!sizes) status = report_error("out of memory");
    }
    if (!status && arguments.dets) {
        snprintf(source, sizeof source, "detections of %.400s", arguments.dets);
        status = read_image_sizes(&data.images, sizes) || detections_read(arguments.dets, &data, &found);
    } else if (!status) {
        status = detect(&arguments, &data, net, &found, sizes, source, sizeof source);
    }
    /* Before anything else: it may be long work that is saved. */
    if (!status && arguments.voc_out) status = detections_write_voc(arguments.voc_out, &data, &found);
    if (!status && arguments.coco_out) status = detections_write_coco(arguments.coco_out, &data, &found);
    if (!status) {
        labels_to_pixels(&labels, sizes);
        for (k = 0; k < labels.count; ++k) {
            ap_object *o = &labels.objects[k];
            if (arguments.voc_label) {
                lengthen(&o->box);
                cut(&o->box.x, &o->box.w, sizes[o->image].w);
                cut(&o->box.y, &o->box.h, sizes[o->image].h);
            }
            if (arguments.difficult) o->difficult = 0;
        }
        status = evaluate(&arguments, &data, &labels, &found, source);
    }
    if (!status && labels.missing)
        fprintf(stderr, "%d of %d images have no label file and count as images without objects; first: no %s\n",
                labels.missing, data.images.count, labels.first_missing);

    free(sizes);
    free(found.detections);
    labels_free(&labels);
    if (net) free_network(net);
    valid_data_free(&data);
    return status;
}
