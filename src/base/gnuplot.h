/* Draws charts as PNG files with gnuplot.
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
    FILE *script; /* the caller writes gnuplot's commands here */
    char *png;    /* path of the PNG; this and the members below are private */
    char *text;   /* the commands written so far */
    size_t size;
    FILE *data; /* that gnuplot_quote_file opened */
    int error;  /* errno, if it could not */
} gnuplot_picture;

/* Begins a PNG of width x height pixels. Copies the path `png`. */
void gnuplot_begin(gnuplot_picture *p, const char *png, int width, int height);

/* Writes `text` as a quoted string of gnuplot; control characters, such as a line break, become blanks. */
void gnuplot_quote(FILE *script, const char *text);

/* The same for the text of a tic, which gnuplot takes as a format of numbers: a % is doubled. */
void gnuplot_quote_tic(FILE *script, const char *text);

/* Opens a file of data, one for each picture, and writes a quoted name by which gnuplot can read it, once or several
 * times. Its path is not in the script: gnuplot would run one that begins with < as a command. If it cannot be opened,
 * gnuplot_end says so. */
void gnuplot_quote_file(gnuplot_picture *p, const char *path);

/* Draws the picture, writes the file atomically (base/atomic_file.h), and frees what `p` holds. Returns NULL, or a
 * short error message in static storage. */
const char *gnuplot_end(gnuplot_picture *p);

#endif
