/* Reads and writes the training log, and draws its chart. */
#include "train/training_log.h"

#include "base/atomic_file.h"
#include "base/gnuplot.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The columns before the measures. */
enum { FIXED_COLUMNS = 6 };

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

/* Parses a number (-1 if the column is empty) and the character `end` after it. Returns the text behind them, or NULL
 * on an error. */
static char *read_column(char *text, char end, double *value)
{
    char *after = text;
    *value = -1;
    if (*text != end) {
        *value = strtod(text, &after);
        if (after == text || !isfinite(*value)) return 0;
    }
    return *after == end ? after + 1 : 0;
}

/* Parses one line. Returns 0, or -1 if the line is not a complete row. */
static int read_row(char *text, const log_format *format, training_row *row)
{
    const int columns = FIXED_COLUMNS + format->count + 1;
    double column[FIXED_COLUMNS + MAX_MEASURES + 1];
    int i;
    for (i = 0; i < columns; ++i)
        if (!(text = read_column(text, i + 1 < columns ? ',' : '\n', column + i))) return -1;
    if (column[0] < 0 || column[1] < 0 || column[2] < 0 || column[5] < 0) return -1; /* a loss may be negative */
    memset(row, 0, sizeof *row);
    row->iteration = (size_t)column[0];
    row->epoch = column[1];
    row->images = (size_t)column[2];
    row->loss = column[3];
    row->average_loss = column[4];
    row->rate = column[5];
    memcpy(row->measures, column + FIXED_COLUMNS, format->count * sizeof *column);
    row->best = column[columns - 1];
    return 0;
}

int training_rows_read(const char *path, const log_format *format, training_rows *result)
{
    size_t capacity = 0;
    char line[512];
    FILE *file = fopen(path, "r");
    int error;
    memset(result, 0, sizeof *result);
    result->best = -1;
    if (!file) return errno == ENOENT ? 0 : -1;
    while (fgets(line, sizeof line, file)) {
        training_row row;
        double judged;
        if (read_row(line, format, &row)) continue;
        result->rows = (training_row *)grow_array(result->rows, result->count, &capacity, sizeof row);
        result->rows[result->count++] = row;
        judged = row.measures[format->judged];
        if (row.best > result->best || judged > result->best) {
            result->best = fmax(row.best, judged);
            result->best_iteration = judged == result->best ? row.iteration : 0;
        }
    }
    error = ferror(file) ? errno : 0;
    fclose(file);
    if (!error) return 0;
    training_rows_free(result);
    errno = error;
    return -1;
}

void training_rows_free(training_rows *rows)
{
    free(rows->rows);
    rows->rows = 0;
    rows->count = 0;
}

/* Writes a value and the character before it: nothing else if there is no value. */
static int format_value(char *text, size_t size, double value)
{
    return value < 0 ? snprintf(text, size, ",") : snprintf(text, size, ",%.6f", value);
}

/* Formats a row as text and returns its length. */
static int format_row(const training_row *row, const log_format *format, char *text, size_t size)
{
    int i, length = snprintf(text, size, "%zu,%.4f,%zu,%.6g,%.6g,%.6g", row->iteration, row->epoch, row->images,
                             row->loss, row->average_loss, row->rate);
    for (i = 0; i < format->count; ++i) length += format_value(text + length, size - length, row->measures[i]);
    length += format_value(text + length, size - length, row->best);
    return length + snprintf(text + length, size - length, "\n");
}

static void write_header(FILE *file, const log_format *format)
{
    int i;
    fputs("iteration,epoch,images,loss,avg loss,rate", file);
    for (i = 0; i < format->count; ++i) fprintf(file, ",%s", format->measures[i].name);
    fprintf(file, ",best %s\n", format->measures[format->judged].name);
}

int training_rows_write(const char *path, const log_format *format, const training_rows *rows, size_t last)
{
    char text[512];
    atomic_file file;
    size_t i;
    int error = atomic_open(&file, path);
    if (!error) {
        write_header(file.stream, format);
        for (i = 0; i < rows->count; ++i) {
            if (rows->rows[i].iteration > last) continue;
            format_row(rows->rows + i, format, text, sizeof text);
            fputs(text, file.stream);
        }
        error = atomic_commit(&file);
    }
    errno = error;
    return error ? -1 : 0;
}

int training_row_append(const char *path, const log_format *format, const training_row *row)
{
    char text[512];
    size_t length = (size_t)format_row(row, format, text, sizeof text);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), error = 0;
    ssize_t written;
    off_t before;
    if (fd < 0) return -1;
    /* A single write for the whole row, so that readers find all of it or nothing, even if this process is killed. Only
     * a full disk can take a part of it, which is cut off again. */
    before = lseek(fd, 0, SEEK_END);
    written = write(fd, text, length);
    if (written != (ssize_t)length) {
        error = written < 0 ? errno : ENOSPC;
        if (before >= 0 && ftruncate(fd, before)) error = errno;
    }
    if (close(fd) && !error) error = errno;
    errno = error;
    return error ? -1 : 0;
}

/* ---- The chart --------------------------------------------------------------------------------------------------- */

const char *training_chart(const char *csv, const log_format *format, const char *png, const char *title)
{
    /* A measure is read as text, since it may be empty. "missing NaN" continues a curve across rows without a value. */
    static const char commands[] =
        "set datafile separator ','\nset grid\nset key outside top center horizontal\nset xlabel 'iteration'\n"
        "set ylabel 'loss'\nset logscale y\nset ytics nomirror\n"
        "set y2range [0:100]\nset y2tics\n"
        "set datafile missing NaN\npercent(x) = strlen(x) ? 100 * real(x) : NaN\n"
        "above_zero(x) = strlen(x) && real(x) > 0 ? real(x) : NaN\n"
        "plot table using 1:($4 > 0 ? $4 : NaN) skip 1 with points pt 7 ps .3 lc rgb '#9ecae1' title 'loss', "
        "table using 1:($5 > 0 ? $5 : NaN) skip 1 with lines lw 2 lc rgb '#08519c' title 'running average'";
    gnuplot_picture p;
    int i;
    gnuplot_begin(&p, png, 1000, 600);
    fputs("set title ", p.script);
    gnuplot_quote(p.script, title);
    fputs("\ntable = ", p.script);
    gnuplot_quote(p.script, csv);
    fputs("\nset y2label ", p.script);
    gnuplot_quote(p.script, format->axis_title);
    fprintf(p.script, "\n%s", commands);
    for (i = 0; i < format->count; ++i) {
        const log_measure *measure = format->measures + i;
        const int percent = measure->axis == DRAWN_IN_PERCENT;
        if (measure->axis == DRAWN_NOWHERE) continue;
        fprintf(p.script, ", table using 1:(%s(strcol(%d))) skip 1 axes x1%s with linespoints lw 2 pt 7 ps .6 lc rgb ",
                percent ? "percent" : "above_zero", FIXED_COLUMNS + i + 1, percent ? "y2" : "y1");
        gnuplot_quote(p.script, measure->colour);
        fputs(" title ", p.script);
        gnuplot_quote(p.script, measure->name);
    }
    fputc('\n', p.script);
    return gnuplot_end(&p);
}
