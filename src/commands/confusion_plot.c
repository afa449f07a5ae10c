#include "commands/confusion_plot.h"

#include "base/gnuplot.h"

enum { NUMBERS = 21 }; /* rows up to which cells have numbers: 20 classes, and the background of a detector */

static void write_tics(FILE *script, char **names, int count)
{
    int k;
    for (k = 0; k < count; ++k) {
        if (k) fputs(", ", script);
        gnuplot_quote_tic(script, names[k]);
        fprintf(script, " %d", k);
    }
}

static void write_cells(FILE *script, const confusion_plot *p)
{
    int y, k;
    fputs("$cells << EOD\n", script);
    for (y = 0; y < p->row_count; ++y) {
        for (k = 0; k < p->column_count; ++k)
            fprintf(script, "%d %d %.6g\n", k, y, p->percent[(size_t)y * p->column_count + k]);
    }
    fputs("EOD\n", script);
}

/* Rows are from the top down. */
void confusion_plot_write(FILE *script, const confusion_plot *p)
{
    fputs("unset key\nunset grid\nset title ", script);
    gnuplot_quote(script, p->title);
    fputc('\n', script);
    write_cells(script, p);
    fputs("set xtics rotate by 90 right scale 0 (", script);
    write_tics(script, p->columns, p->column_count);
    fputs(")\nset ytics scale 0 (", script);
    write_tics(script, p->rows, p->row_count);
    fprintf(script, ")\nset xrange [-.5:%d.5]\nset yrange [%d.5:-.5]\nset xlabel ", p->column_count - 1,
            p->row_count - 1);
    gnuplot_quote(script, p->column_label);
    fputs("\nset ylabel ", script);
    gnuplot_quote(script, p->row_label);
    fputs("\nset cbrange [0:100]\nset palette defined (0 '#ffffff', 10 '#c6dbef', 50 '#4292c6', 100 '#08306b')\n"
          "plot $cells using 1:2:3 with image",
          script);
    if (p->row_count <= NUMBERS)
        fprintf(script,
                ", $cells using 1:2:($3 <= .5 ? '' : sprintf('%%.0f', $3)):($3 > 50 ? 0xffffff : 0) with labels "
                "font ',%d' tc rgb variable",
                p->row_count <= 11 ? 10 : 8);
    fputc('\n', script);
}

int confusion_plot_side(int rows)
{
    return rows <= NUMBERS ? 640 : rows <= 61 ? 960 : 1400;
}

int confusion_plot_font(int rows)
{
    return rows <= NUMBERS ? 11 : rows <= 61 ? 9 : 8;
}
