/* Writes strings and numbers as JSON. */
#include "base/json_writer.h"

#include <math.h>

void json_put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; ++text) {
        if ((unsigned char)*text < ' ') {
            fprintf(out, "\\u%04x", *text);
            continue;
        }
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void json_put_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%.17g", value);
    else
        fputs("null", out);
}

void json_put_member(FILE *out, const char *key, double value)
{
    json_put_string(out, key);
    fputs(": ", out);
    json_put_number(out, value);
}

void json_put_text_member(FILE *out, const char *key, const char *text)
{
    json_put_string(out, key);
    fputs(": ", out);
    json_put_string(out, text);
}
