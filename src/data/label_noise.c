#include "data/label_noise.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text_line.h"
#include "data/data_value.h"
#include "data/permutation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int add_symmetric_noise(double share, unsigned seed, int classes, int *labels, int count)
{
    const int changed = (int)lround(share * count);
    int *order = (int *)xmalloc(count * sizeof *order);
    uint64_t stream = seed;
    int i;
    random_order(&stream, order, count, changed);
    for (i = 0; i < changed; ++i) {
        int *label = labels + order[i];
        const int other = (int)random_below(&stream, (uint64_t)(classes - 1));
        *label = other + (other >= *label);
    }
    free(order);
    return changed;
}

/* ---- A table of labels ------------------------------------------------------------------------------------------- */

typedef struct {
    char *path, *label;
    int line;
    const char *image; /* that takes its label from here; NULL: none yet */
} table_row;

typedef struct {
    const char *file;
    char *text; /* the whole file; the rows point into it */
    table_row *rows;
    size_t count, capacity;
} label_table_file;

/* The whole of a file, unpacked where it is gzipped, with a 0 behind it. */
static int read_whole(const char *file, char **text)
{
    const size_t step = 1 << 16;
    size_t size = 0;
    int got, error = Z_OK;
    gzFile input = gzopen(file, "rb");
    if (!input) return report_error("cannot read the table of labels %s", file);
    do {
        *text = (char *)xrealloc(*text, size + step + 1);
        got = gzread(input, *text + size, (unsigned)step);
        if (got > 0) size += (size_t)got;
    } while (got > 0);
    if (got < 0) gzerror(input, &error);
    (*text)[size] = 0;
    /* A gzipped file that is cut off is noticed only when it is closed. */
    if (gzclose(input) != Z_OK || error != Z_OK)
        return report_error("cannot read the table of labels %s: damaged or cut off", file);
    return 0;
}

/* Ends the field at `text` and returns the next one of the line, or NULL. */
static char *cut_field(char *text)
{
    char *tab = strchr(text, '\t');
    if (!tab) return 0;
    *tab = 0;
    return tab + 1;
}

/* Which column, from 0, has the name; 0 (the paths' own) where none has. */
static int find_column(char *header, const char *name)
{
    int column = 0;
    char *next;
    for (header = cut_field(header); header; header = next) {
        next = cut_field(header);
        ++column;
        if (!strcmp(header, name)) return column;
    }
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const table_row *)a)->path, ((const table_row *)b)->path);
}

/* One line of the table; `column` 0: it must have two. */
static int read_row(label_table_file *table, char *line, int number, int column)
{
    const int wanted = column ? column : 1;
    table_row row = {line, 0, number, 0};
    char *field = line;
    int i;
    for (i = 0; i < wanted && field; ++i) field = cut_field(field);
    if (!field || !*line) return report_error("%s:%d: no label: a line is path<TAB>label", table->file, number);
    row.label = field;
    if (cut_field(field) && !column)
        return report_error("%s:%d: more than two columns: noise_column= must say which has the labels", table->file,
                            number);
    table->rows = (table_row *)grow_array(table->rows, table->count, &table->capacity, sizeof row);
    table->rows[table->count++] = row;
    return 0;
}

static int read_table(label_table_file *table, const char *column_name)
{
    int column = 0, number = 0;
    char *line, *next;
    size_t i;
    if (read_whole(table->file, &table->text)) return 1;
    for (line = table->text; line && *line; line = next) {
        const size_t length = strcspn(line, "\n");
        next = line[length] ? line + length + 1 : 0;
        line[length] = 0;
        strip_line(line);
        ++number;
        if (!*line && !(next && next[strspn(next, " \t\r\n")])) break; /* empty lines at the end */
        if (column_name && !column) {
            column = find_column(line, column_name);
            if (!column) return report_error("%s:1: no column is named \"%s\"", table->file, column_name);
        } else if (read_row(table, line, number, column)) {
            return 1;
        }
    }
    if (!table->count) return report_error("the table of labels %s is empty", table->file);
    qsort(table->rows, table->count, sizeof *table->rows, by_path);
    for (i = 1; i < table->count; ++i) {
        if (!by_path(table->rows + i - 1, table->rows + i))
            return report_error("%s: lines %d and %d are both for %s", table->file, table->rows[i - 1].line,
                                table->rows[i].line, table->rows[i].path);
    }
    return 0;
}

