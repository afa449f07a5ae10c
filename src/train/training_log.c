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

static const char header[] = "iteration,epoch,images,loss,avg loss,rate,mAP,best mAP\n";

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
static int read_row(char *text, training_row *row)
{
    enum { COLUMNS = 8 };
    double column[COLUMNS];
    int i;
    for (i = 0; i < COLUMNS; ++i)
        if (!(text = read_column(text, i + 1 < COLUMNS ? ',' : '\n', column + i))) return -1;
    if (column[0] < 0 || column[1] < 0 || column[2] < 0 || column[5] < 0) return -1; /* a loss may be negative */
    row->iteration = (size_t)column[0];
    row->epoch = column[1];
    row->images = (size_t)column[2];
    row->loss = column[3];
    row->average_loss = column[4];
    row->rate = column[5];
    row->map = column[6];
    row->best_map = column[7];
    return 0;
}

int training_rows_read(const char *path, training_rows *result)
{
    size_t capacity = 0;
    char line[512];
    FILE *file = fopen(path, "r");
    int error;
    memset(result, 0, sizeof *result);
    result->best_map = -1;
    if (!file) return errno == ENOENT ? 0 : -1;
    while (fgets(line, sizeof line, file)) {
        training_row row;
        if (read_row(line, &row)) continue;
        result->rows = (training_row *)grow_array(result->rows, result->count, &capacity, sizeof row);
        result->rows[result->count++] = row;
        if (row.best_map > result->best_map || row.map > result->best_map) {
            result->best_map = fmax(row.best_map, row.map);
            result->best_iteration = row.map == result->best_map ? row.iteration : 0;
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

/* Formats a row as text and returns its length. */
static int format_row(const training_row *row, char *text, size_t size)
{
    char map[32] = "", best[32] = "";
    if (row->map >= 0) snprintf(map, sizeof map, "%.6f", row->map);
    if (row->best_map >= 0) snprintf(best, sizeof best, "%.6f", row->best_map);
    return snprintf(text, size, "%zu,%.4f,%zu,%.6g,%.6g,%.6g,%s,%s\n", row->iteration, row->epoch, row->images,
                    row->loss, row->average_loss, row->rate, map, best);
}

int training_rows_write(const char *path, const training_rows *rows, size_t last)
{
    char text[512];
    atomic_file file;
    size_t i;
    int error = atomic_open(&file, path);
    if (!error) {
        fputs(header, file.stream);
        for (i = 0; i < rows->count; ++i) {
            if (rows->rows[i].iteration > last) continue;
            format_row(rows->rows + i, text, sizeof text);
            fputs(text, file.stream);
        }
        error = atomic_commit(&file);
    }
    errno = error;
    return error ? -1 : 0;
}

int training_row_append(const char *path, const training_row *row)
{
    char text[512];
    size_t length = (size_t)format_row(row, text, sizeof text);
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

const char *training_chart(const char *csv, const char *png, const char *title)
{
    /* mAP is read as text, since it may be empty. "missing NaN" continues a curve across rows without a value. */
    static const char commands[] =
        "set datafile separator ','\nset grid\nset key outside top center horizontal\nset xlabel 'iteration'\n"
        "set ylabel 'loss'\nset logscale y\nset ytics nomirror\n"
        "set y2label 'mAP, %'\nset y2range [0:100]\nset y2tics\n"
        "set datafile missing NaN\npercent(x) = strlen(x) ? 100 * real(x) : NaN\n"
        "plot table using 1:($4 > 0 ? $4 : NaN) skip 1 with points pt 7 ps .3 lc rgb '#9ecae1' title 'loss', "
        "table using 1:($5 > 0 ? $5 : NaN) skip 1 with lines lw 2 lc rgb '#08519c' title 'running average', "
        "table using 1:(percent(strcol(7))) skip 1 axes x1y2 with linespoints lw 2 pt 7 ps .6 lc rgb '#d94801' "
        "title 'mAP'\n";
    gnuplot_picture p;
    gnuplot_begin(&p, png, 1000, 600);
    fputs("set title ", p.script);
    gnuplot_quote(p.script, title);
    fputs("\ntable = ", p.script);
    gnuplot_quote(p.script, csv);
    fprintf(p.script, "\n%s", commands);
    return gnuplot_end(&p);
}
