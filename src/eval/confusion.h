/* Which class an object was taken for: of the objects that no box of their own class found, those that have a box of
 * another class in the right place.
 *
 * Boxes are those that score above a threshold, objects those that are not difficult. An object is found when a true
 * positive (average_precision.h) is among its boxes. The other boxes are taken by score, highest first: a false
 * positive looks at the object of its image, of any class, that it overlaps most. Where the IoU reaches the threshold
 * and the object is neither found nor difficult, it is misnamed: taken for the class of the first such box, and only
 * that. What is left of the objects is missed. A false positive that overlaps no object that much stands in the
 * background.
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
    size_t *found, *misnamed, *missed; /* classes: objects */
    size_t *background;                /* classes: boxes that stand in the background */
} confusion;

/* `matches` are those of average_precision_matches for these objects and detections, with the same `iou_threshold`.
 * AP_NO_MEMORY or AP_OK; call confusion_free in either case. */
ap_status confusion_count(const ap_object *objects, size_t object_count, const ap_detection *detections,
                          size_t detection_count, const ap_match *matches, int classes, double iou_threshold,
                          double score_threshold, confusion *result);
void confusion_free(confusion *c);

#endif
