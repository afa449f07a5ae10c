/* Reads text files line by line. */
#include "data/lists.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Why a file cannot be read as text; NULL: it can. */
static const char *unreadable(const char *path)
{
    struct stat status;
    if (stat(path, &status) || access(path, R_OK)) return strerror(errno);
    return S_ISDIR(status.st_mode) ? strerror(EISDIR) : 0;
}

int check_file(const char *what, const char *path)
{
    const char *reason = unreadable(path);
    return reason ? report_error("cannot read the %s %s: %s", what, path, reason) : 0;
}

char *next_line(FILE *file, char **buffer, size_t *size)
{
    ssize_t length;
    errno = 0;
    length = getline(buffer, size, file);
    if (length < 0) return 0;
    strip_line_end(*buffer);
    return *buffer;
}

void free_lines(text_lines *lines)
{
    int i;
    for (i = 0; i < lines->count; ++i) free(lines->text[i]);
    free(lines->text);
    memset(lines, 0, sizeof *lines);
}

/* A file of UTF-16, as some editors write, or one that is no text has zeros in it. */
static int has_zeros(const char *line, size_t length)
{
    return memchr(line, 0, length) != 0;
}

static void collect_open(FILE *file, const char *what, const char *path, text_lines *lines, problems *list)
{
    char *buffer = 0;
    size_t size = 0, capacity = 0;
    ssize_t length;
    errno = 0;
    while ((length = getline(&buffer, &size, file)) >= 0) {
        if (has_zeros(buffer, (size_t)length)) {
            add_problem(list, "%s:%d: the %s is no text in UTF-8: save it as such", path, lines->count + 1, what);
            break;
        }
        strip_line(buffer);
        lines->text = (char **)grow_array(lines->text, lines->count, &capacity, sizeof *lines->text);
        lines->text[lines->count++] = xstrdup(buffer);
    }
    if (ferror(file)) add_problem(list, "cannot read the %s %s: %s", what, path, strerror(errno));
    free(buffer);
}

int collect_text(const char *what, const char *path, text_lines *lines, problems *list)
{
    const char *reason = unreadable(path);
    const size_t before = list->count;
    FILE *file;
    memset(lines, 0, sizeof *lines);
    if (reason) return add_problem(list, "cannot read the %s %s: %s", what, path, reason);
    file = fopen(path, "r");
    if (!file) return add_problem(list, "cannot read the %s %s: %s", what, path, strerror(errno));
    collect_open(file, what, path, lines, list);
    fclose(file);
    return list->count > before;
}

int collect_lines(const char *what, const char *path, text_lines *lines, problems *list)
{
    const size_t before = list->count;
    int i;
    if (collect_text(what, path, lines, list)) return 1;
    while (lines->count && !*lines->text[lines->count - 1]) free(lines->text[--lines->count]);
    if (!lines->count) return add_problem(list, "the %s %s is empty", what, path);
    for (i = 0; i < lines->count; ++i) {
        if (!*lines->text[i]) add_problem(list, "%s:%d: empty line in the %s", path, i + 1, what);
    }
    return list->count > before;
}

int read_lines(const char *what, const char *path, text_lines *lines)
{
    problems list = {{0}, 0, 0, 0};
    collect_lines(what, path, lines, &list);
    return end_problems(&list);
}
