/* Average precision (AP) of detections, per class, and its mean over the classes (mAP), by the rules of PASCAL VOC or
 * of COCO. The two differ in which detections are true positives, and in how AP is computed from the precision/recall
 * curve.
 *
 * All functions are pure: they read and write arrays, have no state, use no files and no Darknet types. When memory
 * runs out they end the program (base/memory.h). Sources: M. Everingham et al., "The PASCAL Visual Object Classes (VOC)
 * Challenge", IJCV 2010, section 4.2, with VOCevaldet.m and VOCap.m of its development kit; COCOeval of pycocotools.
 *
 * Matching. The detections of a class are visited in the order of falling score. Each one becomes a true positive (TP),
 * a false positive (FP), or ignored; an ignored detection has no effect on any number.
 *
 * AP_VOC. Detections with equal scores are visited in the order of the input. A detection is compared with one object
 * only: the object of its class and image with the largest IoU (of several equal ones, the first in the input). If that
 * IoU is below the threshold, the detection is an FP. Otherwise it is
 *     ignored, if the object is difficult;
 *     an FP, if an earlier detection has matched the object;
 *     a TP, if not.
 *
 * AP_COCO. Detections with equal scores are visited by rising image number, then in the order of the input. An object
 * is ignored if it is difficult or its area is outside area_low..area_high. The candidates of a detection are the
 * objects of its class and image that no earlier detection has matched and whose IoU with it is at least the threshold.
 * It is
 *     a TP, if some candidates are not ignored: it matches the one of these with the largest IoU (of equal ones, the
 *         last in the input);
 *     ignored, if all candidates are ignored objects: it matches one of them, chosen in the same way;
 *     ignored, if there is no candidate and its own area is outside area_low..area_high;
 *     an FP otherwise.
 *
 * Recall counts only the objects that are not ignored.
 */
#ifndef AVERAGE_PRECISION_H
#define AVERAGE_PRECISION_H

#include <stddef.h>

/* A box: centre, width and height, in continuous coordinates, in which an image of w pixels spans 0..w. The boxes of
 * objects and detections must have the same unit. VOC's own corners are pixel numbers that start at 1, and both corner
 * pixels belong to the box: VOC's xmin..xmax is xmin - 1 .. xmax here, so widths need no "+ 1" (see detections_file.h).
 * A box whose width or height is not above 0 has IoU 0 with every box. */
typedef struct {
    double x, y, w, h;
} ap_box;

/* A labelled object. `image` is any number that names the image; `class_id` is 0..classes-1. */
typedef struct {
    int image, class_id;
    ap_box box;
    int difficult; /* 1: neither found nor missed counts */
} ap_object;

typedef struct {
    int image, class_id;
    ap_box box;
    double score; /* higher is more confident; any finite value */
} ap_detection;

typedef enum { AP_VOC, AP_COCO } ap_rule;

/* Start from ap_default_options, so that options added later keep their default in your code. */
typedef struct {
    int classes;            /* K, at least 1 */
    ap_rule rule;           /* how detections are matched to objects. Default AP_VOC */
    int points;             /* how AP is computed from the curve: 0, 11 or 101, see below. Default 0 */
    double iou_threshold;   /* smallest IoU of a true positive: above 0, at most 1. Default .5 */
    double score_threshold; /* ap_class.tp, .fp and .iou_sum count only detections with a score above this. Default .25.
                             * AP does not depend on it */
    /* With AP_COCO only: */
    int max_detections;         /* the best so many detections of each class and image are used. 0, the default: all */
    double area_low, area_high; /* in the boxes' unit squared, both ends included. Default: 0 and HUGE_VAL */
} ap_options;

/* Default options for `classes` classes. `points` says how AP is computed from the interpolated precision p(r), the
 * highest precision at any recall >= r (0 where no recall is that high):
 *     points   0: area under p(r), summed exactly where recall changes (VOC from 2010 on)
 *     points  11: mean of p(r) at r = 0, .1, ... 1 (VOC to 2009)
 *     points 101: mean of p(r) at r = 0, .01, ... 1 (COCO)
 * A recall of exactly i/10 or i/100 reaches that point, because both are compared as fractions of whole numbers. With
 * AP_COCO they are compared in floating point, as in pycocotools: there a recall of 7/20 does not reach .35, because
 * .01 * 35 is rounded up. */
ap_options ap_default_options(int classes);

