/* Atomic replacement of files: the new contents are written to <path>.tmp, flushed to the disk, and renamed over
 * <path>. A reader sees either the old file or the complete new one.
 *
 *     atomic_file file;
 *     int error = atomic_open(&file, path);
 *     if (!error) {
 *         fprintf(file.stream, ...);            write errors are reported by atomic_commit
 *         error = atomic_commit(&file);
 *     }
 *     if (error) report_error("cannot write %s: %s", path, strerror(error));
 *
 * A symbolic link stays a link: what it points to is replaced. Anything else that is no regular file, such as /dev/null
 * or a named pipe, is written to as it is, and a reader sees it as it comes; so are the program's own open files, such
 * as /dev/stdout.
 *
 * Functions return 0 or a value of errno. After an error, <path> is unchanged and the temporary file has been removed.
 * All processes use the same temporary name, so the next save overwrites a file that a killed process has left.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdio.h>

typedef struct {
    FILE *stream;           /* NULL when no file is open */
    char *path, *temporary; /* owned: what is replaced, and what is written; equal for a device or a pipe */
} atomic_file;

/* Opens <path>.tmp for writing, or a device or a pipe itself. Copies `path`. A folder is an error. */
int atomic_open(atomic_file *file, const char *path);

/* Returns 0 if <path> can be written now, else why not. Leaves everything as it is; a pipe is not opened, as its reader
 * would take that for all there is to read. */
int atomic_check(const char *path);

/* Whether it is a device or a pipe, which cannot be read back or replaced. */
int atomic_writes_through(const atomic_file *file);

/* Flushes, closes and renames the temporary file. Frees what `file` holds, also after an error. */
int atomic_commit(atomic_file *file);

/* Cancels: closes and removes the temporary file, and frees what `file` holds. */
void atomic_discard(atomic_file *file);

/* The two steps of atomic_commit, for a file that is checked, or written by another program, before it replaces the old
 * one. The second step is atomic_publish or atomic_discard. */
int atomic_finish(atomic_file *file);  /* flushes to the disk, closes; discards after an error */
int atomic_publish(atomic_file *file); /* renames, frees what `file` holds */

#endif
