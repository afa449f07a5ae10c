/* Shared by the tests of the method (src/ols): batches, the loss computed from its definition, states. */
#ifndef TEST_OLS_H
#define TEST_OLS_H

#include "helpers/ols_batch.h"
#include "ols/ols.h"

#include <string.h>

/* A batch with random logits and random one-hot truth. Free with free_batch. */
static inline ols_batch new_batch(int classes, int batch, uint64_t seed)
{
    size_t n = (size_t)classes * batch, i;
    ols_batch x = empty_batch(classes, batch);
    int b;
    for (i = 0; i < n; ++i) x.logits[i] = (float)(6 * noise(&seed) - 3);
    for (b = 0; b < batch; ++b) x.truth[(size_t)b * classes + (int)(noise(&seed) * classes)] = 1;
    return x;
}

/* Sets row b of truth to one-hot for class `label`. */
static inline void set_label(ols_batch x, int b, int label)
{
    memset(x.truth + (size_t)b * x.classes, 0, x.classes * sizeof(float));
    x.truth[(size_t)b * x.classes + label] = 1;
}

/* Loss and gradient of a batch as in a softmax layer, without the statistics. */
static inline void forward(ols_batch x, const ols_options *options, const ols_state *state, float temperature)
{
    ols_target_spec spec = ols_make_target_spec(options, state, x.classes);
    ols_softmax_cross_entropy(&spec, x.classes, x.batch, x.logits, temperature, x.truth, x.probs, x.delta, x.loss,
                              x.labels, x.hits);
}

/* Adds given probabilities to the statistics; a hit is a label with the highest probability, as in the definition. */
static inline void accumulate(ols_state *state, int batch, const float *probs, const int *labels)
{
    int hits[16], b, k;
    assert_true(batch <= 16);
    for (b = 0; b < batch; ++b) {
        int top = 0;
        for (k = 1; k < state->classes; ++k)
            if (probs[b * state->classes + k] > probs[b * state->classes + top]) top = k;
        hits[b] = top == labels[b] ? top : -1;
    }
    ols_accumulate(state, batch, probs, labels, hits);
}

/* The loss of one sample from its definition: -sum_k q[k] log p[k]. */
static inline double reference_loss(int classes, const double *q, const double *logits, double temperature)
{
    double largest = -HUGE_VAL, sum = 0, loss = 0;
    int k;
    for (k = 0; k < classes; ++k)
        if (logits[k] > largest) largest = logits[k];
    for (k = 0; k < classes; ++k) sum += exp((logits[k] - largest) / temperature);
    for (k = 0; k < classes; ++k)
        if (q[k] != 0) loss += q[k] * (log(sum) - (logits[k] - largest) / temperature);
    return loss;
}

/* Sets q to hard * onehot + soft * row; the row sums to 1 or 0. */
static inline void reference_target(int classes, double hard, double soft, const float *row, int label, double *q)
{
    int k;
    for (k = 0; k < classes; ++k) q[k] = soft * row[k] + (k == label ? hard : 0);
}

/* Asserts that every loss is that of the targets q[batch][classes], and delta its negative gradient, computed by finite
 * differences. */
static inline void assert_loss_and_gradient(ols_batch x, const double *q, double temperature)
{
    double *logits = (double *)calloc(x.classes, sizeof(double));
    int b, k;
    for (b = 0; b < x.batch; ++b) {
        size_t at = (size_t)b * x.classes;
        for (k = 0; k < x.classes; ++k) logits[k] = x.logits[at + k];
        assert_close(x.loss[b], reference_loss(x.classes, q + at, logits, temperature), 2e-6);
        for (k = 0; k < x.classes; ++k) {
            const double step = 1e-4;
            double here = logits[k], up, down;
            logits[k] = here + step;
            up = reference_loss(x.classes, q + at, logits, temperature);
            logits[k] = here - step;
            down = reference_loss(x.classes, q + at, logits, temperature);
            logits[k] = here;
            /* As in Darknet's [softmax], delta is the gradient with respect to logits / temperature. */
            assert_close(x.delta[at + k], -(up - down) / (2 * step) * temperature, 1e-6);
        }
    }
    free(logits);
}

/* A state whose rows are random distributions. Free with ols_free_state. */
static inline ols_state *random_state(int classes, const ols_options *options, uint64_t seed)
{
    ols_state *state = ols_new_state(classes, options);
    int y, k;
    assert_non_null(state);
    for (y = 0; y < classes; ++y) {
        float *row = state->S + (size_t)y * classes;
        double sum = 0;
        for (k = 0; k < classes; ++k) sum += row[k] = (float)(noise(&seed) + .01);
        for (k = 0; k < classes; ++k) row[k] = (float)(row[k] / sum);
        state->row_sum[y] = 1;
    }
    return state;
}

static inline void zero_row(ols_state *state, int y)
{
    memset(state->S + (size_t)y * state->classes, 0, state->classes * sizeof(float));
    state->row_sum[y] = 0;
}

static inline void assert_finite(const float *values, size_t n)
{
    size_t i;
    for (i = 0; i < n; ++i) assert_true(isfinite(values[i]));
}

/* A state in which every field has a value that is not the default. Free with ols_free_state. */
static inline ols_state *full_state(int classes, uint64_t seed)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(classes, &options, seed);
    int i;
    for (i = 0; i < classes * classes; ++i) state->A[i] = (float)(10 * noise(&seed));
    for (i = 0; i < classes; ++i) {
        state->correct[i] = (int64_t)(100 * noise(&seed));
        state->seen[i] = state->correct[i] + 5 + i;
    }
    zero_row(state, classes - 1);
    state->images = 1000 + classes;
    state->iterations = 17;
    state->updates = 3;
    state->unlabelled = 2;
    return state;
}

static inline void assert_same_state(const ols_state *a, const ols_state *b)
{
    size_t k = a->classes;
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->S, b->S, k * k * sizeof(float));
    assert_memory_equal(a->A, b->A, k * k * sizeof(float));
    assert_memory_equal(a->row_sum, b->row_sum, k * sizeof(float));
    assert_memory_equal(a->correct, b->correct, k * sizeof(int64_t));
    assert_memory_equal(a->seen, b->seen, k * sizeof(int64_t));
    assert_int_equal(a->images, b->images);
    assert_int_equal(a->iterations, b->iterations);
    assert_int_equal(a->updates, b->updates);
    assert_int_equal(a->unlabelled, b->unlabelled);
}

#endif
