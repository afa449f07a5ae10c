/* darknet ols deploy: networks in a form that other Darknets and OpenCV's dnn module read. */
#ifndef DEPLOY_H
#define DEPLOY_H

/* Copies a cfg and leaves out what only this Darknet knows: [ols] becomes [softmax], the smoothing keys go, and
 * policy=cosine becomes constant. The weights stay as they are. A cfg with activation=relu6 needs other layers, thus
 * other weights, and is refused. Errors end the program with one line; out_cfg is then as it was. */
void deploy_cfg(const char *in_cfg, const char *out_cfg);

/* Writes network and weights for inference: batch normalisation is folded into the weights, and what OpenCV or
 * unpatched Darknet lack is written in layers that they have (portable_network.h lists which). Says what is left that
 * OpenCV does not know, and by how much the outputs differ on one random input. Errors as above. */
void deploy_network(const char *in_cfg, const char *out_cfg, const char *in_weights, const char *out_weights);

#endif
