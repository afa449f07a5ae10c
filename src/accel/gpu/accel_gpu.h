/* What Darknet's own files call in src/accel/gpu: kernels of our own for depthwise convolutions, batch normalisation
 * and [shortcut] on a GPU, and the choice of cuDNN's algorithms for convolutions. Knows Darknet's layers and nothing of
 * label smoothing.
 *
 * A function that returns an int answers 1 where it did the work. It answers 0 where it did nothing and Darknet's own
 * code has to. Arrays are those whose names end in _gpu in a layer, on the current device.
 */
#ifndef ACCEL_GPU_H
#define ACCEL_GPU_H

#include "darknet.h"

#ifdef GPU
#ifdef __cplusplus
extern "C" {
#endif
/* Depthwise convolutions (groups == c, n a multiple of c), for builds without cuDNN; all others are left to Darknet's
 * gemm. Forward overwrites l.output_gpu. Backward adds to l.weight_updates_gpu and, where it is not NULL, to
 * net.delta_gpu. */
int accel_forward_convolution_gpu(layer l, network net);
int accel_backward_convolution_gpu(layer l, network net);

/* Batch normalisation of [convolutional] and [batchnorm], except while training with cuDNN, which then does it.
 * Backward needs the l.x_norm_gpu of the forward pass, and not l.x_gpu. Outside of training both use the rolling
 * averages in the place of the batch's, as Darknet does on the CPU. */
int accel_forward_batchnorm_gpu(layer l, network net);
int accel_backward_batchnorm_gpu(layer l, network net);

/* l.output_gpu = alpha net.input_gpu + beta times the output of layer l.index, where both have one shape. Backward adds
 * to the gradients of both. The activation is left to Darknet. */
int accel_forward_shortcut_gpu(layer l, network net);
int accel_backward_shortcut_gpu(layer l, network net);

#ifdef CUDNN
/* Sets l->fw_algo, l->bd_algo and l->bf_algo to cuDNN's algorithms for the shape of l on the current device, and
 * l->workspace_size to the bytes that they need. An algorithm that gives the same bits in every run is preferred to a
 * faster one that does not. Ends the program where cuDNN has none. */
void accel_choose_cudnn_algorithms(layer *l);

/* Gives the network the workspace that its layers ask for, after their algorithms were chosen anew. */
void accel_renew_cudnn_workspace(network *net);

/* Ends the program with one line unless status is CUDNN_STATUS_SUCCESS. */
void accel_check_cudnn(cudnnStatus_t status);
#endif
#ifdef __cplusplus
}
#endif
#endif

#endif
