/* Small helpers of src/eval for files and numbers in them. Functions that return an int return 0, or 1 after one line
 * on stderr, but for parse_number. */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A decimal number and nothing else: no inf, nan or hexadecimals, which strtod takes too. Returns 1 if it is one. */
int parse_number(const char *text, double *value);

/* Whether the file `what` (a word for the message) can be read. */
int check_file(const char *what, const char *path);

typedef struct {
    char **text;
    int count;
} text_lines;

/* The lines of a file without their ends, \r\n too, and without empty lines at the end of the file; an empty line in
 * between is refused, and so is a file without lines. Free with free_lines, in either case. */
int read_lines(const char *what, const char *path, text_lines *lines);
void free_lines(text_lines *lines);

/* One line of any length without its end; null at the end of the file, where there is no memory (ENOMEM in errno), and
 * on an error of the file. `buffer` and `size` are getline's; the caller frees the buffer. */
char *next_line(FILE *file, char **buffer, size_t *size);

/* Room for one more item: returns the array, moved if need be, or null (then `items` is still valid). */
void *grow(void *items, size_t count, size_t *capacity, size_t size);

/* A file that appears whole or not at all: write to `file`, then finish. */
typedef struct {
    FILE *file;
    char *path, *temporary;
} whole_file;

int begin_file(whole_file *w, const char *path);
/* `keep` 0: gives up and leaves nothing behind. */
int finish_file(whole_file *w, int keep);

#ifdef __cplusplus
}
#endif
#endif
