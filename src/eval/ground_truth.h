/* The ground truth of an evaluation: the labelled objects of a list of images, read from Darknet's label files
 * (data/label_file.h).
 *
 * VOC's difficult objects are in separate files of the same format, written by scripts/voc-to-darknet: those that
 * belong to .../labels/a.txt are in .../labels-difficult/a.txt. If several folders of the path are named `labels`, the
 * last one is replaced.
 */
#ifndef GROUND_TRUTH_H
#define GROUND_TRUTH_H

#include "eval/average_precision.h"
#include "eval/detect.h"
#include "data/data_file.h"

typedef struct {
    ap_object *objects; /* owned; `image` is the index in the list of images */
    size_t count, capacity;
    size_t difficult;    /* how many objects are difficult */
    int missing;         /* images without a label file; they are used as images without objects */
    char *first_missing; /* path of the first label file that is missing; owned */
} ground_truth;

/* Reads the labels of data->images. Boxes are fractions of the image, as in the files. Returns 0, or 1 after one line
 * on stderr, also if an image cannot be read or no image has an object. In both cases free with ground_truth_free. */
int ground_truth_read(const valid_data *data, ground_truth *truth);
void ground_truth_free(ground_truth *truth);

/* Converts the boxes from fractions of the image to pixels (ap_box). `sizes` are those of data->images.
 *
 * Label files have six decimals, so a corner that was at a whole pixel, as nearly all are in VOC, is slightly off after
 * reading. A corner that is as close to a whole pixel as six decimals allow is therefore rounded to it. Then the IoU is
 * the same as with the benchmark's own annotations; without the rounding it could fall on the other side of a
 * threshold. */
void ground_truth_to_pixels(ground_truth *truth, const detect_size *sizes);

/* Reads the sizes of images, from the headers of their files; with OpenCV, which turns an image as its EXIF data say,
 * by decoding them, so that they are those that a network sees. sizes[images->count] is the caller's. Returns 0, or 1
 * after one line on stderr. */
int read_image_sizes(const text_lines *images, detect_size *sizes);

#endif
