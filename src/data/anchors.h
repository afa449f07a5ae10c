/* Anchors for [yolo] and [region]: the sizes that boxes of a data set come in, found by k-means over IoU.
 *
 * Source: J. Redmon and A. Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, section 2, "Dimension Clusters".
 * The distance of a box to an anchor is 1 - IoU of the two laid on one corner, so that large boxes do not count for
 * more than small ones, as they would with a Euclidean distance. What is sought is the largest average IoU of the boxes
 * with the anchor that suits each best.
 *
 * Pure functions over arrays: no Darknet types, no files, no state; where memory is out they end the program
 * (base/memory.h). One unit for boxes and anchors: pixels of the
 * network's input, usually.
 */
#ifndef ANCHORS_H
#define ANCHORS_H

#include <stddef.h>

/* Width and height of a box, or of an anchor. */
typedef struct {
    double w, h;
} anchor_size;

typedef enum {
    ANCHORS_OK,
    ANCHORS_BAD_SIZE,     /* a width or height that is not a finite number above 0 */
    ANCHORS_BAD_NUMBER,   /* less than one anchor, or less than one restart */
    ANCHORS_TOO_FEW_SIZES /* fewer different sizes than anchors */
} anchors_status;

/* Finds `num` anchors for `count` boxes.
 *
 * Every restart begins at boxes drawn as k-means++ does (D. Arthur and S. Vassilvitskii, SODA 2007): each with a
 * probability proportional to its distance to the nearest one drawn before. Then in turn every box goes to the anchor
 * of largest IoU, and every anchor to the median width and the median height of its boxes, until no box changes its
 * anchor. (The mean, as in plain k-means, gave a lower average IoU on every set that was tried: the distance is no
 * square.) An anchor without boxes goes to the box that fits its own worst. The best anchors seen in any restart are
 * the result.
 *
 * `anchors` (num, the caller's) is written on success only, sorted by area, smallest first. The same boxes in any order
 * with the same seed give the same bits. `progress` may be NULL; it is called after every restart. Takes
 * O(restarts x iterations x count x num) time, some 40 bytes a box meanwhile. */
anchors_status find_anchors(const anchor_size *sizes, size_t count, int num, unsigned seed, int restarts,
                            anchor_size *anchors, void (*progress)(int done, int restarts));

/* How many different sizes there are; 0 where `count` is 0. */
size_t count_different_sizes(const anchor_size *sizes, size_t count);

/* The average over `count` boxes (at least 1) of the IoU with the anchor that suits each best (equal: the first).
 * Writes for every anchor how many boxes it suits best, and their average IoU (0 where there are none); both arrays
 * (num, the caller's) may be NULL. */
double match_anchors(const anchor_size *sizes, size_t count, const anchor_size *anchors, int num, size_t *boxes,
                     double *iou);

/* Intersection over union, 0..1, of two boxes laid on one corner. */
double anchor_iou(anchor_size a, anchor_size b);

#endif
