/* Text files with one entry a line: lists of images, names of classes. Functions that return an int return 0, or 1
 * after one line on stderr. */
#ifndef LISTS_H
#define LISTS_H

#include <stddef.h>
#include <stdio.h>

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

#endif
