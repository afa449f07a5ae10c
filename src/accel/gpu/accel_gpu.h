/* What src/accel runs in the place of Darknet's own code on a GPU: kernels for depthwise convolutions, batch
 * normalisation and [shortcut], and the choice of cuDNN's algorithms. Knows Darknet's layers and nothing of label
 * smoothing.
 *
 * A function that returns an int answers 1 where it did the work, and 0 where it did nothing and Darknet's own code has
 * to. Arrays are the layers' *_gpu, on the current device.
 */
#ifndef ACCEL_GPU_H
#define ACCEL_GPU_H

#include "darknet.h"

#ifdef GPU
#ifdef __cplusplus
extern "C" {
#endif
/* Depthwise convolutions (groups == c, n a multiple of c) without cuDNN; all others are left to Darknet's gemm. The
 * forward pass writes l.output_gpu, whatever was in it. */
int accel_forward_convolution_gpu(layer l, network net);
int accel_backward_convolution_gpu(layer l, network net);

/* All but training with cuDNN. Between the two passes l.x_norm_gpu is kept, and l.x_gpu is not used. A backward pass
 * outside of training takes the rolling averages for those of the batch, as Darknet does on the CPU. */
int accel_forward_batchnorm_gpu(layer l, network net);
int accel_backward_batchnorm_gpu(layer l, network net);

/* output = alpha input + beta the other layer's output, where both have one shape; its gradient is added to both. The
 * activation is left to Darknet. */
int accel_forward_shortcut_gpu(layer l, network net);
int accel_backward_shortcut_gpu(layer l, network net);

#ifdef CUDNN
/* Sets l->fw_algo, bd_algo and bf_algo for the shape of l, as chosen when this device first met it, and
 * l->workspace_size to what they need. Algorithms that give the same bits twice come first. Ends the program where
 * cuDNN has none. */
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
