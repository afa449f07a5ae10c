/* The label file of a detector's image: where training looks for it, and what is in it, one object a line:
 *
 *     class x y width height        fractions of the image, x y the centre
 *
 * Darknet's own read_boxes stops at the first line that is something else, without a word; this says which one. */
#ifndef LABEL_FILE_H
#define LABEL_FILE_H

#include <stddef.h>

/* Darknet's buffers for paths. */
enum { LABEL_PATH_SIZE = 4096 };

/* Training leaves out boxes of a smaller width or height (fill_truth_detection in Darknet's data.c). */
#define LABEL_SMALLEST_SIDE .001

typedef struct {
    int class_id;
    double x, y, w, h;
} label_box;

/* Starts as {0}; `items` is the owner's to free. */
typedef struct {
    label_box *items;
    size_t count, capacity;
} label_boxes;

typedef enum {
    LABELS_OK,
    LABELS_MISSING, /* there is no such file */
    LABELS_BAD      /* `reason` says what and where */
} labels_status;

/* Where training looks for the labels of an image: the replacements of fill_truth_detection in Darknet's data.c, in its
 * order, each at the first occurrence anywhere in the path. Returns LABELS_OK or LABELS_BAD (a path that is too long,
 * or whose image Darknet finds no labels for), with one line in `reason`. */
labels_status label_file_path(const char *image_path, char path[LABEL_PATH_SIZE], char *reason, size_t reason_size);

/* Appends the boxes of a label file to `boxes`; classes must be below `classes`, coordinates lie in the image but for
 * rounding. Blank lines are passed over. On LABELS_BAD and LABELS_MISSING `boxes` holds what it held before. */
labels_status label_file_read(const char *path, int classes, label_boxes *boxes, char *reason, size_t reason_size);

#endif
