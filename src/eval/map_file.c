#include "eval/map_file.h"

#include "base/error.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "data/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void map_rules_text(const ap_options *options, int count_difficult, int voc_label, char *text)
{
    snprintf(text, RULES_TEXT, "%s, IoU %.17g, %d recall points, difficult objects %s%s",
             options->rule == AP_COCO ? "COCO" : "VOC", options->iou_threshold, options->points,
             count_difficult ? "count" : "ignored", voc_label ? ", labels a pixel longer" : "");
}

/* ---- Writing ------------------------------------------------------------------------------------------------------
 */

static void put_numbers(FILE *out, const char *key, const int *numbers, size_t count)
{
    size_t i;
    fprintf(out, ", \"%s\": [", key);
    for (i = 0; i < count; ++i) fprintf(out, "%s%d", i ? "," : "", numbers[i]);
    fputc(']', out);
}

void map_file_write(FILE *out, const valid_data *data, const char *rules, const map_rankings *rankings)
{
    int i;
    fputs("\"per_image\": {", out);
    json_put_text_member(out, "rules", rules);
    fprintf(out, ", \"labels\": %lu", (unsigned long)rankings->labels);
    fputs(",\n    \"paths\": [", out);
    for (i = 0; i < data->images.count; ++i) {
        if (i) fputs(", ", out);
        json_put_string(out, data->images.text[i]);
    }
    fputs("],\n    \"classes\": [", out);
    for (i = 0; i < rankings->class_count; ++i) {
        const class_ranking *c = &rankings->classes[i];
        fputs(i ? ",\n      {" : "\n      {", out);
        json_put_text_member(out, "name", data->names.text[i]);
        put_numbers(out, "objects", c->objects, c->object_count);
        put_numbers(out, "ranked", c->ranked, c->ranked_count);
        fputc('}', out);
    }
    fputs("\n    ]}", out);
}

/* ---- Reading ------------------------------------------------------------------------------------------------------
 */

typedef struct {
    json_reader json;
    const valid_data *data;
    const char *rules;
    const map_rankings *mine;
    map_rankings *result;
    int seen_rules, seen_labels, paths, classes; /* how many were read */
} reading;

static void read_rules(reading *x)
{
    char text[JSON_STRING];
    x->seen_rules = 1;
    if (json_string(&x->json, text) && strcmp(text, x->rules))
        json_fail(&x->json, "evaluated by %s, and here by %s: must be the same", text, x->rules);
}

static void read_labels(reading *x)
{
    x->seen_labels = 1;
    if (json_number(&x->json) != x->mine->labels) json_fail(&x->json, "other boxes than here: must be the same labels");
}

static void read_paths(reading *x)
{
    const text_lines *images = &x->data->images;
    char text[JSON_STRING];
    for (json_begin(&x->json, '['); json_more(&x->json, ']'); ++x->paths) {
        if (x->paths == images->count) {
            json_fail(&x->json, "more than the %d images here: must be the same list", images->count);
            return;
        }
        if (json_string(&x->json, text) && strncmp(text, images->text[x->paths], JSON_STRING - 1))
            json_fail(&x->json, "image %d is %s, and here %s: must be the same list", x->paths + 1, text,
                      images->text[x->paths]);
    }
}

/* A number of an image, with either sign. Returns 0 after an error. */
static int read_image(reading *x)
{
    const double number = json_number(&x->json);
    const int most = x->result->image_count;
    if (x->json.error[0]) return 0;
    if (number >= -most && number <= most && number == (int)number && number != 0) return (int)number;
    return json_fail(&x->json, "%g is not the number of an image, 1 to %d", number, most);
}

/* The caller frees the result; *count is the number of images. */
static int *read_images(reading *x, size_t *count)
{
    int *images = 0;
    size_t capacity = 0;
    *count = 0;
    for (json_begin(&x->json, '['); json_more(&x->json, ']'); ++*count) {
        images = (int *)grow_array(images, *count, &capacity, sizeof *images);
        images[*count] = read_image(x);
    }
    return images;
}

