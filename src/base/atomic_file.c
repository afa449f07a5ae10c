/* Writes files atomically; atomic_file.h says how to use it. */
#include "base/atomic_file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
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

int atomic_open(atomic_file *file, const char *path)
{
    static const char ending[] = ".tmp";
    struct stat there;
    int error = 0;
    file->stream = 0;
    file->path = xstrdup(path);
    file->temporary = (char *)xmalloc(strlen(path) + sizeof ending);
    strcat(strcpy(file->temporary, path), ending);
    if (!stat(path, &there) && !S_ISREG(there.st_mode))
        error = S_ISDIR(there.st_mode) ? EISDIR : EOPNOTSUPP;
    else if (!(file->stream = fopen(file->temporary, "wb")))
        error = errno;
    if (error) release(file);
    return error;
}

void atomic_discard(atomic_file *file)
{
    if (!file->path) return;
    if (file->stream) fclose(file->stream);
    unlink(file->temporary);
    release(file);
}

int atomic_finish(atomic_file *file)
{
    FILE *stream = file->stream;
    int error = 0;
    errno = 0;
    if (ferror(stream) || fflush(stream) || fsync(fileno(stream))) error = errno ? errno : EIO;
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
    if (rename(file->temporary, file->path)) {
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
