/* What Darknet's own files call in src/accel/cpu: a CPU's fast paths for the layers that training spends its time in.
 * Convolutions go through oneDNN, other matrix products through OpenBLAS; batch normalisation, activations and level 1
 * of the BLAS are loops that use wide vector registers and all cores. Knows Darknet's layers and nothing of label
 * smoothing.
 *
 * A function that returns an int answers 1 where it did the work. It answers 0 where it did nothing and Darknet's own
 * code has to: for shapes and activations that it has no fast path for. Without oneDNN (ONEDNN=0) all of them answer 0
 * but accel_gemm, which does so without OpenBLAS (OPENBLAS=0).
 */
#ifndef ACCEL_CPU_H
#define ACCEL_CPU_H

#include "darknet.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef ONEDNN

/* l.output = convolution of net.input with l.weights, plain, grouped or depthwise, without bias or activation. */
int accel_forward_convolution(layer l, network net);

/* l.weight_updates += gradient by the weights, and net.delta (where it is not NULL) += gradient by the input, both from
 * l.delta. */
int accel_backward_convolution(layer l, network net);

/* Batch normalisation of l.output in place while training, with Darknet's formulas; fills l.mean, l.variance, the
 * rolling averages and l.x_norm. l.x is not written: accel_backward_batchnorm does not need it. */
int accel_forward_batchnorm(layer l, network net);

/* l.delta from the gradient by the output to that by the input; adds to l.scale_updates and l.bias_updates. */
int accel_backward_batchnorm(layer l, network net);

/* x[i] = a(x[i]), and delta[i] *= a'(x[i]) where x is the activated output. */
int accel_activate(float *x, int n, ACTIVATION a);
int accel_gradient(const float *x, int n, ACTIVATION a, float *delta);

/* Level 1 of the BLAS on adjacent elements: x = value; y = x, which may overlap; y += alpha x. */
int accel_fill(int n, float value, float *x);
int accel_copy(int n, const float *x, float *y);
int accel_axpy(int n, float alpha, const float *x, float *y);

/* A network's plan (layer_plan.h) says which of its layers hand each other tensors in oneDNN's layout. A network gets
 * an empty one when it is made. accel_plan fills it before a pass on the CPU, for the network as it is then, and puts
 * functions of src/accel into the layers that have faster ones. accel_end_plan puts Darknet's own back; it comes before
 * anything that reallocates the layers' outputs. */
struct accel_plan *accel_new_plan(void);
void accel_plan(network *net);
void accel_end_plan(network *net);
void accel_free_plan(network *net);

/* With 0, no network has a plan from now on. That is for a program that looks at the output of another layer than the
 * last: with a plan it may be in another layout, and be moved to another place by the first pass. */
void accel_allow_plans(int allow);

/* Whether the delta of layer net.index need not be set to zero before a backward pass. */
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
/* C = alpha op(A) op(B) + beta C, as Darknet's gemm_cpu: op(A) is m x k, op(B) k x n, row-major with rows of lda, ldb
 * and ldc floats; op transposes where its flag is 1. */
int accel_gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc);
#else
#define accel_gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) 0
#endif

#ifdef __cplusplus
}
#endif

#endif
