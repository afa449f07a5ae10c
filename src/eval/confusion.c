#include "eval/confusion.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    double score;
    int image;
    size_t index;
} key;

static int by_score(const void *pa, const void *pb)
{
    const key *a = (const key *)pa, *b = (const key *)pb;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int by_image(const void *pa, const void *pb)
{
    const key *a = (const key *)pa, *b = (const key *)pb;
    if (a->image != b->image) return a->image < b->image ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static int by_class(const void *pa, const void *pb)
{
    const confusion_pair *a = (const confusion_pair *)pa, *b = (const confusion_pair *)pb;
    if (a->class_id != b->class_id) return a->class_id < b->class_id ? -1 : 1;
    return a->taken_for < b->taken_for ? -1 : a->taken_for > b->taken_for;
}

static int by_count(const void *pa, const void *pb)
{
    const confusion_pair *a = (const confusion_pair *)pa, *b = (const confusion_pair *)pb;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return by_class(pa, pb);
}

void confusion_free(confusion *c)
{
    free(c->pairs);
    free(c->found);
    free(c->misnamed);
    free(c->missed);
    free(c->background);
    memset(c, 0, sizeof *c);
}

/* The object of the detection's image that it overlaps most, by place in `objects`; object_count where it overlaps none
 * as much as `least`. */
static size_t best_object(const ap_object *objects, const key *object_keys, size_t object_count, const ap_detection *d,
                          double least)
{
    size_t low = 0, high = object_count, best = object_count;
    double best_iou = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (object_keys[middle].image < d->image)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < object_count && object_keys[low].image == d->image; ++low) {
        double iou = ap_iou(d->box, objects[object_keys[low].index].box);
        if (iou < least || iou <= best_iou) continue;
        best_iou = iou;
        best = object_keys[low].index;
    }
    return best;
}

/* Pairs of the same two classes, which lie side by side, become one. */
static size_t add_up(confusion_pair *pairs, size_t count)
{
    size_t i, kept = 0;
    for (i = 0; i < count; ++i) {
        if (kept && by_class(&pairs[kept - 1], &pairs[i]) == 0)
            pairs[kept - 1].count += pairs[i].count;
        else
            pairs[kept++] = pairs[i];
    }
    return kept;
}

ap_status confusion_count(const ap_object *objects, size_t object_count, const ap_detection *detections,
                          size_t detection_count, const ap_match *matches, int classes, double iou_threshold,
                          double score_threshold, confusion *c)
{
    enum { OPEN, FOUND, MISNAMED };
    ap_status status = AP_OK;
    key *object_keys = (key *)calloc(object_count + 1, sizeof *object_keys);
    key *wrong = (key *)calloc(detection_count + 1, sizeof *wrong); /* false positives above the threshold */
    unsigned char *state = (unsigned char *)calloc(object_count + 1, 1);
    size_t i, wrong_count = 0;

    memset(c, 0, sizeof *c);
    c->classes = classes;
    c->pairs = (confusion_pair *)calloc(object_count + 1, sizeof *c->pairs);
    c->found = (size_t *)calloc(classes, sizeof *c->found);
    c->misnamed = (size_t *)calloc(classes, sizeof *c->misnamed);
    c->missed = (size_t *)calloc(classes, sizeof *c->missed);
    c->background = (size_t *)calloc(classes, sizeof *c->background);
    if (!object_keys || !wrong || !state || !c->pairs || !c->found || !c->misnamed || !c->missed || !c->background) {
        status = AP_NO_MEMORY;
        goto cleanup;
    }

    for (i = 0; i < object_count; ++i) {
        object_keys[i].image = objects[i].image;
        object_keys[i].index = i;
    }
    qsort(object_keys, object_count, sizeof *object_keys, by_image);
    for (i = 0; i < detection_count; ++i) {
        if (!(detections[i].score > score_threshold)) continue;
        if (matches[i].verdict == AP_TRUE) state[matches[i].object] = FOUND;
        if (matches[i].verdict != AP_FALSE) continue;
        wrong[wrong_count].score = detections[i].score;
        wrong[wrong_count++].index = i;
    }
    qsort(wrong, wrong_count, sizeof *wrong, by_score);

    for (i = 0; i < wrong_count; ++i) {
        const ap_detection *d = &detections[wrong[i].index];
        size_t best = best_object(objects, object_keys, object_count, d, iou_threshold);
        if (best == object_count) {
            ++c->background[d->class_id];
        } else if (!objects[best].difficult && state[best] == OPEN && objects[best].class_id != d->class_id) {
            state[best] = MISNAMED;
            c->pairs[c->pair_count].class_id = objects[best].class_id;
            c->pairs[c->pair_count].taken_for = d->class_id;
            c->pairs[c->pair_count++].count = 1;
        }
    }
    for (i = 0; i < object_count; ++i) {
        if (objects[i].difficult) continue;
        ++(state[i] == FOUND ? c->found : state[i] == MISNAMED ? c->misnamed : c->missed)[objects[i].class_id];
    }
    qsort(c->pairs, c->pair_count, sizeof *c->pairs, by_class);
    c->pair_count = add_up(c->pairs, c->pair_count);
    qsort(c->pairs, c->pair_count, sizeof *c->pairs, by_count);

cleanup:
    free(object_keys);
    free(wrong);
    free(state);
    return status;
}
