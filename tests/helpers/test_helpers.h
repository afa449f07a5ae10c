/* What the tests of src/ols and src/train share. */
#ifndef TEST_HELPERS_H
#define TEST_HELPERS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The one comparer: fails unless |value - expected| <= tolerance. NaN is close to nothing. */
#define assert_close(value, expected, tolerance)                                                                       \
    do {                                                                                                               \
        double value_ = (value), expected_ = (expected), tolerance_ = (tolerance);                                     \
        if (!(fabs(value_ - expected_) <= tolerance_))                                                                 \
            fail_msg("%s: %.9g is not %.9g within %g", #value, value_, expected_, tolerance_);                         \
    } while (0)

/* 0..1, the same numbers from the same seed everywhere (Knuth's MMIX generator). */
static inline double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* A batch as ols.h has it, all of it on the host. */
typedef struct {
    int classes, batch, *labels, *hits;
    float *logits, *probs, *truth, *delta, *loss;
} ols_batch;

static inline float *floats(size_t n)
{
    return (float *)calloc(n, sizeof(float));
}

/* All of it 0. */
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

/* probs from logits, in double precision. */
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
