/* Plots precision/recall curves. */
#ifndef PR_CURVES_H
#define PR_CURVES_H

#include "eval/average_precision.h"

/* Draws one panel per class into the file `png`: the points of its curve, and the interpolated precision that AP is
 * computed from. `names` and `per_class` have `classes` entries; matches[detection_count] belong to the detections.
 * Needs gnuplot. Returns 0, or 1 after one line on stderr. */
int pr_curves_png(const char *png, const char *title, char **names, const ap_class *per_class, int classes,
                  const ap_detection *detections, const ap_match *matches, size_t detection_count);

#endif
