#include "eval/confusion.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Sort key: the index of a detection with its score, or of an object with its image. */
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
    free(c->misclassified);
    free(c->missed);
    free(c->background);
    memset(c, 0, sizeof *c);
}

/* Index of the object with the largest IoU among those of the detection's image; object_count if no IoU reaches
 * `least`. */
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

/* Merges equal pairs, which are neighbours after sorting. Returns the number of pairs that remain. */
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

/* The false positives with a score above the threshold, highest score first. The caller frees the result. */
static key *false_positives(const ap_detection *detections, size_t detection_count, const ap_match *matches,
                            double score_threshold, size_t *count)
{
    key *keys = (key *)xcalloc(detection_count, sizeof *keys);
    size_t i;
    *count = 0;
    for (i = 0; i < detection_count; ++i) {
        if (!(detections[i].score > score_threshold) || matches[i].verdict != AP_FALSE) continue;
        keys[*count].score = detections[i].score;
        keys[(*count)++].index = i;
    }
    qsort(keys, *count, sizeof *keys, by_score);
    return keys;
}

/* The objects, sorted by image. The caller frees the result. */
static key *objects_by_image(const ap_object *objects, size_t count)
{
    key *keys = (key *)xcalloc(count, sizeof *keys);
    size_t i;
    for (i = 0; i < count; ++i) {
        keys[i].image = objects[i].image;
        keys[i].index = i;
    }
    qsort(keys, count, sizeof *keys, by_image);
    return keys;
}

void confusion_count(const ap_object *objects, size_t object_count, const ap_detection *detections,
                     size_t detection_count, const ap_match *matches, int classes, double iou_threshold,
                     double score_threshold, confusion *c)
{
    enum { MISSED, FOUND, MISCLASSIFIED };
    key *object_keys = objects_by_image(objects, object_count);
    size_t i, wrong_count;
    key *wrong = false_positives(detections, detection_count, matches, score_threshold, &wrong_count);
    unsigned char *state = (unsigned char *)xcalloc(object_count, 1); /* of each object */

    c->classes = classes;
    c->pair_count = 0;
    c->pairs = (confusion_pair *)xcalloc(object_count, sizeof *c->pairs);
    c->found = (size_t *)xcalloc(classes, sizeof *c->found);
    c->misclassified = (size_t *)xcalloc(classes, sizeof *c->misclassified);
    c->missed = (size_t *)xcalloc(classes, sizeof *c->missed);
    c->background = (size_t *)xcalloc(classes, sizeof *c->background);

    for (i = 0; i < detection_count; ++i) {
        if (detections[i].score > score_threshold && matches[i].verdict == AP_TRUE) state[matches[i].object] = FOUND;
    }
    for (i = 0; i < wrong_count; ++i) {
        const ap_detection *d = &detections[wrong[i].index];
        size_t best = best_object(objects, object_keys, object_count, d, iou_threshold);
        if (best == object_count) {
            ++c->background[d->class_id];
        } else if (!objects[best].difficult && state[best] == MISSED && objects[best].class_id != d->class_id) {
            state[best] = MISCLASSIFIED;
            c->pairs[c->pair_count].class_id = objects[best].class_id;
            c->pairs[c->pair_count].taken_for = d->class_id;
            c->pairs[c->pair_count++].count = 1;
        }
    }
    for (i = 0; i < object_count; ++i) {
        size_t *const of_state[] = {c->missed, c->found, c->misclassified};
        if (!objects[i].difficult) ++of_state[state[i]][objects[i].class_id];
    }
    qsort(c->pairs, c->pair_count, sizeof *c->pairs, by_class);
    c->pair_count = add_up(c->pairs, c->pair_count);
    qsort(c->pairs, c->pair_count, sizeof *c->pairs, by_count);
    free(object_keys);
    free(wrong);
    free(state);
}
