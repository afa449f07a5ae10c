#include "commands/threshold_report.h"

#include "base/error.h"
#include "base/gnuplot.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "eval/threshold_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

/* How many objects there are to find in a class, or in ALL_CLASSES. */
static size_t objects_of(const scored_detections *d, int class_id)
{
    return class_id == ALL_CLASSES ? ap_total(d->per_class, d->classes).objects : d->per_class[class_id].objects;
}

/* `points` has room for all detections. */
static best_threshold search(const scored_detections *d, int class_id, double lowest, operating_point *points)
{
    const size_t objects = objects_of(d, class_id);
    const size_t n = operating_points(d->detections, d->matches, d->count, class_id, objects, points);
    return find_best_threshold(points, n, objects, lowest);
}

score_result evaluate_scores(const scored_detections *d, double lowest)
{
    operating_point *points = (operating_point *)xcalloc(d->count, sizeof *points);
    score_result result;
    int k;
    result.lowest = lowest;
    result.per_class = (best_threshold *)xcalloc(d->classes, sizeof *result.per_class);
    for (k = 0; k < d->classes; ++k) result.per_class[k] = search(d, k, lowest, points);
    result.all = search(d, ALL_CLASSES, lowest, points);
    result.calibration = calibrate_detections(d->detections, d->matches, d->count);
    free(points);
    return result;
}

