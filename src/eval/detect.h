/* Running a Darknet detector over a list of images: at the size of its cfg, or at several sizes and mirrored, as
 * detection papers report their best figures ("multi-scale testing with flip").
 *
 * A pass is one run of the network over one image, at one size, mirrored or not. The boxes of all passes of an image
 * that score .005 or more are put together, and each class goes through one non-maximum suppression (NMS): the box with
 * the highest score stays, and drops those that it overlaps by more than the threshold. Scores and boxes are not
 * averaged, and no pass is suppressed by itself before: that is the plain union that papers mean, not box voting. With
 * one pass it comes to Darknet's do_nms_sort.
 */
#ifndef DETECT_H
#define DETECT_H

#include "eval/average_precision.h"

#include "darknet.h"

#include <stddef.h>

/* Detections that score below are not taken, as in Darknet's validate_detector: they cost much time and add nothing to
 * AP. */
#define DETECT_LOWEST_SCORE .005

typedef struct {
    int scales[16];  /* of the network's input, for its longer side; see detect_scale */
    int scale_count; /* 0: the size of the cfg alone */
    int flip;        /* not 0: a second pass with the input mirrored left to right at every size */
    int letterbox;   /* 1: keep the aspect ratio of the image and fill up with grey; 0: stretch it to the input's size;
                      * -1: as the head was made for, see detect_letterbox */
    double nms;      /* IoU above which the lower of two boxes of a class is dropped; 0 keeps all */
} detect_options;

/* In pixels. */
typedef struct {
    int w, h;
} detect_size;

/* Start from zeros, and free `detections`. */
typedef struct {
    ap_detection *detections;
    size_t count, capacity;
} detect_result;

/* One more detection, zeros. The pointer is good until the next one is added. */
ap_detection *add_detection(detect_result *to);

/* Loads a network to detect with: batch 1, three channels, and heads ([yolo], [region] or [detection]) that have the
 * same number of classes and one of which is the last section. Both files must be there: Darknet ends the program where
 * they are not. `weights_file` may be NULL: then they are drawn, as for training. Sets *classes. Free with
 * free_network. Null after one line on stderr. */
network *load_detector(char *cfg_file, char *weights_file, int *classes);

/* Whether images are letterboxed: as the options say, or else [yolo] and [region] take them so, [detection] stretched.
 * That is how `detector test` and `detector valid` have them; training stretches them a little, too (jitter). */
int detect_letterbox(const network *net, const detect_options *options);

/* The network's input at a scale: the longer side of the cfg's size becomes `scale`; the other one follows in
 * proportion, rounded to a multiple of the network's stride, at least one. A square cfg stays square. The scale that is
 * the longer side of the cfg is the cfg's size as it is. */
detect_size detect_scale(const network *net, int scale);

/* How many pixels of the input one cell of the coarsest layer stands for, along a side: the product of the strides on
 * the way there; 32 for YOLOv3. At least 1. */
int network_stride(const network *net);

/* Whether the options can be used: every scale once, a multiple of network_stride (or the cfg's own), and
 * only sections that Darknet can resize: with [connected] or [detection] a network has one size. detect_images looks
 * too; this is for who wants to know before long work. Returns 0, or 1 after one line on stderr. */
int detect_check(const network *net, const detect_options *options);

/* Whether what the heads put out for the first image of a batch is finite; to be asked before Darknet's
 * get_network_boxes. With a NaN among the outputs, its yolo_num_detections and get_yolo_detections need not agree on
 * how many boxes there are, and the second writes past the memory that the first asked for. */
int heads_are_finite(const network *net);

/* Detects in `count` images. `net` and `classes` are load_detector's.
 *
 * found: what was found is added, image after image, with the image's index as its number. Boxes are centre, width and
 *     height in pixels of the image file, in continuous coordinates: 0 is the left edge of the first pixel, w the right
 *     edge of the last. They may reach beyond the image. Order: that of the passes (sizes as given, plain before
 *     mirrored) and of Darknet within one; with one pass, as do_nms_sort left them.
 * sizes[count]: the sizes of the files.
 *
 * The network has the size that it had, afterwards. Images are decoded once, by threads of their own; beside that it
 * takes some 256 MB for several sizes. Shows progress on stderr. Returns 0, or 1 after one line on stderr; then `found`
 * holds a part. */
int detect_images(network *net, int classes, char **paths, int count, const detect_options *options,
                  detect_result *found, detect_size *sizes);

#endif
