/* Functions for programs that load libdarknet.so at run time, such as python/darknet_ols.py: what these need besides
 * Darknet's own load_network, network_predict and free_network.
 *
 * Such a program is not compiled with darknet.h. Copies of its structs would be fragile, because their layout changes
 * with the build's switches. Therefore these functions take and return only numbers, text and arrays, and a network is
 * an opaque pointer. No compiler compares them with their declarations in darknet_ols.py: change both together.
 *
 * Images have w columns, h rows and c channels. Bytes are interleaved, row by row, with the channels of a pixel side by
 * side (HWC, as in OpenCV, Pillow and NumPy). Floats are planar, one channel after the other (CHW), 0 to 1, as in
 * Darknet.
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "darknet.h"

/* Number of usable GPUs; -1: the library was built without GPU=1. */
int library_gpus(void);

/* Sets the GPU for the networks that are loaded from now on, and for free_network; -1: the CPU. Ends the program if
 * there is no such GPU. */
void library_use_gpu(int index);

/* ---- What a network is ------------------------------------------------------------------------------------------ */

int library_network_batch(const network *net);    /* images per network_predict */
int library_network_channels(const network *net); /* of the input; 0 if the cfg only has inputs= */
int library_network_inputs(const network *net);   /* floats of one image */
int library_network_outputs(const network *net);  /* floats per image of the last layer except [cost] */
int library_network_classes(const network *net);  /* of a detection head in the last layer; else the outputs */
int library_network_layers(const network *net);

/* The name of layer i's section in a cfg: "convolutional", ... Static storage. */
const char *library_layer_type(const network *net, int i);

/* ---- Images ----------------------------------------------------------------------------------------------------- */

/* Loads an image file with 3 channels; the pixels are those of Darknet's load_image_color. Returns interleaved bytes,
 * which the caller frees with library_free, or null if the file cannot be decoded as an image. */
unsigned char *library_load_image(const char *path, int *w, int *h);
void library_free(void *bytes);

/* Scales an image to fit into the network's input and pads the rest with grey (Darknet's letterbox_image). `pixels` are
 * w * h * c floats; `input` gets net->w * net->h * c. The caller must reject an image whose scaled side would be
 * shorter than two pixels: Darknet's resize_image would read out of bounds. */
void library_letterbox(const network *net, const float *pixels, int w, int h, int c, float *input);

/* ---- Results ---------------------------------------------------------------------------------------------------- */

/* Converts the output of a softmax with tree= as `classifier predict` does: a leaf gets the product of the
 * probabilities along its branch, every other node 0. Without a tree nothing changes. `predictions`: the outputs of one
 * image. */
void library_leaf_probabilities(const network *net, float *predictions);

/* Returns null if library_detect can be used with this network, otherwise the reason why not. Static storage. */
const char *library_cannot_detect(const network *net);

/* The detections in image b (0 .. batch-1) of the last network_predict, after non-maximum suppression; the same as
 * get_network_boxes and do_nms_sort in `detector test`. w, h: size of the image before library_letterbox.
 *     thresh  smallest score
 *     hier    smallest probability down to which a tree of classes is followed; only for heads with a tree
 *     nms     of two boxes of a class with a larger IoU, the one with the lower score is dropped; 0: keep all
 * Returns *count detections. Pass them to library_take_detections, which frees them, even if *count is 0. Returns null
 * if the output is not finite (weights that have diverged). */
detection *library_detect(network *net, int b, int w, int h, float thresh, float hier, float nms, int *count);

/* Copies the detections to rows[count][4 + classes], the caller's, and frees them. A row is centre x and y, width and
 * height as fractions of the image, then the score of each class, 0 if it is not above the threshold. */
void library_take_detections(const network *net, detection *found, int count, float *rows);

#endif
