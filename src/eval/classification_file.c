#include "eval/classification_file.h"

#include "base/error.h"
#include "base/json_reader.h"
#include "data/lists.h"

#include <string.h>

/* What the lists in the file are compared with, and how far they were read. */
typedef struct {
    char **paths;
    const int *labels;
    int count;
    unsigned char *correct;
    int seen_paths, seen_labels, seen_correct; /* items of the last list of that kind */
} reading;

static void read_path(json_reader *r, reading *x, int i)
{
    char text[JSON_STRING];
    if (json_string(r, text) && strncmp(text, x->paths[i], JSON_STRING - 1))
        json_fail(r, "image %d is %s, and here %s: must be the same list of images", i + 1, text, x->paths[i]);
}

static void read_label(json_reader *r, reading *x, int i)
{
    const double label = json_number(r);
    if (!r->error[0] && label != x->labels[i])
        json_fail(r, "%s has the label %g, and here %d: must be the same", x->paths[i], label, x->labels[i]);
}

static void read_correct(json_reader *r, reading *x, int i)
{
    const double value = json_number(r);
    if (!r->error[0] && value != 0 && value != 1) json_fail(r, "%g is not valid: must be 0 or 1", value);
    x->correct[i] = value == 1;
}

/* A list with an item for every image. Returns how many there are. */
static int read_list(json_reader *r, reading *x, void (*item)(json_reader *, reading *, int))
{
    int i = 0;
    for (json_begin(r, '['); json_more(r, ']'); ++i) {
        if (i == x->count) return json_fail(r, "more than %d images, which the list has here", x->count);
        item(r, x, i);
    }
    return i;
}

static void read_images(json_reader *r, reading *x)
{
    char key[JSON_STRING];
    for (json_begin(r, '{'); json_more(r, '}');) {
        json_key(r, key);
        if (!strcmp(key, "paths"))
            x->seen_paths = read_list(r, x, read_path);
        else if (!strcmp(key, "labels"))
            x->seen_labels = read_list(r, x, read_label);
        else
            json_skip(r);
    }
}

static void read_model(json_reader *r, reading *x)
{
    char key[JSON_STRING];
    x->seen_correct = 0;
    for (json_begin(r, '{'); json_more(r, '}');) {
        json_key(r, key);
        if (!strcmp(key, "correct"))
            x->seen_correct = read_list(r, x, read_correct);
        else
            json_skip(r);
    }
}

static void read_file(json_reader *r, reading *x)
{
    char key[JSON_STRING];
    for (json_begin(r, '{'); json_more(r, '}');) {
        json_key(r, key);
        if (!strcmp(key, "images")) {
            read_images(r, x);
        } else if (!strcmp(key, "models")) {
            for (json_begin(r, '['); json_more(r, ']');) read_model(r, x);
        } else {
            json_skip(r);
        }
    }
    json_end(r);
}

int classification_file_read(const char *path, char **paths, const int *labels, int count, unsigned char *correct)
{
    reading x = {paths, labels, count, correct, 0, 0, 0};
    json_reader r;
    int status = 0;
    if (check_file("result", path)) return 1;
    if (json_open(&r, path)) read_file(&r, &x);
    if (r.error[0])
        status = report_error("%s", r.error);
    else if (x.seen_paths != count || x.seen_labels != count || x.seen_correct != count)
        status = report_error("%s is no result of classifier metrics -json over these %d images", path, count);
    json_close(&r);
    return status;
}
