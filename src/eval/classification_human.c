#include "eval/classification_human.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "data/lists.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lines ------------------------------------------------------------------------------------------------------ */

/* Cuts a line at its tabs. Returns how many parts there are; parts[0 .. most-1] are set as far as there are any. */
static int cut(char *line, char **parts, int most)
{
    int count = 0;
    char *part;
    while ((part = strsep(&line, "\t"))) {
        if (count < most) parts[count] = part;
        ++count;
    }
    return count;
}

static int column_count(const char *line)
{
    int count = 1;
    for (; *line; ++line) count += *line == '\t';
    return count;
}

/* Where things are in a line. */
typedef struct {
    int count, file;
    int *classes; /* the column of each class */
} columns;

static int find_column(char **heads, int count, const char *prefix, const char *name)
{
    const size_t length = strlen(prefix);
    int i;
    for (i = 0; i < count; ++i) {
        if (!strncmp(heads[i], prefix, length) && !strcmp(heads[i] + length, name)) return i;
    }
    return -1;
}

static int read_columns(const char *path, char *line, char **names, int classes, columns *c)
{
    char **heads;
    int k, status = 0;
    c->count = column_count(line);
    c->classes = (int *)xcalloc(classes, sizeof *c->classes);
    heads = (char **)xcalloc(c->count, sizeof *heads);
    cut(line, heads, c->count);
    c->file = find_column(heads, c->count, "", "file");
    if (c->file < 0) status = report_error("%s has no column file", path);
    for (k = 0; k < classes && !status; ++k) {
        c->classes[k] = find_column(heads, c->count, "p_", names[k]);
        if (c->classes[k] < 0) status = report_error("%s has no column p_%s", path, names[k]);
    }
    free(heads);
    return status;
}

/* ---- Rows ------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *file;
    int line; /* its index in the lines of the file */
} row;

static int by_file(const void *pa, const void *pb)
{
    return strcmp(((const row *)pa)->file, ((const row *)pb)->file);
}

/* Cuts a line, and reads its votes. parts: room for c->count; votes: [classes]. */
static int read_row(const char *path, int line, char *text, const columns *c, int classes, char **parts, float *votes)
{
    double sum = 0;
    int k;
    if (cut(text, parts, c->count) != c->count)
        return report_error("%s:%d: must have %d columns", path, line, c->count);
    for (k = 0; k < classes; ++k) {
        double value;
        if (parse_number(parts[c->classes[k]], 0, 1, &value))
            return report_error("%s:%d: %s is not valid: must be a number from 0 to 1", path, line,
                                parts[c->classes[k]]);
        votes[k] = (float)value;
        sum += value;
    }
    if (fabs(sum - 1) > .01) return report_error("%s:%d: the classes sum to %g: must be 1", path, line, sum);
    for (k = 0; k < classes; ++k) votes[k] = (float)(votes[k] / sum);
    return 0;
}

/* The row whose file is the path or an end of it that begins behind a slash; the shortest such end. NULL: none. */
static const row *row_of(const char *path, const row *rows, int count)
{
    const char *end = path + strlen(path);
    while (end > path) {
        row wanted = {0, 0};
        const row *found;
        for (--end; end > path && end[-1] != '/';) --end;
        wanted.file = end;
        found = (const row *)bsearch(&wanted, rows, count, sizeof *rows, by_file);
        if (found) return found;
    }
    return 0;
}

static void give_to_images(const row *rows, int row_count, const float *votes, int classes, char **paths, int count,
                           human_labels *labels)
{
    int i;
    for (i = 0; i < count; ++i) {
        const row *r = row_of(paths[i], rows, row_count);
        if (!r) continue;
        labels->known[i] = 1;
        ++labels->known_count;
        memcpy(labels->h + (size_t)i * classes, votes + (size_t)r->line * classes, classes * sizeof *votes);
    }
}

static int read_rows(const char *path, text_lines *lines, const columns *c, int classes, char **paths, int count,
                     human_labels *labels)
{
    row *rows = (row *)xcalloc(lines->count, sizeof *rows);
    float *votes = (float *)xcalloc((size_t)lines->count * classes, sizeof *votes);
    char **parts = (char **)xcalloc(c->count, sizeof *parts);
    int i, status = 0;
    const int row_count = lines->count - 1; /* the first line has the names */
    for (i = 1; i < lines->count && !status; ++i) {
        status = read_row(path, i + 1, lines->text[i], c, classes, parts, votes + (size_t)i * classes);
        if (!status) {
            rows[i - 1].file = parts[c->file];
            rows[i - 1].line = i;
        }
    }
    if (!status) {
        qsort(rows, row_count, sizeof *rows, by_file);
        for (i = 1; i < row_count && !status; ++i) {
            if (!by_file(&rows[i - 1], &rows[i])) status = report_error("%s: %s is there twice", path, rows[i].file);
        }
    }
    if (!status) give_to_images(rows, row_count, votes, classes, paths, count, labels);
    free(parts);
    free(votes);
    free(rows);
    return status;
}

int human_labels_read(const char *path, char **names, int classes, char **paths, int count, human_labels *labels)
{
    text_lines lines;
    columns c = {0, 0, 0};
    int status;
    memset(labels, 0, sizeof *labels);
    labels->h = (float *)xcalloc((size_t)count * classes, sizeof *labels->h);
    labels->known = (unsigned char *)xcalloc(count, 1);
    status = read_lines("table of human labels", path, &lines) ||
             read_columns(path, lines.text[0], names, classes, &c) ||
             read_rows(path, &lines, &c, classes, paths, count, labels);
    if (!status && !labels->known_count) status = report_error("%s has no row for any image of the list", path);
    free(c.classes);
    free_lines(&lines);
    return status;
}

void human_labels_free(human_labels *labels)
{
    free(labels->h);
    free(labels->known);
    memset(labels, 0, sizeof *labels);
}
