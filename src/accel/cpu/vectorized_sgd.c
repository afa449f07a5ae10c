#include "accel/cpu/vectorized_sgd.h"

#ifdef ONEDNN

#include "base/vectorize.h"

/* Decay, step and momentum in one pass over the n weights; Darknet takes three. */
VECTORIZED static void sgd(float *weights, float *updates, float decay, float rate, float momentum, size_t n)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        float update = updates[i] + decay * weights[i];
        weights[i] += rate * update;
        updates[i] = momentum * update;
    }
}

void update_by_sgd(layer l, update_args a)
{
    float rate = a.learning_rate * l.learning_rate_scale / a.batch;
    int n = l.type == CONNECTED ? l.inputs * l.outputs : l.nweights, biases = l.type == CONNECTED ? l.outputs : l.n;
    sgd(l.biases, l.bias_updates, 0, rate, a.momentum, biases);
    if (l.type == CONNECTED ? l.batch_normalize : l.scales != 0)
        sgd(l.scales, l.scale_updates, 0, rate, a.momentum, biases);
    IN_PARTS(n, sgd(l.weights + at, l.weight_updates + at, -a.decay * a.batch, rate, a.momentum, m));
}

#endif