typedef struct {
    double ap;         /* 0..1; AP_NO_OBJECTS if `objects` is 0, as recall is then undefined */
    size_t objects;    /* labelled objects of the class that are not ignored */
    size_t ignored;    /* ignored objects: difficult, or of an area that is not asked for */
    size_t detections; /* all detections of the class, of any score, also those beyond max_detections */
    size_t found;      /* true positives at any score; found / objects is the highest recall */
    size_t tp, fp;     /* among detections with a score above score_threshold; matched as for AP */
    double iou_sum;    /* sum of the IoU of these tp; divide by tp + fp for Darknet's "average IoU" */
} ap_class;

#define AP_NO_OBJECTS (-1.)

typedef enum {
    AP_OK,
    AP_BAD_CLASSES,
    AP_BAD_POINTS,
    AP_BAD_IOU_THRESHOLD,
    AP_BAD_SCORE_THRESHOLD,
    AP_CLASS_OUT_OF_RANGE, /* class_id of an object or a detection */
    AP_NOT_FINITE          /* a box or a score is infinite or not a number */
} ap_status;

typedef enum { AP_FALSE, AP_TRUE, AP_IGNORED } ap_verdict;

/* How one detection was matched. */
typedef struct {
    ap_verdict verdict;
    size_t object; /* AP_TRUE: index in `objects` of the matched object; else 0 */
    double iou;    /* AP_TRUE: IoU with that object; else 0 */
    size_t rank;   /* 1, 2, ... among the detections of its class that are not ignored; 0 for one that is */
} ap_match;

/* Computes AP of every class. per_class[K] is the caller's, and is written only when AP_OK is returned. `objects` and
 * `detections` may be NULL if their count is 0. Time O((n + m) log(n + m)); about 60 bytes of memory per object or
 * detection during the call. */
ap_status average_precision(const ap_object *objects, size_t object_count, const ap_detection *detections,
                            size_t detection_count, const ap_options *options, ap_class *per_class);

/* The same; it also fills matches[detection_count], the caller's, in the order of `detections`. `matches` may be
 * NULL. */
ap_status average_precision_matches(const ap_object *objects, size_t object_count, const ap_detection *detections,
                                    size_t detection_count, const ap_options *options, ap_class *per_class,
                                    ap_match *matches);

/* COCO's twelve metrics; each is AP_NO_OBJECTS if no class has objects in its range of areas. AP is the mean over the
 * classes that have objects and over the IoU thresholds .50, .55, ... .95, with 101 recall points and the best 100
 * detections of each class and image. AR is the mean of the highest recall over the same classes and thresholds. Areas
 * are those of the boxes (COCO's own files use the areas of the outlines): small is up to 32^2, medium 32^2 to 96^2,
 * large from 96^2 on. */
typedef struct {
    double ap, ap50, ap75, ap_small, ap_medium, ap_large;
    double ar1, ar10, ar100, ar_small, ar_medium, ar_large; /* ar1, ar10: at 1 and 10 detections a class and image */
} coco_metrics;

enum { COCO_THRESHOLDS = 10, COCO_MAX_DETECTIONS = 100 };

/* Computes COCO's metrics; boxes are in pixels. ap_per_class[classes], the caller's, may be NULL: mean AP of each class
 * over the thresholds, or AP_NO_OBJECTS. Results are written only when AP_OK is returned. */
ap_status coco_evaluate(const ap_object *objects, size_t object_count, const ap_detection *detections,
                        size_t detection_count, int classes, coco_metrics *result, double *ap_per_class);

/* AP from the ranks of a class's true positives: tp_rank[k], from 0, is the number of detections that are not ignored,
 * down to true positive k and including it. `objects` is at least 1 and at least `tp`; points and rule as in
 * ap_options. */
double ap_of_ranks(const size_t *tp_rank, size_t tp, size_t objects, int points, ap_rule rule);

/* A point of the precision/recall curve of a class: recall and precision of the detections down to the k-th true
 * positive, and the score of that one. */
typedef struct {
    double recall, precision, score;
} ap_point;

/* Computes the precision/recall curve of a class with `objects` objects from the matches of average_precision_matches.
 * `points` (the caller's, room for ap_class.found of them) are filled in the order of rising recall. Returns their
 * number. */
size_t ap_curve(const ap_detection *detections, const ap_match *matches, size_t detection_count, int class_id,
                size_t objects, ap_point *points);

/* Mean AP over the classes that have objects; AP_NO_OBJECTS if none has. */
double mean_average_precision(const ap_class *per_class, int classes);

/* Sums of all counts over all classes, also those without objects (their detections are false positives). Its `ap` is
 * mean_average_precision. */
ap_class ap_total(const ap_class *per_class, int classes);

/* Intersection over union (IoU) of two boxes, 0..1. */
double ap_iou(ap_box a, ap_box b);

/* Text for a status, such as "the recall points must be 0, 11 or 101". Static storage. */
const char *ap_status_text(ap_status status);

#endif
