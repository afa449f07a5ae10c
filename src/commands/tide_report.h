/* The part of the report of `darknet detector map` that -tide adds. */
#ifndef TIDE_REPORT_H
#define TIDE_REPORT_H

#include "eval/error_split.h"

#include <stdio.h>

void tide_report_text(const error_split *split, const split_options *options);

/* Writes "tide": {...}, without a comma behind it. */
void tide_report_json(FILE *out, const error_split *split, const split_options *options);

#endif
