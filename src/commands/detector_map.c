#include "commands/detector_map.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "commands/map_report.h"
#include "commands/command_line.h"
#include "commands/map_confusion.h"
#include "commands/pr_curves.h"
#include "data/data_file.h"
#include "data/letters.h"
#include "data/lists.h"
#include "eval/average_precision.h"
#include "eval/confusion.h"
#include "eval/detect.h"
#include "eval/detection_loss.h"
#include "eval/detection_sheet.h"
#include "eval/detections_file.h"
#include "eval/error_split.h"
#include "eval/ground_truth.h"
#include "eval/map_file.h"
#include "eval/threshold_file.h"

#include "darknet.h"

#include <float.h>
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
    "    -thresh <n>      precision, recall, F1 and the confusion table are of boxes that score above it (default: "
    "that of\n"
    "                     X_best.json beside X_best.weights, which a training writes; else .25)\n"
    "    -tide            also what AP would gain without each kind of error: class, localisation, both, duplicate,\n"
    "                     background, missed\n"
    "    -compare <json>  also the difference in AP to an earlier -json over the same images, with its 95 % interval\n"
    "    -seed <n>        of the samples for that (default 1)\n"
    "    -voc_label       the labels are those of Darknet's own voc_label.py, a pixel short: adds it\n"
    "how the network detects:\n"
    "    -nms <n>         of two boxes of a class with an IoU above it the lower is dropped (default .45; 0 keeps "
    "all)\n"
    "    -scales <n,...>  sizes of the network's input, e.g. 320,416,512,608: the boxes of all are merged by the NMS\n"
    "    -flip            also detects in the mirrored images\n"
    "    -letterbox       keeps the images' proportions and fills up with grey (default for [yolo] and [region])\n"
    "    -plain           stretches the images to the network's input (default for [detection])\n"
    "    -loss            also the loss: what a training with hard labels would report, without augmentation\n"
    "what is written beside the report:\n"
    "    -json <file>     all numbers as JSON; - is standard output, in place of the report\n"
    "    -confusion <png> which class was taken for which, what was missed, and boxes on no object (needs gnuplot)\n"
    "    -sheet <png>     the images with the most errors: objects at the left, boxes with their scores at the right\n"
    "    -sheet_images <n>  how many (default 12)\n"
    "    -curves <png>    precision/recall curves of every class (needs gnuplot)\n"
    "    -thresholds <png> precision, recall and F1 against the threshold, with the best one marked (needs gnuplot)\n"
    "    -voc_out <dir>   the detections in VOC's format, comp4_det_test_<class>.txt\n"
    "    -coco_out <file> the detections in COCO's\n";

/* ---- Arguments -------------------------------------------------------------------------------------------------- */

enum { BOOTSTRAP_SAMPLES = 1000 };

enum { UNSET = -1 }; /* -points, whose default depends on -coco; -seed and -sheet_images */

typedef struct {
    const char *files[3]; /* data, cfg, weights; only the first with -dets */
    const char *dets, *json, *curves, *thresholds, *voc_out, *coco_out, *scales, *compare, *confusion, *sheet;
    long long points, seed, sheet_images;
    double iou_threshold, score_threshold, nms;
    int has_threshold; /* -thresh was given */
    int coco, difficult, voc_label, flip, letterbox, plain, loss, tide;
    detect_options how;
} map_arguments;

static const char command[] = "detector map";

/* Parses -scales: whole numbers with commas in between, such as "320,416". */
static void read_scales(const char *text, detect_options *how)
{
    enum { MOST = sizeof how->scales / sizeof *how->scales };
    char *copy = xstrdup(text), *rest = copy, *item;
    while ((item = strsep(&rest, ","))) {
        long long value;
        if (parse_whole_number(item, 1, 1 << 16, &value))
            refuse_value(command, "-scales", text, "sizes with commas in between, as in 320,416");
        if (how->scale_count == MOST) die("%s: -scales %s: must be %d sizes at most", command, text, (int)MOST);
        how->scales[how->scale_count++] = (int)value;
    }
    free(copy);
}

