/* The report of `darknet detector map`, as text and as JSON. */
#ifndef MAP_REPORT_H
#define MAP_REPORT_H

#include "commands/compared_report.h"
#include "commands/threshold_report.h"
#include "eval/average_precision.h"
#include "eval/confusion.h"
#include "eval/error_split.h"
#include "eval/map_file.h"
#include "data/data_file.h"

typedef struct {
    const valid_data *data;
    const ap_options *options;
    const ap_class *per_class;
    const confusion *taken_for; /* confusion of classes */
    const coco_metrics *coco;   /* NULL without -coco */
    const double *coco_ap;      /* by class; NULL without -coco */
    const scored_detections *scored;
    const score_result *scores;
    const error_split *split; /* NULL without -tide */
    const split_options *split_how;
    const map_compared *compared; /* NULL without -compare */
    const map_rankings *rankings; /* for a later -compare, with the rules (eval/map_file.h) */
    const char *rules;
    const ap_detection *detections;
    const ap_match *matches; /* by detection */
    size_t detection_count;
    size_t difficult;    /* number of difficult objects */
    int count_difficult; /* 1: difficult objects are used as ordinary ones */
    int has_loss;        /* 1: there is a loss */
    double loss;         /* mean over the images (eval/detection_loss.h) */
    const char *source;  /* one line on where the detections come from and how they were made */
} map_result;

/* Writes the report to stdout as text. Returns 0, or 1 after one line on stderr. */
int map_report_text(const map_result *result);

/* Writes the report as JSON to `path`, replaced only once it is complete, or to stdout if `path` is "-". Returns 0, or
 * 1 after one line on stderr. */
int map_report_json(const map_result *result, const char *path);

/* Text for ap_options.points. Static storage. */
const char *points_text(int points);

#endif
