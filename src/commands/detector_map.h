/* `darknet detector map`: average precision (AP) of every class, and their mean (mAP), over the images of a data file's
 * `valid` list. */
#ifndef DETECTOR_MAP_H
#define DETECTOR_MAP_H

/* Runs one of
 *     darknet detector map <data> <cfg> <weights> [options]      detects, then evaluates
 *     darknet detector map <data> -dets <path> [options]         evaluates detections read from files
 *
 * `detector map --help` explains the options (`usage` in detector_map.c). The arguments are those of main (argv[2] is
 * "map") before any other function removed options. Behind "map" they may have any order.
 *
 * Boxes. Labels and detections are in continuous coordinates (ap_box in average_precision.h). VOC counts pixels: a side
 * from pixel xmin to pixel xmax has the length xmax - xmin + 1. voc-to-darknet and detections_file.h convert VOC's
 * pixel numbers so that this "+ 1" is already in the coordinates. Darknet's own scripts/voc_label.py does not: its
 * boxes are one pixel too short and too narrow, and so are the detections of a network trained with them. -voc_label
 * corrects both: it makes labels and detections one pixel longer, to the right and downwards. The network's boxes are
 * clipped to the image, as in `detector valid`.
 *
 * Writes the result to stdout, progress and errors (one line) to stderr. Returns the exit status: 0, or 1 on any
 * error. */
int detector_map(int argc, char **argv);

#endif
