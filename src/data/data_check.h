/* Looks at all that a .data file names before a training: lists, names, images and labels. */
#ifndef DATA_CHECK_H
#define DATA_CHECK_H

#include "base/problems.h"

/* What a check has looked at, for its summary. */
typedef struct {
    int classes;
    int train_images, valid_images;
    size_t objects; /* of a detector, in both lists */
} checked_data;

/* What the network of a detector says. */
typedef struct {
    int classes;       /* of its heads; 0: there is no network, and classes= of the .data file counts */
    int label_classes; /* classes of label files are below this; another number than `classes` with map= alone */
    int most_objects;  /* of an image: max= of the head; 0: it is not known, or all of them count */
} detector_classes;

/* Adds a problem for every line that is no `key = value`, or whose key is misspelt. Returns 1 if there
 * was one; the file is then not to be read by the other functions. */
int check_data_lines(const char *data_file, problems *list);

/* Adds every problem to `list`. train= must be there; valid= and names= are looked at where the file has them. An image
 * of train= without a label file is a problem; one of valid= has no objects then, as in `detector map`. */
void check_detector_data(const char *data_file, detector_classes network, checked_data *checked, problems *list);
void check_classifier_data(const char *data_file, checked_data *checked, problems *list);

/* Whether the .data file is a detector's, as far as can be told without a cfg: it has no key that only classifiers
 * have, and one of its first training images has a label file. */
int looks_like_a_detector(const char *data_file);

#endif
