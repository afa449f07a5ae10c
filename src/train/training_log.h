/* The log of a training as CSV, and its picture.
 *
 *     iteration,epoch,images,loss,avg loss,rate,mAP,best mAP
 *
 * `mAP` (0 to 1, six digits) is empty in rows without an evaluation; `best mAP` is the highest so far, and is empty
 * before the first. A reader of the file finds whole rows at any time, and so does who comes after a run that was
 * killed. A run that goes on from iteration i reads the log, and writes it again with the rows up to i, before it adds
 * its own; what it drops are rows of a run that had got further.
 */
#ifndef TRAINING_LOG_H
#define TRAINING_LOG_H

#include <stddef.h>

typedef struct {
    size_t iteration;
    double epoch;  /* images / length of the training list */
    size_t images; /* seen so far */
    double loss, average_loss;
    double rate;          /* learning rate */
    double map, best_map; /* 0 to 1; -1: none */
} training_row;

/* What a log holds. */
typedef struct {
    training_row *rows; /* owned */
    size_t count;
    double best_map;       /* the highest of both columns; -1: none */
    size_t best_iteration; /* the row that has it in its `mAP`; 0: that row is not in the file any more */
} training_rows;

/* Reads `path`. A file that is missing has no rows; lines that are not a whole row are left out. Returns 0; or -1 with
 * errno when the file cannot be read. Free with training_rows_free. */
int training_rows_read(const char *path, training_rows *result);
void training_rows_free(training_rows *rows);

/* Replaces the file by the header and the rows up to iteration `last`. Returns 0; or -1 with errno, and the file is
 * then as it was. */
int training_rows_write(const char *path, const training_rows *rows, size_t last);

/* Adds a row to a file that has its header. Returns 0; or -1 with errno, and the file is then as it was. */
int training_row_append(const char *path, const training_row *row);

/* Draws the log `csv` with gnuplot: the loss by iteration on the left axis, logarithmic, and mAP in % on the right one.
 * `png` appears whole or not at all. Returns NULL; or what went wrong in a few words, in static storage. */
const char *training_chart(const char *csv, const char *png, const char *title);

#endif
