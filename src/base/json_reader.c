/* A JSON parser that reads character by character from a file. */
#include "base/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int json_fail(json_reader *r, const char *format, ...)
{
    va_list arguments;
    int length;
    if (r->error[0]) return 0;
    length = snprintf(r->error, sizeof r->error, "%.300s:%ld:%ld: ", r->path, r->line, r->column);
    va_start(arguments, format);
    vsnprintf(r->error + length, sizeof r->error - length, format, arguments);
    va_end(arguments);
    return 0;
}

static void advance(json_reader *r)
{
    if (r->next == '\n') {
        ++r->line;
        r->column = 0;
    }
    ++r->column;
    r->next = getc(r->file);
    if (r->next == EOF && ferror(r->file)) json_fail(r, "%s", strerror(errno));
}

static void skip_space(json_reader *r)
{
    while (r->next == ' ' || r->next == '\t' || r->next == '\r' || r->next == '\n') advance(r);
}

static int unexpected(json_reader *r, const char *wanted)
{
    if (r->next == EOF) return json_fail(r, "the file ends where %s should be", wanted);
    if (r->next > ' ' && r->next < 127) return json_fail(r, "'%c' where %s should be", r->next, wanted);
    return json_fail(r, "byte %d where %s should be", r->next, wanted);
}

static int take(json_reader *r, char wanted)
{
    const char text[] = {'\'', wanted, '\'', 0};
    if (r->error[0]) return 0;
    skip_space(r);
    if (r->next != wanted) return unexpected(r, text);
    advance(r);
    return 1;
}

/* The byte-order mark, if the file begins with one. */
static void skip_mark(json_reader *r)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    size_t i;
    for (i = 0; i < sizeof mark && r->next == mark[i]; ++i) advance(r);
    if (i && i < sizeof mark) json_fail(r, "byte %d where a value should be", mark[0]);
}

int json_open(json_reader *r, const char *path)
{
    memset(r, 0, sizeof *r);
    r->path = path;
    r->line = 1;
    r->file = fopen(path, "r");
    if (!r->file) {
        snprintf(r->error, sizeof r->error, "cannot read %.300s: %s", path, strerror(errno));
        return 0;
    }
    advance(r);
    skip_mark(r);
    return !r->error[0];
}

void json_close(json_reader *r)
{
    if (r->file) fclose(r->file);
    r->file = 0;
}

int json_begin(json_reader *r, char bracket)
{
    r->first = 1;
    return take(r, bracket);
}

int json_more(json_reader *r, char bracket)
{
    int first = r->first;
    if (r->error[0]) return 0;
    skip_space(r);
    r->first = 0;
    if (r->next == bracket) {
        advance(r);
        return 0;
    }
    return first || take(r, ',');
}

int json_string(json_reader *r, char *text)
{
    size_t length = 0;
    text[0] = 0;
    if (r->error[0]) return 0;
    skip_space(r);
    if (r->next != '"') return unexpected(r, "a string");
    for (advance(r); r->next != '"'; advance(r)) {
        int c = r->next;
        if (c == EOF || c < ' ') return unexpected(r, "the end of a string");
        if (c == '\\') {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            advance(r);
            if (r->next == 'u') {
                int i, code = 0;
                for (i = 0; i < 4; ++i) {
                    static const char digits[] = "0123456789abcdefABCDEF";
                    const char *digit;
                    advance(r);
                    digit = r->next > 0 ? strchr(digits, r->next) : 0;
                    if (!digit) return unexpected(r, "a hexadecimal digit");
                    code = 16 * code + (int)(digit - digits) - (digit - digits > 15 ? 6 : 0);
                }
                c = code > 0 && code < 128 ? code : '?';
            } else if (r->next > 0 && strchr(from, r->next)) {
                c = to[strchr(from, r->next) - from];
            } else {
                return unexpected(r, "an escape of JSON");
            }
        }
        if (length + 1 < JSON_STRING) text[length++] = (char)c;
    }
    advance(r);
    text[length] = 0;
    return 1;
}

int json_key(json_reader *r, char *text)
{
    return json_string(r, text) && take(r, ':');
}

double json_number(json_reader *r)
{
    char text[64], *end;
    size_t length = 0, digits;
    double value;
    if (r->error[0]) return 0;
    skip_space(r);
    if (r->next != '-' && !(r->next >= '0' && r->next <= '9')) return unexpected(r, "a number");
    while (r->next > 0 && strchr("0123456789+-.eE", r->next)) {
        if (length + 1 == sizeof text) return json_fail(r, "a number of more than %d characters", (int)sizeof text - 1);
        text[length++] = (char)r->next;
        advance(r);
    }
    text[length] = 0;
    digits = *text == '-';
    value = strtod(text, &end);
    if (*end || !strchr("0123456789", text[digits]) || !isfinite(value))
        return json_fail(r, "%s is not a number of JSON, or too large", text);
    return value;
}

static int skip_word(json_reader *r, const char *word)
{
    for (; *word; ++word) {
        if (r->next != *word) return unexpected(r, "a value");
        advance(r);
    }
    return 1;
}

static int skip(json_reader *r, int depth)
{
    char text[JSON_STRING];
    if (r->error[0]) return 0;
    skip_space(r);
    if (depth > JSON_DEPTH) return json_fail(r, "lists more than %d deep", JSON_DEPTH);
    switch (r->next) {
    case '"':
        return json_string(r, text);
    case 't':
        return skip_word(r, "true");
    case 'f':
        return skip_word(r, "false");
    case 'n':
        return skip_word(r, "null");
    case '[':
        for (json_begin(r, '['); json_more(r, ']');) {
            if (!skip(r, depth + 1)) return 0;
        }
        break;
    case '{':
        for (json_begin(r, '{'); json_more(r, '}');) {
            if (!json_key(r, text) || !skip(r, depth + 1)) return 0;
        }
        break;
    default:
        json_number(r);
    }
    return !r->error[0];
}

int json_null(json_reader *r)
{
    if (r->error[0]) return 0;
    skip_space(r);
    return r->next == 'n' && skip_word(r, "null");
}

double json_number_or_null(json_reader *r, double missing)
{
    return json_null(r) ? missing : json_number(r);
}

int json_skip(json_reader *r)
{
    return skip(r, 0);
}

int json_end(json_reader *r)
{
    if (r->error[0]) return 0;
    skip_space(r);
    return r->next == EOF ? 1 : unexpected(r, "the end of the file");
}
