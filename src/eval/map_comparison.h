/* The difference in average precision of two detectors over the same images, with its interval by paired bootstrap over
 * the images (eval/bootstrap.h). */
#ifndef MAP_COMPARISON_H
#define MAP_COMPARISON_H

#include "eval/average_precision.h"
#include "eval/bootstrap.h"

/* What the AP of a class depends on: where its objects are, and its detections in the order of their scores. Images are
 * numbered from 1 here. */
typedef struct {
    int *objects; /* the image of every object that is not difficult, rising; owned */
    int *ranked;  /* by rank: the image of a true positive, or less that of a false positive (-7: one in image 7). Ends
                   * with the last true positive: what comes later changes no AP, of no sample either. Owned */
    size_t object_count, ranked_count;
} class_ranking;

typedef struct {
    class_ranking *classes;
    int class_count, image_count;
    uint32_t labels; /* of all objects: the sum of the CRC-32 of image, class, box and whether it is difficult, each a
                      * number of eight bytes. In a sum the order of the objects does not count */
} map_rankings;

/* The rankings without detections: ranked is NULL. The objects' boxes as they are in the label files, so that `labels`
 * is that of the files. Free with map_rankings_free. */
map_rankings map_rankings_of_objects(const ap_object *objects, size_t object_count, int classes, int images);

/* Adds the detections. `matches` are those that average_precision_matches gave for these objects. */
void map_rankings_add(map_rankings *r, const ap_detection *detections, const ap_match *matches, size_t count);

void map_rankings_free(map_rankings *r);

/* Compares a with b, which have the same objects. difference[classes + 1] gets a difference in AP for every class, NAN
 * where it has no objects, and, in the end, that in mAP. In a sample a class without objects is left out of the mean,
 * and its own interval is over the other samples. points and rule as in ap_options. samples: at least 1. Shows progress
 * on stderr where it takes more than two seconds. */
void map_compare(const map_rankings *a, const map_rankings *b, int points, ap_rule rule, int samples, double level,
                 uint64_t seed, paired_difference *difference);

#endif
