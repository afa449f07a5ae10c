/* Reads text files line by line. */
#include "data/lists.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int check_file(const char *what, const char *path)
{
    struct stat status;
    int reason = 0;
    if (stat(path, &status) || access(path, R_OK))
        reason = errno;
    else if (S_ISDIR(status.st_mode))
        reason = EISDIR;
    if (!reason) return 0;
    return report_error("cannot read the %s %s: %s", what, path, strerror(reason));
}

char *next_line(FILE *file, char **buffer, size_t *size)
{
    ssize_t length;
    errno = 0;
    length = getline(buffer, size, file);
    if (length < 0) return 0;
    while (length && ((*buffer)[length - 1] == '\n' || (*buffer)[length - 1] == '\r')) (*buffer)[--length] = 0;
    return *buffer;
}

void free_lines(text_lines *lines)
{
    int i;
    for (i = 0; i < lines->count; ++i) free(lines->text[i]);
    free(lines->text);
    memset(lines, 0, sizeof *lines);
}

int read_lines(const char *what, const char *path, text_lines *lines)
{
    char *buffer = 0, *line;
    size_t size = 0, capacity = 0;
    int i, status = 0;
    FILE *file;

    memset(lines, 0, sizeof *lines);
    if (check_file(what, path)) return 1;
    file = fopen(path, "r");
    if (!file) return report_error("cannot read the %s %s: %s", what, path, strerror(errno));
    while ((line = next_line(file, &buffer, &size))) {
        lines->text = (char **)grow_array(lines->text, lines->count, &capacity, sizeof *lines->text);
        lines->text[lines->count++] = xstrdup(line);
    }
    if (!feof(file)) status = report_error("cannot read the %s %s: %s", what, path, strerror(errno));
    free(buffer);
    fclose(file);
    while (lines->count && !*lines->text[lines->count - 1]) free(lines->text[--lines->count]);
    for (i = 0; i < lines->count && !status; ++i) {
        if (!*lines->text[i]) status = report_error("%s:%d: empty line in the %s", path, i + 1, what);
    }
    if (!status && !lines->count) status = report_error("the %s %s is empty", what, path);
    return status;
}
