/* Which class an object was taken for: of the objects that no box of their own class found, those on which a box of
 * another class stands.
 *
 * Boxes are those that score above a threshold; a difficult object counts nowhere, and neither does a false
 * positive on it. Every other object is one of three:
 *     found          a true positive (average_precision.h) is among its boxes;
 *     misclassified  it is not found, and a false positive of another class stands on it;
 *     missed         neither.
 * A false positive stands on that object of its image, of any class, with which its IoU is largest, where that IoU
 * reaches the threshold; otherwise it stands in the background. Where several stand on an object, it is taken for the
 * class of the one with the highest score, and counts for that class only.
 */
#ifndef CONFUSION_H
#define CONFUSION_H

#include "eval/average_precision.h"

typedef struct {
    int class_id, taken_for;
    size_t count;
} confusion_pair;

typedef struct {
    int classes;
    confusion_pair *pairs; /* only those that occur; most frequent first, equal ones by class */
    size_t pair_count;
    size_t *found, *misclassified, *missed; /* classes: objects */
    size_t *background;                     /* classes: boxes that stand in the background */
} confusion;

/* `matches` are those of average_precision_matches for these objects and detections, with the same `iou_threshold`.
 * Free the result with confusion_free. */
void confusion_count(const ap_object *objects, size_t object_count, const ap_detection *detections,
                     size_t detection_count, const ap_match *matches, int classes, double iou_threshold,
                     double score_threshold, confusion *result);
void confusion_free(confusion *c);

#endif
