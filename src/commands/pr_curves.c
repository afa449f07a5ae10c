#include "commands/pr_curves.h"

#include "base/error.h"
#include "base/gnuplot.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes one panel. Of many points only every step-th is drawn: more of them than pixels would only make the plot
 * slow. */
static void write_panel(FILE *out, const char *name, const ap_class *result, const ap_point *points, size_t count)
{
    const size_t step = count / 2000 + 1;
    double best = 0;
    size_t i;
    char title[300];
    if (result->objects)
        snprintf(title, sizeof title, "%.200s: AP %.2f %%", name, 100 * result->ap);
    else
        snprintf(title, sizeof title, "%.200s: no objects", name);
    fputs("set title ", out);
    gnuplot_quote(out, title);
    fputs("\n$points << EOD\n0 -1\n", out); /* an invisible point, as gnuplot needs at least one */
    for (i = 0; i < count; i += step) fprintf(out, "%.6g %.6g\n", points[i].recall, points[i].precision);
    /* From the highest recall to the lowest: a step wherever precision is higher than at all higher recalls. */
    fputs("EOD\n$interpolated << EOD\n", out);
    fprintf(out, "%.6g 0\n", count ? points[count - 1].recall : 0);
    for (i = count; i-- > 0;) {
        if (points[i].precision <= best) continue;
        fprintf(out, "%.6g %.6g\n%.6g %.6g\n", points[i].recall, best, points[i].recall, points[i].precision);
        best = points[i].precision;
    }
    fprintf(out, "0 %.6g\n", best);
    fputs("EOD\nplot $interpolated with lines lc rgb '#2171b5' lw 2, "
          "$points with points pt 7 ps .3 lc rgb '#333333'\n",
          out);
}

static void write_panels(FILE *out, int columns, int rows, const char *title, char **names, const ap_class *per_class,
                         int classes, const ap_detection *detections, const ap_match *matches, size_t detection_count,
                         ap_point *points)
{
    int k;
    fprintf(out, "set termoption font ',%d'\nset multiplot layout %d,%d title ", classes <= 9 ? 11 : 8, rows, columns);
    gnuplot_quote(out, title);
    fputs("\nset xrange [0:1]\nset yrange [0:1.03]\nset xtics .5\nset ytics .5\nset mxtics 5\nset mytics 5\n"
          "set grid xtics ytics\nunset key\nset xlabel 'recall' offset 0,.5\nset ylabel 'precision' offset 1,0\n",
          out);
    for (k = 0; k < classes; ++k) {
        size_t count = ap_curve(detections, matches, detection_count, k, per_class[k].objects, points);
        write_panel(out, names[k], &per_class[k], points, count);
    }
    fputs("unset multiplot\n", out);
}

int pr_curves_png(const char *png, const char *title, char **names, const ap_class *per_class, int classes,
                  const ap_detection *detections, const ap_match *matches, size_t detection_count)
{
    const int columns = (int)ceil(sqrt(classes)), rows = (classes + columns - 1) / columns;
    const int side = classes == 1 ? 600 : classes <= 9 ? 360 : 240;
    size_t most = 1;
    ap_point *points;
    gnuplot_picture p;
    const char *error;
    int k;
    for (k = 0; k < classes; ++k) {
        if (per_class[k].found > most) most = per_class[k].found;
    }
    points = (ap_point *)xcalloc(most, sizeof *points);
    gnuplot_begin(&p, png, columns * side, rows * side + 40);
    write_panels(p.script, columns, rows, title, names, per_class, classes, detections, matches, detection_count,
                 points);
    error = gnuplot_end(&p);
    free(points);
    return error ? report_error("cannot draw %s: %s", png, error) : 0;
}
