/* Text files with one entry a line: lists of images, and names of classes. All of this project's own code reads them
 * here. Functions that return an int return 0, or 1 after one line on stderr. */
#ifndef LISTS_H
#define LISTS_H

#include <stddef.h>
#include <stdio.h>

/* Looks whether a file can be read. `what` names it in the message: "data file". */
int check_file(const char *what, const char *path);

typedef struct {
    char **text; /* count lines; owned */
    int count;
} text_lines;

/* Reads the lines of a file, without their ends (\n or \r\n). Empty lines at the end of the file do not count; one
 * between others is an error, and so is a file without lines. Free with free_lines, after an error too. */
int read_lines(const char *what, const char *path, text_lines *lines);
void free_lines(text_lines *lines);

/* The next line of a file, of any length, without its end; it stays in the buffer. NULL at the end of the file, and on
 * an error, which errno then names. *buffer and *size start as NULL and 0, as for getline; the caller frees the buffer.
 */
char *next_line(FILE *file, char **buffer, size_t *size);

#endif
