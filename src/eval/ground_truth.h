/* The ground truth of an evaluation: the labelled objects of a list of images, from Darknet's label files
 * (data/label_file.h).
 *
 * VOC's difficult objects, which scripts/voc-to-darknet keeps apart, stand in files of the same form: those of
 * .../labels/a.txt in .../labels-difficult/a.txt. Where several folders of the path are named `labels`, it is the last
 * one that is replaced.
 */
#ifndef GROUND_TRUTH_H
#define GROUND_TRUTH_H

#include "eval/average_precision.h"
#include "eval/detect.h"
#include "data/data_file.h"

typedef struct {
    ap_object *objects; /* owned; `image` is the place in the list of images */
    size_t count, capacity;
    size_t difficult;    /* of them */
    int missing;         /* images without label file: they count as images without objects */
    char *first_missing; /* the label file that the first of them should have; owned */
} ground_truth;

/* Reads the labels of data->images. Boxes are fractions of the image, as in the files. Returns 0, or 1 after one line
 * on stderr: also where an image cannot be read, and where no image has an object. Free with ground_truth_free, in
 * either case. */
int ground_truth_read(const valid_data *data, ground_truth *truth);
void ground_truth_free(ground_truth *truth);

/* Turns the boxes from fractions of the image into pixels (ap_box). sizes: of the images, by their place in the list.
 *
 * A label file has six decimals, so a corner that was a whole pixel, as nearly all are in VOC and others, comes out a
 * little beside it. A corner that is as near to a whole pixel as six decimals allow is therefore set to that pixel: IoU
 * is then what it is with the benchmark's own annotations, and not by chance on the other side of a threshold. */
void ground_truth_to_pixels(ground_truth *truth, const detect_size *sizes);

/* Sizes of images from the heads of their files. Returns 0, or 1 after one line on stderr. */
int read_image_sizes(const text_lines *images, detect_size *sizes);

#endif
