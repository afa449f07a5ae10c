#include "eval/map_comparison.h"

#include "base/memory.h"
#include "base/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- Rankings -----------------------------------------------------------------------------------------------------
 */

static int by_number(const void *pa, const void *pb)
{
    const int a = *(const int *)pa, b = *(const int *)pb;
    return a < b ? -1 : a > b;
}

static uint32_t checksum(const ap_object *objects, size_t count)
{
    uint32_t sum = 0;
    size_t i;
    for (i = 0; i < count; ++i) {
        const ap_object *o = &objects[i];
        const double values[] = {(double)o->image, (double)o->class_id, o->box.x, o->box.y, o->box.w,
                                 o->box.h,         (double)o->difficult};
        sum += (uint32_t)crc32(0, (const unsigned char *)values, sizeof values);
    }
    return sum;
}

map_rankings map_rankings_of_objects(const ap_object *objects, size_t object_count, int classes, int images)
{
    map_rankings r = {(class_ranking *)xcalloc(classes, sizeof *r.classes), classes, images,
                      checksum(objects, object_count)};
    size_t i;
    int k;
    for (i = 0; i < object_count; ++i) r.classes[objects[i].class_id].object_count += !objects[i].difficult;
    for (k = 0; k < classes; ++k) {
        class_ranking *c = &r.classes[k];
        c->objects = (int *)xcalloc(c->object_count, sizeof *c->objects);
        c->object_count = 0;
    }
    for (i = 0; i < object_count; ++i) {
        class_ranking *c = &r.classes[objects[i].class_id];
        if (!objects[i].difficult) c->objects[c->object_count++] = objects[i].image + 1;
    }
    for (k = 0; k < classes; ++k)
        qsort(r.classes[k].objects, r.classes[k].object_count, sizeof *r.classes[k].objects, by_number);
    return r;
}

void map_rankings_add(map_rankings *r, const ap_detection *detections, const ap_match *matches, size_t count)
{
    size_t i;
    int k;
    for (i = 0; i < count; ++i) {
        class_ranking *c = &r->classes[detections[i].class_id];
        if (matches[i].verdict == AP_TRUE && matches[i].rank > c->ranked_count) c->ranked_count = matches[i].rank;
    }
    for (k = 0; k < r->class_count; ++k)
        r->classes[k].ranked = (int *)xcalloc(r->classes[k].ranked_count, sizeof *r->classes[k].ranked);
    for (i = 0; i < count; ++i) {
        const class_ranking *c = &r->classes[detections[i].class_id];
        const int image = detections[i].image + 1;
        if (matches[i].verdict == AP_IGNORED || matches[i].rank > c->ranked_count) continue;
        c->ranked[matches[i].rank - 1] = matches[i].verdict == AP_TRUE ? image : -image;
    }
}

void map_rankings_free(map_rankings *r)
{
    int k;
    for (k = 0; k < r->class_count; ++k) {
        free(r->classes[k].objects);
        free(r->classes[k].ranked);
    }
    free(r->classes);
    memset(r, 0, sizeof *r);
}

/* ---- Samples ------------------------------------------------------------------------------------------------------
 */

static size_t objects_in(const class_ranking *c, const int *times)
{
    size_t i, objects = 0;
    for (i = 0; i < c->object_count; ++i) objects += times[c->objects[i] - 1];
    return objects;
}

/* AP where image i is there times[i] times; `objects`, at least 1, is what objects_in gives, and tp_rank has room for
 * as many. The copies of a detection have one score, and follow each other. */
static double sample_ap(const class_ranking *c, const int *times, size_t objects, int points, ap_rule rule,
                        size_t *tp_rank)
{
    size_t i, rank = 0, tp = 0;
    for (i = 0; i < c->ranked_count; ++i) {
        const int image = c->ranked[i];
        int copies = times[abs(image) - 1];
        if (image < 0)
            rank += copies;
        else
            while (copies-- > 0) tp_rank[tp++] = ++rank;
    }
    return ap_of_ranks(tp_rank, tp, objects, points, rule);
}

typedef struct {
    const map_rankings *a, *b;
    int points;
    ap_rule rule;
    int *times;      /* [images] */
    size_t *tp_rank; /* [capacity] */
    size_t capacity;
} comparison;

/* Fills in the differences of one sample, NAN for a class without objects; the mean at the end. */
static void compare_sample(comparison *x, double *differences)
{
    const int classes = x->a->class_count;
    double sum = 0;
    int k, counted = 0;
    for (k = 0; k < classes; ++k) {
        const size_t objects = objects_in(&x->a->classes[k], x->times);
        differences[k] = NAN;
        if (!objects) continue;
        if (objects > x->capacity) {
            x->capacity = 2 * objects;
            x->tp_rank = (size_t *)xrealloc(x->tp_rank, x->capacity * sizeof *x->tp_rank);
        }
        differences[k] = sample_ap(&x->a->classes[k], x->times, objects, x->points, x->rule, x->tp_rank) -
                         sample_ap(&x->b->classes[k], x->times, objects, x->points, x->rule, x->tp_rank);
        sum += differences[k];
        ++counted;
    }
    differences[classes] = counted ? sum / counted : NAN;
}

/* by_sample: [samples][stride]; takes the numbers of one class out of it, those that are none left out. */
static void set_interval(const double *by_sample, int samples, int stride, double level, double *column,
                         paired_difference *result)
{
    int s, n = 0;
    result->low = result->high = NAN;
    for (s = 0; s < samples; ++s) {
        const double value = by_sample[(size_t)s * stride];
        if (!isnan(value)) column[n++] = value;
    }
    if (n) bootstrap_interval(column, n, level, result);
}

void map_compare(const map_rankings *a, const map_rankings *b, int points, ap_rule rule, int samples, double level,
                 uint64_t seed, paired_difference *difference)
{
    const int images = a->image_count, numbers = a->class_count + 1;
    comparison x = {a, b, points, rule, (int *)xcalloc(images, sizeof *x.times), 0, 0};
    double *by_sample = (double *)xcalloc((size_t)samples * numbers, sizeof *by_sample);
    double *column = (double *)xcalloc(samples > numbers ? samples : numbers, sizeof *column);
    progress shown;
    int s, k;
    for (k = 0; k < images; ++k) x.times[k] = 1;
    compare_sample(&x, column);
    for (k = 0; k < numbers; ++k) difference[k].difference = column[k];
    progress_begin(&shown, "samples", samples, samples, 2);
    for (s = 0; s < samples; ++s) {
        bootstrap_draw(&seed, images, x.times);
        compare_sample(&x, by_sample + (size_t)s * numbers);
        progress_step(&shown, 1);
    }
    progress_end(&shown);
    for (k = 0; k < numbers; ++k) set_interval(by_sample + k, samples, numbers, level, column, &difference[k]);
    free(column);
    free(by_sample);
    free(x.tp_rank);
    free(x.times);
}
