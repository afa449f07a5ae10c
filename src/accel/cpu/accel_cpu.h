/* The functions of src/accel/cpu that Darknet's own files call: faster CPU code for the layers that take most of the
 * time of a training. Convolutions use oneDNN, other matrix products OpenBLAS; batch normalisation, activations and the
 * level 1 of the BLAS are loops over wide vector registers and all cores. This code knows Darknet's layers, but nothing
 * of label smoothing.
 *
 * A function that returns an int returns 1 if it did the work, and 0 if it did nothing and Darknet's own code has to do
 * it: for shapes and activations without a fast path. Without oneDNN (ONEDNN=0) all except accel_gemm return 0;
 * accel_gemm returns 0 without OpenBLAS (OPENBLAS=0).
 */
#ifndef ACCEL_CPU_H
#define ACCEL_CPU_H

#include "darknet.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef ONEDNN

/* l.output = convolution of net.input with l.weights: plain, grouped or depthwise, without bias and activation. */
int accel_forward_convolution(layer l, network net);

/* Backward weights and backward data, from l.delta: adds the gradient of the weights to l.weight_updates and, if
 * net.delta is not NULL, that of the input to net.delta. */
int accel_backward_convolution(layer l, network net);

/* Batch normalisation of l.output in place, for training, with Darknet's formulas. Writes l.mean, l.variance, the
 * rolling averages and l.x_norm. Does not write l.x, which accel_backward_batchnorm does not need. */
int accel_forward_batchnorm(layer l, network net);

/* Replaces the gradient of the output in l.delta by that of the input; adds to l.scale_updates and l.bias_updates. */
int accel_backward_batchnorm(layer l, network net);

/* Activation, x[i] = a(x[i]), and its gradient, delta[i] *= a'(x[i]), where x is the output of the activation; for
 * swish its input. */
int accel_activate(float *x, int n, ACTIVATION a);
int accel_gradient(const float *x, int n, ACTIVATION a, float *delta);

/* Level 1 of the BLAS with stride 1: x = value; y = x (x and y may overlap); y += alpha x. */
int accel_fill(int n, float value, float *x);
int accel_copy(int n, const float *x, float *y);
int accel_axpy(int n, float alpha, const float *x, float *y);

/* A network's plan (layer_plan.h) says which layers exchange tensors in oneDNN's blocked layout. accel_new_plan returns
 * the empty plan of a new network. accel_plan fills the plan before a pass on the CPU, for the network's current shape,
 * and replaces functions of layers by faster ones of src/accel. accel_end_plan restores Darknet's functions; call it
 * before anything that reallocates outputs of layers. accel_free_plan frees the plan. */
struct accel_plan *accel_new_plan(void);
void accel_plan(network *net);
void accel_end_plan(network *net);
void accel_free_plan(network *net);

/* With 0, no network uses a plan from now on. For programs that read the output of a layer other than the last: a plan
 * may store it in another layout, and its first pass may reallocate it. */
void accel_allow_plans(int allow);

/* Whether the backward pass overwrites the delta of layer net.index, so that it need not be set to zero before. */
int accel_overwrites_delta(network net);

#else

#define accel_forward_convolution(l, net) 0
#define accel_backward_convolution(l, net) 0
#define accel_forward_batchnorm(l, net) 0
#define accel_backward_batchnorm(l, net) 0
#define accel_activate(x, n, a) 0
#define accel_gradient(x, n, a, delta) 0
#define accel_fill(n, value, x) 0
#define accel_copy(n, x, y) 0
#define accel_axpy(n, alpha, x, y) 0
#define accel_new_plan() 0
#define accel_plan(net) (void)0
#define accel_end_plan(net) (void)0
#define accel_free_plan(net) (void)0
#define accel_allow_plans(allow) (void)0
#define accel_overwrites_delta(net) 0

#endif

#ifdef OPENBLAS
/* C = alpha op(A) op(B) + beta C, as Darknet's gemm_cpu: op(A) is m x k, op(B) is k x n, row-major, with rows of lda,
 * ldb and ldc floats; op transposes if its flag is 1. */
int accel_gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc);
#else
#define accel_gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) 0
#endif

#ifdef __cplusplus
}
#endif

#endif
