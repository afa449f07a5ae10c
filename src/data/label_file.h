/* Darknet's label files: the objects of one image for a detector, one a line:
 *
 *     class x y width height        class from 0; centre and sides as fractions of the image
 *
 * This reader is for commands that look at labels, and is strict. Training reads the same files with Darknet's own
 * read_boxes, which stops at the first line that is not of that form without saying so.
 */
#ifndef LABEL_FILE_H
#define LABEL_FILE_H

#include <stddef.h>

/* Bytes of a path with its ending 0, as in Darknet's buffers. */
enum { LABEL_PATH_SIZE = 4096 };

/* Training leaves out boxes of a smaller width or height (fill_truth_detection in Darknet's data.c). */
#define LABEL_SMALLEST_SIDE .001

/* One line of a file. */
typedef struct {
    int class_id;
    double x, y, w, h; /* centre, width and height, as fractions of the image */
} label_box;

/* Starts as zeros; the caller frees `items`. */
typedef struct {
    label_box *items;
    size_t count, capacity;
} label_boxes;

typedef enum {
    LABELS_OK,
    LABELS_MISSING, /* there is no such file */
    LABELS_BAD      /* `reason` says what and where */
} labels_status;

/* Where training looks for the labels of an image: Darknet makes that path out of the image's by replacing words, as in
 * images -> labels and .jpg -> .txt, each where it first occurs in the whole path (fill_truth_detection in its data.c).
 * Returns LABELS_OK, or LABELS_BAD with one line in `reason` (reason_size bytes): for a path that is too long, and for
 * an image whose ending is none of those that Darknet replaces. */
labels_status label_file_path(const char *image_path, char path[LABEL_PATH_SIZE], char *reason, size_t reason_size);

/* Appends the boxes of a label file to `boxes`. A class must be below `classes`; centres must lie in the image, and
 * sides be above 0 and no longer than it, but for rounding. Empty lines are passed over. Where the result is not
 * LABELS_OK, `boxes` holds what it held before, and `reason` one line. */
labels_status label_file_read(const char *path, int classes, label_boxes *boxes, char *reason, size_t reason_size);

#endif
