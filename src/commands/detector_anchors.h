/* `darknet detector anchors`: computes anchors for the boxes of a data file's `train` list. */
#ifndef DETECTOR_ANCHORS_H
#define DETECTOR_ANCHORS_H

/* Runs `darknet detector anchors <data> [options]`; `detector anchors --help` explains the options. The arguments are
 * those of main. data/anchors.h describes the algorithm.
 *
 * A box has the size that it has in training: Darknet scales an image to fit into the network's input and keeps its
 * aspect ratio (load_data_detection in Darknet's data.c; detection does the same). Jitter is ignored here. With
 * -stretch, the size of a box is its width and height as fractions of the image times those of the input, as in
 * programs that stretch images; for images that are not square such anchors have the wrong shape for Darknet. The
 * labels are those that training reads; boxes that training ignores because they are too small are ignored here, too,
 * and counted.
 *
 * Writes to stdout a table, the average IoU and, as the last line, anchors= for [yolo]. The average IoU belongs to the
 * anchors as printed, rounded to three digits. Progress and errors (one line) go to stderr. Returns the exit status 0;
 * an error ends the program with status 1. */
int detector_anchors(int argc, char **argv);

#endif
