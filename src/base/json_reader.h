/* Reads JSON from a file value by value, with memory for one string: COCO's results have millions of numbers.
 *
 * The caller asks for what it expects. The first error is kept with its line and column; every function then does
 * nothing and returns 0, so that it is enough to look at the end.
 *
 *     json_reader r;
 *     if (json_open(&r, path)) {
 *         for (json_begin(&r, '['); json_more(&r, ']');) number = json_number(&r);
 *         json_end(&r);
 *     }
 *     if (r.error[0]) ... "path:line:column: what"
 *     json_close(&r);
 */
#ifndef JSON_READER_H
#define JSON_READER_H

#include <stdio.h>

enum { JSON_STRING = 256, JSON_DEPTH = 64 };

typedef struct {
    FILE *file;
    const char *path;
    int next;          /* the character that is next, or EOF */
    long line, column; /* of it, from 1 */
    int first;         /* no item of the list at hand was read yet */
    char error[512];   /* empty: none */
} json_reader;

/* 1, or 0 with r->error set. `path` must stay. */
int json_open(json_reader *r, const char *path);
void json_close(json_reader *r);

/* The bracket that begins a list, '[' or '{'. */
int json_begin(json_reader *r, char bracket);
/* 1 where another item follows in the list that `bracket` ends; 0, with the bracket read, where none does. */
int json_more(json_reader *r, char bracket);
/* The key of an item of '{', or any string, cut to what fits, and zero-terminated. Bytes of UTF-8 are taken as they
 * are; \u beyond ASCII becomes '?'. `text` is JSON_STRING long. */
int json_string(json_reader *r, char *text);
int json_key(json_reader *r, char *text);
double json_number(json_reader *r);
/* Any one value, with all that is in it. */
int json_skip(json_reader *r);
/* Nothing but white space may follow. */
int json_end(json_reader *r);
/* Sets the error at the place that was reached; returns 0. */
int json_fail(json_reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
