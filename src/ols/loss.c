/* Loss and gradient of one batch. CPU reference; ols_kernels.cu holds the CUDA twins. */
#include "ols.h"

#include <math.h>

void ols_labels(int classes, int batch, const float *truth, int *labels)
{
    int b, k;
    for (b = 0; b < batch; ++b) {
        const float *row = truth + (size_t)b * classes;
        int label = -1, ones = 0;
        for (k = 0; k < classes; ++k) {
            if (row[k] != 0) {
                label = k;
                ++ones;
            }
        }
        labels[b] = ones == 1 ? label : -1;
    }
}

/* log sum_k exp(z[k]), z = logits / temperature. The largest probability is 1 / sum_k exp(z[k] - max), at least 1/K, so
 * its log is accurate where other probabilities have underflowed, and no exponential is taken twice. */
static double log_sum_exp(int classes, const float *logits, float temperature, const float *probs)
{
    int k, top = 0;
    for (k = 1; k < classes; ++k)
        if (probs[k] > probs[top]) top = k;
    return (double)logits[top] / temperature - log((double)probs[top]);
}

static float unlabelled(int classes, const float *logits, float temperature, double lse, const float *probs,
                        const float *truth, float *delta)
{
    double loss = 0;
    int k;
    for (k = 0; k < classes; ++k) {
        if (truth[k] != 0) loss += truth[k] * (lse - (double)logits[k] / temperature);
        delta[k] = truth[k] - probs[k];
    }
    return (float)loss;
}

void ols_cross_entropy(const ols_mix *mix, int classes, int batch, const float *logits, float temperature,
                       const float *probs, const float *truth, const int *labels, float *delta, float *loss)
{
    int b;
    for (b = 0; b < batch; ++b) {
        size_t at = (size_t)b * classes;
        double lse = log_sum_exp(classes, logits + at, temperature, probs + at);
        double sum = 0;
        float mass;
        int k;
        if (labels[b] < 0) {
            loss[b] = unlabelled(classes, logits + at, temperature, lse, probs + at, truth + at, delta + at);
            continue;
        }
        mass = ols_target(mix, classes, labels[b], delta + at); /* q, turned into q - m p in place */
        for (k = 0; k < classes; ++k) {
            float q = delta[at + k];
            /* 0 * inf would be NaN for a class that the target leaves out and the logits rule out */
            if (q != 0) sum += q * (lse - (double)logits[at + k] / temperature);
            delta[at + k] = q - mass * probs[at + k];
        }
        loss[b] = (float)sum;
    }
}
