/* The log of a training as a CSV file, and its chart.
 *
 *     iteration,epoch,images,loss,avg loss,rate,<measure>,...,best <judged measure>
 *
 * What an evaluation measures depends on the kind of network: mAP for a detector; top-1, top-k and others for a
 * classifier. A measure (six digits) is empty in rows where it was not taken. The last column is the highest value so
 * far of the measure by which weights are judged, and empty before the first evaluation. A name with a comma or a quote
 * is in quotes. The file has only complete rows at any time, also after a run was killed.
 *
 * A run that resumes from iteration i reads the log and rewrites it with the rows up to i, before it adds its own. This
 * drops the rows of a run that had got further. The columns are found by their names: those that the log of an earlier
 * version did not have yet are empty in its rows, and those that this run does not measure stay, behind its own, and
 * are empty from then on.
 */
#ifndef TRAINING_LOG_H
#define TRAINING_LOG_H

#include <stddef.h>

/* Where the chart shows a measure. */
typedef enum {
    DRAWN_NOWHERE,
    DRAWN_AS_LOSS,   /* on the left axis */
    DRAWN_IN_PERCENT /* on the right axis; the measure is from 0 to 1 */
} log_axis;

typedef struct {
    char *name; /* of the column, and of the curve */
    log_axis axis;
    const char *colour; /* of the curve: "#d94801"; NULL where there is none */
} log_measure;

/* What a kind of training logs. Begins as zeros; filled with log_format_add, freed with log_format_free. */
typedef struct {
    log_measure *measures;
    size_t count, capacity;
    int judged;             /* index of the measure whose highest value is the best */
    const char *axis_title; /* of the right axis */
} log_format;

/* Adds a measure and returns its index. The name is copied, the colour is not. */
int log_format_add(log_format *format, const char *name, log_axis axis, const char *colour);
void log_format_free(log_format *format);

/* The measures of a row, none of them taken; the caller frees them. */
double *log_no_measures(const log_format *format);

typedef struct {
    size_t iteration;
    double epoch;              /* images / length of the training list */
    size_t images;             /* images seen so far */
    double loss, average_loss; /* NAN: not known, of an evaluation that was made up for */
    double rate;               /* learning rate */
    double *measures;          /* [count of the format], at least 0; -1: not taken */
    double best;               /* of the judged measure; -1: none */
} training_row;

/* The contents of a log. */
typedef struct {
    training_row *rows; /* owned, with their measures */
    size_t count, capacity;
    double best;           /* the highest value of the judged measure and of the last column; -1: none */
    size_t best_iteration; /* iteration of the row with that value as its measure; 0: it is not in the file any more */
    int is_foreign;        /* the file is something else than a log with this judged measure; there are no rows */
} training_rows;

/* Reads the log in `path`, and adds those of its columns to `format` that are missing there; none of a foreign file. A
 * missing file has no rows; incomplete lines are skipped. Returns 0; or -1 with errno if the file cannot be read. Free
 * with training_rows_free. */
int training_rows_read(const char *path, log_format *format, training_rows *result);
void training_rows_free(training_rows *rows);

/* Replaces the file with the header and the rows up to iteration `last`, atomically. Returns 0; or -1 with errno, and
 * the file is unchanged. */
int training_rows_write(const char *path, const log_format *format, const training_rows *rows, size_t last);

/* Appends a row to a file that has its header. Returns 0; or -1 with errno, and the file is unchanged. */
int training_row_append(const char *path, const log_format *format, const training_row *row);

/* Draws the log `csv` with gnuplot, by iteration: loss on the left axis (logarithmic), and the measures as `format`
 * says. The right axis is fitted to what is drawn there (training_chart_axis), 0 to 100 % while there is nothing. A
 * curve is named with its last value and its best one so far. Writes `png` atomically. Returns NULL, or a short error
 * message in static storage. */
const char *training_chart(const char *csv, const log_format *format, const char *png, const char *title);

/* The ends of an axis for values from `lowest` to `highest`, in percent: multiples of 5, at least 10 apart, within 0 to
 * 100. */
void training_chart_axis(double lowest, double highest, double *low, double *high);

#endif