/* The row for an image: that of its path, or else of as many of its last parts as there is a row for. */
static table_row *find_row(const label_table_file *table, char *path)
{
    table_row wanted = {path, 0, 0, 0}, *found;
    for (;;) {
        found = (table_row *)bsearch(&wanted, table->rows, table->count, sizeof wanted, by_path);
        if (found) return found;
        wanted.path = strchr(wanted.path, '/');
        if (!wanted.path) return 0;
        ++wanted.path;
    }
}

static int take_labels(const label_table_file *table, const class_names *classes, char **paths, int count, int *labels)
{
    int i;
    for (i = 0; i < count; ++i) {
        table_row *row = find_row(table, paths[i]);
        problems list = {{0}, 0, 0, 0};
        if (!row) return report_error("%s has no label for %s", table->file, paths[i]);
        if (row->image && strcmp(row->image, paths[i]))
            return report_error("%s:%d: %s could be %s or %s", table->file, row->line, row->path, row->image, paths[i]);
        row->image = paths[i];
        if (class_names_find(classes, row->label, 1, table->file, row->line, labels + i, &list))
            return end_problems(&list);
    }
    return 0;
}

static int add_noise_of_file(const char *file, const char *column, const class_names *classes, char **paths, int count,
                             int *labels)
{
    label_table_file table = {0};
    int status;
    table.file = file;
    status = read_table(&table, column) || take_labels(&table, classes, paths, count, labels);
    free(table.rows);
    free(table.text);
    return status;
}

/* Says at the start of a training what its labels are. */
static void report_noise(const int *clean, const int *labels, int count, const char *source, const char *column)
{
    int i, wrong = 0;
    for (i = 0; i < count; ++i) wrong += labels[i] != clean[i];
    fprintf(stderr, "Noise: %d of %d training labels (%.2f %%) are changed, by %s%s%s\n", wrong, count,
            100. * wrong / count, source, column ? ", column " : "", column ? column : "");
}

/* ---- The keys ---------------------------------------------------------------------------------------------------- */

int read_symmetric_noise(const char *data_file, int classes, symmetric_noise *noise)
{
    data_value value = {0};
    double share = 0;
    long long seed = 1;
    if (data_value_number(data_file, "noise", 0, 1, &share) ||
        data_value_whole_number(data_file, "noise_seed", 0, 4294967295ll, &seed) ||
        data_value_find(data_file, "noise", &value))
        return 1;
    noise->share = share;
    noise->seed = (unsigned)seed;
    noise->line = value.text ? value.line : 0;
    free(value.text);
    if (share > 0 && classes < 2)
        return report_error("%s:%d: noise= needs two classes or more", data_file, noise->line);
    return 0;
}

int add_label_noise(const char *data_file, const class_names *classes, char **paths, int count, int *labels)
{
    data_value file = {0}, column = {0};
    symmetric_noise noise = {0};
    char source[64];
    int *clean = (int *)xmalloc(count * sizeof *clean);
    int status = read_symmetric_noise(data_file, classes->classes, &noise) ||
                 data_value_find(data_file, "noise_file", &file) || data_value_find(data_file, "noise_column", &column);
    memcpy(clean, labels, count * sizeof *clean);
    if (status) {
        /* was said */
    } else if (noise.line && file.text) {
        status = report_error("%s:%d: noise_file= does not go together with noise=", data_file, file.line);
    } else if (column.text && !file.text) {
        status = report_error("%s:%d: noise_column= needs a noise_file=", data_file, column.line);
    } else if (file.text) {
        status = add_noise_of_file(file.text, column.text, classes, paths, count, labels);
        if (!status) report_noise(clean, labels, count, file.text, column.text);
    } else if (noise.line) {
        add_symmetric_noise(noise.share, noise.seed, classes->classes, labels, count);
        snprintf(source, sizeof source, "noise=%g, noise_seed=%u", noise.share, noise.seed);
        report_noise(clean, labels, count, source, 0);
    }
    free(clean);
    free(file.text);
    free(column.text);
    return status;
}
