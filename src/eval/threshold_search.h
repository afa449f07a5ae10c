/* Precision, recall and F1 against the score that a detection needs, and the threshold at which F1 is highest. Plain
 * functions from arrays to numbers.
 *
 * A threshold t keeps the detections with a score above t. What it keeps changes only where t passes a score, so each
 * distinct score s of the detections stands for one set: all with a score of at least s, those of equal scores
 * together. A detection that the matching ignores is in no set. Whether a detection is a true positive does not depend
 * on those below it (average_precision.h), nor does NMS keep it because of them: the numbers of a set are those that a
 * detector has which is run with this threshold.
 *
 *     precision = TP / kept, recall = TP / objects, F1 = 2 TP / (kept + objects)
 *
 * C. J. van Rijsbergen, "Information Retrieval", 1979, ch. 7; with all classes together these are micro averages.
 */
#ifndef THRESHOLD_SEARCH_H
#define THRESHOLD_SEARCH_H

#include "eval/average_precision.h"

#include <stddef.h>

typedef struct {
    double score;    /* the lowest one that is kept */
    size_t tp, kept; /* kept = TP + FP */
    double precision, recall, f1;
} operating_point;

/* In place of a class: one threshold for all of them. */
enum { ALL_CLASSES = -1 };

/* The operating points of a class, or of ALL_CLASSES, by falling score. `matches` are those of
 * average_precision_matches, `objects` is how many objects there are to find (ap_class.objects). `points`, the
 * caller's, has room for all detections. Returns the number of points. Time O(n log n). */
size_t operating_points(const ap_detection *detections, const ap_match *matches, size_t detection_count, int class_id,
                        size_t objects, operating_point *points);

/* The lowest threshold that keeps the set of point i and no more: the next lower score, or `lowest` where there is
 * none. Where `lowest` is no lower itself: half the score, or one less than a score that is not above 0. */
double lowest_threshold_of(const operating_point *points, size_t count, size_t i, double lowest);

/* A threshold and what it comes to. */
typedef struct {
    double threshold; /* see threshold_between */
    double precision, recall, f1;
} best_threshold;

/* The threshold of the highest F1; of equal ones, which are compared as fractions of whole numbers, the one that keeps
 * the fewest. It lies between lowest_threshold_of and the lowest score that is kept. Without a true positive F1 is 0,
 * and so are all members. */
best_threshold find_best_threshold(const operating_point *points, size_t count, size_t objects, double lowest);

/* The number t with the fewest decimals, one at least, for which low <= t < high; of several the one nearest to the
 * middle. Rounded to a float, as Darknet's own commands have it, it is below `high` as well, but where low and high are
 * the same float. */
double threshold_between(double low, double high);

#endif
