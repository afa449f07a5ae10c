/* The log of a training as a CSV file, and its chart.
 *
 *     iteration,epoch,images,loss,avg loss,rate,mAP,best mAP
 *
 * `mAP` (0 to 1, six digits) is empty in rows without an evaluation. `best mAP` is the highest so far, and empty before
 * the first evaluation. The file has only complete rows at any time, also after a run was killed. A run that resumes
 * from iteration i reads the log and rewrites it with the rows up to i, before it adds its own. This drops the rows of
 * a run that had got further.
 */
#ifndef TRAINING_LOG_H
#define TRAINING_LOG_H

#include <stddef.h>

typedef struct {
    size_t iteration;
    double epoch;  /* images / length of the training list */
    size_t images; /* images seen so far */
    double loss, average_loss;
    double rate;          /* learning rate */
    double map, best_map; /* 0 to 1; -1: none */
} training_row;

/* The contents of a log. */
typedef struct {
    training_row *rows; /* owned */
    size_t count;
    double best_map;       /* the highest value in both mAP columns; -1: none */
    size_t best_iteration; /* iteration of the row with that value in `mAP`; 0: the row is not in the file any more */
} training_rows;

/* Reads the log in `path`. A missing file has no rows; incomplete lines are skipped. Returns 0; or -1 with errno if the
 * file cannot be read. Free with training_rows_free. */
int training_rows_read(const char *path, training_rows *result);
void training_rows_free(training_rows *rows);

/* Replaces the file with the header and the rows up to iteration `last`, atomically. Returns 0; or -1 with errno, and
 * the file is unchanged. */
int training_rows_write(const char *path, const training_rows *rows, size_t last);

/* Appends a row to a file that has its header. Returns 0; or -1 with errno, and the file is unchanged. */
int training_row_append(const char *path, const training_row *row);

/* Draws the log `csv` with gnuplot: loss by iteration on the left axis (logarithmic), and mAP in % on the right axis.
 * Writes `png` atomically. Returns NULL, or a short error message in static storage. */
const char *training_chart(const char *csv, const char *png, const char *title);

#endif
