#include "commands/map_confusion.h"

#include "base/error.h"
#include "base/gnuplot.h"
#include "base/memory.h"
#include "commands/confusion_plot.h"

#include <stdio.h>
#include <stdlib.h>

void map_confusion_check(int classes)
{
    if (classes >= CONFUSION_PLOT_MOST)
        die("detector map: -confusion draws %d classes at most, and these are %d", CONFUSION_PLOT_MOST - 1, classes);
}

/* The counts, [classes + 1][classes + 1]: the last column is missed, the last row on no object. */
static double *counts_of(const confusion *c)
{
    const int side = c->classes + 1;
    double *cells = (double *)xcalloc((size_t)side * side, sizeof *cells);
    size_t i;
    int k;
    for (i = 0; i < c->pair_count; ++i) cells[c->pairs[i].class_id * side + c->pairs[i].taken_for] = c->pairs[i].count;
    for (k = 0; k < c->classes; ++k) {
        cells[k * side + k] = c->found[k];
        cells[k * side + c->classes] = c->missed[k];
        cells[c->classes * side + k] = c->background[k];
    }
    return cells;
}

/* Turns the counts of a row into shares, and returns their sum. */
static double to_percent(double *row, int columns)
{
    double sum = 0;
    int k;
    for (k = 0; k < columns; ++k) sum += row[k];
    for (k = 0; k < columns && sum > 0; ++k) row[k] *= 100 / sum;
    return sum;
}

/* The rows' names have their number of objects, or of boxes. The caller frees the texts. */
static void name_axes(const confusion *c, char **names, double *cells, char **rows, char **columns)
{
    const int side = c->classes + 1;
    int k;
    for (k = 0; k < side; ++k) {
        const char *name = k < c->classes ? names[k] : "no object";
        const double count = to_percent(cells + k * side, side);
        char text[300];
        snprintf(text, sizeof text, "%.200s (%.0f)", name, count);
        rows[k] = xstrdup(text);
        columns[k] = xstrdup(k < c->classes ? names[k] : "missed");
    }
}

int map_confusion_png(const char *png, const confusion *c, char **names, double iou_threshold, double score_threshold)
{
    const int side = c->classes + 1, pixels = confusion_plot_side(side) + 120;
    double *cells = counts_of(c);
    char **rows = (char **)xcalloc(side, sizeof *rows), **columns = (char **)xcalloc(side, sizeof *columns);
    char title[200];
    const confusion_plot plot = {
        title, "objects of a class, and boxes on no object", "taken for", side, side, rows, columns, cells};
    gnuplot_picture p;
    const char *error;
    int k;
    name_axes(c, names, cells, rows, columns);
    snprintf(title, sizeof title, "Confusion, %% of a row: boxes that score above %g, IoU of %g and more",
             score_threshold, iou_threshold);
    gnuplot_begin(&p, png, pixels, pixels - 60);
    fprintf(p.script, "set termoption font ',%d'\n", confusion_plot_font(side));
    confusion_plot_write(p.script, &plot);
    error = gnuplot_end(&p);
    for (k = 0; k < side; ++k) {
        free(rows[k]);
        free(columns[k]);
    }
    free(rows);
    free(columns);
    free(cells);
    return error ? report_error("cannot draw %s: %s", png, error) : 0;
}
