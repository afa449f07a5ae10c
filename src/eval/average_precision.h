/* Average precision (AP) of detections, and its mean over the classes (mAP): the rules of PASCAL VOC and of COCO for
 * what counts as found, and their ways of reading AP off the precision/recall curve.
 *
 * Pure functions over arrays: no Darknet types, no files, no state; where memory is out they end the program
 * (base/memory.h). Sources: M. Everingham et al., "The PASCAL Visual
 * Object Classes (VOC) Challenge", IJCV 2010, section 4.2, with VOCevaldet.m and VOCap.m of its development kit;
 * COCOeval of pycocotools.
 *
 * Matching. The detections of a class are taken by score, highest first. Each is a true positive (TP), a false positive
 * (FP), or ignored: then it is as if it were not there.
 *
 * AP_VOC. Of equal scores the one that comes first in the input is taken first. A detection looks at one object only:
 * that of its class and image with which its IoU is largest (equal: the first in the input). Below the threshold the
 * detection is an FP. From the threshold on it is
 *     ignored, where the object is a difficult one;
 *     an FP, where an earlier detection has found the object;
 *     a TP otherwise.
 *
 * AP_COCO. Of equal scores the one of the lower image number is taken first, then the one that comes first in the
 * input. An object counts unless it is difficult, or its area is not in the range that is asked for. A detection looks
 * at the objects of its class and image that no earlier detection has taken and whose IoU with it reaches the
 * threshold: where there are some that count, it takes the one with the largest IoU (equal: the last in the input), and
 * is a TP; otherwise, where there are some that do not count, it takes one of them in the same way, and is ignored;
 *     otherwise it is an FP, or ignored where its own area is not in the range that is asked for.
 *
 * Difficult objects are not among the objects that recall is a part of.
 */
#ifndef AVERAGE_PRECISION_H
#define AVERAGE_PRECISION_H

#include <stddef.h>

/* Centre, width and height, in one unit for objects and detections of an image: continuous coordinates, in which an
 * image of w pixels spans 0..w. VOC's corners count pixels from 1, both ends inside, so its xmin..xmax spans
 * xmin - 1 .. xmax, and the pixel that VOC's rule adds to every side is in the box already (detections_file.h). A box
 * whose width or height is not above 0 overlaps nothing. */
typedef struct {
    double x, y, w, h;
} ap_box;

/* A labelled object. `image` is any number that names the image; `class_id` is 0..classes-1. */
typedef struct {
    int image, class_id;
    ap_box box;
    int difficult; /* 1: whether it is found or not counts neither way */
} ap_object;

typedef struct {
    int image, class_id;
    ap_box box;
    double score; /* higher is surer; any finite value */
} ap_detection;

typedef enum { AP_VOC, AP_COCO } ap_rule;

/* Start from ap_default_options, so that options added later keep their default in your code. */
typedef struct {
    int classes;            /* K, at least 1 */
    ap_rule rule;           /* what counts as found. Default AP_VOC */
    int points;             /* how AP is read off the curve; 0, 11 or 101, see below. Default 0 */
    double iou_threshold;   /* above 0, to 1: the IoU that a true positive needs at least. Default .5 */
    double score_threshold; /* ap_class.tp, .fp and .iou_sum count detections that score above it. Default .25. No
                             * influence on AP */
    /* With AP_COCO only: */
    int max_detections;         /* as many detections of a class are taken of an image, by score. 0, the default: all */
    double area_low, area_high; /* in the unit of the boxes, both inside. Default: 0 and HUGE_VAL */
} ap_options;

/* AP, from the interpolated precision p(r) = highest precision at any recall >= r (0 where no recall is that high):
 *     points   0: area under p(r), summed exactly where recall changes (VOC from 2010 on)
 *     points  11: mean of p(r) at r = 0, .1, ... 1 (VOC to 2009)
 *     points 101: mean of p(r) at r = 0, .01, ... 1 (COCO's recall points)
 * A recall of exactly i/10 or i/100 reaches that point: it is compared as a fraction of whole numbers. With AP_COCO it
 * is compared in floating point as pycocotools does it, where a recall of 7/20 stays below .35: its points are
 * multiples of .01, and .01 * 35 is rounded up. */
ap_options ap_default_options(int classes);

