/* `darknet detector map`: AP of every class and their mean, over the images of a data file's `valid` list. */
#ifndef DETECTOR_MAP_H
#define DETECTOR_MAP_H

/* darknet detector map <data> <cfg> <weights> [options]      detects, and evaluates
 * darknet detector map <data> -dets <path> [options]         evaluates detections that are in files
 *
 * The options are explained by `detector map --help` (`usage` in detector_map.c). The arguments are those of main
 * (argv[2] is "map"), before any other function took options out of them. The order of arguments behind "map" is free.
 *
 * Boxes. Labels and the network's boxes are continuous coordinates (ap_box in average_precision.h), in which VOC's
 * rule, that a side from pixel xmin to pixel xmax is xmax - xmin + 1 long, is already in the numbers: so says the
 * converter voc-to-darknet, and so detections are written and read (detections_file.h). Darknet's own
 * scripts/voc_label.py makes labels that are a pixel shorter and narrower than VOC's boxes, and a network that was
 * trained on such labels finds boxes as short: with -voc_label both are made a pixel longer, to the right and down. The
 * network's boxes are cut to the image, as `detector valid` does before it writes them.
 *
 * Writes the result to stdout, progress and errors (one line) to stderr. Returns the exit status: 0, or 1 on any error.
 * Everything the caller passed stays the caller's. */
int detector_map(int argc, char **argv);

#endif
