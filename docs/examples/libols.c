/* Online Label Smoothing without Darknet: three epochs over a few logits, and the soft labels that come of them.
 *
 *     cc libols.c $(pkg-config --cflags --libs libols)     after `make install`; it is C99 and C++
 *
 * Class 0 is sometimes taken for class 1, never for class 2; so the row of class 0 gives class 1 the more weight.
 */
#include <ols/ols.h>

#include <stdio.h>

enum { CLASSES = 3, BATCH = 4, BATCHES = 2, EPOCHS = 3 };

/* What a network says about the four samples of each batch, one row a sample; here it never changes. */
static const float logits[BATCHES][BATCH * CLASSES] = {
    {4, 2, 0, /**/ 0, 3, 1, /**/ 0, 0, 4, /**/ 1, 2, 0},
    {3, 2, 0, /**/ 1, 4, 1, /**/ 0, 1, 5, /**/ 4, 1, 0},
};
/* The classes of the samples, one-hot. The last sample of the first batch is of class 0 and taken for class 1. */
static const float truth[BATCH * CLASSES] = {1, 0, 0, /**/ 0, 1, 0, /**/ 0, 0, 1, /**/ 1, 0, 0};

int main(void)
{
    float probs[BATCH * CLASSES], delta[BATCH * CLASSES], loss[BATCH];
    int labels[BATCH], hits[BATCH], epoch, batch, i, y;
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(CLASSES, &options);
    if (!state) return 1;
    for (epoch = 1; epoch <= EPOCHS; ++epoch) {
        double sum = 0;
        for (batch = 0; batch < BATCHES; ++batch) {
            ols_target_spec target = ols_make_target_spec(&options, state, CLASSES);
            ols_softmax_cross_entropy(&target, CLASSES, BATCH, logits[batch], 1, truth, probs, delta, loss, labels,
                                      hits);
            ols_accumulate(state, BATCH, probs, labels, hits);
            for (i = 0; i < BATCH; ++i) sum += loss[i];
            /* delta, the negative gradient by the logits, is what a network would be trained with here. */
            state->images += BATCH; /* how far the epoch is */
            state->iterations += 1;
            if (ols_due(state, &options, BATCH * BATCHES)) ols_update(state, &options, BATCH * BATCHES);
        }
        printf("epoch %d: loss %.4f\n", epoch, sum / (BATCH * BATCHES));
    }
    for (y = 0; y < CLASSES; ++y)
        printf("S[%d] = %.4f %.4f %.4f\n", y, state->S[y * CLASSES], state->S[y * CLASSES + 1],
               state->S[y * CLASSES + 2]);
    printf("delta of the last sample: %.4f %.4f %.4f\n", delta[9], delta[10], delta[11]);
    ols_free_state(state);
    return 0;
}
