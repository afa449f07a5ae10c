/* Reads Darknet's label files: the objects of one image for a detector, one per line:
 *
 *     class x y width height        class from 0; centre and sides as fractions of the image
 *
 * This reader is strict. It is for commands that inspect labels, and for noise=. Training reads the same files with
 * Darknet's read_boxes, which silently stops at the first line that has another form.
 */
#ifndef LABEL_FILE_H
#define LABEL_FILE_H

#include <stddef.h>

/* Size of a path in bytes, with its terminating zero, as in Darknet. */
enum { LABEL_PATH_SIZE = 4096 };

/* Training ignores boxes with a smaller width or height (fill_truth_detection in Darknet's data.c). */
#define LABEL_SMALLEST_SIDE .001

/* One line of a label file. */
typedef struct {
    int class_id;
    double x, y, w, h; /* centre, width and height, as fractions of the image */
} label_box;

/* A growing array. Initialize it with zeros; the caller frees `items`. */
typedef struct {
    label_box *items;
    size_t count, capacity;
} label_boxes;

typedef enum {
    LABELS_OK,
    LABELS_MISSING, /* the file does not exist */
    LABELS_BAD      /* `reason` says what and where */
} labels_status;

/* Finds the label file of an image as Darknet does in training (fill_truth_detection in its data.c): replaces words in
 * the path of the image, such as images by labels and .jpg by .txt, each where it first occurs in the whole path.
 * Returns LABELS_OK; or LABELS_BAD with one line in `reason` (reason_size bytes) if the path is too long, or if its
 * extension is not one that Darknet replaces. */
labels_status label_file_path(const char *image_path, char path[LABEL_PATH_SIZE], char *reason, size_t reason_size);

/* Appends the boxes of a label file to `boxes`. A class must be below `classes`; the centre must be in the image, and
 * the sides above 0 and at most 1, with a tolerance for rounding. Empty lines are skipped. If the result is not
 * LABELS_OK, `boxes` has the same boxes as before, and `reason` holds one line. */
labels_status label_file_read(const char *path, int classes, label_boxes *boxes, char *reason, size_t reason_size);

#endif
