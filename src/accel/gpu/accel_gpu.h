/* The functions of src/accel/gpu that Darknet's own files call: CUDA kernels for depthwise convolutions, batch
 * normalisation and [shortcut], and the choice of cuDNN's algorithms for convolutions. This code knows Darknet's
 * layers, but nothing of label smoothing.
 *
 * A function that returns an int returns 1 if it did the work, and 0 if it did nothing and Darknet's own code has to do
 * it. Arrays are a layer's fields whose names end in _gpu, on the current device.
 */
#ifndef ACCEL_GPU_H
#define ACCEL_GPU_H

#include "darknet.h"

#ifdef GPU
#ifdef __cplusplus
extern "C" {
#endif
/* Depthwise convolutions (groups == c, n a multiple of c), for builds without cuDNN; other convolutions use Darknet's
 * gemm. Forward overwrites l.output_gpu. Backward adds to l.weight_updates_gpu and, if it is not NULL, to
 * net.delta_gpu. */
int accel_forward_convolution_gpu(layer l, network net);
int accel_backward_convolution_gpu(layer l, network net);

/* Batch normalisation of [convolutional] and [batchnorm], except for training with cuDNN, which has its own. Backward
 * needs l.x_norm_gpu of the forward pass, but not l.x_gpu. In inference both use the rolling averages instead of the
 * batch's statistics, as Darknet does on the CPU. */
int accel_forward_batchnorm_gpu(layer l, network net);
int accel_backward_batchnorm_gpu(layer l, network net);

/* l.output_gpu = alpha net.input_gpu + beta * (output of layer l.index), if both have the same shape. Backward adds to
 * the gradients of both. Darknet applies the activation. */
int accel_forward_shortcut_gpu(layer l, network net);
int accel_backward_shortcut_gpu(layer l, network net);

#ifdef CUDNN
/* Sets l->fw_algo, l->bd_algo and l->bf_algo to cuDNN's algorithms for the shape of l on the current device, and
 * l->workspace_size to the bytes that they need. Deterministic algorithms are preferred to faster ones. Ends the
 * program if cuDNN has none. */
void accel_choose_cudnn_algorithms(layer *l);

/* Reallocates the network's workspace to the largest that its layers need. Call after their algorithms were chosen
 * again. */
void accel_renew_cudnn_workspace(network *net);

/* Ends the program with one line if status is not CUDNN_STATUS_SUCCESS. */
void accel_check_cudnn(cudnnStatus_t status);
#endif
#ifdef __cplusplus
}
#endif
#endif

#endif
