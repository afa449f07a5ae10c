/* The [scale_channels] layer, with the keys of AlexeyAB's Darknet: multiplies an earlier layer with the output of the
 * layer before it. It is the last step of squeeze-and-excitation (Hu et al. 2018), and so of EfficientNet's blocks:
 *
 *     [avgpool]                                  squeeze: a mean for each of the C channels
 *     [convolutional] ... activation=swish       excitation: two 1x1 convolutions of them
 *     [convolutional] ... activation=logistic
 *     [scale_channels]
 *     from=-4                                    every channel of that layer times its number
 *
 * With input s and the earlier layer x, C channels of W x H pixels, batch by batch:
 *     output[k][y][x] = a(x[k][y][x] s[k])       s: C channels of 1 x 1
 *     output[k][y][x] = a(x[k][y][x] s[y][x])    scale_wh=1; s: one channel of W x H
 * a is activation= (linear). Both s and x get their gradient.
 */
#ifndef SCALE_CHANNELS_LAYER_H
#define SCALE_CHANNELS_LAYER_H

#include "darknet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the layer from the keys of its section; `from` is the number of the earlier layer, `index` that of this one.
 * Ends the program with one line if a key is not valid, or the sizes of the two layers do not fit. */
layer parse_scale_channels(list *options, network *net, int from, int index);

/* After the layers before it were resized. */
void resize_scale_channels_layer(layer *l, network *net);

/* Whether a [scale_channels] comes after layer i. An [avgpool] before it is not the end of what has a size. */
int scales_channels_after(const network *net, int i);

void forward_scale_channels_layer(const layer l, network net);
/* Adds to the gradients of both inputs. */
void backward_scale_channels_layer(const layer l, network net);

#ifdef GPU
void forward_scale_channels_layer_gpu(const layer l, network net);
void backward_scale_channels_layer_gpu(const layer l, network net);

/* The products and their gradients on the device; `spatial` = w h; shapes as above. Returns nothing: a CUDA error ends
 * the program, as in Darknet. */
void scale_channels_gpu(const float *x, const float *scales, int batch, int channels, int spatial, int scale_wh,
                        float *output);
void scale_channels_gradient_gpu(const float *delta, const float *x, const float *scales, int batch, int channels,
                                 int spatial, int scale_wh, float *x_delta, float *scales_delta);
#endif

#ifdef __cplusplus
}
#endif

#endif
