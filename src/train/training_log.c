/* Reads and writes the training log, and draws its chart. */
#include "train/training_log.h"

#include "base/atomic_file.h"
#include "base/gnuplot.h"
#include "base/memory.h"
#include "base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The columns before the measures. */
static const char *const fixed_columns[] = {"iteration", "epoch", "images", "loss", "avg loss", "rate"};
enum { FIXED_COLUMNS = sizeof fixed_columns / sizeof *fixed_columns, LOSS = 3, AVERAGE_LOSS };

/* ---- The format -------------------------------------------------------------------------------------------------- */

int log_format_add(log_format *format, const char *name, log_axis axis, const char *colour)
{
    const log_measure measure = {xstrdup(name), axis, colour};
    format->measures = (log_measure *)grow_array(format->measures, format->count, &format->capacity, sizeof measure);
    format->measures[format->count] = measure;
    return (int)format->count++;
}

/* Removes all measures but the first `count`. */
static void cut_measures(log_format *format, size_t count)
{
    while (format->count > count) free(format->measures[--format->count].name);
}

void log_format_free(log_format *format)
{
    cut_measures(format, 0);
    free(format->measures);
    memset(format, 0, sizeof *format);
}

double *log_no_measures(const log_format *format)
{
    double *measures = (double *)xmalloc(format->count * sizeof *measures);
    size_t i;
    for (i = 0; i < format->count; ++i) measures[i] = -1;
    return measures;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* Takes a column off a line of CSV and unquotes it in place; *rest is NULL after the last one. */
static char *next_column(char **rest)
{
    char *text = *rest, *from = text, *to = text;
    int quoted = 0;
    for (; *from && (quoted || (*from != ',' && *from != '\n')); ++from) {
        if (*from != '"')
            *to++ = *from;
        else if (!quoted || from[1] != '"')
            quoted = !quoted;
        else
            *to++ = *++from;
    }
    *rest = *from == ',' ? from + 1 : 0;
    *to = 0;
    return text;
}

/* Finds the measure of a column: one of this name that no earlier column has taken (two classes may have one name), or
 * a new one. */
static size_t measure_of(const char *name, log_format *format, const size_t *taken, size_t count)
{
    size_t i, k;
    for (i = 0; i < format->count; ++i) {
        if (strcmp(format->measures[i].name, name)) continue; /* before the loop: a detector may have 1000 columns */
        for (k = 0; k < count && taken[k] != i; ++k) continue;
        if (k == count) return i;
    }
    return (size_t)log_format_add(format, name, DRAWN_NOWHERE, 0);
}

/* The measures of a file, in the order of its columns. */
typedef struct {
    size_t *measures; /* owned: indices in the format */
    size_t count;
} log_columns;

/* Reads the first line of a file. Returns 0, or -1 if it is not that of a log with this judged measure. */
static int read_header(char *line, log_format *format, log_columns *columns)
{
    const char *judged = format->measures[format->judged].name;
    size_t i, measures = 0;
    char *rest = line;
    for (i = 0; line[i]; ++i) measures += line[i] == ',' || line[i] == '\n'; /* at least as many columns */
    for (i = 0; i < FIXED_COLUMNS; ++i)
        if (!rest || strcmp(next_column(&rest), fixed_columns[i])) return -1;
    columns->measures = (size_t *)xmalloc(measures * sizeof *columns->measures);
    while (rest) {
        const char *name = next_column(&rest);
        if (!rest) return strncmp(name, "best ", 5) || strcmp(name + 5, judged) ? -1 : 0;
        columns->measures[columns->count] = measure_of(name, format, columns->measures, columns->count);
        ++columns->count;
    }
    return -1;
}

/* Parses a number (`empty` if the column is empty) and the character `end` after it. Returns the text behind them, or
 * NULL on an error. */
static char *read_number(char *text, char end, double empty, double *value)
{
    char *after = text;
    *value = empty;
    if (*text != end) {
        *value = strtod(text, &after);
        if (after == text || !isfinite(*value)) return 0;
    }
    return *after == end ? after + 1 : 0;
}

/* Parses one line into `row`, whose measures are not taken yet. Returns 0, or -1 if the line is not a complete row. */
static int read_row(char *text, const log_columns *columns, training_row *row)
{
    const double most = 9e15; /* whole numbers up to here are exact */
    double fixed[FIXED_COLUMNS];
    size_t i;
    for (i = 0; i < FIXED_COLUMNS; ++i)
        if (!(text = read_number(text, ',', i == LOSS || i == AVERAGE_LOSS ? NAN : -1, fixed + i))) return -1;
    for (i = 0; i < columns->count; ++i)
        if (!(text = read_number(text, ',', -1, row->measures + columns->measures[i]))) return -1;
    if (!read_number(text, '\n', -1, &row->best)) return -1;
    if (fixed[0] < 0 || fixed[1] < 0 || fixed[2] < 0 || fixed[5] < 0) return -1; /* a loss may be negative */
    if (fixed[0] > most || fixed[2] > most) return -1;
    row->iteration = (size_t)fixed[0];
    row->epoch = fixed[1];
    row->images = (size_t)fixed[2];
    row->loss = fixed[LOSS];
    row->average_loss = fixed[AVERAGE_LOSS];
    row->rate = fixed[5];
    return 0;
}

static void add_row(training_rows *rows, const training_row *row, double judged)
{
    rows->rows = (training_row *)grow_array(rows->rows, rows->count, &rows->capacity, sizeof *row);
    rows->rows[rows->count++] = *row;
    if (row->best > rows->best || judged > rows->best) {
        rows->best = fmax(row->best, judged);
        rows->best_iteration = judged == rows->best ? row->iteration : 0;
    }
}

static void read_rows(FILE *file, log_format *format, training_rows *result)
{
    const size_t own = format->count;
    log_columns columns = {0, 0};
    char *line = 0;
    size_t capacity = 0;
    if (getline(&line, &capacity, file) > 0) result->is_foreign = read_header(line, format, &columns) != 0;
    if (result->is_foreign) cut_measures(format, own);
    while (!result->is_foreign && getline(&line, &capacity, file) > 0) {
        training_row row;
        row.measures = log_no_measures(format);
        if (read_row(line, &columns, &row))
            free(row.measures);
        else
            add_row(result, &row, row.measures[format->judged]);
    }
    free(columns.measures);
    free(line);
}

int training_rows_read(const char *path, log_format *format, training_rows *result)
{
    FILE *file = fopen(path, "r");
    int error;
    memset(result, 0, sizeof *result);
    result->best = -1;
    if (!file) return errno == ENOENT ? 0 : -1;
    read_rows(file, format, result);
    error = ferror(file) ? errno : 0;
    fclose(file);
    if (!error) return 0;
    training_rows_free(result);
    errno = error;
    return -1;
}

void training_rows_free(training_rows *rows)
{
    size_t i;
    for (i = 0; i < rows->count; ++i) free(rows->rows[i].measures);
    free(rows->rows);
    rows->rows = 0;
    rows->count = 0;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* Writes a value and the character before it: nothing else if there is no value. */
static void write_value(FILE *file, double value)
{
    if (value < 0)
        fputc(',', file);
    else
        fprintf(file, ",%.6f", value);
}

/* The same for a loss, which may be below 0. */
static void write_loss(FILE *file, double loss)
{
    fputc(',', file);
    if (isfinite(loss)) fprintf(file, "%.6g", loss);
}

static void write_row(FILE *file, const training_row *row, const log_format *format)
{
    size_t i;
    fprintf(file, "%zu,%.4f,%zu", row->iteration, row->epoch, row->images);
    write_loss(file, row->loss);
    write_loss(file, row->average_loss);
    fprintf(file, ",%.6g", row->rate);
    for (i = 0; i < format->count; ++i) write_value(file, row->measures[i]);
    write_value(file, row->best);
    fputc('\n', file);
}

static void write_header(FILE *file, const log_format *format)
{
    size_t i;
    for (i = 0; i < FIXED_COLUMNS; ++i) fprintf(file, "%s,", fixed_columns[i]);
    for (i = 0; i < format->count; ++i) {
        csv_put_field(file, format->measures[i].name);
        fputc(',', file);
    }
    fprintf(file, "best %s\n", format->measures[format->judged].name);
}

int training_rows_write(const char *path, const log_format *format, const training_rows *rows, size_t last)
{
    atomic_file file;
    size_t i;
    int error = atomic_open(&file, path);
    if (!error) {
        write_header(file.stream, format);
        for (i = 0; i < rows->count; ++i)
            if (rows->rows[i].iteration <= last) write_row(file.stream, rows->rows + i, format);
        error = atomic_commit(&file);
    }
    errno = error;
    return error ? -1 : 0;
}

/* Appends the text to a file with a single write, so that readers find all of it or nothing, even if this process is
 * killed. Only a full disk can take a part of it, which is cut off again. Returns 0 or -1 with errno. */
static int append_text(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), error = 0;
    ssize_t written;
    off_t before;
    if (fd < 0) return -1;
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

int training_row_append(const char *path, const log_format *format, const training_row *row)
{
    char *text = 0;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    int failed;
    if (!memory) return -1;
    write_row(memory, row, format);
    failed = fclose(memory) || append_text(path, text, length);
    free(text);
    return failed ? -1 : 0;
}

/* ---- The chart --------------------------------------------------------------------------------------------------- */

/* The values of a measure, or of a loss, in a log. */
typedef struct {
    double last, lowest, highest;
    int count;
} value_range;

static void add_value(value_range *range, double value)
{
    range->lowest = range->count ? fmin(range->lowest, value) : value;
    range->highest = range->count ? fmax(range->highest, value) : value;
    range->last = value;
    ++range->count;
}

static value_range range_of(const training_rows *rows, size_t measure)
{
    value_range range = {0, 0, 0, 0};
    size_t i;
    for (i = 0; i < rows->count; ++i)
        if (rows->rows[i].measures[measure] >= 0) add_value(&range, rows->rows[i].measures[measure]);
    return range;
}

/* Reads the log whose measures are those of `format`, which stays as it is. */
static int read_drawn(const char *csv, const log_format *format, training_rows *rows)
{
    log_format copy = {0};
    size_t i;
    int status;
    for (i = 0; i < format->count; ++i) log_format_add(&copy, format->measures[i].name, DRAWN_NOWHERE, 0);
    copy.judged = format->judged;
    status = training_rows_read(csv, &copy, rows);
    log_format_free(&copy);
    return status;
}

void training_chart_axis(double lowest, double highest, double *low, double *high)
{
    enum { STEP = 5, LEAST = 2 * STEP };
    *low = STEP * floor(lowest / STEP);
    *high = STEP * ceil(highest / STEP);
    if (*high - *low < LEAST) *high = fmin(*low + LEAST, 100);
    if (*high - *low < LEAST) *low = *high - LEAST;
}

/* The right axis, fitted to all that is drawn there. */
static void write_percent_axis(FILE *script, const log_format *format, const training_rows *rows)
{
    value_range all = {0, 0, 0, 0};
    double low = 0, high = 100;
    size_t i;
    for (i = 0; i < format->count; ++i) {
        const value_range range = range_of(rows, i);
        if (format->measures[i].axis != DRAWN_IN_PERCENT || !range.count) continue;
        add_value(&all, range.lowest);
        add_value(&all, range.highest);
    }
    if (all.count) training_chart_axis(100 * all.lowest, 100 * all.highest, &low, &high);
    fprintf(script, "\nset y2range [%g:%g]\nset y2tics\nset y2label ", low, high);
    gnuplot_quote(script, format->axis_title);
    fputc('\n', script);
}

/* The left axis. It ends above the training's losses: the validation loss of a network whose batch normalisation has no
 * statistics yet may be a million times that, and would press all other curves together at the bottom. */
static void write_loss_axis(FILE *script, const log_format *format, const training_rows *rows, value_range losses)
{
    const double most = 10 * losses.highest;
    size_t i;
    for (i = 0; i < format->count && losses.count; ++i) {
        if (format->measures[i].axis != DRAWN_AS_LOSS || range_of(rows, i).highest <= most) continue;
        fprintf(script, "set yrange [*:%g]\n", most);
        return;
    }
}

/* The name of a curve with its current value and its best one; errors and losses are best where they are low. */
static void write_curve_title(FILE *script, const log_measure *measure, value_range range)
{
    const int percent = measure->axis == DRAWN_IN_PERCENT;
    char text[400];
    if (!range.count)
        snprintf(text, sizeof text, "%.200s", measure->name);
    else if (percent)
        snprintf(text, sizeof text, "%.200s %.1f, highest %.1f", measure->name, 100 * range.last, 100 * range.highest);
    else
        snprintf(text, sizeof text, "%.200s %.4g, lowest %.4g", measure->name, range.last, range.lowest);
    gnuplot_quote(script, text);
}

static void write_curves(FILE *script, const log_format *format, const training_rows *rows)
{
    size_t i;
    for (i = 0; i < format->count; ++i) {
        const log_measure *measure = format->measures + i;
        const int percent = measure->axis == DRAWN_IN_PERCENT;
        if (measure->axis == DRAWN_NOWHERE) continue;
        fprintf(script, ", table using 1:(%s(strcol(%zu))) skip 1 axes x1%s with linespoints lw 2 pt 7 ps .6 lc rgb ",
                percent ? "percent" : "above_zero", FIXED_COLUMNS + i + 1, percent ? "y2" : "y1");
        gnuplot_quote(script, measure->colour);
        fputs(" title ", script);
        write_curve_title(script, measure, range_of(rows, i));
    }
    fputc('\n', script);
}

const char *training_chart(const char *csv, const log_format *format, const char *png, const char *title)
{
    /* A measure is read as text, since it may be empty. "missing NaN" continues a curve across rows without a value. */
    static const char commands[] =
        "set datafile separator ','\nset grid\nset key outside top center horizontal\nset xlabel 'iteration'\n"
        "set ylabel 'loss'\nset logscale y\nset ytics nomirror\n"
        "set datafile missing NaN\npercent(x) = strlen(x) ? 100 * real(x) : NaN\n"
        "above_zero(x) = strlen(x) && real(x) > 0 ? real(x) : NaN\n"
        "plot table using 1:($4 > 0 ? $4 : NaN) skip 1 with points pt 7 ps .3 lc rgb '#9ecae1' title 'loss', "
        "table using 1:($5 > 0 ? $5 : NaN) skip 1 with lines lw 2 lc rgb '#08519c' title ";
    const log_measure average = {(char *)"running average", DRAWN_AS_LOSS, 0};
    value_range losses = {0, 0, 0, 0};
    training_rows rows;
    gnuplot_picture p;
    size_t i;
    if (read_drawn(csv, format, &rows)) return strerror(errno);
    for (i = 0; i < rows.count; ++i) {
        if (isfinite(rows.rows[i].average_loss)) add_value(&losses, rows.rows[i].average_loss);
    }
    gnuplot_begin(&p, png, 1000, 600);
    fputs("set title ", p.script);
    gnuplot_quote(p.script, title);
    fputs("\ntable = ", p.script);
    gnuplot_quote_file(&p, csv);
    write_percent_axis(p.script, format, &rows);
    write_loss_axis(p.script, format, &rows, losses);
    fputs(commands, p.script);
    write_curve_title(p.script, &average, losses);
    write_curves(p.script, format, &rows);
    training_rows_free(&rows);
    return gnuplot_end(&p);
}
