/* Writes the parts of JSON that are easy to get wrong. The caller writes the brackets and commas. */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

#include <stdio.h>

/* A string, with its quotes. */
void json_put_string(FILE *out, const char *text);

/* A number, with the digits that bring the same double back; null where it is not finite, which JSON cannot say. */
void json_put_number(FILE *out, double value);

/* "key": and the number. */
void json_put_member(FILE *out, const char *key, double value);

#endif
