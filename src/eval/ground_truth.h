/* The labelled objects of a list of images: Darknet's label files, `class x y width height` a line, relative to the
 * image.
 *
 * They are looked for where training looks for them (fill_truth_detection in Darknet's data.c). The difficult objects
 * of VOC, which voc-to-darknet keeps apart, stand in files of the same form: .../labels/a.txt has them in
 * .../labels-difficult/a.txt, for the last folder in the path that is named `labels`.
 */
#ifndef LABELS_H
#define LABELS_H

#include "eval/average_precision.h"
#include "eval/detect.h"
#include "data/data_file.h"

typedef struct {
    ap_object *objects; /* `image` is the place in the list of images */
    size_t count, capacity;
    size_t difficult;    /* of them */
    int missing;         /* images without label file: they count as images without objects */
    char *first_missing; /* the label file that the first of them should have */
} ground_truth;

/* Boxes as in the files, relative. Also sees to it that the images can be read. Returns 0, or 1 after one line on
 * stderr; it is an error when no image has an object. Free with ground_truth_free, in either case. */
int ground_truth_read(const valid_data *data, ground_truth *labels);
void ground_truth_free(ground_truth *labels);

/* Makes the boxes those of pixels (ap_box). Label files have six decimals, VOC's and most other corners are whole
 * pixels: a corner within the files' precision of a whole pixel is taken to be that pixel, so that an IoU is the
 * fraction that it is with the benchmark's own annotations. `sizes` is by place in the list. */
void ground_truth_to_pixels(ground_truth *labels, const detect_size *sizes);

/* Sizes of images from the heads of their files. Returns 0, or 1 after one line on stderr. */
int read_image_sizes(const text_lines *images, detect_size *sizes);

#endif
