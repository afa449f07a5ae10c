/* A result that is written to a file, whole or not at all (atomic_file.h), with the error message.
 *
 *     output_file o;
 *     FILE *out = output_open(&o, path);
 *     if (out) fprintf(out, ...);
 *     return output_close(&o);
 */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

#include "base/atomic_file.h"

#include <stdio.h>

typedef struct {
    atomic_file file;
    const char *path;
    int error; /* a value of errno */
    int is_stdout;
} output_file;

/* The stream to write to; NULL where it cannot be opened, which output_close reports. `path` is not copied. */
FILE *output_open(output_file *o, const char *path);

/* The same, but the path "-" is standard output. */
FILE *output_open_or_stdout(output_file *o, const char *path);

/* Returns 0, or 1 after one line on stderr. */
int output_close(output_file *o);

/* Writes a field of a CSV line: in quotes where the text would not be one field without them (RFC 4180). */
void csv_put_field(FILE *out, const char *text);

#endif
