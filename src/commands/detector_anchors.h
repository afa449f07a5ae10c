/* `darknet detector anchors`: anchors for the boxes of a data file's `train` list. */
#ifndef DETECTOR_ANCHORS_H
#define DETECTOR_ANCHORS_H

/* darknet detector anchors <data> [options]; `detector anchors --help` explains the options. The arguments are those of
 * main. data/anchors.h says how the anchors are found.
 *
 * A box counts with the size that training gives it: Darknet scales an image to fit into the network's input, without
 * changing its aspect but for jitter, which is left out here (load_data_detection in Darknet's data.c; its detectors
 * look at images in the same way). With -stretch it counts with its width and height as fractions of the image times
 * those of the network, as programs that stretch images reckon; on images that are not square these anchors are too
 * tall, or too wide, for Darknet. Labels are those that training reads; what it leaves out for being too small is left
 * out and counted.
 *
 * Writes to stdout a table, the average IoU and, as the last line, the key to paste into [yolo]. These are the anchors
 * as printed, to three digits. Progress and errors (one line) go to stderr. Returns the exit status, 0; an error
 * ends the program with status 1. */
int detector_anchors(int argc, char **argv);

#endif
