/* The log of a training as CSV, and its picture.
 *
 *     iteration,epoch,images,loss,avg loss,rate,mAP,best mAP
 *
 * `mAP` (0 to 1) is empty in rows without an evaluation; `best mAP` is the highest so far, empty before the first. A
 * row is added to the file whole. A training that goes on from iteration i keeps the rows up to i: the later ones are
 * those of the run that was cut off, and leave the file, by way of a temporary one, when the first new row comes.
 */
#ifndef TRAINING_LOG_H
#define TRAINING_LOG_H

#include <stddef.h>

typedef struct {
    size_t iteration;
    double epoch; /* images / length of the training list */
    size_t images;
    double loss, average_loss, rate;
    double map, best; /* below 0: none */
} training_row;

/* What a file of rows holds. */
typedef struct {
    training_row *rows;
    size_t count;
    double best;    /* the highest mAP of all rows, those that leave the file included; -1: none */
    size_t best_at; /* the iteration that had it, if it is still known, else 0 */
} training_rows;

/* Reads `path`; a file that is missing has no rows, and lines that are not a whole row are left out. 0; or -1 with
 * errno when the file cannot be read or memory is short. Free with training_rows_free. */
int training_rows_read(const char *path, training_rows *result);
void training_rows_free(training_rows *rows);

/* Writes the header and the rows up to iteration `last` in place of the file. 0, or -1 with errno; the file is then as
 * it was. */
int training_rows_write(const char *path, const training_rows *rows, size_t last);

/* Adds a row to a file that has its header. 0, or -1 with errno. */
int training_row_append(const char *path, const training_row *row);

/* Draws the file: the loss by iteration on the left axis, logarithmic, and mAP in % on the right one. By gnuplot, into
 * a temporary file that is renamed. NULL, or what went wrong in a few words. */
const char *training_chart(const char *csv, const char *png, const char *title);

#endif
