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
 * Functions return 0 or a value of errno. After an error, <path> is unchanged and the temporary file has been removed.
 * All processes use the same temporary name, so the next save overwrites a file that a killed process has left.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdio.h>

typedef struct {
    FILE *stream;           /* NULL when no file is open */
    char *path, *temporary; /* owned */
} atomic_file;

/* Opens <path>.tmp for writing. Copies `path`. It is an error if <path> exists and is no regular file, such as a folder
 * or /dev/null: the rename would replace it by a file. */
int atomic_open(atomic_file *file, const char *path);

/* Flushes, closes and renames the temporary file. Frees what `file` holds, also after an error. */
int atomic_commit(atomic_file *file);

/* Cancels: closes and removes the temporary file, and frees what `file` holds. */
void atomic_discard(atomic_file *file);

/* The two steps of atomic_commit, for a file that is checked, or written by another program, before it replaces the old
 * one. The second step is atomic_publish or atomic_discard. */
int atomic_finish(atomic_file *file);  /* flushes to the disk, closes; discards after an error */
int atomic_publish(atomic_file *file); /* renames, frees what `file` holds */

#endif
