#include "files.h"

#include "complain.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int parse_number(const char *text, double *value)
{
    char *end;
    if (!*text || text[strspn(text, "0123456789.eE+-")]) return 0;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && !*end && (errno != ERANGE || fabs(*value) < 1);
}

int check_file(const char *what, const char *path)
{
    struct stat status;
    int reason = 0;
    if (stat(path, &status) || access(path, R_OK))
        reason = errno;
    else if (S_ISDIR(status.st_mode))
        reason = EISDIR;
    if (!reason) return 0;
    return complain("cannot read the %s %s: %s", what, path, strerror(reason));
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
    if (!file) return complain("cannot read the %s %s: %s", what, path, strerror(errno));
    while (!status && (line = next_line(file, &buffer, &size))) {
        char **grown = (char **)grow(lines->text, lines->count, &capacity, sizeof *lines->text);
        char *copy = strdup(line);
        if (grown) lines->text = grown;
        if (grown && copy) {
            lines->text[lines->count++] = copy;
        } else {
            free(copy);
            status = complain("out of memory for the %s", what);
        }
    }
    if (!status && !feof(file)) status = complain("cannot read the %s %s: %s", what, path, strerror(errno));
    free(buffer);
    fclose(file);
    while (lines->count && !*lines->text[lines->count - 1]) free(lines->text[--lines->count]);
    for (i = 0; i < lines->count && !status; ++i) {
        if (!*lines->text[i]) status = complain("%s:%d: empty line in the %s", path, i + 1, what);
    }
    if (!status && !lines->count) status = complain("the %s %s is empty", what, path);
    return status;
}

void *grow(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 256;
    if (count < *capacity) return items;
    items = realloc(items, more * size);
    if (items) *capacity = more;
    return items;
}

int begin_file(whole_file *w, const char *path)
{
    size_t size = strlen(path) + 32;
    w->file = 0;
    w->path = strdup(path);
    w->temporary = (char *)malloc(size);
    if (w->path && w->temporary) {
        snprintf(w->temporary, size, "%s.%ld.tmp", path, (long)getpid());
        w->file = fopen(w->temporary, "w");
        if (w->file) return 0;
        complain("cannot write %s: %s", path, strerror(errno));
    } else {
        complain("out of memory");
    }
    free(w->path);
    free(w->temporary);
    return 1;
}

int finish_file(whole_file *w, int keep)
{
    int status = 0;
    errno = 0;
    if (keep && (fflush(w->file) || ferror(w->file) || fsync(fileno(w->file)))) status = errno ? errno : EIO;
    if (fclose(w->file) && !status) status = errno;
    if (keep && !status && rename(w->temporary, w->path)) status = errno;
    if (!keep || status) unlink(w->temporary);
    if (keep && status) complain("cannot write %s: %s", w->path, strerror(status));
    free(w->path);
    free(w->temporary);
    return keep && status;
}
