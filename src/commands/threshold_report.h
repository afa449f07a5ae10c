/* The part of `darknet detector map` about scores: the threshold of the best F1, precision, recall and F1 against the
 * threshold, and the calibration of the scores; as text, JSON and a picture. */
#ifndef THRESHOLD_REPORT_H
#define THRESHOLD_REPORT_H

#include "eval/average_precision.h"
#include "eval/detection_calibration.h"
#include "eval/threshold_search.h"

#include <stdio.h>

/* The detections that are looked at; all of it is the caller's. */
typedef struct {
    char **names;
    const ap_class *per_class;
    int classes;
    const ap_detection *detections;
    const ap_match *matches; /* by detection */
    size_t count;
} scored_detections;

typedef struct {
    best_threshold all;        /* one threshold for all classes */
    best_threshold *per_class; /* each class with its own; owned */
    double lowest;             /* the lowest threshold that may be chosen */
    detection_calibration calibration;
} score_result;

/* Free with score_result_free. */
score_result evaluate_scores(const scored_detections *d, double lowest);
void score_result_free(score_result *result);

/* Prints the thresholds as a table, and the calibration in a line. */
void print_scores(const score_result *result, const scored_detections *d, double iou_threshold);

/* Writes "best_f1": {...}, or null where there is no true positive. */
void json_best_threshold(FILE *out, const best_threshold *best);

/* Writes "calibration": {...}. */
void json_calibration(FILE *out, const detection_calibration *c);

/* Draws precision, recall and F1 against the threshold into the file `png`, a panel for all classes and one for each,
 * with the best threshold marked. Needs gnuplot. Returns 0, or 1 after one line on stderr. */
int threshold_curves_png(const char *png, const score_result *result, const scored_detections *d);

#endif
