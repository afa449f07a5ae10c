#include "commands/map_report.h"

#include "base/error.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "commands/tide_report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to MATRIX_CLASSES classes the confusion table is printed as a matrix; with more, as lists of its largest
 * entries: pairs of classes, and MATRIX_CLASSES of the classes of boxes on no object. */
enum { MATRIX_CLASSES = 20, LISTED_PAIRS = 50 };

/* The number of decimals that show `value` exactly: at least `digits`, at most 6. .5 is 0.50, .125 is 0.125. */
static int digits_for(double value, int digits)
{
    double scaled = value * pow(10, digits);
    for (; digits < 6 && fabs(scaled - floor(scaled + .5)) > 1e-6; ++digits) scaled *= 10;
    return digits;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

typedef struct {
    double precision, recall, f1, average_iou;
    unsigned long tp, fp, fn;
} counts;

static counts counts_of(const ap_class *c)
{
    counts n;
    n.tp = (unsigned long)c->tp;
    n.fp = (unsigned long)c->fp;
    n.fn = (unsigned long)(c->objects - c->tp);
    n.precision = ratio(n.tp, n.tp + n.fp);
    n.recall = ratio(n.tp, c->objects);
    n.f1 = ratio(2 * n.precision * n.recall, n.precision + n.recall);
    n.average_iou = ratio(c->iou_sum, n.tp + n.fp);
    return n;
}

const char *points_text(int points)
{
    return points == 0    ? "area under the interpolated curve (VOC 2010 on)"
           : points == 11 ? "the mean at 11 recall points (VOC 2007)"
                          : "the mean at 101 recall points (COCO)";
}

/* ---- Text ------------------------------------------------------------------------------------------------------- */

static void print_matrix(const confusion *c, char **names)
{
    const int classes = c->classes;
    size_t cells[MATRIX_CLASSES][MATRIX_CLASSES], largest = 1, i;
    int y, k, name_width = 6, width = 1;
    memset(cells, 0, sizeof cells);
    for (i = 0; i < c->pair_count; ++i) cells[c->pairs[i].class_id][c->pairs[i].taken_for] = c->pairs[i].count;
    for (k = 0; k < classes; ++k) {
        cells[k][k] = c->found[k];
        if ((int)strlen(names[k]) > name_width) name_width = (int)strlen(names[k]);
        if (c->background[k] > largest) largest = c->background[k];
        for (y = 0; y < classes; ++y) {
            if (cells[k][y] > largest) largest = cells[k][y];
        }
    }
    for (; largest > 9; largest /= 10) ++width;
    if (width < 2) width = 2;
    printf(" row: class of the object; column: class it was taken for, by number \n");
    printf(" %2s %-*s", "", name_width, "");
    for (k = 0; k < classes; ++k) printf(" %*d", width, k);
    printf("  missed\n");
    for (y = 0; y < classes; ++y) {
        printf(" %2d %-*s", y, name_width, names[y]);
        for (k = 0; k < classes; ++k) {
            if (cells[y][k])
                printf(" %*lu", width, (unsigned long)cells[y][k]);
            else
                printf(" %*s", width, ".");
        }
        printf("  %6lu\n", (unsigned long)c->missed[y]);
    }
    printf(" %2s %-*s", "", name_width, "no object");
    for (k = 0; k < classes; ++k) printf(" %*lu", width, (unsigned long)c->background[k]);
    printf("\n");
}

/* A class and a number, to be sorted by the number. */
typedef struct {
    size_t count;
    int class_id;
} class_count;

static int most_first(const void *pa, const void *pb)
{
    const class_count *a = (const class_count *)pa, *b = (const class_count *)pb;
    return a->count != b->count ? (a->count > b->count ? -1 : 1) : a->class_id - b->class_id;
}

static void print_background(const confusion *c, char **names)
{
    class_count *classes = (class_count *)xcalloc(c->classes, sizeof *classes);
    int k;
    for (k = 0; k < c->classes; ++k) {
        classes[k].count = c->background[k];
        classes[k].class_id = k;
    }
    qsort(classes, c->classes, sizeof *classes, most_first);
    for (k = 0; k < c->classes && k < MATRIX_CLASSES && classes[k].count; ++k)
        printf(" %6lu x no object taken for %s \n", (unsigned long)classes[k].count, names[classes[k].class_id]);
    free(classes);
}

static void print_pairs(const confusion *c, char **names)
{
    size_t i, listed = c->pair_count < LISTED_PAIRS ? c->pair_count : LISTED_PAIRS;
    for (i = 0; i < listed; ++i)
        printf(" %6lu x %s taken for %s \n", (unsigned long)c->pairs[i].count, names[c->pairs[i].class_id],
               names[c->pairs[i].taken_for]);
    if (listed < c->pair_count) printf(" and %lu pairs more \n", (unsigned long)(c->pair_count - listed));
    print_background(c, names);
}

static void print_confusion(const map_result *r)
{
    const confusion *c = r->taken_for;
    const double thresh = r->options->score_threshold, iou = r->options->iou_threshold;
    size_t found = 0, misclassified = 0, missed = 0;
    int k;
    for (k = 0; k < c->classes; ++k) {
        found += c->found[k];
        misclassified += c->misclassified[k];
        missed += c->missed[k];
    }
    printf("\n objects: %lu found, %lu misclassified (a box of IoU >= %.*f, but of another class), %lu missed; "
           "conf_thresh = %.*f \n",
           (unsigned long)found, (unsigned long)misclassified, digits_for(iou, 2), iou, (unsigned long)missed,
           digits_for(thresh, 2), thresh);
    if (c->classes <= MATRIX_CLASSES)
        print_matrix(c, r->data->names.text);
    else
        print_pairs(c, r->data->names.text);
}

/* Prints AP_NO_OBJECTS (no class has objects of that area) as n/a. */
static void print_coco_line(const char *what, double value)
{
    if (value < 0)
        printf(" %s = n/a \n", what);
    else
        printf(" %s = %f \n", what, value);
}

static void print_coco(const coco_metrics *c)
{
    printf("\n");
    print_coco_line("AP@[0.50:0.95]", c->ap);
    print_coco_line("AP@0.50       ", c->ap50);
    print_coco_line("AP@0.75       ", c->ap75);
    print_coco_line("AP small      ", c->ap_small);
    print_coco_line("AP medium     ", c->ap_medium);
    print_coco_line("AP large      ", c->ap_large);
    print_coco_line("AR   1 box    ", c->ar1);
    print_coco_line("AR  10 boxes  ", c->ar10);
    print_coco_line("AR 100 boxes  ", c->ar100);
    print_coco_line("AR small      ", c->ar_small);
    print_coco_line("AR medium     ", c->ar_medium);
    print_coco_line("AR large      ", c->ar_large);
}

/* Scripts read these lines, so their wording is that of the Darknet forks that have this command. */
int map_report_text(const map_result *r)
{
    const int classes = r->options->classes;
    const ap_class all = ap_total(r->per_class, classes);
    const counts total = counts_of(&all);
    const double thresh = r->options->score_threshold, iou = r->options->iou_threshold;
    const int digits = digits_for(thresh, 2);
    int k;

    for (k = 0; k < classes; ++k) {
        const ap_class *c = &r->per_class[k];
        const counts n = counts_of(c);
        printf("class_id = %d, name = %s, ap = ", k, r->data->names.text[k]);
        if (c->objects) {
            printf("%.2f%% \t (TP = %lu, FP = %lu) \t FN = %lu, precision = %.2f, recall = %.2f, F1-score = %.2f",
                   100 * c->ap, n.tp, n.fp, n.fn, n.precision, n.recall, n.f1);
            if (r->coco) printf(", AP@[0.50:0.95] = %.2f%%", 100 * r->coco_ap[k]);
            printf(" \n");
        } else {
            printf("n/a (no objects; FP = %lu; left out of the mean)\n", n.fp);
        }
    }
    printf("\n for conf_thresh = %.*f, precision = %.2f, recall = %.2f, F1-score = %.2f \n", digits, thresh,
           total.precision, total.recall, total.f1);
    printf(" for conf_thresh = %.*f, TP = %lu, FP = %lu, FN = %lu, average IoU = %.2f %% \n", digits, thresh, total.tp,
           total.fp, total.fn, 100 * total.average_iou);
    print_scores(r->scores, r->scored, iou);
    print_confusion(r);
    if (r->split) tide_report_text(r->split, r->split_how);
    if (r->compared) compared_report_text(r->compared);
    printf("\n %s \n", r->source);
    printf(" %d images, %lu objects, %lu difficult ones %s; matching as in %s \n", r->data->images.count,
           (unsigned long)all.objects, (unsigned long)r->difficult, r->count_difficult ? "among them" : "ignored",
           r->options->rule == AP_COCO ? "COCO, 100 boxes a class and image" : "PASCAL VOC");
    if (r->coco) print_coco(r->coco);
    if (r->has_loss) printf("\n loss with hard labels = %f, mean over the images \n", r->loss);
    printf("\n IoU threshold = %.*f %%, AP by %s; average IoU counts a false positive as 0 \n",
           digits_for(100 * iou, 0), 100 * iou, points_text(r->options->points));
    printf(" mean average precision (mAP@%.*f) = %f, or %.2f %% \n", digits_for(iou, 2), iou, all.ap, 100 * all.ap);
    if (r->coco) printf(" mean average precision (mAP@0.50:0.95) = %f, or %.2f %% \n", r->coco->ap, 100 * r->coco->ap);
    if (fflush(stdout) || ferror(stdout)) return report_error("cannot write the result: %s", strerror(errno));
    return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

/* Writes a number; AP_NO_OBJECTS becomes null. */
static void json_value(FILE *out, const char *key, double value)
{
    json_put_member(out, key, value < 0 ? NAN : value);
}

static void json_counts(FILE *out, const ap_class *c)
{
    const counts n = counts_of(c);
    fprintf(out, "\"objects\": %lu, \"ignored\": %lu, \"detections\": %lu, \"tp\": %lu, \"fp\": %lu, \"fn\": %lu, ",
            (unsigned long)c->objects, (unsigned long)c->ignored, (unsigned long)c->detections, n.tp, n.fp, n.fn);
    fprintf(out, "\"precision\": %.17g, \"recall\": %.17g, \"f1\": %.17g, \"average_iou\": %.17g", n.precision,
            n.recall, n.f1, n.average_iou);
}

/* Writes the interpolated precision at recall 0, .01, ... 1, as in the plots of -curves. */
static void json_curve(FILE *out, const ap_point *points, size_t count, size_t objects)
{
    enum { STEPS = 100 };
    double precision[STEPS + 1], best = 0;
    size_t k = count, i;
    for (i = STEPS + 1; i-- > 0;) {
        for (; k > 0 && k * STEPS >= i * objects; --k) {
            if (points[k - 1].precision > best) best = points[k - 1].precision;
        }
        precision[i] = best;
    }
    fputs(", \"precision_at_recall\": [", out);
    for (i = 0; i <= STEPS; ++i) fprintf(out, "%s%.6g", i ? ", " : "", precision[i]);
    fputs("]", out);
}

static void json_confusion(FILE *out, const map_result *r)
{
    const confusion *c = r->taken_for;
    size_t i;
    int k;
    fputs("  \"confusion\": {\n    \"classes\": [", out);
    for (k = 0; k < c->classes; ++k)
        fprintf(out, "%s\n      {\"found\": %lu, \"misclassified\": %lu, \"missed\": %lu, \"boxes_on_no_object\": %lu}",
                k ? "," : "", (unsigned long)c->found[k], (unsigned long)c->misclassified[k],
                (unsigned long)c->missed[k], (unsigned long)c->background[k]);
    fputs("\n    ],\n    \"pairs\": [", out);
    for (i = 0; i < c->pair_count; ++i) {
        fprintf(out, "%s\n      {\"class\": ", i ? "," : "");
        json_put_string(out, r->data->names.text[c->pairs[i].class_id]);
        fputs(", \"taken_for\": ", out);
        json_put_string(out, r->data->names.text[c->pairs[i].taken_for]);
        fprintf(out, ", \"count\": %lu}", (unsigned long)c->pairs[i].count);
    }
    fputs("\n    ]\n  }", out);
}

static void json_coco(FILE *out, const coco_metrics *c)
{
    const struct {
        const char *key;
        double value;
    } metrics[] = {{"ap", c->ap},
                   {"ap50", c->ap50},
                   {"ap75", c->ap75},
                   {"ap_small", c->ap_small},
                   {"ap_medium", c->ap_medium},
                   {"ap_large", c->ap_large},
                   {"ar1", c->ar1},
                   {"ar10", c->ar10},
                   {"ar100", c->ar100},
                   {"ar_small", c->ar_small},
                   {"ar_medium", c->ar_medium},
                   {"ar_large", c->ar_large}};
    size_t i;
    fputs("  \"coco\": {", out);
    for (i = 0; i < sizeof metrics / sizeof *metrics; ++i) {
        fputs(i ? ", " : "", out);
        json_value(out, metrics[i].key, metrics[i].value);
    }
    fputs("},\n", out);
}

static void write_json(FILE *out, const map_result *r, ap_point *points)
{
    const int classes = r->options->classes;
    const ap_class all = ap_total(r->per_class, classes);
    int k;
    fprintf(out, "{\n  \"rule\": \"%s\", \"points\": %d, \"iou_threshold\": %.17g, \"score_threshold\": %.17g,\n",
            r->options->rule == AP_COCO ? "coco" : "voc", r->options->points, r->options->iou_threshold,
            r->options->score_threshold);
    fprintf(out, "  \"images\": %d, \"difficult\": %lu, \"difficult_counted\": %s, \"source\": ", r->data->images.count,
            (unsigned long)r->difficult, r->count_difficult ? "true" : "false");
    json_put_string(out, r->source);
    fputs(",\n  ", out);
    json_value(out, "map", all.ap);
    fputs(",\n  ", out);
    if (r->has_loss) {
        json_put_member(out, "loss", r->loss);
        fputs(",\n  ", out);
    }
    json_counts(out, &all);
    fputs(",\n  ", out);
    json_best_threshold(out, &r->scores->all);
    fputs(",\n  ", out);
    json_calibration(out, &r->scores->calibration);
    fputs(",\n", out);
    if (r->coco) json_coco(out, r->coco);
    fputs("  \"classes\": [", out);
    for (k = 0; k < classes; ++k) {
        const ap_class *c = &r->per_class[k];
        size_t count = ap_curve(r->detections, r->matches, r->detection_count, k, c->objects, points);
        fprintf(out, "%s\n    {\"id\": %d, \"name\": ", k ? "," : "", k);
        json_put_string(out, r->data->names.text[k]);
        fputs(", ", out);
        json_value(out, "ap", c->ap);
        fputs(", ", out);
        if (r->coco) {
            json_value(out, "ap_50_95", r->coco_ap[k]);
            fputs(", ", out);
        }
        json_counts(out, c);
        fputs(", ", out);
        json_best_threshold(out, &r->scores->per_class[k]);
        json_curve(out, points, count, c->objects);
        fputs("}", out);
    }
    fputs("\n  ],\n", out);
    json_confusion(out, r);
    if (r->split) {
        fputs(",\n  ", out);
        tide_report_json(out, r->split, r->split_how);
    }
    if (r->compared) {
        fputs(",\n  ", out);
        compared_report_json(out, r->compared);
    }
    fputs(",\n  ", out);
    map_file_write(out, r->data, r->rules, r->rankings);
    fputs("\n}\n", out);
}

int map_report_json(const map_result *r, const char *path)
{
    size_t most = 1;
    ap_point *points;
    output_file o;
    FILE *out;
    int k;
    for (k = 0; k < r->options->classes; ++k) {
        if (r->per_class[k].found > most) most = r->per_class[k].found;
    }
    points = (ap_point *)xcalloc(most, sizeof *points);
    out = output_open_or_stdout(&o, path);
    if (out) write_json(out, r, points);
    free(points);
    return output_close(&o);
}
