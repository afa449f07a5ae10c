/* A confusion matrix as a part of a gnuplot picture. */
#ifndef CONFUSION_PLOT_H
#define CONFUSION_PLOT_H

#include <stdio.h>

enum { CONFUSION_PLOT_MOST = 100 }; /* rows or columns that are drawn with a name */

typedef struct {
    const char *title, *row_label, *column_label;
    int row_count, column_count;
    char **rows, **columns; /* names, from the top and from the left */
    const double *percent;  /* [row_count][column_count]: 0 to 100, which is the colour, and up to 21 rows a number */
} confusion_plot;

void confusion_plot_write(FILE *script, const confusion_plot *plot);

/* The side in pixels of a picture of so many rows, and the size of its letters. */
int confusion_plot_side(int rows);
int confusion_plot_font(int rows);

#endif
