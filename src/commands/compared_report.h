/* The part of the report of `darknet detector map` that -compare adds. */
#ifndef COMPARED_REPORT_H
#define COMPARED_REPORT_H

#include "eval/bootstrap.h"

#include <stdio.h>

typedef struct {
    const char *with; /* the file */
    double iou_threshold;
    int samples, images, classes;
    char **names;                        /* [classes] */
    const paired_difference *difference; /* [classes + 1] in AP, NAN without objects; in the end in mAP */
} map_compared;

void compared_report_text(const map_compared *c);

/* Writes "compared": {...}, without a comma behind it. */
void compared_report_json(FILE *out, const map_compared *c);

#endif
