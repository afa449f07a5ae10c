/* Reads Darknet's label files: the objects of one image for a detector, one per line:
 *
 *     class x y width height        class from 0; centre and sides as fractions of the image
 *
 * Training, `detector map`, `detector anchors`, noise= and `darknet check` read them here. A line that is none ends the
 * training; Darknet's own reader stopped there without a word, and read on into other images' boxes or crashed.
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
    float single[4];   /* the same, each rounded once, as fscanf reads them in Darknet's training */
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

/* Where the label file of an image may be, in the order in which they are tried. */
enum {
    /* Darknet's rule (fill_truth_detection in its data.c), so that what it finds stays what is found: words in the path
     * are replaced, such as images by labels and .jpg by .txt, each where it first occurs in the whole path. */
    BY_DARKNETS_RULE,
    /* The same, but raw stays raw, as for [detection] (fill_truth_region): words such as draw have it in them. */
    BY_RULE_OF_DETECTION,
    /* In the folder `labels` beside the last folder that is named images or JPEGImages. */
    BESIDE_THE_FOLDER,
    /* Beside the image. */
    BESIDE_THE_IMAGE,
    LABEL_PLACES
};

/* Writes the path of one of these places; in the last two the ending of the image's name, whatever it is, becomes .txt.
 * Returns 1; or 0 if the rule gives no path for this image. */
int label_file_place(int place, const char *image_path, char path[LABEL_PATH_SIZE]);

/* The label file of an image: the first of the places that has one; where none has, the first that has a path. Returns
 * LABELS_OK; or LABELS_BAD with one line in `reason` (reason_size bytes) if the path is too long. */
labels_status label_file_path(const char *image_path, char path[LABEL_PATH_SIZE], char *reason, size_t reason_size);

/* Appends the boxes of a label file to `boxes`. A class must be below `classes`; the centre must be in the image, and
 * the sides above 0 and at most 1, with a tolerance for rounding. A
 * centre at 0, 0 is an error: Darknet takes such a box for the end of the list. Empty lines are skipped. If the result
 * is not LABELS_OK, `boxes` has the same boxes as before, and `reason` holds one line. */
labels_status label_file_read(const char *path, int classes, label_boxes *boxes, char *reason, size_t reason_size);

#endif