/* Rejects options that cannot be combined, and sets those that depend on others. */
static void check_options(map_arguments *a, int words, const command_option *options, int network_options)
{
    int k;
    for (k = 0; a->dets && k < network_options; ++k)
        if (options[k].given) die("%s: %s is for a network, and -dets has none", command, options[k].name);
    if (a->dets && words > 1) die("%s: -dets takes the place of <cfg> and <weights>", command);
    if (!a->dets && words < 3)
        die("%s: needs <data> <cfg> <weights>, or <data> -dets <path> (see darknet %s --help)", command, command);
    a->has_threshold = !isnan(a->score_threshold);
    if (!a->has_threshold) a->score_threshold = .25;
    if (!a->dets && !(a->score_threshold >= DETECT_LOWEST_SCORE && a->score_threshold <= 1))
        die("%s: -thresh %g is not valid: must be a number from .005 to 1", command, a->score_threshold);
    if (a->loss && (a->scales || a->flip)) die("%s: -loss is of one size, without -scales and -flip", command);
    if (a->tide && a->iou_threshold <= split_default_options().background)
        die("%s: -iou_thresh %g is not valid: must be above %g with -tide", command, a->iou_threshold,
            split_default_options().background);
    if (a->seed != UNSET && !a->compare) die("%s: -seed needs -compare", command);
    if (a->seed == UNSET) a->seed = 1;
    if (a->sheet_images != UNSET && !a->sheet) die("%s: -sheet_images needs -sheet", command);
    if (a->sheet_images == UNSET) a->sheet_images = 12;
    if (a->letterbox && a->plain) die("%s: -letterbox and -plain exclude each other", command);
    if (a->points != UNSET && a->points != 0 && a->points != 11 && a->points != 101)
        die("%s: -points %lld is not valid: must be 0, 11 or 101", command, a->points);
    if (a->coco && a->points != UNSET && a->points != 101)
        die("%s: -points %lld is not valid: must be 101 with -coco", command, a->points);
    if (a->points == UNSET) a->points = a->coco ? 101 : 0;
    if (a->scales) read_scales(a->scales, &a->how);
    a->how.letterbox = a->letterbox ? 1 : a->plain ? 0 : -1;
    a->how.flip = a->flip;
    a->how.nms = a->nms;
}

static map_arguments read_arguments(int argc, char **argv)
{
    map_arguments a = {
        .points = UNSET, .seed = UNSET, .sheet_images = UNSET, .iou_threshold = .5, .score_threshold = NAN, .nms = .45};
    enum { NETWORK_OPTIONS = 6 }; /* the first ones are not allowed with -dets */
    command_option options[] = {
        {"-nms", OPTION_NUMBER, &a.nms, 0, 1, 0, 0},
        {"-scales", OPTION_TEXT, &a.scales, 0, 0, 0, 0},
        {"-flip", OPTION_FLAG, &a.flip, 0, 0, 0, 0},
        {"-letterbox", OPTION_FLAG, &a.letterbox, 0, 0, 0, 0},
        {"-plain", OPTION_FLAG, &a.plain, 0, 0, 0, 0},
        {"-loss", OPTION_FLAG, &a.loss, 0, 0, 0, 0},
        {"-points", OPTION_WHOLE, &a.points, 0, 101, "0, 11 or 101", 0},
        {"-iou_thresh", OPTION_NUMBER, &a.iou_threshold, DBL_MIN, 1, "a number above 0, and 1 at most", 0},
        {"-thresh", OPTION_NUMBER, &a.score_threshold, -DBL_MAX, DBL_MAX, "a number", 0}, /* files have any scores */
        {"-coco", OPTION_FLAG, &a.coco, 0, 0, 0, 0},
        {"-difficult", OPTION_FLAG, &a.difficult, 0, 0, 0, 0},
        {"-tide", OPTION_FLAG, &a.tide, 0, 0, 0, 0},
        {"-compare", OPTION_TEXT, &a.compare, 0, 0, 0, 0},
        {"-seed", OPTION_WHOLE, &a.seed, 0, 0xffffffffu, 0, 0},
        {"-voc_label", OPTION_FLAG, &a.voc_label, 0, 0, 0, 0},
        {"-dets", OPTION_TEXT, &a.dets, 0, 0, 0, 0},
        {"-json", OPTION_OUTPUT, &a.json, 0, 0, 0, 0},
        {"-confusion", OPTION_PICTURE, &a.confusion, 0, 0, 0, 0},
        {"-sheet", OPTION_PICTURE, &a.sheet, 0, 0, 0, 0},
        {"-sheet_images", OPTION_WHOLE, &a.sheet_images, 1, DETECTION_SHEET_MOST, 0, 0},
        {"-curves", OPTION_PICTURE, &a.curves, 0, 0, 0, 0},
        {"-thresholds", OPTION_PICTURE, &a.thresholds, 0, 0, 0, 0},
        {"-voc_out", OPTION_TEXT, &a.voc_out, 0, 0, 0, 0},
        {"-coco_out", OPTION_OUTPUT, &a.coco_out, 0, 0, 0, 0},
    };
    command_line line = {command,
                         usage,
                         "<data> <cfg> <weights>, or <data> -dets <path>",
                         options,
                         sizeof options / sizeof *options,
                         a.files,
                         1,
                         3,
                         0,
                         0};
    read_command_line(&line, argc, argv);
    check_options(&a, line.word_count, options, NETWORK_OPTIONS);
    return a;
}

