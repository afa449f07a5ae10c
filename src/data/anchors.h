/* Finds anchors for [yolo] and [region]: typical sizes of the boxes in a data set, by k-means.
 *
 * Source: J. Redmon and A. Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, section 2, "Dimension Clusters".
 * The distance between a box and an anchor is 1 - IoU, with both at the same corner. With a Euclidean distance, large
 * boxes would count more than small ones. The aim is the largest average IoU of the boxes with their best anchors.
 *
 * Pure functions over arrays: no Darknet types, no files, no state. They end the program when memory runs out
 * (base/memory.h). Boxes and anchors have the same unit, usually pixels of the network's input.
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
 * Every restart begins with boxes drawn by k-means++ (D. Arthur and S. Vassilvitskii, SODA 2007): each with a
 * probability proportional to its distance to the nearest box drawn before. Then two steps alternate until no box
 * changes its anchor: every box is assigned to the anchor with the largest IoU, and every anchor moves to the median
 * width and the median height of its boxes. (The mean, as in plain k-means, gave a lower average IoU on every data set
 * that was tried: 1 - IoU is not a squared distance.) An anchor without boxes moves to the box that fits its own anchor
 * worst. The result is the best set of anchors in all restarts.
 *
 * `anchors` (num, owned by the caller) is written on success only, sorted by area, smallest first. The same boxes in
 * any order with the same seed give the same bits. `progress` may be NULL; it is called after every restart. The time
 * is O(restarts x iterations x count x num); about 40 bytes per box are allocated meanwhile. */
anchors_status find_anchors(const anchor_size *sizes, size_t count, int num, unsigned seed, int restarts,
                            anchor_size *anchors, void (*progress)(int done, int restarts));

/* The number of different sizes among `count` boxes. */
size_t count_different_sizes(const anchor_size *sizes, size_t count);

/* Assigns each of `count` boxes (at least 1) to the anchor with the largest IoU (the first of equals) and returns the
 * average of these IoUs. Also writes the number of boxes and the average IoU of every anchor (0 without boxes). Both
 * arrays (num, owned by the caller) may be NULL, but `iou` needs `boxes`. */
double match_anchors(const anchor_size *sizes, size_t count, const anchor_size *anchors, int num, size_t *boxes,
                     double *iou);

/* Intersection over union, 0..1, of two boxes with the same corner. */
double anchor_iou(anchor_size a, anchor_size b);

#endif
