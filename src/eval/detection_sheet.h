/* A picture of the images in which a detector errs most: what is labelled at the left, what was detected at the right.
 *
 * At the left, objects that were found are green, missed ones red, difficult ones grey. At the right, true positives
 * are green, false ones red, ignored ones grey; only boxes that score above the threshold are drawn. Below stand the
 * file's name and the numbers.
 */
#ifndef DETECTION_SHEET_H
#define DETECTION_SHEET_H

#include "eval/average_precision.h"
#include "eval/detect.h"

#include "darknet.h"

enum {
    DETECTION_SHEET_SIDE = 320, /* of the square that an image lies in, in pixels */
    DETECTION_SHEET_GAP = 12,   /* around the whole, and between pairs */
    DETECTION_SHEET_PAIRS = 2,  /* in a row */
    DETECTION_SHEET_MOST = 200  /* images: 170 MB of pixels */
};

typedef struct {
    char **paths, **names; /* by image, and by class */
    const detect_size
        *sizes; /* by image: as it is decoded, in which Darknet with OpenCV turns it as its EXIF data say */
    const ap_object *objects; /* boxes in pixels of the image, as those of the detections */
    size_t object_count;
    const ap_detection *detections;
    const ap_match *matches; /* those of average_precision_matches */
    size_t detection_count;
    int images;
    double score_threshold;
} sheet_detections;

/* The errors of an image: missed objects, and false positives that score above the threshold. */
typedef struct {
    int image, objects, missed, boxes, wrong; /* objects that are not difficult; boxes that are not ignored */
} image_errors;

/* The images with errors, most errors first, of equal ones in their order. The caller frees the result. */
image_errors *count_image_errors(const sheet_detections *d, int *count);

/* Writes the sheet of the `most` images with the most errors as a PNG, which appears whole. Without errors nothing is
 * written, and a note says so; what has the name already stays. letters: load_letters(). Returns 0, or 1 after one line
 * on stderr. */
int detection_sheet_write(const sheet_detections *d, int most, image **letters, const char *png);

#endif