/* ---- Detections ------------------------------------------------------------------------------------------------- */

/* State of the command. */
typedef struct {
    map_arguments arguments;
    valid_data data;
    ground_truth truth;
    network *net; /* NULL with -dets */
    detect_result found;
    detect_size *sizes; /* by image */
    image **letters;    /* with -sheet */
    double loss;        /* with -loss: the sum over the images that were seen */
    size_t next_object; /* the first one that is in none of these */
    char rules[RULES_TEXT];
    map_rankings rankings, other; /* of this evaluation, and with -compare of the other one */
    char source[500];             /* one line on where the detections come from and how they were made */
} map_run;

/* Describes, in one line, how the images are given to the network. */
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

/* Makes a box one pixel longer, to the right and downwards. */
static void lengthen(ap_box *box)
{
    box->x += .5;
    box->y += .5;
    box->w += 1;
    box->h += 1;
}

/* Clips a box along one side of the image to 0..size. A box outside of the image gets length 0. */
static void cut(double *centre, double *length, int size)
{
    double low = *centre - *length / 2, high = *centre + *length / 2;
    if (low >= 0 && high <= size) return; /* unchanged, without rounding */
    low = fmin(fmax(low, 0), size);
    high = fmin(fmax(high, 0), size);
    *centre = (low + high) / 2;
    *length = high - low;
}

/* Adds the loss of an image; images come in their order, as the objects do. */
static void add_loss(void *context, const network *net, int image, int w, int h)
{
    map_run *r = (map_run *)context;
    const ap_object *objects = r->truth.objects + r->next_object;
    size_t n = 0;
    while (r->next_object + n < r->truth.count && objects[n].image == image) ++n;
    r->loss += detection_loss(net, objects, n, w, h, detect_letterbox(net, &r->arguments.how));
    r->next_object += n;
}

static int run_network(map_run *r)
{
    map_arguments *a = &r->arguments;
    size_t i;
    if (a->loss) {
        a->how.seen = add_loss;
        a->how.context = r;
    }
    describe(a, r->net, r->source, sizeof r->source);
    fprintf(stderr, "%s\n", r->source);
    if (detect_images(r->net, r->data.classes, r->data.images.text, r->data.images.count, &a->how, &r->found, r->sizes))
        return 1;
    for (i = 0; i < r->found.count; ++i) {
        ap_detection *d = &r->found.detections[i];
        if (a->voc_label) lengthen(&d->box);
        cut(&d->box.x, &d->box.w, r->sizes[d->image].w);
        cut(&d->box.y, &d->box.h, r->sizes[d->image].h);
    }
    return 0;
}

