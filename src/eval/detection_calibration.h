/* Whether the scores of a detector are probabilities: of the detections with a score near p, is a share p right?
 *
 * Detection ECE: the expected calibration error of classification_metrics.h, with a detection in place of an image, its
 * score in place of the confidence, and "is a true positive" in place of "is classified correctly" (Kueppers et al.,
 * "Multivariate Confidence Calibration for Object Detection", 2020, with bins of the score alone). Detections below a
 * lowest score are left out: they are most of what a detector puts out, each nearly surely wrong and scored so, and
 * would make the error of any detector look small.
 */
#ifndef DETECTION_CALIBRATION_H
#define DETECTION_CALIBRATION_H

#include "eval/average_precision.h"
#include "eval/classification_metrics.h"

/* Detections with a lower score are left out. */
#define CALIBRATION_LOWEST_SCORE .01

enum { CALIBRATION_BINS = 15 };

typedef struct {
    calibration_bin bins[CALIBRATION_BINS]; /* `probability` is the sum of the scores */
    size_t detections;                      /* in all bins */
    double ece;                             /* 0 to 1; -1: no detections, or a score above 1 */
} detection_calibration;

/* Of all classes together. `matches` are those of average_precision_matches; ignored detections are left out. */
detection_calibration calibrate_detections(const ap_detection *detections, const ap_match *matches, size_t count);

#endif