void score_result_free(score_result *result)
{
    free(result->per_class);
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static void print_row(const char *number, const char *name, int width, const best_threshold *best)
{
    char text[DECIMAL_TEXT];
    printf(" %3s %-*s ", number, width, name);
    if (best->f1 > 0)
        printf("%-11s  %9.2f  %6.2f  %8.2f \n", format_decimal(best->threshold, 2, text), best->precision, best->recall,
               best->f1);
    else
        printf("%-11s  (no true positive) \n", "n/a");
}

void print_scores(const score_result *result, const scored_detections *d, double iou_threshold)
{
    static const char all[] = "all classes, one threshold";
    int width = sizeof all - 1, k;
    char number[16], text[DECIMAL_TEXT];
    for (k = 0; k < d->classes; ++k) {
        if ((int)strlen(d->names[k]) > width) width = (int)strlen(d->names[k]);
    }
    printf("\n %-*s conf_thresh  precision  recall  F1-score \n", width + 4, "best F1-score:");
    for (k = 0; k < d->classes; ++k) {
        snprintf(number, sizeof number, "%d", k);
        print_row(number, d->names[k], width, &result->per_class[k]);
    }
    print_row("", all, width, &result->all);
    printf("\n detection ECE ");
    if (result->calibration.ece < 0)
        printf("= n/a: there is no score from %g to 1, or one is higher \n", CALIBRATION_LOWEST_SCORE);
    else
        printf("= %.2f %%: score against precision at IoU %s, %lu boxes of score >= %g, %d bins \n",
               100 * result->calibration.ece, format_decimal(iou_threshold, 2, text),
               (unsigned long)result->calibration.detections, CALIBRATION_LOWEST_SCORE, (int)CALIBRATION_BINS);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

void json_best_threshold(FILE *out, const best_threshold *best)
{
    if (!(best->f1 > 0)) {
        fputs("\"best_f1\": null", out);
        return;
    }
    fputs("\"best_f1\": {", out);
    json_put_threshold(out, best);
    fputc('}', out);
}

void json_calibration(FILE *out, const detection_calibration *c)
{
    int m;
    fputs("\"calibration\": {", out);
    json_put_member(out, "ece", c->ece < 0 ? NAN : c->ece);
    fprintf(out, ", \"detections\": %lu, ", (unsigned long)c->detections);
    json_put_member(out, "lowest_score", CALIBRATION_LOWEST_SCORE);
    fputs(", \"bins\": [", out);
    for (m = 0; m < CALIBRATION_BINS; ++m) {
        const double n = (double)c->bins[m].count;
        fprintf(out, "%s\n      {\"count\": %lu, ", m ? "," : "", (unsigned long)c->bins[m].count);
        json_put_member(out, "score", n > 0 ? c->bins[m].probability / n : NAN);
        fputs(", ", out);
        json_put_member(out, "precision", n > 0 ? c->bins[m].correct / n : NAN);
        fputc('}', out);
    }
    fputs("\n    ]}", out);
}

/* ---- Picture ----------------------------------------------------------------------------------------------------- */

/* Writes the curves as steps: a set of detections holds from its lowest score down to the next one, the last down to
 * the lowest threshold. Of many points only every step-th is drawn, as more of them than pixels would only make the
 * plot slow. Above the highest score nothing is kept: precision is then undefined, and gnuplot leaves it out. */
static void write_curves(FILE *out, const operating_point *points, size_t count, double lowest)
{
    const size_t step = count / 2000 + 1;
    size_t i;
    fputs("$curves << EOD\n-1 NaN NaN NaN\n", out); /* gnuplot needs a point at least */
    if (count) fprintf(out, "%.9g NaN 0 0\n", points[0].score);
    for (i = 0; i < count; i += step) {
        const operating_point *p = &points[i];
        const double next =
            i + step < count ? points[i + step].score : lowest_threshold_of(points, count, count - 1, lowest);
        fprintf(out, "%.9g %.6g %.6g %.6g\n%.9g %.6g %.6g %.6g\n", p->score, p->precision, p->recall, p->f1, next,
                p->precision, p->recall, p->f1);
    }
    fputs("EOD\n", out);
}

static void write_panel(FILE *out, const char *name, const best_threshold *best, const operating_point *points,
                        size_t count, double lowest)
{
    char title[300], text[DECIMAL_TEXT];
    if (best->f1 > 0)
        snprintf(title, sizeof title, "%.200s: F1 %.3f at %.40s", name, best->f1,
                 format_decimal(best->threshold, 2, text));
    else
        snprintf(title, sizeof title, "%.200s: no true positive", name);
    fputs("set title ", out);
    gnuplot_quote(out, title);
    fputc('\n', out);
    write_curves(out, points, count, lowest);
    /* the mark is at F1, or out of sight */
    fprintf(out, "$best << EOD\n%.9g %.6g\nEOD\n", best->threshold, best->f1 > 0 ? best->f1 : -1);
    fputs("plot $curves using 1:2 with lines lc rgb '#6baed6' lw 1.5 title 'precision', "
          "$curves using 1:3 with lines lc rgb '#fd8d3c' lw 1.5 title 'recall', "
          "$curves using 1:4 with lines lc rgb '#222222' lw 2 title 'F1', "
          "$best using 1:2 with impulses dt 2 lc rgb '#cb181d' notitle, "
          "$best using 1:2 with points pt 7 ps 1 lc rgb '#cb181d' title 'best F1'\n",
          out);
}

/* Scores of other programs may be any numbers. */
static int are_shares(const scored_detections *d)
{
    size_t i;
    for (i = 0; i < d->count; ++i) {
        if (!(d->detections[i].score >= 0 && d->detections[i].score <= 1)) return 0;
    }
    return 1;
}

int threshold_curves_png(const char *png, const score_result *result, const scored_detections *d)
{
    const int panels = d->classes > 1 ? d->classes + 1 : 1; /* of a single class the first panel says it all */
    const int columns = (int)ceil(sqrt(panels)), rows = (panels + columns - 1) / columns;
    const int side = panels == 1 ? 600 : panels <= 9 ? 380 : 260;
    operating_point *points = (operating_point *)xcalloc(d->count, sizeof *points);
    gnuplot_picture p;
    const char *error;
    int k;
    gnuplot_begin(&p, png, columns * side, rows * side);
    /* The key stands in two lines above all curves, which the blank title leaves. */
    fprintf(p.script,
            "set termoption font ',%d'\nset multiplot layout %d,%d title \" \\n \"\n"
            "set xrange [%s]\nset yrange [0:1.03]\n"
            "set ytics .5\nset mytics 5\nset grid xtics ytics\nset xlabel 'threshold' offset 0,.5\n"
            "set key horizontal top center at screen .5,.995 samplen 1.5\n",
            panels <= 9 ? 11 : 8, rows, columns, are_shares(d) ? "0:1" : "*:*");
    for (k = panels > 1 ? ALL_CLASSES : 0; k < d->classes; ++k) {
        const size_t n = operating_points(d->detections, d->matches, d->count, k, objects_of(d, k), points);
        write_panel(p.script, k < 0 ? "all classes" : d->names[k], k < 0 ? &result->all : &result->per_class[k], points,
                    n, result->lowest);
        fputs("unset key\n", p.script); /* once is enough */
    }
    fputs("unset multiplot\n", p.script);
    error = gnuplot_end(&p);
    free(points);
    return error ? report_error("cannot draw %s: %s", png, error) : 0;
}
