/* Writes files atomically; atomic_file.h says how to use it. */
#include "base/atomic_file.h"

#include "base/memory.h"
#include "base/numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void release(atomic_file *file)
{
    free(file->path);
    free(file->temporary);
    memset(file, 0, sizeof *file);
}

/* The number N of the program's own open file, where the path names one: /dev/stdout, /dev/fd/N (which a shell makes of
 * `>(command)`), /proc/self/fd/N. Else -1. */
static int own_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    size_t i;
    if (!strcmp(path, "/dev/stdout")) return STDOUT_FILENO;
    if (!strcmp(path, "/dev/stderr")) return STDERR_FILENO;
    for (i = 0; i < sizeof folders / sizeof *folders; ++i) {
        const size_t length = strlen(folders[i]);
        double number;
        if (!strncmp(path, folders[i], length) && !parse_number(path + length, 0, INT_MAX, &number)) return (int)number;
    }
    return -1;
}

/* Opens what is written through. The program's own file is shared, so that what it has written and will write there
 * otherwise stays. */
static FILE *open_through(const char *path)
{
    const int own = own_descriptor(path), copy = own < 0 ? -1 : dup(own);
    if (own < 0) return fopen(path, "wb");
    fflush(0);
    return copy < 0 ? 0 : fdopen(copy, "wb");
}

/* What a symbolic link points to, through as many links as there are, also where nothing is there yet. Returns a new
 * string, the path itself if it is no link; sets *error and returns NULL if links go round in a circle. */
static char *follow_links(const char *path, int *error)
{
    enum { MOST_LINKS = 40 }; /* as Linux */
    char *at = xstrdup(path), target[PATH_MAX];
    int i;
    for (i = 0; i < MOST_LINKS; ++i) {
        const ssize_t length = readlink(at, target, sizeof target - 1);
        const char *slash = strrchr(at, '/');
        char *next;
        if (length < 0) return at; /* no link, or nothing there */
        target[length] = 0;
        next = (char *)xmalloc(strlen(at) + (size_t)length + 1);
        /* A link that does not begin with / is relative to the folder that it lies in. */
        sprintf(next, "%.*s%s", target[0] == '/' || !slash ? 0 : (int)(slash - at + 1), at, target);
        free(at);
        at = next;
    }
    free(at);
    *error = ELOOP;
    return 0;
}

int atomic_open(atomic_file *file, const char *path)
{
    static const char ending[] = ".tmp";
    struct stat there;
    int error = 0, is_there;
    memset(file, 0, sizeof *file);
    is_there = !stat(path, &there);
    if (is_there && S_ISDIR(there.st_mode)) return EISDIR;
    if (own_descriptor(path) >= 0 || (is_there && !S_ISREG(there.st_mode))) {
        file->path = xstrdup(path);
        file->temporary = xstrdup(path);
        file->stream = open_through(path);
    } else {
        file->path = follow_links(path, &error);
        if (!file->path) return error;
        file->temporary = (char *)xmalloc(strlen(file->path) + sizeof ending);
        strcat(strcpy(file->temporary, file->path), ending);
        file->stream = fopen(file->temporary, "wb");
    }
    if (!file->stream) error = errno;
    if (error) release(file);
    return error;
}

int atomic_writes_through(const atomic_file *file)
{
    return !strcmp(file->path, file->temporary);
}

void atomic_discard(atomic_file *file)
{
    if (!file->path) return;
    if (file->stream) fclose(file->stream);
    if (!atomic_writes_through(file)) unlink(file->temporary);
    release(file);
}

int atomic_check(const char *path)
{
    struct stat there;
    atomic_file file;
    int error;
    if (own_descriptor(path) >= 0) return fcntl(own_descriptor(path), F_GETFD) < 0 ? errno : 0;
    if (!stat(path, &there) && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
        return access(path, W_OK) ? errno : 0;
    error = atomic_open(&file, path);
    if (!error) atomic_discard(&file);
    return error;
}

int atomic_finish(atomic_file *file)
{
    FILE *stream = file->stream;
    int error = 0;
    errno = 0;
    if (ferror(stream) || fflush(stream) || (!atomic_writes_through(file) && fsync(fileno(stream))))
        error = errno ? errno : EIO;
    if (fclose(stream) && !error) error = errno;
    file->stream = 0;
    if (error) atomic_discard(file);
    return error;
}

/* Flushes the folder, so that the rename itself survives a power failure. Errors are ignored: not every file system
 * supports this. */
static void flush_folder_of(const char *path)
{
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    int fd;
    if (slash) slash[slash == folder] = 0; /* keep the "/" of a path such as "/file" */
    fd = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    free(folder);
    if (fd < 0) return;
    (void)!fsync(fd);
    close(fd);
}

int atomic_publish(atomic_file *file)
{
    int error = 0;
    if (!atomic_writes_through(file) && rename(file->temporary, file->path)) {
        error = errno;
        atomic_discard(file);
        return error;
    }
    flush_folder_of(file->path);
    release(file);
    return 0;
}

int atomic_commit(atomic_file *file)
{
    const int error = atomic_finish(file);
    return error ? error : atomic_publish(file);
}
