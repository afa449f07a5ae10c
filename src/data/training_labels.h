/* Reads the label files of a detector's training, in place of Darknet's find_replace and read_boxes. */
#ifndef TRAINING_LABELS_H
#define TRAINING_LABELS_H

#include "darknet.h"

/* Classes in label files are below this; 0 (the default): below the classes of the heads. With map= in a head they are
 * other numbers. Call before the loaders begin. */
void training_labels_set_classes(int classes);

/* The boxes of an image, in the order of its label file (label_file.h), as Darknet's read_boxes would return them; the
 * caller frees them. `classes` is that of the heads. A file that is missing, or a line that is no box, ends the program
 * with one line that names it. Thread-safe. */
box_label *read_training_boxes(const char *image_path, int classes, int *count);

#endif
