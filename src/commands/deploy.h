/* darknet ols deploy: writes a network in layers and keys that other Darknets and OpenCV's dnn module can read. */
#ifndef DEPLOY_H
#define DEPLOY_H

/* Copies a cfg without what only this Darknet knows: [ols] becomes [softmax], smoothing keys are removed, and
 * policy=cosine becomes constant. The same weights file fits the new cfg. A cfg with activation=relu6 is rejected,
 * because it needs other layers and so other weights. An error ends the program with one line; out_cfg is then
 * unchanged. */
void deploy_cfg(const char *in_cfg, const char *out_cfg);

/* Writes the network and its weights for inference: batch normalisation is folded into the weights, and layers that
 * OpenCV or unpatched Darknet lack are replaced by layers that they have (listed in portable_network.h). Notes on
 * stderr name the layers that OpenCV still does not know; stdout says how much the outputs of the two networks differ
 * on one random image. Where the weights are X_best.weights with X_best.json beside them (eval/threshold_file.h), the
 * heads get its threshold as thresh=, which stdout says. An error ends the program with one line; both files are then
 * unchanged. */
void deploy_network(const char *in_cfg, const char *out_cfg, const char *in_weights, const char *out_weights);

#endif
