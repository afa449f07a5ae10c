/* Files that appear whole or not at all: written as <path>.tmp, flushed to the disk, and renamed over <path>.
 *
 *     atomic_file file;
 *     int error = atomic_open(&file, path);
 *     if (!error) {
 *         fprintf(file.stream, ...);            an error stays in the stream, and is seen at the end
 *         error = atomic_commit(&file);
 *     }
 *     if (error) report_error("cannot write %s: %s", path, strerror(error));
 *
 * Functions return 0, or a value of errno; after an error <path> is as it was, and the temporary file is gone. The
 * temporary name is the same for every process, so that what a killed one has left is overwritten by the next.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdio.h>

typedef struct {
    FILE *stream;           /* NULL while it is not open */
    char *path, *temporary; /* owned */
} atomic_file;

/* Opens <path>.tmp. Where <path> is there and is no regular file, such as a folder or /dev/null, that is an error: the
 * rename would put a file in its place. */
int atomic_open(atomic_file *file, const char *path);

/* Flushes, closes and renames. Frees what `file` holds, after an error too. */
int atomic_commit(atomic_file *file);

/* Gives up: closes and removes the temporary file, and frees what `file` holds. */
void atomic_discard(atomic_file *file);

/* The two steps of atomic_commit, for a file that is looked at, or written anew by another program, before it takes its
 * place; instead of the second, atomic_discard. */
int atomic_finish(atomic_file *file);  /* flushes to the disk and closes; discards after an error */
int atomic_publish(atomic_file *file); /* renames, and frees */

#endif
