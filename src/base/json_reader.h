/* Reads JSON from a file one value at a time. Memory use does not grow with the file: COCO's result files have millions
 * of numbers.
 *
 * The caller asks for the value that it expects. The first error is stored with its line and column. After it, every
 * function does nothing and returns 0, so it is enough to check for an error at the end.
 *
 *     json_reader r;
 *     if (json_open(&r, path)) {
 *         for (json_begin(&r, '['); json_more(&r, ']');) number = json_number(&r);
 *         json_end(&r);
 *     }
 *     if (r.error[0]) ... "path:line:column: message"
 *     json_close(&r);
 */
#ifndef JSON_READER_H
#define JSON_READER_H

#include <stdio.h>

enum { JSON_STRING = 256, JSON_DEPTH = 64 };

typedef struct {
    FILE *file;
    const char *path;
    int next;          /* the next character, or EOF */
    long line, column; /* position of `next`, from 1 */
    int first;         /* 1: no item of the current list has been read yet */
    char error[512];   /* the first error; empty: none */
} json_reader;

/* Opens a file. Returns 1, or 0 with r->error set. `path` is not copied. */
int json_open(json_reader *r, const char *path);
void json_close(json_reader *r); /* r->error stays */

/* Reads the bracket that begins a list ('[') or an object ('{'). Returns 1, or 0 after an error. */
int json_begin(json_reader *r, char bracket);
/* Returns 1 if the list or object that ends with `bracket` has another item. Otherwise returns 0 and has read the
 * bracket. */
int json_more(json_reader *r, char bracket);
/* Reads a string, or the key of an object's item, into `text` (JSON_STRING bytes). Longer text is truncated; the result
 * always ends with a zero. UTF-8 is copied unchanged, but a \u escape beyond ASCII becomes '?'. Returns 1, or 0 after
 * an error. */
int json_string(json_reader *r, char *text);
int json_key(json_reader *r, char *text);
/* Reads a number. Returns 0 after an error. */
double json_number(json_reader *r);
/* Reads the next value if it is null, and returns whether it was. */
int json_null(json_reader *r);
/* Reads a number, or null: then returns `missing`. */
double json_number_or_null(json_reader *r, double missing);
/* Skips one value of any type, with everything inside it. */
int json_skip(json_reader *r);
/* Checks that only white space follows until the end of the file. */
int json_end(json_reader *r);
/* Sets the error at the current position, unless there is one already. Returns 0. */
int json_fail(json_reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