typedef struct {
    double ap;         /* 0..1; AP_NO_OBJECTS where the class has no objects, and so no recall */
    size_t objects;    /* labelled objects of the class that count */
    size_t ignored;    /* those that do not: difficult, or of another area */
    size_t detections; /* all of them, whatever they score, those beyond max_detections too */
    size_t found;      /* true positives at any score; found / objects is the highest recall */
    size_t tp, fp;     /* of the detections that score above score_threshold, matched as for AP */
    double iou_sum;    /* sum over those tp of their IoU; divide by tp + fp for Darknet's "average IoU" */
} ap_class;

#define AP_NO_OBJECTS (-1.)

typedef enum {
    AP_OK,
    AP_BAD_CLASSES,
    AP_BAD_POINTS,
    AP_BAD_IOU_THRESHOLD,
    AP_BAD_SCORE_THRESHOLD,
    AP_CLASS_OUT_OF_RANGE, /* of an object or a detection */
    AP_NOT_FINITE          /* a box or a score is infinite or not a number */
} ap_status;

typedef enum { AP_FALSE, AP_TRUE, AP_IGNORED } ap_verdict;

/* What became of a detection. */
typedef struct {
    ap_verdict verdict;
    size_t object; /* AP_TRUE: place in `objects` of what it found */
    double iou;    /* AP_TRUE: with that object */
    size_t rank;   /* 1, 2, ... among the detections of its class that are not ignored; 0 for one that is */
} ap_match;

/* AP of every class. `per_class` (K, the caller's) is written on success only; `objects` and `detections` may be NULL
 * where their count is 0. Sorts once: O((n + m) log(n + m)) time, some 60 bytes an object or detection meanwhile. */
ap_status average_precision(const ap_object *objects, size_t object_count, const ap_detection *detections,
                            size_t detection_count, const ap_options *options, ap_class *per_class);

/* The same, and what became of each detection: `matches` (detection_count, the caller's), in the order of the input. */
ap_status average_precision_matches(const ap_object *objects, size_t object_count, const ap_detection *detections,
                                    size_t detection_count, const ap_options *options, ap_class *per_class,
                                    ap_match *matches);

/* COCO's twelve numbers; each is AP_NO_OBJECTS where no class has objects of that area. AP is the mean over the classes
 * with objects and over the IoU thresholds .50, .55, ... .95, at 101 recall points and 100 detections a class and
 * image. AR is the same mean of the highest recall. Areas are those of the boxes (in COCO's own files those of the
 * outlines): small is to 32^2, medium 32^2 to 96^2, large from 96^2 on. */
typedef struct {
    double ap, ap50, ap75, ap_small, ap_medium, ap_large;
    double ar1, ar10, ar100, ar_small, ar_medium, ar_large; /* ar1, ar10: at 1 and 10 detections a class and image */
} coco_metrics;

enum { COCO_THRESHOLDS = 10, COCO_MAX_DETECTIONS = 100 };

/* Boxes in pixels. `ap_per_class` (classes, the caller's; may be NULL): mean over the thresholds, or AP_NO_OBJECTS.
 * Written on success only. */
ap_status coco_evaluate(const ap_object *objects, size_t object_count, const ap_detection *detections,
                        size_t detection_count, int classes, coco_metrics *result, double *ap_per_class);

/* One point of a precision/recall curve: where the k-th true positive of a class stands. */
typedef struct {
    double recall, precision, score;
} ap_point;

/* The curve of a class with `objects` objects, from the matches of average_precision_matches: `points` (the caller's,
 * one for each of the class's `found`) in the order of rising recall. Returns how many. */
size_t ap_curve(const ap_detection *detections, const ap_match *matches, size_t detection_count, int class_id,
                size_t objects, ap_point *points);

/* Mean of AP over those of the `classes` that have objects; AP_NO_OBJECTS if none has. */
double mean_average_precision(const ap_class *per_class, int classes);

/* The counts of all classes added up, classes without objects too (their detections are false positives); `ap` is
 * mean_average_precision. */
ap_class ap_total(const ap_class *per_class, int classes);

/* Intersection over union, 0..1, of continuous boxes. */
double ap_iou(ap_box a, ap_box b);

/* What a status means, with the range allowed, as text without full stop. Static storage. */
const char *ap_status_text(ap_status status);

#endif
