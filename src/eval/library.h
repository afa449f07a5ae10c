/* For programs that load libdarknet.so while they run, such as python/darknet_ols.py: what they need beside Darknet's
 * own load_network, network_predict and free_network.
 *
 * Such a program is not compiled with darknet.h. It could only copy the structs in it by hand, and their layout changes
 * with the switches of the build. So these functions take and give numbers, text and arrays alone, and a network is a
 * pointer that nobody looks behind. Who changes a function here changes its declaration in darknet_ols.py as well: no
 * compiler compares them.
 *
 * Images are arrays of pixels with w columns, h rows and c channels: bytes are row by row with the channels of a pixel
 * side by side (as OpenCV, Pillow and NumPy have them); floats are Darknet's, 0 to 1, channel after channel.
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "darknet.h"

/* How many GPUs can be used; -1: the library was built without GPU=1. */
int library_gpus(void);

/* The GPU that networks are loaded to from now on, and that is the current one for free_network; -1: none, the CPU.
 * Ends the program where there is no such GPU. */
void library_use_gpu(int index);

/* ---- What a network is ------------------------------------------------------------------------------------------ */

int library_network_batch(const network *net);    /* images that one network_predict takes */
int library_network_channels(const network *net); /* of the input; 0 where the cfg only says inputs= */
int library_network_inputs(const network *net);   /* floats of one image */
int library_network_outputs(const network *net);  /* floats of one image's output, that of the last layer but [cost] */
int library_network_classes(const network *net);  /* that the last head was made for; without heads: the outputs */
int library_network_layers(const network *net);

/* The name of layer i's section in a cfg: "convolutional", ... Static storage. */
const char *library_layer_type(const network *net, int i);

/* ---- Images ----------------------------------------------------------------------------------------------------- */

/* The picture in a file, with 3 channels: the pixels of Darknet's load_image_color. Returns bytes, which the caller
 * frees with library_free, or null where the file is no picture that can be decoded. */
unsigned char *library_load_image(const char *path, int *w, int *h);
void library_free(void *bytes);

/* letterbox_image: scales an image to fit into the network's input and fills the rest with grey. `input` gets
 * net->w * net->h * c floats. Sides that come out shorter than two pixels are the caller's to refuse: Darknet's
 * resize_image reads out of bounds for them. */
void library_letterbox(const network *net, const float *pixels, int w, int h, int c, float *input);

/* ---- Results ---------------------------------------------------------------------------------------------------- */

/* What `classifier predict` does to the output of a softmax with tree=: the probability of a leaf is the product along
 * its branch, that of any other node is 0. Changes nothing without a tree. `predictions`: outputs of one image. */
void library_leaf_probabilities(const network *net, float *predictions);

/* Null where library_detect can be used; else why it cannot. Static storage. */
const char *library_cannot_detect(const network *net);

/* What the heads found in image b (0 .. batch-1) of the last network_predict, after non-maximum suppression: the
 * get_network_boxes and do_nms_sort of `detector test`. w, h: size of the picture before library_letterbox.
 *     thresh  score that is needed
 *     hier    probability down to which a tree of classes is followed; for heads that have one
 *     nms     IoU above which the lower one of two boxes of a class is dropped; 0: keeps all
 * Sets *count and returns that many detections, for library_take_detections, which is to be called even if there are 0.
 * Null where the output is not finite (weights that have diverged). */
detection *library_detect(network *net, int b, int w, int h, float thresh, float hier, float nms, int *count);

/* Frees the detections. rows[count][4 + classes]: centre x and y, width and height in parts of the picture's width and
 * height, then the score of every class, 0 where it is not above the threshold. */
void library_take_detections(const network *net, detection *found, int count, float *rows);

#endif
