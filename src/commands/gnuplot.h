/* Pictures, drawn by gnuplot. */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    FILE *pipe; /* where gnuplot reads its commands; a write that fails is reported by end_picture */
    char *png, *temporary;
} picture;

/* Starts a picture of width x height pixels. Ends the program with one line where gnuplot cannot be started. */
picture begin_picture(const char *png, int width, int height);

/* Writes text in gnuplot's quotes. */
void picture_text(FILE *out, const char *text);

/* Finishes the picture and renames it to its name, so that it is whole or not there; ends the program with one line
 * where there is none. */
void end_picture(picture *p);

#ifdef __cplusplus
}
#endif
#endif
