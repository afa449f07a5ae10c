/* Reads text files with one entry per line: lists of images and names of classes. Functions that return an int return
 * 0, or 1 after one line on stderr. */
#ifndef LISTS_H
#define LISTS_H

#include "base/problems.h"

#include <stddef.h>
#include <stdio.h>

/* Checks that a file can be read. `what` describes it in the message: "data file". */
int check_file(const char *what, const char *path);

typedef struct {
    char **text; /* count lines; owned */
    int count;
} text_lines;

/* Reads the lines of a file, without line ends (\n or \r\n), blanks at their ends, and a byte-order mark. Empty lines
 * at the end of the file are ignored. An empty line before other lines is an error, and so is a file without lines.
 * Free with free_lines, also after an error. */
int read_lines(const char *what, const char *path, text_lines *lines);

/* The same, for checks: every problem is added to `list` instead of printed. Returns 1 if there was one; the lines that
 * could be read are there nevertheless, empty ones among them. */
int collect_lines(const char *what, const char *path, text_lines *lines, problems *list);
void free_lines(text_lines *lines);

/* As collect_lines, of a file that may have empty lines anywhere, or no lines. */
int collect_text(const char *what, const char *path, text_lines *lines, problems *list);

/* Reads the next line of a file, of any length, without its line end and a byte-order mark. Returns *buffer; or NULL at
 * the end of the file and on an error, which sets errno. Begin with NULL in *buffer and 0 in *size, as for getline; the
 * caller frees *buffer. */
char *next_line(FILE *file, char **buffer, size_t *size);

#endif
