/* Where a detector loses average precision: TIDE's split of the errors (Bolya, Foley, Hays and Hoffman, "TIDE: A
 * General Toolbox for Identifying Object Detection Errors", ECCV 2020).
 *
 * Matching (section 2.1 of the paper; where it leaves something open, as its program `tidecv` does it). Of every image
 * the best `max_detections` detections of all classes are used. From the highest score down, a detection takes the
 * object of its class that has the largest IoU with it among those that are still free, if that IoU is t_f or more.
 * Difficult objects are nobody's: a detection that took no object is ignored if more than t_f of its area lies in a
 * difficult object of its class.
 *
 * A detection that took no object (an ignored one too) is one error, the first of these that holds (section 2.2):
 *     localisation    its largest IoU with an object of its class is t_b to t_f
 *     classification  its largest IoU with an object of another class is t_f or more
 *     duplicate       its IoU with an object of its class that another detection took is t_f or more
 *     background      its IoU with every object is t_b or less
 *     both            none of these: the class is wrong, and the place too
 * An object that no detection took is missed unless it is the best object of a localisation or classification error.
 *
 * dAP of an error is what AP would gain if that error alone was corrected (section 2.3): of the localisation and
 * classification errors of a free object the one with the highest score takes it, if it is of the corrected kind, and
 * the others of that kind go; duplicates, background and both go; missed objects are not asked for. The gains do not
 * add up to 1 - AP. Two more: without false positives (all detections that took no object count last), and without
 * false negatives (objects that no detection took are not asked for).
 *
 * AP here is the mean over the classes of the mean of the interpolated precision at 101 recalls. A class counts that
 * has an object or a detection; without an object its AP is 0. So it may differ from mean_average_precision.
 */
#ifndef ERROR_SPLIT_H
#define ERROR_SPLIT_H

#include "eval/average_precision.h"

typedef enum {
    ERROR_CLASS,
    ERROR_LOCATION,
    ERROR_BOTH,
    ERROR_DUPLICATE,
    ERROR_BACKGROUND,
    ERROR_MISSED,
    ERROR_KINDS
} error_kind;

typedef struct {
    double foreground;     /* t_f: IoU of a hit; above `background`, 1 at most */
    double background;     /* t_b: up to this IoU a detection stands on nothing; above 0 */
    size_t max_detections; /* of an image */
} split_options;

/* The paper's and tidecv's: .5, .1, 100. */
split_options split_default_options(void);

typedef struct {
    double ap;                                               /* 0..1, and so are all gains */
    double gain[ERROR_KINDS];                                /* dAP; at least 0 */
    size_t count[ERROR_KINDS];                               /* detections with that error; of ERROR_MISSED objects */
    double without_false_positives, without_false_negatives; /* dAP of both */
} error_split;

/* Splits the errors. Detections with equal scores keep the order of image numbers, then that of the input. Every class
 * must be in 0..classes-1, every number finite. */
void split_errors(const ap_object *objects, size_t object_count, const ap_detection *detections, size_t detection_count,
                  int classes, const split_options *options, error_split *result);

/* The name of a kind in reports: "Cls", "Loc", "Both", "Dupe", "Bkg", "Miss". Static storage. */
const char *error_kind_name(error_kind kind);

#endif