static int read_detections(map_run *r)
{
    const char *path = r->arguments.dets;
    snprintf(r->source, sizeof r->source, "detections of %.400s", path);
    return read_image_sizes(&r->data.images, r->sizes) || detections_read(path, &r->data, &r->found);
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

/* Sorts the images by their COCO ids, as pycocotools does; their order decides between detections with equal scores. */
static void sort_images(text_lines *images)
{
    image_id *order = (image_id *)xcalloc(images->count, sizeof *order);
    long long *ids = (long long *)xcalloc(images->count, sizeof *ids);
    int i;
    coco_image_ids(images, ids);
    for (i = 0; i < images->count; ++i) {
        order[i].id = ids[i];
        order[i].path = images->text[i];
    }
    qsort(order, images->count, sizeof *order, by_id);
    for (i = 0; i < images->count; ++i) images->text[i] = order[i].path;
    free(order);
    free(ids);
}

/* ---- The steps of the command ------------------------------------------------------------------------------------ */

/* Each of these functions returns 0, or 1 after one line on stderr. */

static int read_data(map_run *r)
{
    const char *path = r->arguments.files[0];
    valid_data *data = &r->data;
    if (valid_data_read(path, data)) return 1;
    if (data->classes != data->names.count)
        return report_error("classes=%d in %s, but %d names in %s: must be the same", data->classes, path,
                            data->names.count, data->names_file);
    if (r->arguments.confusion) map_confusion_check(data->classes);
    if (r->arguments.sheet) r->letters = load_letters();
    if (r->arguments.coco) sort_images(&data->images);
    r->sizes = (detect_size *)xcalloc(data->images.count, sizeof *r->sizes);
    return 0;
}

static int load_detector_for(map_run *r)
{
    const char *const *files = r->arguments.files;
    const char *problem;
    int classes;
    if (r->arguments.dets) return 0;
    if (check_file("cfg", files[1]) || check_file("weights", files[2])) return 1;
    if (!r->arguments.has_threshold) threshold_of_weights(files[2], &r->arguments.score_threshold);
    r->net = load_detector((char *)files[1], (char *)files[2], &classes);
    if (!r->net || detect_check(r->net, &r->arguments.how)) return 1;
    problem = r->arguments.loss ? detection_loss_problem(r->net) : 0;
    if (problem) return report_error("%s: -loss: %s: %s", command, files[1], problem);
    if (classes == r->data.classes) return 0;
    return report_error("classes=%d in %s, but %d in %s: must be the same", r->data.classes, files[0], classes,
                        files[1]);
}

static int read_truth(map_run *r)
{
    size_t i;
    if (ground_truth_read(&r->data, &r->truth)) return 1;
    for (i = 0; r->arguments.difficult && i < r->truth.count; ++i) r->truth.objects[i].difficult = 0;
    if (r->arguments.difficult || r->truth.count > r->truth.difficult) return 0;
    return report_error("%s: all labelled objects are difficult ones: -difficult counts them", command);
}

static int find_detections(map_run *r)
{
    const map_arguments *a = &r->arguments;
    if (r->net ? run_network(r) : read_detections(r)) return 1;
    /* Save the detections before anything else can fail, as it may have taken long to compute them. */
    if (a->voc_out && detections_write_voc(a->voc_out, &r->data, &r->found)) return 1;
    return a->coco_out && detections_write_coco(a->coco_out, &r->data, &r->found);
}

/* Makes the objects' boxes comparable: pixels, -voc_label. */
static void adapt_truth(map_run *r)
{
    size_t i;
    ground_truth_to_pixels(&r->truth, r->sizes);
    for (i = 0; i < r->truth.count; ++i) {
        ap_object *o = &r->truth.objects[i];
        if (r->arguments.voc_label) {
            lengthen(&o->box);
            cut(&o->box.x, &o->box.w, r->sizes[o->image].w);
            cut(&o->box.y, &o->box.h, r->sizes[o->image].h);
        }
    }
}

static ap_options options_of(const map_run *r)
{
    const map_arguments *a = &r->arguments;
    ap_options options = ap_default_options(r->data.classes);
    options.rule = a->coco ? AP_COCO : AP_VOC;
    options.max_detections = a->coco ? COCO_MAX_DETECTIONS : 0;
    options.points = (int)a->points;
    options.iou_threshold = a->iou_threshold;
    options.score_threshold = a->score_threshold;
    return options;
}

/* Before the network begins its work: a file that cannot be compared with is found at once. */
static int read_compared(map_run *r)
{
    const map_arguments *a = &r->arguments;
    const ap_options options = options_of(r);
    map_rules_text(&options, a->difficult, a->voc_label, r->rules);
    r->rankings = map_rankings_of_objects(r->truth.objects, r->truth.count, r->data.classes, r->data.images.count);
    return a->compare && map_file_read(a->compare, &r->data, r->rules, &r->rankings, &r->other);
}

static int write_sheet(const map_run *r, const map_result *result)
{
    const sheet_detections d = {.paths = r->data.images.text,
                                .names = r->data.names.text,
                                .sizes = r->sizes,
                                .objects = r->truth.objects,
                                .object_count = r->truth.count,
                                .detections = r->found.detections,
                                .matches = result->matches,
                                .detection_count = r->found.count,
                                .images = r->data.images.count,
                                .score_threshold = r->arguments.score_threshold};
    return detection_sheet_write(&d, (int)r->arguments.sheet_images, r->letters, r->arguments.sheet);
}

/* Writes the report and the files that the options name. */
static int report(const map_run *r, const map_result *result)
{
    const char *json = r->arguments.json, *curves = r->arguments.curves, *confusion_png = r->arguments.confusion;
    char title[300];
    if ((!json || strcmp(json, "-")) && map_report_text(result)) return 1;
    if (json && map_report_json(result, json)) return 1;
    if (r->arguments.thresholds && threshold_curves_png(r->arguments.thresholds, result->scores, result->scored))
        return 1;
    if (confusion_png && map_confusion_png(confusion_png, result->taken_for, r->data.names.text,
                                           result->options->iou_threshold, result->options->score_threshold))
        return 1;
    if (r->arguments.sheet && write_sheet(r, result)) return 1;
    if (!curves) return 0;
    snprintf(title, sizeof title, "mAP %.2f %% at IoU %g; AP is %s",
             100 * mean_average_precision(result->per_class, r->data.classes), r->arguments.iou_threshold,
             points_text(result->options->points));
    return pr_curves_png(curves, title, r->data.names.text, result->per_class, r->data.classes, r->found.detections,
                         result->matches, r->found.count);
}

static int evaluate(map_run *r)
{
    const int classes = r->data.classes;
    const ap_options options = options_of(r);
    const ap_object *objects = r->truth.objects;
    const ap_detection *detections = r->found.detections;
    const size_t object_count = r->truth.count, count = r->found.count;
    ap_class *per_class = (ap_class *)xcalloc(classes, sizeof *per_class);
    ap_match *matches = (ap_match *)xcalloc(count, sizeof *matches);
    double *coco_ap = (double *)xcalloc(classes, sizeof *coco_ap);
    paired_difference *difference = (paired_difference *)xcalloc(classes + 1, sizeof *difference);
    const map_compared compared = {.with = r->arguments.compare,
                                   .iou_threshold = options.iou_threshold,
                                   .samples = BOOTSTRAP_SAMPLES,
                                   .images = r->data.images.count,
                                   .classes = classes,
                                   .names = r->data.names.text,
                                   .difference = difference};
    split_options split_how = split_default_options();
    error_split split;
    coco_metrics coco;
    confusion taken_for;
    ap_status error;
    int status;

    adapt_truth(r);
    error = average_precision_matches(objects, object_count, detections, count, &options, per_class, matches);
    if (error == AP_OK && r->arguments.coco)
        error = coco_evaluate(objects, object_count, detections, count, classes, &coco, coco_ap);
    split_how.foreground = options.iou_threshold;
    if (error == AP_OK && r->arguments.tide)
        split_errors(objects, object_count, detections, count, classes, &split_how, &split);
    if (error == AP_OK) map_rankings_add(&r->rankings, detections, matches, count);
    if (error == AP_OK && r->arguments.compare)
        map_compare(&r->rankings, &r->other, options.points, options.rule, BOOTSTRAP_SAMPLES, .95, r->arguments.seed,
                    difference);
    if (error == AP_OK) {
        const scored_detections scored = {r->data.names.text, per_class, classes, detections, matches, count};
        score_result scores = evaluate_scores(&scored, r->net ? DETECT_LOWEST_SCORE : 0);
        const map_result result = {.data = &r->data,
                                   .options = &options,
                                   .per_class = per_class,
                                   .taken_for = &taken_for,
                                   .coco = r->arguments.coco ? &coco : 0,
                                   .coco_ap = r->arguments.coco ? coco_ap : 0,
                                   .scored = &scored,
                                   .scores = &scores,
                                   .split = r->arguments.tide ? &split : 0,
                                   .split_how = &split_how,
                                   .compared = r->arguments.compare ? &compared : 0,
                                   .rankings = &r->rankings,
                                   .rules = r->rules,
                                   .detections = detections,
                                   .matches = matches,
                                   .detection_count = count,
                                   .difficult = r->truth.difficult,
                                   .count_difficult = r->arguments.difficult,
                                   .has_loss = r->arguments.loss,
                                   .loss = r->loss / r->data.images.count,
                                   .source = r->source};
        confusion_count(objects, object_count, detections, count, matches, classes, options.iou_threshold,
                        options.score_threshold, &taken_for);
        status = report(r, &result);
        confusion_free(&taken_for);
        score_result_free(&scores);
    } else {
        status = report_error("%s: %s", command, ap_status_text(error));
    }
    free(difference);
    free(coco_ap);
    free(matches);
    free(per_class);
    return status;
}

int detector_map(int argc, char **argv)
{
    map_run r = {.arguments = read_arguments(argc, argv)};
    const int status = read_data(&r) || load_detector_for(&r) || read_truth(&r) || read_compared(&r) ||
                       find_detections(&r) || evaluate(&r);
    if (!status && r.truth.missing)
        report_note("%d of %d images have no label file and count as images without objects; first: no %s",
                    r.truth.missing, r.data.images.count, r.truth.first_missing);
    free(r.sizes);
    free(r.found.detections);
    ground_truth_free(&r.truth);
    map_rankings_free(&r.rankings);
    map_rankings_free(&r.other);
    if (r.net) free_network(r.net);
    valid_data_free(&r.data);
    return status;
}
