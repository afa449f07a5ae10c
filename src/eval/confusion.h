/* Confusion of classes in detection: which objects were detected only as another class, and as which one.
 *
 * Only detections with a score above a threshold are used. Difficult objects, and false positives whose best object is
 * a difficult one, are not counted. Every other object is one of three:
 *     found          it has a true positive (average_precision.h);
 *     misclassified  it is not found, and a false positive of another class is assigned to it;
 *     missed         neither.
 * A false positive is assigned to the object of its image, of any class, with the largest IoU, if that IoU is at least
 * the threshold; otherwise it is counted as background. If several false positives of other classes are assigned to an
 * object, the one with the highest score decides, and only this one is counted.
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
    confusion_pair *pairs; /* pairs with a count above 0; most frequent first, equal counts by class */
    size_t pair_count;
    size_t *found, *misclassified, *missed; /* [classes]: numbers of objects */
    size_t *background;                     /* [classes]: false positives on the background */
} confusion;

/* Fills `result`. `matches` are those that average_precision_matches gave for these objects and detections with the
 * same `iou_threshold`. class_id must be in 0..classes-1. Free the result with confusion_free. */
void confusion_count(const ap_object *objects, size_t object_count, const ap_detection *detections,
                     size_t detection_count, const ap_match *matches, int classes, double iou_threshold,
                     double score_threshold, confusion *result);
void confusion_free(confusion *c);

#endif
