/* What `darknet detector map` says: as text, and as JSON. */
#ifndef MAP_REPORT_H
#define MAP_REPORT_H

#include "eval/average_precision.h"
#include "eval/confusion.h"
#include "data/data_file.h"

typedef struct {
    const valid_data *data;
    const ap_options *options;
    const ap_class *per_class;
    const confusion *taken_for; /* which class was taken for which */
    const coco_metrics *coco;   /* NULL without -coco */
    const double *coco_ap;      /* by class; NULL without -coco */
    const ap_detection *detections;
    const ap_match *matches; /* of the detections */
    size_t detection_count;
    size_t difficult;    /* objects marked so */
    int count_difficult; /* they count as ordinary objects */
    const char *source;  /* where the detections come from, and how they were made: one line */
} map_result;

/* To stdout. Returns 0, or 1 after one line on stderr. */
int map_report_text(const map_result *result);

/* To a file that appears whole, or to stdout where `path` is "-". Returns 0, or 1 after one line on stderr. */
int map_report_json(const map_result *result, const char *path);

/* How AP is read off the curve, in words. */
const char *points_text(int points);

#endif
