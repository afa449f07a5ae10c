/* Pictures, drawn by gnuplot.
 *
 *     gnuplot_picture p;
 *     const char *error;
 *     gnuplot_begin(&p, "chart.png", 800, 600);
 *     fputs("plot sin(x)\n", p.script);
 *     error = gnuplot_end(&p);
 *     if (error) die("no picture chart.png: %s", error);
 */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include <stddef.h>
#include <stdio.h>

typedef struct {
    FILE *script; /* takes gnuplot's commands */
    char *png;    /* the rest belongs to the module */
    char *text;   /* of the script */
    size_t size;
} gnuplot_picture;

/* Begins a PNG of width x height pixels. */
void gnuplot_begin(gnuplot_picture *p, const char *png, int width, int height);

/* Writes text in gnuplot's quotes. */
void gnuplot_quote(FILE *script, const char *text);

/* Draws. The file appears whole or not at all (base/atomic_file.h). Returns NULL, or in a few words what went wrong, in
 * static storage. */
const char *gnuplot_end(gnuplot_picture *p);

#endif
