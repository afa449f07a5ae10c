/* Fast CPU paths for the layers that training spends its time in: convolutions by way of oneDNN, the rest vectorised
 * and on all cores. Knows Darknet's layers and nothing of label smoothing.
 *
 * Every function answers 1 where it did the work, and 0 where it did nothing and Darknet's own code has to: for shapes
 * and activations that it declines. Built with ONEDNN=0 they all answer 0, and accel_gemm does with OPENBLAS=0.
 */
#ifndef ACCEL_CPU_H
#define ACCEL_CPU_H

#include "darknet.h"

#ifdef ONEDNN

#ifdef __cplusplus
extern "C" {
#endif

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

/* BLAS level 1 on adjacent elements: x = value; y = x; y += alpha x. */
int accel_fill(int n, float value, float *x);
int accel_copy(int n, const float *x, float *y);
int accel_axpy(int n, float alpha, const float *x, float *y);

/* A network's plan (plan.h) begins empty; accel_plan makes it for the network as it is now, before a pass on the CPU,
 * by putting functions of src/accel in the place of those of layers that they are faster for. accel_end_plan puts
 * Darknet's own back, before anything reallocates the layers' outputs. */
struct accel_plan *accel_new_plan(void);
void accel_plan(network *net);
void accel_end_plan(network *net);
void accel_free_plan(network *net);

/* 0: from now on no network has a plan. For who looks at the output of a layer other than the last one, which may be in
 * another layout, and in another place after the first pass. */
void accel_allow_plans(int allow);

/* Whether the delta of layer net.index need not be set to zero before a backward pass. */
int accel_overwrites_delta(network net);

#ifdef __cplusplus
}
#endif

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
#ifdef __cplusplus
extern "C" {
#endif
/* C = alpha op(A) op(B) + beta C, as Darknet's gemm_cpu: row-major, op transposes where its flag is 1. */
int accel_gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc);
#ifdef __cplusplus
}
#endif
#else
#define accel_gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) 0
#endif

#endif
