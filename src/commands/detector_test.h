/* What is added to Darknet's `detector test` and `detector demo`: the threshold of the best F1 as the default, and a
 * line where no box reaches the threshold, and the boxes' coordinates; and to
 * `detector valid`: the folder that it writes to. */
#ifndef DETECTOR_TEST_H
#define DETECTOR_TEST_H

#include "darknet.h"

#include <math.h> /* NAN, for the hook */
#include <stdio.h>

/* Hook in run_detector: the score that a box needs. `given` is the value of -thresh, or NAN where it was not given:
 * then it is the threshold of X_best.json beside X_best.weights (eval/threshold_file.h), or else Darknet's .5. */
float detector_threshold(float given, const char *weights);

/* Hook in run_detector, before boxes are drawn: ends the program with one line where the file has fewer names than
 * there are classes, beyond whose end Darknet would read. */
void check_names(char *names_file, int classes);

/* Hook in test_detector, after the boxes of an image of w x h pixels were found in the network's output with this
 * threshold: where no class of a box is above it, one line on stderr says so, with the highest score and a threshold
 * that shows something. */
void tell_if_no_box(network *net, int w, int h, const detection *boxes, int count, float thresh, char **names);

/* Hook in test_detector, before Darknet draws boxes that score above `thresh` into an image: outlines them in Darknet's
 * colours, a pixel wide, where the image is so small that Darknet draws their names alone. */
void outline_boxes(image im, const detection *boxes, int count, float thresh, int classes);

/* Hook in validate_detector and validate_detector_flip, before they open their files in the folder of results=: makes
 * the folder where it is not there. Ends the program with one line where that fails, where nothing can be written
 * there, or where the file has fewer names than there are classes. */
void begin_results(const char *folder, char *names_file, int classes);

/* In the same functions: opens a file of results to be written. Ends the program with one line where that fails. */
FILE *open_result(const char *path);

/* Hook in test_detector: writes the image to a file of this name, where it ends in .png, .bmp, .tga, .jpg or .jpeg,
 * or is a device or a pipe, which get a JPEG; or to <name>.jpg as Darknet did with every name. Ends the program with
 * one line where it cannot be written, or asks for another format. */
void save_picture(image im, const char *name);

/* -ext_output: from now on print_coordinates prints. */
void detector_test_set_coordinates(int on);

/* Hook in test_detector, where the boxes have been drawn into an image of w x h pixels: with -ext_output, a line on
 * stdout for each class of a box above the threshold, with the box's left upper corner and size in pixels, in the words
 * that other Darknets have for it. */
void print_coordinates(int w, int h, const detection *boxes, int count, float thresh, char **names, int classes);

#endif