/* No image may have more hits than objects. */
static void check_hits(reading *x, const class_ranking *c)
{
    int *left = (int *)xcalloc(x->result->image_count + 1, sizeof *left);
    size_t i;
    for (i = 0; i < c->object_count; ++i) ++left[abs(c->objects[i])];
    for (i = 0; i < c->ranked_count; ++i)
        if (c->ranked[i] > 0 && --left[c->ranked[i]] < 0)
            json_fail(&x->json, "more true positives than objects in image %d", c->ranked[i]);
    free(left);
}

static void read_class(reading *x)
{
    const int k = x->classes;
    const class_ranking *mine = &x->mine->classes[k];
    class_ranking *c = &x->result->classes[k];
    const char *name = x->data->names.text[k];
    char key[JSON_STRING];
    for (json_begin(&x->json, '{'); json_more(&x->json, '}');) {
        json_key(&x->json, key);
        if (!strcmp(key, "name")) {
            if (json_string(&x->json, key) && strncmp(key, name, JSON_STRING - 1))
                json_fail(&x->json, "class %d is %s, and here %s: must be the same", k, key, name);
        } else if (!strcmp(key, "objects") && !c->objects) {
            c->objects = read_images(x, &c->object_count);
        } else if (!strcmp(key, "ranked") && !c->ranked) {
            c->ranked = read_images(x, &c->ranked_count);
        } else {
            json_skip(&x->json);
        }
    }
    if (c->object_count != mine->object_count ||
        (c->object_count && memcmp(c->objects, mine->objects, c->object_count * sizeof *c->objects)))
        json_fail(&x->json, "other objects of class %s than here: must be the same labels", name);
    if (!x->json.error[0]) check_hits(x, c);
}

static void read_classes(reading *x)
{
    for (json_begin(&x->json, '['); json_more(&x->json, ']'); ++x->classes) {
        if (x->classes == x->data->classes) {
            json_fail(&x->json, "more than the %d classes here: must be the same", x->data->classes);
            return;
        }
        read_class(x);
    }
}

static void read_per_image(reading *x)
{
    char key[JSON_STRING];
    for (json_begin(&x->json, '{'); json_more(&x->json, '}');) {
        json_key(&x->json, key);
        if (!strcmp(key, "rules"))
            read_rules(x);
        else if (!strcmp(key, "labels"))
            read_labels(x);
        else if (!strcmp(key, "paths"))
            read_paths(x);
        else if (!strcmp(key, "classes"))
            read_classes(x);
        else
            json_skip(&x->json);
    }
}

static void read_result(reading *x)
{
    char key[JSON_STRING];
    for (json_begin(&x->json, '{'); json_more(&x->json, '}');) {
        json_key(&x->json, key);
        if (!strcmp(key, "per_image"))
            read_per_image(x);
        else
            json_skip(&x->json);
    }
    json_end(&x->json);
}

int map_file_read(const char *path, const valid_data *data, const char *rules, const map_rankings *mine,
                  map_rankings *rankings)
{
    reading x = {.data = data, .rules = rules, .mine = mine, .result = rankings};
    int status = 0;
    rankings->classes = (class_ranking *)xcalloc(mine->class_count, sizeof *rankings->classes);
    rankings->class_count = mine->class_count;
    rankings->image_count = mine->image_count;
    if (check_file("result", path)) return 1;
    if (json_open(&x.json, path)) read_result(&x);
    if (x.json.error[0])
        status = report_error("%s", x.json.error);
    else if (!x.seen_rules || !x.seen_labels || x.paths != data->images.count || x.classes != data->classes)
        status = report_error("%s is no result of detector map -json over these %d images and %d classes", path,
                              data->images.count, data->classes);
    json_close(&x.json);
    return status;
}
