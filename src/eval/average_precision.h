/* Average precision (AP) of detections, and its mean over the classes (mAP): PASCAL VOC's rule for what counts as
 * found, and VOC's or COCO's way of reading AP off the precision/recall curve.
 *
 * Pure functions over arrays: no Darknet types, no files, no state. Sources: M. Everingham et al., "The PASCAL Visual
 * Object Classes (VOC) Challenge", IJCV 2010, section 4.2, with VOCevaldet.m and VOCap.m of its development kit;
 * COCOeval of pycocotools for the 101 recall points.
 *
 * Matching. The detections of a class are taken by score, highest first; equal scores in the order of the input. Each
 * looks at the object of its image and class that it overlaps most (equal overlaps: first in the input). It is a true
 * positive (TP) when that IoU reaches the threshold and the object was not found before, otherwise a false positive
 * (FP). A second-best object is never tried: that is VOC's rule, where COCO's would go on to the next free object.
 */
#ifndef AVERAGE_PRECISION_H
#define AVERAGE_PRECISION_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Centre, width and height, in one unit for objects and detections of an image (pixels, or parts of the image). A box
 * whose width or height is not above 0 overlaps nothing. */
typedef struct {
    float x, y, w, h;
} ap_box;

/* A labelled object. `image` is any number that names the image; `class_id` is 0..classes-1. */
typedef struct {
    int image, class_id;
    ap_box box;
} ap_object;

typedef struct {
    int image, class_id;
    ap_box box;
    float score; /* higher is surer; any finite value */
} ap_detection;

/* Start from ap_default_options, so that options added later keep their default in your code. */
typedef struct {
    int classes;           /* K, at least 1 */
    int points;            /* how AP is read off the curve; 0, 11 or 101, see below. Default 0 */
    double iou_threshold;  /* above 0, to 1: the IoU that a true positive needs at least. Default .5 */
    float score_threshold; /* ap_class.tp, .fp and .iou_sum count detections that score above it. Default .25. No
                            * influence on AP */
} ap_options;

/* AP, from the interpolated precision p(r) = highest precision at any recall >= r (0 where no recall is that high):
 *     points   0: area under p(r), summed exactly where recall changes (VOC from 2010 on)
 *     points  11: mean of p(r) at r = 0, .1, ... 1 (VOC to 2009)
 *     points 101: mean of p(r) at r = 0, .01, ... 1 (COCO's recall points)
 * A recall of exactly i/10 or i/100 reaches that point: it is compared as a fraction of whole numbers, not rounded. */
ap_options ap_default_options(int classes);

typedef struct {
    double ap;         /* 0..1; AP_NO_OBJECTS where the class has no objects, and so no recall */
    size_t objects;    /* labelled objects of the class */
    size_t detections; /* all of them, whatever they score */
    size_t tp, fp;     /* of the detections that score above score_threshold, matched as for AP */
    double iou_sum;    /* sum over those tp of their IoU; divide by tp + fp for Darknet's "average IoU" */
} ap_class;

#define AP_NO_OBJECTS (-1.)

typedef enum {
    AP_OK,
    AP_NO_MEMORY,
    AP_BAD_CLASSES,
    AP_BAD_POINTS,
    AP_BAD_IOU_THRESHOLD,
    AP_BAD_SCORE_THRESHOLD,
    AP_CLASS_OUT_OF_RANGE, /* of an object or a detection */
    AP_NOT_FINITE          /* a box or a score is infinite or not a number */
} ap_status;

/* AP of every class. `per_class` (K, the caller's) is written on success only; `objects` and `detections` may be null
 * where their count is 0. Sorts once: O((n + m) log(n + m)) time, some 40 bytes an object or detection meanwhile. */
ap_status average_precision(const ap_object *objects, size_t object_count, const ap_detection *detections,
                            size_t detection_count, const ap_options *options, ap_class *per_class);

/* Mean of AP over those of the `classes` that have objects; AP_NO_OBJECTS if none has. */
double mean_average_precision(const ap_class *per_class, int classes);

/* The counts of all classes added up, classes without objects too (their detections are false positives); `ap` is
 * mean_average_precision. */
ap_class ap_total(const ap_class *per_class, int classes);

/* Intersection over union, 0..1, without VOC's one pixel added to each side. */
double ap_iou(ap_box a, ap_box b);

/* What a status means, with the range allowed, as text without full stop. Static storage. */
const char *ap_status_text(ap_status status);

#ifdef __cplusplus
}
#endif
#endif
