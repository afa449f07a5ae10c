/* The JSON reader. Blanks around a text change nothing in whether it is JSON; an error names a place in the file; a
 * string fits its buffer, and a number is finite. */
#include "fuzz.h"

#include "base/json_reader.h"

#include <math.h>
#include <string.h>

/* Whether the file is one value of JSON. */
static int is_json(const uint8_t *data, size_t size)
{
    json_reader r;
    const char *path = fuzz_file(data, size);
    if (json_open(&r, path)) {
        json_skip(&r);
        json_end(&r);
    }
    json_close(&r);
    MUST(r.line >= 1 && r.line <= (long)size + 1 && r.column <= (long)size + 1);
    MUST(!r.error[0] || !strncmp(r.error, path, strlen(path)));
    return !r.error[0];
}

/* A list of whatever comes, each value read as what it begins like. */
static void read_values(const uint8_t *data, size_t size)
{
    json_reader r;
    if (json_open(&r, fuzz_file(data, size))) {
        for (json_begin(&r, '['); json_more(&r, ']');) {
            char text[JSON_STRING];
            if (r.next == '"' && json_string(&r, text)) MUST(strlen(text) < JSON_STRING);
            if (!r.error[0] && r.next != ',' && r.next != ']') MUST(isfinite(json_number_or_null(&r, 0)));
        }
        json_end(&r);
    }
    json_close(&r);
}

void fuzz(const uint8_t *data, size_t size)
{
    uint8_t *padded = (uint8_t *)malloc(size + 4);
    const int verdict = is_json(data, size);
    const size_t mark = size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0; /* stands before any blanks */
    if (mark) memcpy(padded, data, mark);
    memcpy(padded + mark, " \n", 2);
    if (size) memcpy(padded + mark + 2, data + mark, size - mark);
    memcpy(padded + 2 + size, "\r\t", 2);
    MUST(is_json(padded, size + 4) == verdict);
    read_values(data, size);
    free(padded);
}
