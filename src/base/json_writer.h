/* Writes the parts of JSON that are easy to get wrong. The caller writes the brackets and commas. */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include <stdio.h>

/* Writes a string with its quotes and escapes. */
void json_put_string(FILE *out, const char *text);

/* Writes a number with 17 digits, which give the same double when read; null if it is infinite or NaN. */
void json_put_number(FILE *out, double value);

/* Writes "key": value, and "key": "text". */
void json_put_member(FILE *out, const char *key, double value);
void json_put_text_member(FILE *out, const char *key, const char *text);

#endif
