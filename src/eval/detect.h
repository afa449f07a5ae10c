/* Runs a Darknet detector over a list of images: at the input size of its cfg, or at several sizes and mirrored
 * ("multi-scale testing with flip", as in many detection papers).
 *
 * A pass is one run of the network over one image, at one size, mirrored or not. The boxes with a score of at least
 * .005 of all passes over an image are put together, and each class goes through one non-maximum suppression (NMS): the
 * box with the highest score is kept, and the boxes whose IoU with it is above a threshold are dropped, and so on.
 * Scores and boxes are not averaged (that would be box voting), and there is no NMS within a pass. With a single pass
 * the result is that of Darknet's do_nms_sort.
 */
#ifndef DETECT_H
#define DETECT_H

#include "eval/average_precision.h"

#include "darknet.h"

#include <stddef.h>

/* Detections with a lower score are dropped, as in Darknet's validate_detector: they take much time and hardly change
 * AP. */
#define DETECT_LOWEST_SCORE .005

typedef struct {
    int scales[16];  /* longer side of the network's input, in pixels; see detect_scale */
    int scale_count; /* 0: only the size of the cfg */
    int flip;        /* not 0: at every size, a second pass with the input mirrored left to right */
    int letterbox;   /* 1: keep the aspect ratio of the image and pad with grey; 0: stretch the image to the input's
                      * size; -1: depends on the head, see detect_letterbox */
    /* Called when the network has seen the input of an image; NULL: nothing. w and h are those of the image's file. */
    void (*seen)(void *context, const network *net, int image, int w, int h);
    void *context;
    double nms; /* IoU above which the box with the lower score, of two of a class, is dropped; 0: keep all */
} detect_options;

/* In pixels. */
typedef struct {
    int w, h;
} detect_size;

/* Initialise with zeros; the caller frees `detections`. */
typedef struct {
    ap_detection *detections;
    size_t count, capacity;
} detect_result;

/* Adds a detection, all zeros, and returns it. The pointer is valid until the next one is added. */
ap_detection *add_detection(detect_result *to);

/* Loads a network for detection, with batch 1. It must have three input channels and detection heads ([yolo], [region]
 * or [detection]) with the same number of classes; the last section must be a head. Both files must exist: otherwise
 * Darknet ends the program. With a null `weights_file` the weights are random, as at the start of a training. Sets
 * *classes. Returns null after one line on stderr if the network is not suitable. Free with free_network. */
network *load_detector(char *cfg_file, char *weights_file, int *classes);

/* Whether images are letterboxed. If options->letterbox is -1: yes for [yolo] and [region], no for [detection], as in
 * `detector test` and `detector valid`. */
int detect_letterbox(const network *net, const detect_options *options);

/* Size of the network's input for a scale: the longer side becomes `scale`; the other one keeps the proportion of the
 * cfg, rounded to a multiple of the network's stride, at least one stride. If `scale` is the longer side of the cfg,
 * the result is exactly the size of the cfg. */
detect_size detect_scale(const network *net, int scale);

/* The network's largest stride: the distance in pixels of the input between two neighbouring cells of its coarsest
 * layer, along a side; 32 for YOLOv3. At least 1. */
int network_stride(const network *net);

/* Checks the scales: no scale twice, each a multiple of network_stride (or the longer side of the cfg), and only layers
 * that Darknet can resize to it; a network with [connected] or [detection] has only one size. detect_images checks this
 * too; call this one to find an error before long work. Returns 0, or 1 after one line on stderr. */
int detect_check(const network *net, const detect_options *options);

/* Whether the outputs of all heads are finite for the first image of the batch. Must be checked before Darknet's
 * get_network_boxes: with a NaN among the outputs its yolo_num_detections and get_yolo_detections may count different
 * numbers of boxes, and the second then writes beyond the memory that was allocated for the first. */
int heads_are_finite(const network *net);

/* The highest score in Darknet's boxes, which only those of a [yolo] know how many classes they have; *class_id becomes
 * its class. 0: there is none. */
float highest_score(const detection *boxes, int count, int classes, int *class_id);

/* The same of all boxes in the network's output, whose heads must be finite, for an image of w x h pixels. -1 where a
 * head has a tree of classes: whenever boxes are taken from it, Darknet multiplies the classes by their parents in the
 * output itself, so that they can be taken only once. */
float highest_score_of_output(network *net, int w, int h, int *class_id);

/* Detects objects in `count` images. `net` and `classes` are load_detector's.
 *
 * found: the detections are appended, in the order of the images; `image` is the index in `paths`. Boxes are centre,
 *     width and height in pixels of the image file, in continuous coordinates: 0 is the left edge of the first pixel, w
 *     the right edge of the last. They may reach beyond the image. Within an image they have the order of the passes
 *     (sizes as given, unmirrored before mirrored), within a pass Darknet's order; with a single pass that of
 *     do_nms_sort.
 * sizes[count]: gets the sizes of the image files.
 *
 * Afterwards the network has its original size again. Images are decoded once, by separate threads; with several sizes
 * that takes about 256 MB. Shows progress on stderr. Returns 0, or 1 after one line on stderr; then `found` is
 * incomplete. */
int detect_images(network *net, int classes, char **paths, int count, const detect_options *options,
                  detect_result *found, detect_size *sizes);

#endif
