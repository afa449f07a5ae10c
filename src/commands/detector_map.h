/* `darknet detector map`: AP of every class and their mean, over the images of a data file's `valid` list. */
#ifndef DETECTOR_MAP_H
#define DETECTOR_MAP_H

#ifdef __cplusplus
extern "C" {
#endif

/* darknet detector map <data> <cfg> <weights> [-points 0|11|101] [-iou_thresh .5] [-thresh .25] [-nms .45]
 *
 * The arguments are those of main (argv[2] is "map"), before any other function took options out of them: run_detector
 * removes -thresh. Options are removed from argv as Darknet's find_*_arg do; the order of arguments is free.
 *
 *     -points      how AP is read off the precision/recall curve, see average_precision.h
 *     -iou_thresh  overlap that a true positive needs
 *     -thresh      the counts, precision, recall, F1 and average IoU are of detections that score above it. AP is
 *                  always of all detections from .005 on, as in `detector valid`
 *     -nms         overlap from which the lower of two boxes of a class is dropped; 0 keeps all
 *
 * Labels are looked for where training looks for them (fill_truth_detection in Darknet's data.c). An image without
 * label file is an image without objects. `classes` and `names` of the data file must agree with the cfg.
 *
 * Writes the result to stdout, progress and errors (one line) to stderr. Returns the exit status: 0, or 1 on any error.
 * Everything the caller passed stays the caller's. */
int detector_map(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
