#include "eval/threshold_file.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "eval/detect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

int weights_file_crc32(const char *path, uint32_t *crc)
{
    enum { LEFT_OUT = 8 };
    unsigned char block[(1 << 16) + LEFT_OUT];
    FILE *file = fopen(path, "rb");
    uLong sum = crc32(0, 0, 0);
    size_t held = 0, n;
    int error;
    if (!file) return errno;
    /* the last bytes of what has been read are held back until more follow */
    while ((n = fread(block + held, 1, sizeof block - held, file))) {
        const size_t there = held + n, part = there > LEFT_OUT ? there - LEFT_OUT : 0;
        sum = crc32(sum, block, (uInt)part);
        held = there - part;
        memmove(block, block + part, held);
    }
    error = ferror(file) ? EIO : 0;
    fclose(file);
    if (!error) *crc = (uint32_t)sum;
    return error;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

void json_put_threshold(FILE *out, const best_threshold *best)
{
    const int is_there = best->f1 > 0;
    char text[DECIMAL_TEXT];
    fprintf(out, "\"threshold\": %s, ", is_there ? format_decimal(best->threshold, 1, text) : "null");
    json_put_member(out, "f1", is_there ? best->f1 : NAN);
    fputs(", ", out);
    json_put_member(out, "precision", is_there ? best->precision : NAN);
    fputs(", ", out);
    json_put_member(out, "recall", is_there ? best->recall : NAN);
}

static void put_record(FILE *out, const threshold_record *r)
{
    int k;
    fprintf(out, "{\n  \"weights_crc32\": %lu,\n  \"iteration\": %zu,\n  ", (unsigned long)r->weights_crc32,
            r->iteration);
    json_put_member(out, "map", r->map);
    fputs(",\n  ", out);
    json_put_threshold(out, &r->all);
    fputs(",\n  \"classes\": [", out);
    for (k = 0; k < r->classes; ++k) {
        fprintf(out, "%s\n    {", k ? "," : "");
        json_put_text_member(out, "name", r->names[k]);
        fputs(", ", out);
        json_put_member(out, "ap", r->ap[k] < 0 ? NAN : r->ap[k]);
        fputs(", ", out);
        json_put_threshold(out, &r->per_class[k]);
        fputc('}', out);
    }
    fputs("\n  ]\n}\n", out);
}

int threshold_file_write(const char *path, const threshold_record *record)
{
    atomic_file file;
    const int error = atomic_open(&file, path);
    if (error) return error;
    put_record(file.stream, record);
    return atomic_commit(&file);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* The name of the file that belongs to weights, which the caller frees; NULL where the weights have no such name. */
static char *name_beside(const char *weights)
{
    static const char *const stems[] = {"_best", "_best.old"};
    static const char weights_end[] = ".weights", end[] = ".json";
    const size_t length = weights ? strlen(weights) : 0, stem = length - (sizeof weights_end - 1);
    size_t i;
    if (length < sizeof weights_end || strcmp(weights + stem, weights_end)) return 0;
    for (i = 0; i < sizeof stems / sizeof *stems; ++i) {
        const size_t n = strlen(stems[i]);
        if (stem >= n && !strncmp(weights + stem - n, stems[i], n)) {
            char *name = xstrdup(weights);
            strcpy(name + stem, end);
            return name;
        }
    }
    return 0;
}

/* What is read of a file; NAN: it is not there. */
typedef struct {
    double crc, threshold;
} stated;

static void read_stated(json_reader *r, stated *s)
{
    char key[JSON_STRING];
    for (json_begin(r, '{'); json_more(r, '}');) {
        if (!json_key(r, key)) continue;
        if (!strcmp(key, "weights_crc32"))
            s->crc = json_number(r);
        else if (!strcmp(key, "threshold"))
            s->threshold = json_number_or_null(r, 0); /* 0, which is never the best one: none */
        else
            json_skip(r);
    }
    json_end(r);
}

/* Returns NULL, or why the file says nothing of the weights. `size` bytes of `text` are for such a reason. */
static const char *judge(const char *path, const char *weights, double *threshold, char *text, size_t size)
{
    stated s = {NAN, NAN};
    json_reader r;
    uint32_t crc;
    if (json_open(&r, path)) read_stated(&r, &s);
    json_close(&r);
    snprintf(text, size, "%s", r.error);
    if (*text) return text;
    if (isnan(s.crc) || isnan(s.threshold)) return "it has no \"weights_crc32\" and \"threshold\"";
    if (weights_file_crc32(weights, &crc)) return "the weights cannot be read";
    if (s.crc != crc) return "it belongs to other weights";
    if (s.threshold == 0) return "no box was right when it was written";
    if (!(s.threshold >= DETECT_LOWEST_SCORE && s.threshold < 1)) return "it is not from .005 to 1";
    *threshold = s.threshold;
    return 0;
}

int threshold_of_weights(const char *weights, double *threshold)
{
    char *path = name_beside(weights), text[sizeof((json_reader *)0)->error], number[DECIMAL_TEXT];
    const char *why;
    if (!path || access(path, F_OK)) {
        free(path);
        return 0;
    }
    why = judge(path, weights, threshold, text, sizeof text);
    if (why)
        report_note("the threshold of %s is not used: %s", path, why);
    else
        report_note("threshold %s, the best F1 of %s", skip_leading_zero(format_decimal(*threshold, 2, number)), path);
    free(path);
    return !why;
}
