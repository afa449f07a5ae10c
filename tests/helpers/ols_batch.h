/* The arrays of a batch as ols.h uses them, and a softmax in double precision, for the tests of the method on the CPU
 * and on the GPU. */
#ifndef OLS_BATCH_H
#define OLS_BATCH_H

#include "helpers/test_helpers.h"

/* logits, probs, truth and delta are [batch][classes], the others [batch]; all on the host. */
typedef struct {
    int classes, batch, *labels, *hits;
    float *logits, *probs, *truth, *delta, *loss;
} ols_batch;

/* A batch of zeros. Free with free_batch. */
static inline ols_batch empty_batch(int classes, int batch)
{
    size_t n = (size_t)classes * batch;
    ols_batch x = {classes,
                   batch,
                   (int *)calloc(batch, sizeof(int)),
                   (int *)calloc(batch, sizeof(int)),
                   floats(n),
                   floats(n),
                   floats(n),
                   floats(n),
                   floats(batch)};
    return x;
}

static inline void free_batch(ols_batch x)
{
    free(x.labels), free(x.hits), free(x.logits), free(x.probs), free(x.truth), free(x.delta), free(x.loss);
}

/* Computes probs from logits in double precision. */
static inline void reference_softmax(ols_batch x, float temperature)
{
    int b, k;
    for (b = 0; b < x.batch; ++b) {
        const float *logits = x.logits + (size_t)b * x.classes;
        float *probs = x.probs + (size_t)b * x.classes, largest = logits[0];
        double sum = 0;
        for (k = 1; k < x.classes; ++k)
            if (logits[k] > largest) largest = logits[k];
        for (k = 0; k < x.classes; ++k) sum += exp(((double)logits[k] - largest) / temperature);
        for (k = 0; k < x.classes; ++k) probs[k] = (float)(exp(((double)logits[k] - largest) / temperature) / sum);
    }
}

#endif
