/* The method (src/ols) against the paper's equations as PyTorch evaluates them (tests/golden), against a loss of our
 * own in double precision, and against the promises of ols.h. */
#include "ols/ols.h"
#include "helpers/test_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* ---- A batch and what the method makes of it -------------------------------------------------------------------- */

/* Random logits, and one-hot rows of random classes. */
static ols_batch new_batch(int classes, int batch, uint64_t seed)
{
    size_t n = (size_t)classes * batch, i;
    ols_batch x = empty_batch(classes, batch);
    int b;
    for (i = 0; i < n; ++i) x.logits[i] = (float)(6 * noise(&seed) - 3);
    for (b = 0; b < batch; ++b) x.truth[(size_t)b * classes + (int)(noise(&seed) * classes)] = 1;
    return x;
}

/* Makes row b of truth that of class `label`. */
static void set_label(ols_batch x, int b, int label)
{
    memset(x.truth + (size_t)b * x.classes, 0, x.classes * sizeof(float));
    x.truth[(size_t)b * x.classes + label] = 1;
}

/* What a softmax layer does with a batch, short of the statistics. */
static void forward(ols_batch x, const ols_options *options, const ols_state *state, float temperature)
{
    ols_mix mix = ols_target_mix(options, state, x.classes);
    ols_softmax_cross_entropy(&mix, x.classes, x.batch, x.logits, temperature, x.truth, x.probs, x.delta, x.loss,
                              x.labels, x.hits);
}

/* Statistics of probabilities that are given: the hits are those of the definition. */
static void accumulate(ols_state *state, int batch, const float *probs, const int *labels)
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

/* -sum_k q[k] log p[k] of one sample, straight from its definition. */
static double reference_loss(int classes, const double *q, const double *logits, double temperature)
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

/* hard * onehot + soft * row, the row summing to 1 or 0. */
static void reference_target(int classes, double hard, double soft, const float *row, int label, double *q)
{
    int k;
    for (k = 0; k < classes; ++k) q[k] = soft * row[k] + (k == label ? hard : 0);
}

/* Every loss is that of the targets q (batch x classes), and delta its negative gradient by finite differences. */
static void assert_loss_and_gradient(ols_batch x, const double *q, double temperature)
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
            /* As in Darknet's [softmax], delta is by logits / temperature. */
            assert_close(x.delta[at + k], -(up - down) / (2 * step) * temperature, 1e-6);
        }
    }
    free(logits);
}

/* A state whose rows are random distributions. */
static ols_state *random_state(int classes, const ols_options *options, uint64_t seed)
{
    ols_state *state = ols_new_state(classes, options);
    int y, k;
    assert_non_null(state);
    for (y = 0; y < classes; ++y) {
        float *row = state->soft + (size_t)y * classes;
        double sum = 0;
        for (k = 0; k < classes; ++k) sum += row[k] = (float)(noise(&seed) + .01);
        for (k = 0; k < classes; ++k) row[k] = (float)(row[k] / sum);
        state->weight[y] = 1;
    }
    return state;
}

static void zero_row(ols_state *state, int y)
{
    memset(state->soft + (size_t)y * state->classes, 0, state->classes * sizeof(float));
    state->weight[y] = 0;
}

static void assert_finite(const float *values, size_t n)
{
    size_t i;
    for (i = 0; i < n; ++i) assert_true(isfinite(values[i]));
}

/* ---- Golden values ---------------------------------------------------------------------------------------------- */

enum { GOLDEN_CLASSES = 5, GOLDEN_BATCH = 8, GOLDEN_BATCHES = 8, GOLDEN_EPOCH = 32 /* images */ };

static FILE *open_golden(void)
{
    const char *tests = getenv("OLS_TESTS");
    char path[4096];
    FILE *file;
    snprintf(path, sizeof path, "%s/golden/ols.txt", tests ? tests : TESTS_DIR);
    file = fopen(path, "r");
    if (!file) fail_msg("cannot open %s", path);
    return file;
}

/* The first word of the next line that is not a comment. */
static const char *next_word(FILE *file)
{
    static char word[64];
    while (fscanf(file, "%63s", word) == 1) {
        if (word[0] != '#') return word;
        assert_int_not_equal(fscanf(file, "%*[^\n]"), EOF);
    }
    fail_msg("the fixture ends before its end");
    return 0;
}

static void read_values(FILE *file, float *values, int n)
{
    int i;
    for (i = 0; i < n; ++i) assert_int_equal(fscanf(file, "%f", &values[i]), 1);
}

static void expect_word(FILE *file, const char *word)
{
    assert_string_equal(next_word(file), word);
}

/* What a sigmoid head does with a batch: scores into probs, delta = q - m sigmoid(x). The loss is Darknet's. */
static void forward_sigmoid(ols_batch x, const ols_options *options, const ols_state *state)
{
    ols_mix mix = ols_target_mix(options, state, x.classes);
    float q[GOLDEN_CLASSES];
    int b, k;
    ols_labels(x.classes, x.batch, x.truth, x.labels);
    for (b = 0; b < x.batch; ++b) {
        float mass = ols_target(&mix, x.classes, x.labels[b], q);
        for (k = 0; k < x.classes; ++k) {
            int at = b * x.classes + k;
            x.probs[at] = 1 / (1 + expf(-x.logits[at]));
            x.delta[at] = q[k] - mass * x.probs[at];
        }
    }
}

/* Trains on the fixture's batches as the case says and compares everything on the way. */
static void golden_case(void **test)
{
    const char *name = (const char *)*test;
    int sigmoid = !strcmp(name, "sigmoid");
    FILE *file = open_golden();
    ols_batch x[GOLDEN_BATCHES];
    ols_options options = ols_default_options(OLS_HARD);
    ols_state *state = 0;
    float expected[GOLDEN_BATCH * GOLDEN_CLASSES];
    int i, b, k, sizes[4];

    expect_word(file, "size");
    for (i = 0; i < 4; ++i) assert_int_equal(fscanf(file, "%d", &sizes[i]), 1);
    assert_int_equal(sizes[0], GOLDEN_CLASSES);
    assert_int_equal(sizes[1], GOLDEN_BATCH);
    assert_int_equal(sizes[2] * sizes[3], GOLDEN_BATCHES);
    assert_int_equal(sizes[1] * sizes[2], GOLDEN_EPOCH);
    for (i = 0; i < GOLDEN_BATCHES; ++i) {
        x[i] = new_batch(GOLDEN_CLASSES, GOLDEN_BATCH, 1);
        expect_word(file, "labels");
        for (b = 0; b < GOLDEN_BATCH; ++b) {
            int label;
            assert_int_equal(fscanf(file, "%d", &label), 1);
            set_label(x[i], b, label);
        }
        expect_word(file, "logits");
        read_values(file, x[i].logits, GOLDEN_BATCH * GOLDEN_CLASSES);
    }
    for (;;) {
        char found[64];
        while (strcmp(next_word(file), "case")) assert_int_not_equal(fscanf(file, "%*[^\n]"), EOF);
        assert_int_equal(fscanf(file, "%63s", found), 1);
        if (!strcmp(found, name)) break;
    }
    while (!strcmp(next_word(file), "option")) {
        char key[64], value[64], range[256];
        assert_int_equal(fscanf(file, "%63s %63s", key, value), 2);
        assert_int_equal(ols_set_option(&options, key, value, range, sizeof range), 0);
    }
    if (ols_has_state(&options)) state = ols_new_state(GOLDEN_CLASSES, &options);
    for (i = 0; i < GOLDEN_BATCHES; ++i) {
        if (i) expect_word(file, "loss"); /* that of the first batch ended the options */
        if (sigmoid) {
            forward_sigmoid(x[i], &options, state);
            read_values(file, expected, GOLDEN_BATCH);
        } else {
            forward(x[i], &options, state, 1);
            read_values(file, expected, GOLDEN_BATCH);
            for (b = 0; b < GOLDEN_BATCH; ++b) assert_close(x[i].loss[b], expected[b], 2e-6);
        }
        expect_word(file, "gradient");
        read_values(file, expected, GOLDEN_BATCH * GOLDEN_CLASSES);
        for (k = 0; k < GOLDEN_BATCH * GOLDEN_CLASSES; ++k) assert_close(x[i].delta[k], -expected[k], 1e-6);
        if (!state) continue;
        if (sigmoid) {
            for (b = 0; b < GOLDEN_BATCH; ++b)
                ols_accumulate_scores(state, x[i].probs + b * GOLDEN_CLASSES, 1, x[i].labels[b]);
        } else {
            ols_accumulate(state, GOLDEN_BATCH, x[i].probs, x[i].labels, x[i].hits);
        }
        state->images += GOLDEN_BATCH;
        ++state->iterations;
        if (!ols_due(state, &options, GOLDEN_EPOCH)) continue;
        ols_update(state, &options, GOLDEN_EPOCH);
        expect_word(file, "soft");
        read_values(file, expected, GOLDEN_CLASSES * GOLDEN_CLASSES);
        for (k = 0; k < GOLDEN_CLASSES * GOLDEN_CLASSES; ++k) assert_close(state->soft[k], expected[k], 1e-6);
    }
    /* An update that we missed would stand here. */
    assert_true(strcmp(next_word(file), "soft"));
    for (i = 0; i < GOLDEN_BATCHES; ++i) free_batch(x[i]);
    ols_free_state(state);
    fclose(file);
}

/* ---- Loss and gradient ------------------------------------------------------------------------------------------ */

static const float temperatures[] = {1, 2.5f};

static void hard_labels_have_the_gradient_of_their_loss(void **test)
{
    enum { K = 7, B = 5 };
    ols_options options = ols_default_options(OLS_HARD);
    ols_batch x = new_batch(K, B, 11);
    double q[B * K];
    size_t t;
    int i;
    (void)test;
    for (i = 0; i < B * K; ++i) q[i] = x.truth[i];
    for (t = 0; t < COUNT(temperatures); ++t) {
        forward(x, &options, 0, temperatures[t]);
        assert_loss_and_gradient(x, q, temperatures[t]);
    }
    free_batch(x);
}

static void label_smoothing_has_the_gradient_of_its_loss(void **test)
{
    enum { K = 7, B = 5 };
    ols_options options = ols_default_options(OLS_LS);
    ols_batch x = new_batch(K, B, 12);
    double q[B * K];
    size_t t;
    int i;
    (void)test;
    options.epsilon = .25f;
    for (i = 0; i < B * K; ++i) q[i] = .75 * x.truth[i] + .25 / K;
    for (t = 0; t < COUNT(temperatures); ++t) {
        forward(x, &options, 0, temperatures[t]);
        assert_loss_and_gradient(x, q, temperatures[t]);
    }
    free_batch(x);
}

/* Rows that sum to 1, a row of zeros (m < 1), and both terms weighed 1 (m = 2). */
static void online_label_smoothing_has_the_gradient_of_its_loss(void **test)
{
    enum { K = 7, B = 6 };
    static const float weights[][2] = {{.5f, -1}, {.3f, -1}, {0, -1}, {1, 1}, {.5f, 0}};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(K, &options, 3);
    ols_batch x = new_batch(K, B, 13);
    double q[B * K];
    size_t w, t;
    int b;
    (void)test;
    zero_row(state, 2);
    set_label(x, 0, 2);
    for (w = 0; w < COUNT(weights); ++w) {
        options.alpha = weights[w][0];
        options.soft_weight = weights[w][1];
        for (t = 0; t < COUNT(temperatures); ++t) {
            forward(x, &options, state, temperatures[t]);
            for (b = 0; b < B; ++b)
                reference_target(K, options.alpha, options.soft_weight < 0 ? 1 - options.alpha : options.soft_weight,
                                 state->soft + x.labels[b] * K, x.labels[b], q + b * K);
            assert_loss_and_gradient(x, q, temperatures[t]);
        }
    }
    ols_free_state(state);
    free_batch(x);
}

/* Losses and deltas of x under two methods are the same. */
static void assert_same_training(ols_batch x, const ols_options *a, const ols_state *state, const ols_options *b)
{
    size_t n = (size_t)x.batch * x.classes, i;
    float *delta = floats(n), *loss = floats(x.batch);
    forward(x, a, state, 1);
    memcpy(delta, x.delta, n * sizeof(float));
    memcpy(loss, x.loss, x.batch * sizeof(float));
    forward(x, b, 0, 1);
    for (i = 0; i < n; ++i) assert_close(delta[i], x.delta[i], 1e-6);
    for (i = 0; i < (size_t)x.batch; ++i) assert_close(loss[i], x.loss[i], 2e-6);
    free(delta), free(loss);
}

static void uniform_soft_labels_equal_label_smoothing_by_one_minus_alpha(void **test)
{
    static const float alphas[] = {0, .1f, .5f, .9f, 1};
    ols_options ols = ols_default_options(OLS_OLS), ls = ols_default_options(OLS_LS);
    ols_state *state = ols_new_state(10, &ols);
    ols_batch x = new_batch(10, 6, 21);
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(alphas); ++i) {
        ols.alpha = alphas[i];
        ls.epsilon = 1 - alphas[i];
        assert_same_training(x, &ols, state, &ls);
    }
    ols_free_state(state);
    free_batch(x);
}

static void one_hot_soft_labels_equal_hard_labels(void **test)
{
    ols_options ols = ols_default_options(OLS_OLS), hard = ols_default_options(OLS_HARD);
    ols_state *state = ols_new_state(10, &ols);
    ols_batch x = new_batch(10, 6, 22);
    int y;
    (void)test;
    memset(state->soft, 0, 100 * sizeof(float));
    for (y = 0; y < 10; ++y) state->soft[y * 10 + y] = 1;
    assert_same_training(x, &ols, state, &hard);
    ols.alpha = 0;
    assert_same_training(x, &ols, state, &hard);
    ols_free_state(state);
    free_batch(x);
}

static void an_alpha_of_one_equals_hard_labels_whatever_the_soft_labels(void **test)
{
    ols_options ols = ols_default_options(OLS_OLS), hard = ols_default_options(OLS_HARD);
    ols_state *state = random_state(10, &ols, 5);
    ols_batch x = new_batch(10, 6, 23);
    (void)test;
    ols.alpha = 1;
    assert_same_training(x, &ols, state, &hard);
    ols_free_state(state);
    free_batch(x);
}

static void saturated_logits_give_a_finite_and_right_loss(void **test)
{
    static const float rows[][3] = {{1e4f, -1e4f, 0}, {-1e4f, 1e4f, 1e4f}, {-1e4f, -1e4f, -1e4f}, {1e4f, 1e4f, 1e4f}};
    static const ols_smoothing methods[] = {OLS_HARD, OLS_LS, OLS_OLS};
    size_t m, r;
    int label, k;
    (void)test;
    for (m = 0; m < COUNT(methods); ++m) {
        ols_options options = ols_default_options(methods[m]);
        ols_state *state = ols_has_state(&options) ? random_state(3, &options, 7) : 0;
        for (r = 0; r < COUNT(rows); ++r) {
            for (label = 0; label < 3; ++label) {
                ols_batch x = new_batch(3, 1, 1);
                double q[3], logits[3], expected;
                set_label(x, 0, label);
                memcpy(x.logits, rows[r], sizeof rows[r]);
                forward(x, &options, state, 1);
                for (k = 0; k < 3; ++k) {
                    double onehot = k == label;
                    q[k] = methods[m] == OLS_HARD ? onehot
                           : methods[m] == OLS_LS ? .9 * onehot + .1 / 3
                                                  : .5 * onehot + .5 * state->soft[label * 3 + k];
                    logits[k] = rows[r][k];
                    assert_close(x.delta[k], q[k] - x.probs[k], 1e-6);
                }
                expected = reference_loss(3, q, logits, 1);
                assert_close(x.loss[0], expected, 1e-6 * (1 + fabs(expected)));
                free_batch(x);
            }
        }
        ols_free_state(state);
    }
}

static void a_sample_is_trained_alike_alone_and_in_a_batch(void **test)
{
    enum { K = 10, B = 8 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(K, &options, 8), *one_by_one = random_state(K, &options, 8);
    ols_batch x = new_batch(K, B, 24), single = new_batch(K, 1, 1);
    int b;
    (void)test;
    x.truth[3 * K] = x.truth[3 * K + 1] = 1; /* not one-hot */
    forward(x, &options, state, 1);
    ols_accumulate(state, B, x.probs, x.labels, x.hits);
    for (b = 0; b < B; ++b) {
        memcpy(single.logits, x.logits + b * K, K * sizeof(float));
        memcpy(single.truth, x.truth + b * K, K * sizeof(float));
        forward(single, &options, one_by_one, 1);
        ols_accumulate(one_by_one, 1, single.probs, single.labels, single.hits);
        assert_int_equal(single.labels[0], x.labels[b]);
        assert_memory_equal(single.delta, x.delta + b * K, K * sizeof(float));
        assert_memory_equal(single.loss, x.loss + b, sizeof(float));
    }
    assert_memory_equal(state->sums, one_by_one->sums, K * K * sizeof(float));
    assert_memory_equal(state->correct, one_by_one->correct, K * sizeof(int64_t));
    ols_free_state(state), ols_free_state(one_by_one);
    free_batch(x), free_batch(single);
}

/* On both sides of a vector and of the parts that sums are taken in. */
static const int class_counts[] = {2, 3, 10, 17, 100, 512, 1000, 4097};

static void the_probabilities_are_those_of_a_softmax_in_double_precision(void **test)
{
    ols_options options = ols_default_options(OLS_HARD);
    size_t c, t;
    int i;
    (void)test;
    for (c = 0; c < COUNT(class_counts); ++c) {
        for (t = 0; t < COUNT(temperatures); ++t) {
            ols_batch x = new_batch(class_counts[c], 3, c), expected = new_batch(class_counts[c], 3, c);
            for (i = 0; i < 3 * class_counts[c]; ++i)
                expected.logits[i] = x.logits[i] = x.logits[i] * (i < class_counts[c] ? 1 : 20) + 5;
            reference_softmax(expected, temperatures[t]);
            forward(x, &options, 0, temperatures[t]);
            for (i = 0; i < 3 * class_counts[c]; ++i) /* a difference of 120 is known to 4e-6 */
                assert_close(x.probs[i], expected.probs[i],
                             (i < class_counts[c] ? 1e-6 : 1e-5) * expected.probs[i] + 1e-37);
            free_batch(x), free_batch(expected);
        }
    }
}

/* Two classes, the first of them ahead by x: p = exp(-x) / (1 + exp(-x)). */
static void the_exponential_is_exact_to_the_last_places(void **test)
{
    enum { STEPS = 88000, BATCH = 1000 };
    ols_options options = ols_default_options(OLS_HARD);
    ols_batch x = new_batch(2, BATCH, 1);
    int i, j;
    (void)test;
    for (i = 0; i < STEPS; i += BATCH) {
        for (j = 0; j < BATCH; ++j) {
            x.logits[2 * j] = 0;
            x.logits[2 * j + 1] = -(i + j) / 1000.f;
        }
        forward(x, &options, 0, 1);
        for (j = 0; j < BATCH; ++j) {
            double e = exp((double)x.logits[2 * j + 1]);
            assert_close(x.probs[2 * j], 1 / (1 + e), 1.5e-7);
            assert_close(x.probs[2 * j + 1], e / (1 + e), i + j > 87300 ? 2e-38 : 3e-7 * e / (1 + e));
        }
    }
    free_batch(x);
}

#ifdef _OPENMP
static void the_number_of_threads_does_not_show_in_the_result(void **test)
{
    enum { K = 1000, B = 64 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *one = random_state(K, &options, 3), *four = random_state(K, &options, 3);
    ols_batch x = new_batch(K, B, 9), y = new_batch(K, B, 9);
    int b, before = omp_get_max_threads();
    (void)test;
    for (b = 0; b < B; ++b) set_label(x, b, b % 7), set_label(y, b, b % 7);
    for (b = 0; b < B; b += 2) x.logits[b * K + b % 7] = y.logits[b * K + b % 7] = 4;
    omp_set_num_threads(1);
    forward(x, &options, one, 1);
    ols_accumulate(one, B, x.probs, x.labels, x.hits);
    omp_set_num_threads(4);
    forward(y, &options, four, 1);
    ols_accumulate(four, B, y.probs, y.labels, y.hits);
    omp_set_num_threads(before);
    assert_memory_equal(x.probs, y.probs, K * B * sizeof(float));
    assert_memory_equal(x.delta, y.delta, K * B * sizeof(float));
    assert_memory_equal(x.loss, y.loss, B * sizeof(float));
    assert_memory_equal(one->sums, four->sums, K * K * sizeof(float));
    assert_int_equal(one->correct[0], four->correct[0]);
    assert_true(one->correct[0] > 0);
    ols_free_state(one), ols_free_state(four);
    free_batch(x), free_batch(y);
}
#endif

/* Loss, gradient, statistics and update at K classes, each against its definition. */
static void check_class_count(int classes, int batch)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(classes, &options, 9);
    ols_batch x = new_batch(classes, batch, 25);
    double *q = (double *)calloc((size_t)batch * classes, sizeof(double));
    double *sums = (double *)calloc((size_t)classes * classes, sizeof(double));
    int b, k, y;
    for (b = 0; b < batch; ++b) { /* every other sample is right */
        size_t at = (size_t)b * classes;
        for (y = 0; x.truth[at + y] == 0; ++y) {
        }
        x.logits[at + y] = b % 2 ? -4 : 4;
    }
    forward(x, &options, state, 1);
    for (b = 0; b < batch; ++b)
        reference_target(classes, .5, .5, state->soft + (size_t)x.labels[b] * classes, x.labels[b],
                         q + (size_t)b * classes);
    /* Finite differences of a thousand classes take long; delta has a closed form. */
    for (b = 0; b < batch; ++b) {
        size_t at = (size_t)b * classes;
        double *logits = (double *)calloc(classes, sizeof(double));
        for (k = 0; k < classes; ++k) {
            logits[k] = x.logits[at + k];
            assert_close(x.delta[at + k], q[at + k] - x.probs[at + k], 2e-7);
        }
        assert_close(x.loss[b], reference_loss(classes, q + at, logits, 1), 2e-6);
        free(logits);
        if (b % 2 == 0)
            for (k = 0; k < classes; ++k) sums[(size_t)x.labels[b] * classes + k] += x.probs[at + k];
    }
    ols_accumulate(state, batch, x.probs, x.labels, x.hits);
    ols_update(state, &options, 0);
    for (y = 0; y < classes; ++y) {
        const double *a = sums + (size_t)y * classes;
        double total = 0;
        for (k = 0; k < classes; ++k) total += a[k];
        for (k = 0; k < classes; ++k)
            assert_close(state->soft[(size_t)y * classes + k], total > 0 ? a[k] / total : 1. / classes, 1e-6);
    }
    ols_free_state(state);
    free_batch(x);
    free(q), free(sums);
}

static void two_classes_are_enough(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(2, &options, 4);
    ols_batch x = new_batch(2, 4, 26);
    double q[8];
    int b;
    (void)test;
    forward(x, &options, state, 1);
    for (b = 0; b < 4; ++b) reference_target(2, .5, .5, state->soft + x.labels[b] * 2, x.labels[b], q + b * 2);
    assert_loss_and_gradient(x, q, 1);
    ols_free_state(state);
    free_batch(x);
}

static void a_thousand_classes_work_as_ten_do(void **test)
{
    (void)test;
    check_class_count(10, 16);
    check_class_count(1000, 16);
}

/* ---- Labels ----------------------------------------------------------------------------------------------------- */

static void a_label_is_the_one_entry_that_is_not_zero(void **test)
{
    static const float truth[] = {1, 0, 0, /**/ 0, 0, 1, /**/ 0, .5f, 0, /**/ 0, 0, 0, /**/ 1, 1, 0, /**/ .5f, 0, .5f};
    static const int expected[] = {0, 2, 1, -1, -1, -1};
    int labels[6];
    (void)test;
    ols_labels(3, 6, truth, labels);
    assert_memory_equal(labels, expected, sizeof expected);
}

/* As Darknet's [softmax]: truth as it stands, delta = truth - p. */
static void samples_without_a_single_class_are_trained_on_their_truth(void **test)
{
    enum { K = 4, B = 3 };
    static const float truth[B * K] = {0, 0, 0, 0, /**/ 1, 0, 1, 0, /**/ .3f, .7f, 0, 0};
    static const ols_smoothing methods[] = {OLS_HARD, OLS_LS, OLS_OLS};
    double q[K], logits[K];
    size_t m;
    int b, k;
    (void)test;
    for (m = 0; m < COUNT(methods); ++m) {
        ols_options options = ols_default_options(methods[m]);
        ols_state *state = ols_has_state(&options) ? random_state(K, &options, 6) : 0;
        ols_batch x = new_batch(K, B, 31);
        memcpy(x.truth, truth, sizeof truth);
        forward(x, &options, state, 1);
        for (b = 0; b < B; ++b) {
            assert_int_equal(x.labels[b], -1);
            for (k = 0; k < K; ++k) {
                q[k] = truth[b * K + k];
                logits[k] = x.logits[b * K + k];
                assert_close(x.delta[b * K + k], q[k] - x.probs[b * K + k], 1e-7);
            }
            assert_close(x.loss[b], reference_loss(K, q, logits, 1), 2e-6);
        }
        ols_free_state(state);
        free_batch(x);
    }
}

static void samples_without_a_single_class_are_counted_and_left_out_of_the_sums(void **test)
{
    static const float probs[] = {.9f, .1f, .1f, .9f, .2f, .8f};
    static const int labels[] = {-1, 1, -1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    (void)test;
    accumulate(state, 3, probs, labels);
    assert_int_equal(state->unlabelled, 2);
    assert_int_equal(state->seen[0] + state->seen[1], 1);
    assert_close(state->sums[0] + state->sums[1], 0, 0);
    assert_close(state->sums[2], .1f, 0);
    assert_close(state->sums[3], .9f, 0);
    ols_free_state(state);
}

/* ---- Statistics ------------------------------------------------------------------------------------------------- */

static void only_right_predictions_enter_the_sums(void **test)
{
    static const float probs[] = {.7f, .2f, .1f, /**/ .7f, .2f, .1f, /**/ .5f, .4f, .1f, /**/ .1f, .2f, .7f};
    static const int labels[] = {0, 1, 0, 2};
    static const float expected[9] = {.7f + .5f, .2f + .4f, .1f + .1f, 0, 0, 0, .1f, .2f, .7f};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    int i;
    (void)test;
    accumulate(state, 4, probs, labels);
    for (i = 0; i < 9; ++i) assert_close(state->sums[i], expected[i], 1e-6);
    assert_int_equal(state->correct[0], 2);
    assert_int_equal(state->correct[1], 0);
    assert_int_equal(state->correct[2], 1);
    assert_int_equal(state->seen[0], 2);
    assert_int_equal(state->seen[1], 1);
    assert_int_equal(state->seen[2], 1);
    assert_int_equal(state->images, 0); /* the caller's to count: an image can hold many samples */
    ols_free_state(state);
}

static void the_first_of_equal_probabilities_is_the_prediction(void **test)
{
    static const float logits[] = {4, 4, 2, /**/ 4, 4, 2, /**/ 2, 4, 4, /**/ 2, 4, 4};
    static const int labels[] = {0, 1, 1, 2}, hits[] = {0, -1, 1, -1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *batch = ols_new_state(3, &options), *scores = ols_new_state(3, &options);
    ols_batch x = new_batch(3, 4, 1);
    int b;
    (void)test;
    memcpy(x.logits, logits, sizeof logits);
    for (b = 0; b < 4; ++b) set_label(x, b, labels[b]);
    forward(x, &options, batch, 1);
    assert_memory_equal(x.hits, hits, sizeof hits);
    ols_accumulate(batch, 4, x.probs, x.labels, x.hits);
    for (b = 0; b < 4; ++b) ols_accumulate_scores(scores, x.probs + 3 * b, 1, labels[b]);
    assert_int_equal(batch->correct[0], 1);
    assert_int_equal(batch->correct[1], 1);
    assert_int_equal(batch->correct[2], 0);
    assert_memory_equal(batch->correct, scores->correct, 3 * sizeof(int64_t));
    assert_memory_equal(batch->sums, scores->sums, 9 * sizeof(float));
    ols_free_state(batch), ols_free_state(scores);
    free_batch(x);
}

static void what_is_not_finite_does_not_reach_the_sums(void **test)
{
    static const float rows[][3] = {{NAN, NAN, NAN},  {NAN, .6f, .4f},  {.6f, NAN, .4f},      {.6f, .4f, NAN},
                                    {INFINITY, 0, 0}, {0, INFINITY, 0}, {.6f, INFINITY, .4f}, {-INFINITY, NAN, .4f}};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *batch = ols_new_state(3, &options), *scores = ols_new_state(3, &options);
    ols_batch x = new_batch(3, COUNT(rows), 1);
    size_t r;
    int label, i;
    (void)test;
    memcpy(x.logits, rows, sizeof rows);
    for (label = 0; label < 3; ++label) {
        for (r = 0; r < COUNT(rows); ++r) {
            set_label(x, r, label);
            ols_accumulate_scores(scores, rows[r], 1, label);
        }
        forward(x, &options, batch, 1);
        for (i = 0; i < 3 * (int)COUNT(rows); ++i) assert_true(isnan(x.probs[i]) && isnan(x.delta[i]));
        for (r = 0; r < COUNT(rows); ++r) assert_true(isnan(x.loss[r]));
        ols_accumulate(batch, COUNT(rows), x.probs, x.labels, x.hits);
    }
    for (i = 0; i < 3; ++i) {
        assert_int_equal(batch->correct[i], 0);
        assert_int_equal(scores->correct[i], 0);
        assert_int_equal(batch->seen[i], COUNT(rows));
        assert_int_equal(scores->seen[i], COUNT(rows));
    }
    for (i = 0; i < 9; ++i) {
        assert_close(batch->sums[i], 0, 0);
        assert_close(scores->sums[i], 0, 0);
    }
    ols_free_state(batch), ols_free_state(scores);
    free_batch(x);
}

static void logits_that_are_not_finite_leave_the_other_samples_and_the_state_alone(void **test)
{
    enum { K = 3, B = 4 };
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    int k;
    (void)test;
    for (i = 0; i < COUNT(bad); ++i) {
        for (k = 0; k < K; ++k) {
            ols_state *state = random_state(K, &options, 2);
            ols_batch x = new_batch(K, B, 41);
            set_label(x, 1, 0); /* the class that a row of NaN would be taken for */
            x.logits[K + k] = bad[i];
            forward(x, &options, state, 1);
            ols_accumulate(state, B, x.probs, x.labels, x.hits);
            assert_finite(state->sums, K * K);
            ols_update(state, &options, 0);
            assert_finite(state->soft, K * K);
            assert_finite(x.loss, 1);
            assert_finite(x.loss + 2, B - 2);
            assert_finite(x.delta, K);
            assert_finite(x.delta + 2 * K, (B - 2) * K);
            ols_free_state(state);
            free_batch(x);
        }
    }
}

static void a_class_that_the_logits_rule_out_costs_nothing_unless_the_target_wants_it(void **test)
{
    static const float logits[] = {1, -INFINITY, 0};
    ols_options hard = ols_default_options(OLS_HARD), ls = ols_default_options(OLS_LS);
    ols_batch x = new_batch(3, 1, 1);
    (void)test;
    memcpy(x.logits, logits, sizeof logits);
    set_label(x, 0, 0);
    forward(x, &hard, 0, 1);
    assert_close(x.loss[0], log(1 + exp(-1)), 1e-6);
    assert_close(x.probs[1], 0, 0);
    assert_close(x.delta[1], 0, 0);
    assert_int_equal(x.hits[0], 0);
    forward(x, &ls, 0, 1);
    assert_true(isinf(x.loss[0]));
    free_batch(x);
}

static void scores_are_read_with_their_stride(void **test)
{
    static const float scores[] = {.1f, -9, 9, .8f, 9, -9, .3f, 9, 9};
    static const float expected[9] = {0, 0, 0, .1f, .8f, .3f, 0, 0, 0};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    (void)test;
    ols_accumulate_scores(state, scores, 3, 1);
    ols_accumulate_scores(state, scores, 3, 2);
    assert_memory_equal(state->sums, expected, sizeof expected);
    assert_int_equal(state->correct[1], 1);
    assert_int_equal(state->correct[2], 0);
    assert_int_equal(state->seen[1] + state->seen[2], 2);
    ols_free_state(state);
}

static void negative_scores_count_as_zero(void **test)
{
    static const float some[] = {-.5f, .2f, 3}, all[] = {-3, -2, -1};
    static const float expected[9] = {0, 0, 0, 0, 0, 0, 0, .2f, 3};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(3, &options);
    int k;
    (void)test;
    ols_accumulate_scores(state, some, 1, 2);
    ols_accumulate_scores(state, all, 1, 2); /* right, and adds nothing */
    assert_memory_equal(state->sums, expected, sizeof expected);
    assert_int_equal(state->correct[2], 2);
    ols_update(state, &options, 0);
    assert_close(state->soft[6], 0, 0);
    assert_close(state->soft[7], .2 / 3.2, 1e-6);
    ols_accumulate_scores(state, all, 1, 2); /* and alone leaves nothing to make a distribution of */
    ols_update(state, &options, 0);
    for (k = 0; k < 3; ++k) assert_close(state->soft[6 + k], 1. / 3, 1e-6);
    ols_free_state(state);
}

static void counts_are_summed_over_the_classes(void **test)
{
    static const float probs[] = {.7f, .3f, .7f, .3f, .7f, .3f};
    static const int labels[] = {0, 1, -1};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    ols_summary summary;
    (void)test;
    accumulate(state, 3, probs, labels);
    ols_count(state, &summary);
    assert_int_equal(summary.correct, 1);
    assert_int_equal(summary.seen, 2);
    assert_int_equal(summary.unlabelled, 1);
    ols_free_state(state);
}

static void the_summary_leaves_out_rows_of_zeros(void **test)
{
    static const float soft[16] = {.6f, .3f, .1f, 0, /**/ .2f, .8f, 0, 0, /**/ 0, 0, 0, 0, /**/ .25f, .25f, .25f, .25f};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(4, &options);
    ols_summary summary;
    (void)test;
    memcpy(state->soft, soft, sizeof soft);
    state->weight[2] = 0;
    ols_summarize(state, &summary);
    assert_close(summary.diagonal, (.6 + .8 + .25) / 3, 1e-6);
    assert_close(summary.entropy,
                 -(.6 * log(.6) + .3 * log(.3) + .1 * log(.1) + .2 * log(.2) + .8 * log(.8) + log(.25)) / 3, 1e-6);
    assert_int_equal(summary.confusions[0].label, 0);
    assert_int_equal(summary.confusions[0].other, 1);
    assert_close(summary.confusions[0].value, .3, 1e-6);
    assert_int_equal(summary.confusions[1].label, 3); /* .25, the first of three */
    assert_int_equal(summary.confusions[1].other, 0);
    assert_int_equal(summary.confusions[2].label, 3);
    assert_int_equal(summary.confusions[2].other, 1);
    ols_free_state(state);
}

/* ---- State and update ------------------------------------------------------------------------------------------- */

static void a_new_state_holds_the_soft_labels_that_init_asks_for(void **test)
{
    enum { K = 4 };
    static const ols_row inits[] = {OLS_ROW_UNIFORM, OLS_ROW_ZERO, OLS_ROW_LS};
    static const double on[] = {.25, 0, .8 + .2 / K}, off[] = {.25, 0, .2 / K}, weight[] = {1, 0, 1};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    int y, k;
    (void)test;
    assert_int_equal(options.init, OLS_ROW_UNIFORM); /* the paper's */
    options.epsilon = .2f;
    for (i = 0; i < COUNT(inits); ++i) {
        ols_state *state;
        options.init = inits[i];
        state = ols_new_state(K, &options);
        for (y = 0; y < K; ++y) {
            for (k = 0; k < K; ++k) {
                assert_close(state->soft[y * K + k], k == y ? on[i] : off[i], 1e-6);
                assert_close(state->sums[y * K + k], 0, 0);
            }
            assert_close(state->weight[y], weight[i], 0);
            assert_int_equal(state->correct[y] + state->seen[y], 0);
        }
        assert_int_equal(state->images + state->iterations + state->updates + state->unlabelled, 0);
        ols_free_state(state);
    }
}

/* Fills every part of a state with something. */
static ols_state *full_state(int classes, uint64_t seed)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = random_state(classes, &options, seed);
    int i;
    for (i = 0; i < classes * classes; ++i) state->sums[i] = (float)(10 * noise(&seed));
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

static void assert_same_state(const ols_state *a, const ols_state *b)
{
    size_t k = a->classes;
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->soft, b->soft, k * k * sizeof(float));
    assert_memory_equal(a->sums, b->sums, k * k * sizeof(float));
    assert_memory_equal(a->weight, b->weight, k * sizeof(float));
    assert_memory_equal(a->correct, b->correct, k * sizeof(int64_t));
    assert_memory_equal(a->seen, b->seen, k * sizeof(int64_t));
    assert_int_equal(a->images, b->images);
    assert_int_equal(a->iterations, b->iterations);
    assert_int_equal(a->updates, b->updates);
    assert_int_equal(a->unlabelled, b->unlabelled);
}

static void a_reset_state_is_a_new_one(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = full_state(4, 1), *fresh;
    (void)test;
    options.init = OLS_ROW_LS;
    fresh = ols_new_state(4, &options);
    ols_reset_state(state, &options);
    assert_same_state(state, fresh);
    ols_free_state(state), ols_free_state(fresh);
}

static void clearing_the_sums_keeps_the_soft_labels(void **test)
{
    ols_state *state = full_state(4, 1), *same = full_state(4, 1);
    (void)test;
    ols_clear_sums(state);
    memset(same->sums, 0, 16 * sizeof(float));
    memset(same->correct, 0, 4 * sizeof(int64_t));
    memset(same->seen, 0, 4 * sizeof(int64_t));
    same->images = same->iterations = same->unlabelled = 0;
    assert_same_state(state, same);
    ols_free_state(state), ols_free_state(same);
}

static void an_update_turns_the_sums_into_distributions_and_clears_them(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = full_state(3, 1);
    float sums[9];
    int y, k;
    (void)test;
    memcpy(sums, state->sums, sizeof sums);
    ols_update(state, &options, 0);
    for (y = 0; y < 3; ++y) {
        double total = (double)sums[y * 3] + sums[y * 3 + 1] + sums[y * 3 + 2];
        for (k = 0; k < 3; ++k) {
            assert_close(state->soft[y * 3 + k], sums[y * 3 + k] / total, 1e-7);
            assert_close(state->sums[y * 3 + k], 0, 0);
        }
        assert_close(state->weight[y], 1, 0); /* of the row that was zero, too */
        assert_int_equal(state->correct[y] + state->seen[y], 0);
    }
    assert_int_equal(state->updates, 4);
    assert_int_equal(state->images + state->iterations + state->unlabelled, 0);
    ols_free_state(state);
}

/* Class 0 is right, class 1 is seen and never right, class 2 is never seen; all three had a row before. */
static ols_state *updated_with_empty_classes(ols_options *options, float before[9])
{
    static const float probs[] = {.75f, .125f, .125f, .75f, .125f, .125f};
    static const int labels[] = {0, 1};
    ols_state *state = random_state(3, options, 14);
    memcpy(before, state->soft, 9 * sizeof(float));
    accumulate(state, 2, probs, labels);
    ols_update(state, options, 0);
    assert_close(state->soft[0], .75, 0);
    assert_close(state->weight[0], 1, 0);
    return state;
}

static void a_class_without_right_predictions_becomes_uniform(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    float before[9];
    ols_state *state = updated_with_empty_classes(&options, before); /* the default */
    int i;
    (void)test;
    for (i = 3; i < 9; ++i) assert_close(state->soft[i], 1. / 3, 1e-7);
    assert_close(state->weight[1] + state->weight[2], 2, 0);
    ols_free_state(state);
}

static void a_class_without_right_predictions_becomes_zero_and_drops_its_soft_term(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    float before[9], q[3];
    ols_state *state;
    ols_mix mix;
    int i;
    (void)test;
    options.empty = OLS_ROW_ZERO;
    options.alpha = .25f;
    state = updated_with_empty_classes(&options, before);
    for (i = 3; i < 9; ++i) assert_close(state->soft[i], 0, 0);
    assert_close(state->weight[1] + state->weight[2], 0, 0);
    mix = ols_target_mix(&options, state, 3);
    assert_close(ols_target(&mix, 3, 1, q), .25, 0);
    assert_close(q[0], 0, 0);
    assert_close(q[1], .25, 0);
    assert_close(q[2], 0, 0);
    ols_free_state(state);
}

static void a_class_without_right_predictions_keeps_its_row(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    float before[9];
    ols_state *state;
    (void)test;
    options.empty = OLS_ROW_KEEP;
    state = updated_with_empty_classes(&options, before);
    assert_memory_equal(state->soft + 3, before + 3, 6 * sizeof(float));
    assert_close(state->weight[1] + state->weight[2], 2, 0);
    zero_row(state, 2); /* a row of zeros is kept as such */
    ols_update(state, &options, 0);
    assert_close(state->weight[1], 1, 0);
    assert_close(state->weight[2], 0, 0);
    ols_free_state(state);
}

/* Row 0 has reached .75, row 1 has not, row 2 has and saw nothing. */
static void a_frozen_row_is_left_alone(void **test)
{
    static const float soft[9] = {.75f, .25f, 0, .25f, .7f, .05f, .05f, .05f, .9f};
    static const float probs[] = {.5f, .375f, .125f, .25f, .625f, .125f};
    static const int labels[] = {0, 1};
    static const float freezes[] = {.75f, 0};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    (void)test;
    assert_close(options.freeze, 0, 0); /* never, unless asked for */
    options.empty = OLS_ROW_ZERO;
    for (i = 0; i < COUNT(freezes); ++i) {
        ols_state *state = ols_new_state(3, &options);
        options.freeze = freezes[i];
        memcpy(state->soft, soft, sizeof soft);
        state->updates = 1; /* before the first update nothing was learned that could be kept */
        accumulate(state, 2, probs, labels);
        ols_update(state, &options, 0);
        assert_memory_equal(state->soft, freezes[i] > 0 ? soft : probs, 3 * sizeof(float));
        assert_memory_equal(state->soft + 3, probs + 3, 3 * sizeof(float));
        assert_close(state->soft[8], freezes[i] > 0 ? .9 : 0, 1e-6);
        assert_close(state->weight[2], freezes[i] > 0, 0);
        assert_close(state->sums[0], 0, 0); /* what a frozen class gathered is gone, too */
        ols_free_state(state);
    }
}

/* init=ls is above freeze=.88 from the start; frozen there, it would never learn. */
static void the_first_update_freezes_nothing(void **test)
{
    static const float probs[] = {.5f, .375f, .125f};
    static const int labels[] = {0};
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state;
    (void)test;
    options.init = OLS_ROW_LS;
    options.freeze = .88f;
    state = ols_new_state(3, &options);
    assert_true(state->soft[0] > .88f);
    accumulate(state, 1, probs, labels);
    ols_update(state, &options, 0);
    assert_memory_equal(state->soft, probs, sizeof probs);
    ols_free_state(state);
}

static void an_update_is_due_after_an_epoch_of_images(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    (void)test;
    state->iterations = 1000;
    state->images = 99;
    assert_false(ols_due(state, &options, 100));
    state->images = 100;
    assert_true(ols_due(state, &options, 100));
    state->images = 120;
    assert_true(ols_due(state, &options, 100));
    assert_false(ols_due(state, &options, 0)); /* the trainer has not said how long an epoch is */
    ols_free_state(state);
}

static void an_update_is_due_after_a_period_of_iterations(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    (void)test;
    options.period = 10;
    state->images = 1030;
    state->iterations = 9;
    assert_false(ols_due(state, &options, 100));
    state->iterations = 10;
    assert_true(ols_due(state, &options, 100));
    assert_true(ols_due(state, &options, 0));
    ols_update(state, &options, 100);
    assert_int_equal(state->iterations, 0);
    assert_int_equal(state->images, 0);
    assert_false(ols_due(state, &options, 100));
    ols_free_state(state);
}

/* Batches of 32 and epochs of 100 images: updates come where the images pass 100, 200, 300, ... */
static void the_position_beyond_an_epoch_is_carried_over(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    int64_t images;
    (void)test;
    for (images = 32; images <= 3200; images += 32) {
        int due = images / 100 > (images - 32) / 100;
        state->images += 32;
        assert_int_equal(ols_due(state, &options, 100), due);
        if (due) ols_update(state, &options, 100);
        assert_int_equal(state->images, images % 100);
    }
    assert_int_equal(state->updates, 32);
    state->images = 512; /* a batch of several epochs is still one update */
    ols_update(state, &options, 100);
    assert_int_equal(state->images, 12);
    ols_free_state(state);
}

/* Two replicas see every other sample each; `grain` makes sums exact in any order (a multiple of 1/64), or not (0). */
static void check_merge(double grain, double tolerance)
{
    enum { K = 4, B = 40 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *all = ols_new_state(K, &options), *first = ols_new_state(K, &options);
    ols_state *second = ols_new_state(K, &options);
    uint64_t seed = 77;
    int b, k;
    for (b = 0; b < B; ++b) {
        ols_state *replica = b % 2 ? second : first;
        float probs[K];
        int label = b % 7 == 6 ? -1 : (int)(noise(&seed) * K);
        for (k = 0; k < K; ++k) probs[k] = (float)(grain > 0 ? grain * (int)(noise(&seed) / grain) : noise(&seed));
        if (b % 3 && label >= 0) probs[label] = 1;
        accumulate(all, 1, probs, &label);
        accumulate(replica, 1, probs, &label);
        ++all->images, ++replica->images;
        if (b % 2) ++all->iterations; /* both replicas' samples are one iteration */
        ++replica->iterations;
    }
    assert_true(all->correct[0] > 0 && all->unlabelled > 0);
    ols_add_sums(first, second);
    assert_memory_equal(first->correct, all->correct, K * sizeof(int64_t));
    assert_memory_equal(first->seen, all->seen, K * sizeof(int64_t));
    assert_int_equal(first->images, all->images);
    assert_int_equal(first->iterations, all->iterations);
    assert_int_equal(first->unlabelled, all->unlabelled);
    for (k = 0; k < K * K; ++k) assert_close(first->sums[k], all->sums[k], tolerance * all->sums[k]);
    ols_update(first, &options, 0);
    ols_update(all, &options, 0);
    for (k = 0; k < K * K; ++k) assert_close(first->soft[k], all->soft[k], tolerance);
    ols_free_state(all), ols_free_state(first), ols_free_state(second);
}

static void merged_replicas_equal_one_that_saw_everything(void **test)
{
    (void)test;
    check_merge(1. / 64, 0);
    check_merge(0, 1e-6);
}

static void imagenet_21k_takes_under_four_gigabytes(void **test)
{
    (void)test;
    assert_in_range(ols_state_bytes(21841), 3800000000u, 3840000000u);
    assert_true(ols_block_bytes(21841) > UINT32_MAX / 2);
    assert_int_equal(ols_state_bytes(2), 2 * 4 * 4 + 2 * (4 + 8 + 8));
    assert_int_equal(ols_state_bytes(1 << 20), ((size_t)8 << 40) + ((size_t)20 << 20));
}

/* ---- Options as text -------------------------------------------------------------------------------------------- */

/* Sixty-odd zeros: the text is longer than any value that makes sense. */
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static double option_value(const ols_options *options, const char *key)
{
    if (!strcmp(key, "smoothing")) return options->smoothing;
    if (!strcmp(key, "alpha")) return options->alpha;
    if (!strcmp(key, "soft_weight")) return options->soft_weight;
    if (!strcmp(key, "epsilon")) return options->epsilon;
    if (!strcmp(key, "period")) return (double)options->period;
    if (!strcmp(key, "init")) return options->init;
    if (!strcmp(key, "empty")) return options->empty;
    if (!strcmp(key, "freeze")) return options->freeze;
    fail_msg("no test knows the key %s", key);
    return 0;
}

static void every_option_is_set_from_its_text(void **test)
{
    static const struct {
        const char *key, *value;
        double expected;
    } good[] = {
        {"smoothing", "hard", OLS_HARD},
        {"smoothing", "ls", OLS_LS},
        {"smoothing", "ols", OLS_OLS},
        {"alpha", "0", 0},
        {"alpha", "1", 1},
        {"alpha", ".3", .3},
        {"alpha", "0.25", .25},
        {"alpha", "3e-1", .3},
        {"soft_weight", "0", 0},
        {"soft_weight", "1", 1},
        {"soft_weight", "10", 10},
        {"epsilon", "0", 0},
        {"epsilon", ".1", .1},
        {"epsilon", "1.0", 1},
        {"period", "epoch", 0},
        {"period", "1", 1},
        {"period", "500", 500},
        {"period", "1000000000", 1e9},
        {"init", "uniform", OLS_ROW_UNIFORM},
        {"init", "zero", OLS_ROW_ZERO},
        {"init", "ls", OLS_ROW_LS},
        {"empty", "uniform", OLS_ROW_UNIFORM},
        {"empty", "zero", OLS_ROW_ZERO},
        {"empty", "keep", OLS_ROW_KEEP},
        {"freeze", "0", 0},
        {"freeze", ".88", .88},
        {"freeze", "1", 1},
    };
    size_t i, key;
    (void)test;
    for (i = 0; i < COUNT(good); ++i) {
        ols_options options = ols_default_options(OLS_HARD), before;
        char range[128] = "";
        options.period = 7; /* so that period=epoch changes it */
        before = options;
        assert_int_equal(ols_set_option(&options, good[i].key, good[i].value, range, sizeof range), 0);
        assert_close(option_value(&options, good[i].key), good[i].expected, 1e-7);
        for (key = 0; ols_option_keys[key]; ++key)
            if (strcmp(ols_option_keys[key], good[i].key))
                assert_close(option_value(&options, ols_option_keys[key]), option_value(&before, ols_option_keys[key]),
                             0);
    }
    for (key = 0; ols_option_keys[key]; ++key) {
        int found = 0;
        for (i = 0; i < COUNT(good); ++i) found += !strcmp(good[i].key, ols_option_keys[key]);
        assert_true(found > 1);
    }
    assert_int_equal(key, 8);
}

static void the_defaults_are_those_of_the_paper(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_mix mix;
    (void)test;
    assert_int_equal(options.smoothing, OLS_OLS);
    assert_close(options.alpha, .5, 0);
    assert_close(options.epsilon, .1, 1e-7);
    assert_int_equal(options.period, 0);
    assert_int_equal(options.init, OLS_ROW_UNIFORM);
    assert_int_equal(options.empty, OLS_ROW_UNIFORM);
    assert_close(options.freeze, 0, 0);
    mix = ols_target_mix(&options, 0, 4);
    assert_close(mix.soft, .5, 0);
    options.alpha = .3f; /* the soft weight follows */
    mix = ols_target_mix(&options, 0, 4);
    assert_close(mix.soft, .7, 1e-7);
}

static void a_comment_after_a_value_is_ignored(void **test)
{
    static const struct {
        const char *key, *value;
        double expected;
    } good[] = {
        {"alpha", ".3#weight of the hard label", .3},
        {"alpha", ".3 \t# weight", .3},
        {"alpha", ".3#", .3},
        {"alpha", ".3#" ZEROS ZEROS, .3},
        {"alpha", ".3 ", .3},
        {"smoothing", "ols # or ls", OLS_OLS},
        {"smoothing", "ls\r", OLS_LS},
        {"period", "epoch#1", 0},
        {"period", "12 # iterations", 12},
        {"empty", "keep#zero", OLS_ROW_KEEP},
    };
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(good); ++i) {
        ols_options options = ols_default_options(OLS_HARD);
        char range[128];
        options.period = 7;
        assert_int_equal(ols_set_option(&options, good[i].key, good[i].value, range, sizeof range), 0);
        assert_close(option_value(&options, good[i].key), good[i].expected, 1e-7);
    }
}

/* Refused, with a range, and without a trace. */
static void assert_refused(const char *key, const char *value)
{
    ols_options options = ols_default_options(OLS_LS), before;
    char range[128] = "";
    memcpy(&before, &options, sizeof options);
    if (ols_set_option(&options, key, value, range, sizeof range) != -1) fail_msg("%s=%s was taken", key, value);
    if (!range[0]) fail_msg("no range is told for %s", key);
    assert_memory_equal(&options, &before, sizeof options);
}

static void a_value_that_is_no_number_in_range_is_refused(void **test)
{
    static const char *const keys[] = {"alpha", "epsilon", "freeze", "soft_weight", "period"};
    static const char *const bad[] = {"",     " ",           "#",        "#.5",          "nan",          "NAN",
                                      "-nan", "nan(1)",      "inf",      "-inf",         "infinity",     "1e400",
                                      "-0.1", "-1",          "10.0001",  "1e10",         "half",         ".5x",
                                      "0,5",  "1 2",         "--1",      "+-1",          "e1",           ".",
                                      "-",    "0x1",         "0x0p0",    "0X1p-1",       "epochs",       "Epoch",
                                      "1;1",  "." ZEROS "x", ZEROS "11", "1." ZEROS "x", ZEROS ZEROS "x"};
    size_t i, k;
    (void)test;
    for (k = 0; k < COUNT(keys); ++k)
        for (i = 0; i < COUNT(bad); ++i) assert_refused(keys[k], bad[i]);
    for (k = 0; k < 3; ++k) {
        assert_refused(keys[k], "1.0001");
        assert_refused(keys[k], "2");
        assert_refused(keys[k], "epoch");
    }
    assert_refused("period", "0");
    assert_refused("period", "1.5");
    assert_refused("period", "1000000001");
}

static void a_value_that_is_none_of_the_choices_is_refused(void **test)
{
    static const char *const keys[] = {"smoothing", "init", "empty"};
    static const char *const bad[] = {
        "",       "#",    "# ols", "1",        "OLS", "Zero", "unifor", "uniform,zero", "uniform zero",
        "ols ls", "none", "nan",   "ols" ZEROS};
    size_t i, k;
    (void)test;
    for (k = 0; k < COUNT(keys); ++k)
        for (i = 0; i < COUNT(bad); ++i) assert_refused(keys[k], bad[i]);
    assert_refused("smoothing", "uniform");
    assert_refused("init", "keep"); /* there is nothing yet to keep */
    assert_refused("init", "hard");
    assert_refused("empty", "ls");
}

static void an_unknown_key_is_refused(void **test)
{
    static const char *const keys[] = {"", "Alpha", "alpha ", "smooth", "smoothing=", "temperature"};
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(keys); ++i) assert_refused(keys[i], "1");
}

/* The sanitizers watch what is written behind the buffer, and so do we. */
static void a_range_is_cut_to_the_space_there_is(void **test)
{
    size_t key, size;
    (void)test;
    for (key = 0; ols_option_keys[key]; ++key) {
        for (size = 1; size < 60; ++size) {
            ols_options options = ols_default_options(OLS_OLS);
            char range[64], whole[128];
            memset(range, 'x', sizeof range);
            assert_int_equal(ols_set_option(&options, ols_option_keys[key], "no", whole, sizeof whole), -1);
            assert_int_equal(ols_set_option(&options, ols_option_keys[key], "no", range, size), -1);
            assert_true(strlen(range) == size - 1 || strlen(range) == strlen(whole));
            assert_memory_equal(range, whole, strlen(range));
            assert_int_equal(range[size], 'x');
        }
    }
}

static void methods_have_their_names_and_say_whether_they_keep_statistics(void **test)
{
    ols_options options = ols_default_options(OLS_HARD);
    (void)test;
    assert_string_equal(ols_smoothing_name(OLS_HARD), "hard");
    assert_string_equal(ols_smoothing_name(OLS_LS), "ls");
    assert_string_equal(ols_smoothing_name(OLS_OLS), "ols");
    assert_false(ols_has_state(&options));
    options.smoothing = OLS_LS;
    assert_false(ols_has_state(&options));
    options.smoothing = OLS_OLS;
    assert_true(ols_has_state(&options));
}

/* ---- The block in a checkpoint ---------------------------------------------------------------------------------- */

typedef struct {
    unsigned char bytes[4096];
    size_t size, at;
    int pieces; /* write fails at this one, counted from 1; 0: never */
} memory;

static int write_memory(void *context, const void *bytes, size_t n)
{
    memory *m = (memory *)context;
    if (m->pieces && --m->pieces == 0) return 1;
    assert_true(m->size + n <= sizeof m->bytes);
    memcpy(m->bytes + m->size, bytes, n);
    m->size += n;
    return 0;
}

static int read_memory(void *context, void *bytes, size_t n)
{
    memory *m = (memory *)context;
    if (n > m->size - m->at) return 1;
    memcpy(bytes, m->bytes + m->at, n);
    m->at += n;
    return 0;
}

static memory block_of(const ols_state *state)
{
    memory m;
    memset(&m, 0, sizeof m);
    assert_int_equal(ols_write_block(state, write_memory, &m), 0);
    return m;
}

/* Makes the checksum right again after a change: what is refused then is refused for what it says. */
static void reseal(memory *m)
{
    uint32_t crc = (uint32_t)crc32(0, m->bytes, (uInt)(m->size - 8));
    memcpy(m->bytes + m->size - 8, &crc, 4);
}

static int read_block(ols_state *state, memory *m, const char **reason)
{
    m->at = 0;
    *reason = 0;
    return ols_read_block(state, read_memory, m, reason);
}

/* The block is refused for a reason that says `why`, and the state stays as it was. */
static void assert_block_refused(memory *m, int classes, const char *why)
{
    ols_state *state = full_state(classes, 99), *before = full_state(classes, 99);
    const char *reason;
    assert_int_equal(read_block(state, m, &reason), -1);
    assert_non_null(reason);
    if (!strstr(reason, why)) fail_msg("%s: nothing of %s", reason, why);
    assert_same_state(state, before);
    ols_free_state(state), ols_free_state(before);
}

enum { TINY = 3 }; /* classes of the blocks below */

static void a_block_brings_back_the_state_that_was_written(void **test)
{
    static const int counts[] = {2, 3, 10};
    ols_options options = ols_default_options(OLS_OLS);
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(counts); ++i) {
        ols_state *written = full_state(counts[i], 5), *read = ols_new_state(counts[i], &options);
        memory m = block_of(written);
        const char *reason;
        int classes = 0;
        assert_int_equal(m.size, ols_block_bytes(counts[i]));
        assert_int_equal(ols_footer_length(m.bytes + m.size - OLS_BLOCK_FOOTER), m.size);
        assert_int_equal(ols_read_header(m.bytes, &classes, &reason), 0);
        assert_int_equal(classes, counts[i]);
        assert_int_equal(read_block(read, &m, &reason), 0);
        assert_int_equal(m.at, m.size);
        assert_same_state(read, written);
        ols_free_state(written), ols_free_state(read);
    }
}

/* Written down by hand from the table in ols.h. Files with these bytes exist: a change needs another version. */
static void a_block_has_the_bytes_that_the_format_says(void **test)
{
    static const unsigned char expected[] = {
        'O',  'L',  'S',  's',  't', 'a', 't',  'e',                          /* magic */
        1,    0,    0,    0,                                                  /* version */
        2,    0,    0,    0,                                                  /* K */
        8,    7,    6,    5,    4,   3,   2,    1,                            /* images */
        0x14, 0x13, 0x12, 0x11, 0,   0,   0,    0,                            /* iterations */
        0x22, 0x21, 0,    0,    0,   0,   0,    0,                            /* updates */
        0x31, 0,    0,    0,    0,   0,   0,    0,                            /* unlabelled */
        0,    0,    0x40, 0x3f, 0,   0,   0x80, 0x3e,                         /* S: .75 .25 */
        0,    0,    0,    0,    0,   0,   0x80, 0x3f,                         /*    0 1 */
        0,    0,    0xc0, 0x3f, 0,   0,   0,    0x3f,                         /* A: 1.5 .5 */
        0,    0,    0,    0,    0,   0,   0,    0,                            /*    0 0 */
        2,    0,    0,    0,    0,   0,   0,    0,    0, 0, 0, 0, 0, 0, 0, 0, /* correct */
        3,    0,    0,    0,    0,   0,   0,    0,    4, 1, 0, 0, 0, 0, 0, 0, /* seen */
        128,  0,    0,    0,    0,   0,   0,    0,                            /* bytes of the block */
        0,    0,    0,    0,                                                  /* CRC-32, below */
        'O',  'L',  'S',  '\n',
    };
    static const unsigned char crc[] = {0x14, 0xb7, 0x56, 0x81}; /* Python's zlib.crc32 of the 120 bytes before */
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(2, &options);
    memory m;
    (void)test;
    state->images = 0x0102030405060708;
    state->iterations = 0x11121314;
    state->updates = 0x2122;
    state->unlabelled = 0x31;
    state->soft[0] = .75f, state->soft[1] = .25f, state->soft[2] = 0, state->soft[3] = 1;
    state->sums[0] = 1.5f, state->sums[1] = .5f;
    state->correct[0] = 2, state->correct[1] = 0;
    state->seen[0] = 3, state->seen[1] = 260;
    m = block_of(state);
    assert_int_equal(m.size, sizeof expected);
    assert_memory_equal(m.bytes, expected, 120);
    assert_memory_equal(m.bytes + 120, crc, sizeof crc);
    assert_memory_equal(m.bytes + 124, expected + 124, 4);
    ols_free_state(state);
}

static void a_block_with_any_byte_changed_is_refused(void **test)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff};
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state);
    size_t at, flip;
    (void)test;
    for (at = 0; at < whole.size; ++at) {
        for (flip = 0; flip < COUNT(flips); ++flip) {
            memory m = whole;
            m.bytes[at] ^= flips[flip];
            assert_block_refused(&m, TINY, "block");
        }
    }
    ols_free_state(state);
}

static void a_block_that_is_cut_off_is_refused(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state);
    size_t size;
    (void)test;
    for (size = 0; size < whole.size; ++size) {
        memory m = whole;
        m.size = size;
        assert_block_refused(&m, TINY, "cut off");
    }
    ols_free_state(state);
}

static void a_block_of_another_class_count_is_refused(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory m = block_of(state);
    (void)test;
    assert_block_refused(&m, TINY + 1, "another number of classes");
    assert_block_refused(&m, TINY - 1, "another number of classes");
    ols_free_state(state);
}

static void a_header_that_is_none_is_refused(void **test)
{
    static const uint32_t impossible[] = {0, 1, 0x80000000u, 0xffffffffu, (1u << 20) + 1};
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state), m;
    uint32_t version = OLS_BLOCK_VERSION + 1;
    const char *reason;
    size_t i;
    int classes;
    (void)test;
    for (i = 0; i < COUNT(impossible); ++i) {
        m = whole;
        memcpy(m.bytes + 12, &impossible[i], 4);
        classes = 1234;
        reason = 0;
        assert_int_equal(ols_read_header(m.bytes, &classes, &reason), -1);
        assert_non_null(reason);
        assert_int_equal(classes, 1234);
    }
    m = whole;
    memcpy(m.bytes + 8, &version, 4);
    assert_int_equal(ols_read_header(m.bytes, &classes, &reason), -1);
    reseal(&m);
    assert_block_refused(&m, TINY, "version");
    m = whole;
    m.bytes[7] = 'E';
    assert_int_equal(ols_read_header(m.bytes, &classes, &reason), -1);
    reseal(&m);
    assert_block_refused(&m, TINY, "does not begin");
    ols_free_state(state);
}

static void a_footer_that_is_none_has_no_length(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory m = block_of(state);
    unsigned char *footer = m.bytes + m.size - OLS_BLOCK_FOOTER, zeros[OLS_BLOCK_FOOTER] = {0};
    int i;
    (void)test;
    assert_int_equal(ols_footer_length(zeros), 0);
    for (i = 12; i < OLS_BLOCK_FOOTER; ++i) {
        footer[i] ^= 1;
        assert_int_equal(ols_footer_length(footer), 0);
        footer[i] ^= 1;
    }
    assert_int_equal(ols_footer_length(footer), m.size);
    ++footer[0]; /* a sound checksum over a length that is not the block's */
    reseal(&m);
    assert_block_refused(&m, TINY, "checksum");
    ols_free_state(state);
}

/* The checksum is sound in all of these: a program wrote them, and they are still nothing to train on. */
static void a_block_of_impossible_values_is_refused(void **test)
{
    static const float bad_soft[][TINY] = {{NAN, 0, 0},   {INFINITY, 0, 0}, {1.5f, -.5f, 0}, {-1, 0, 0},     {2, 0, 0},
                                           {.5f, .4f, 0}, {.5f, .5f, .01f}, {0, 0, 1e-4f},   {NAN, NAN, NAN}};
    static const float bad_sums[] = {NAN, INFINITY, -INFINITY, -1e-3f};
    ols_state *state;
    memory m;
    size_t i;
    int y;
    (void)test;
    for (i = 0; i < COUNT(bad_soft); ++i) {
        for (y = 0; y < TINY; ++y) {
            state = full_state(TINY, 5);
            memcpy(state->soft + y * TINY, bad_soft[i], sizeof bad_soft[i]);
            m = block_of(state);
            assert_block_refused(&m, TINY, "impossible values");
            ols_free_state(state);
        }
    }
    for (i = 0; i < COUNT(bad_sums); ++i) {
        for (y = 0; y < TINY * TINY; y += TINY * TINY - 1) { /* the first and the last */
            state = full_state(TINY, 5);
            state->sums[y] = bad_sums[i];
            m = block_of(state);
            assert_block_refused(&m, TINY, "impossible values");
            ols_free_state(state);
        }
    }
    for (i = 0; i < 6; ++i) {
        state = full_state(TINY, 5);
        if (i == 0) state->correct[TINY - 1] = -1;
        if (i == 1) state->seen[1] = state->correct[1] - 1;
        if (i == 2) state->images = -1;
        if (i == 3) state->iterations = -1;
        if (i == 4) state->updates = -1;
        if (i == 5) state->unlabelled = -1;
        m = block_of(state);
        assert_block_refused(&m, TINY, "impossible values");
        ols_free_state(state);
    }
}

static void writing_stops_where_it_fails(void **test)
{
    ols_state *state = full_state(TINY, 5);
    memory whole = block_of(state);
    int piece, status = -1;
    (void)test;
    for (piece = 1; status; ++piece) {
        memory m;
        memset(&m, 0, sizeof m);
        m.pieces = piece;
        status = ols_write_block(state, write_memory, &m);
        assert_int_equal(m.size == whole.size, status == 0);
        assert_memory_equal(m.bytes, whole.bytes, m.size);
        assert_true(piece < 100);
    }
    assert_true(piece > 3);
    ols_free_state(state);
}

/* Training, written and read back in the middle, goes on as if nothing had happened. */
static void a_resumed_training_continues_exactly(void **test)
{
    enum { K = 5, B = 8 };
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *straight = ols_new_state(K, &options), *resumed = ols_new_state(K, &options);
    int i;
    (void)test;
    options.empty = OLS_ROW_ZERO; /* so that the weights of rows matter */
    for (i = 0; i < 20; ++i) {
        ols_state *both[2];
        ols_batch x[2];
        int s;
        both[0] = straight, both[1] = resumed;
        for (s = 0; s < 2; ++s) {
            x[s] = new_batch(K, B, 500 + i);
            forward(x[s], &options, both[s], 1);
            ols_accumulate(both[s], B, x[s].probs, x[s].labels, x[s].hits);
            both[s]->images += B;
            ++both[s]->iterations;
            if (ols_due(both[s], &options, 50)) ols_update(both[s], &options, 50);
        }
        assert_memory_equal(x[0].delta, x[1].delta, K * B * sizeof(float));
        assert_memory_equal(x[0].loss, x[1].loss, B * sizeof(float));
        assert_same_state(straight, resumed);
        if (i % 3 == 0) {
            memory m = block_of(resumed);
            const char *reason;
            ols_free_state(resumed);
            resumed = ols_new_state(K, &options);
            assert_int_equal(read_block(resumed, &m, &reason), 0);
        }
        free_batch(x[0]), free_batch(x[1]);
    }
    assert_int_equal(straight->updates, 3);
    ols_free_state(straight), ols_free_state(resumed);
}

/* ---- The list --------------------------------------------------------------------------------------------------- */

static void every_golden_case_is_replayed(void **test);

#define GOLDEN(name, sentence)                                                                                         \
    {                                                                                                                  \
        sentence, golden_case, 0, 0, (void *)name                                                                      \
    }

static const struct CMUnitTest tests[] = {
    GOLDEN("hard", "hard_labels_follow_equation_1"),
    GOLDEN("ls", "label_smoothing_follows_equation_2"),
    GOLDEN("ols", "online_label_smoothing_follows_equations_3_to_6"),
    GOLDEN("alpha", "alpha_weighs_the_hard_label"),
    GOLDEN("init-zero", "init_zero_trains_the_first_epoch_on_the_hard_term_alone"),
    GOLDEN("period", "a_period_in_iterations_updates_in_the_middle_of_an_epoch"),
    GOLDEN("soft-weight", "both_terms_can_be_weighed_one"),
    GOLDEN("freeze", "a_confident_class_can_be_frozen"),
    GOLDEN("freeze-zero", "freeze_and_empty_zero_follow_the_released_code"),
    GOLDEN("freeze-keep", "freeze_and_empty_keep_go_together"),
    GOLDEN("sigmoid", "a_sigmoid_head_is_a_binary_cross_entropy_a_class"),
    cmocka_unit_test(every_golden_case_is_replayed),

    cmocka_unit_test(hard_labels_have_the_gradient_of_their_loss),
    cmocka_unit_test(label_smoothing_has_the_gradient_of_its_loss),
    cmocka_unit_test(online_label_smoothing_has_the_gradient_of_its_loss),
    cmocka_unit_test(uniform_soft_labels_equal_label_smoothing_by_one_minus_alpha),
    cmocka_unit_test(one_hot_soft_labels_equal_hard_labels),
    cmocka_unit_test(an_alpha_of_one_equals_hard_labels_whatever_the_soft_labels),
    cmocka_unit_test(saturated_logits_give_a_finite_and_right_loss),
    cmocka_unit_test(a_sample_is_trained_alike_alone_and_in_a_batch),
    cmocka_unit_test(the_probabilities_are_those_of_a_softmax_in_double_precision),
    cmocka_unit_test(the_exponential_is_exact_to_the_last_places),
#ifdef _OPENMP
    cmocka_unit_test(the_number_of_threads_does_not_show_in_the_result),
#endif
    cmocka_unit_test(two_classes_are_enough),
    cmocka_unit_test(a_thousand_classes_work_as_ten_do),

    cmocka_unit_test(a_label_is_the_one_entry_that_is_not_zero),
    cmocka_unit_test(samples_without_a_single_class_are_trained_on_their_truth),
    cmocka_unit_test(samples_without_a_single_class_are_counted_and_left_out_of_the_sums),

    cmocka_unit_test(only_right_predictions_enter_the_sums),
    cmocka_unit_test(the_first_of_equal_probabilities_is_the_prediction),
    cmocka_unit_test(what_is_not_finite_does_not_reach_the_sums),
    cmocka_unit_test(logits_that_are_not_finite_leave_the_other_samples_and_the_state_alone),
    cmocka_unit_test(a_class_that_the_logits_rule_out_costs_nothing_unless_the_target_wants_it),
    cmocka_unit_test(scores_are_read_with_their_stride),
    cmocka_unit_test(negative_scores_count_as_zero),
    cmocka_unit_test(counts_are_summed_over_the_classes),
    cmocka_unit_test(the_summary_leaves_out_rows_of_zeros),

    cmocka_unit_test(a_new_state_holds_the_soft_labels_that_init_asks_for),
    cmocka_unit_test(a_reset_state_is_a_new_one),
    cmocka_unit_test(clearing_the_sums_keeps_the_soft_labels),
    cmocka_unit_test(an_update_turns_the_sums_into_distributions_and_clears_them),
    cmocka_unit_test(a_class_without_right_predictions_becomes_uniform),
    cmocka_unit_test(a_class_without_right_predictions_becomes_zero_and_drops_its_soft_term),
    cmocka_unit_test(a_class_without_right_predictions_keeps_its_row),
    cmocka_unit_test(a_frozen_row_is_left_alone),
    cmocka_unit_test(the_first_update_freezes_nothing),
    cmocka_unit_test(an_update_is_due_after_an_epoch_of_images),
    cmocka_unit_test(an_update_is_due_after_a_period_of_iterations),
    cmocka_unit_test(the_position_beyond_an_epoch_is_carried_over),
    cmocka_unit_test(merged_replicas_equal_one_that_saw_everything),
    cmocka_unit_test(imagenet_21k_takes_under_four_gigabytes),

    cmocka_unit_test(every_option_is_set_from_its_text),
    cmocka_unit_test(the_defaults_are_those_of_the_paper),
    cmocka_unit_test(a_comment_after_a_value_is_ignored),
    cmocka_unit_test(a_value_that_is_no_number_in_range_is_refused),
    cmocka_unit_test(a_value_that_is_none_of_the_choices_is_refused),
    cmocka_unit_test(an_unknown_key_is_refused),
    cmocka_unit_test(a_range_is_cut_to_the_space_there_is),
    cmocka_unit_test(methods_have_their_names_and_say_whether_they_keep_statistics),

    cmocka_unit_test(a_block_brings_back_the_state_that_was_written),
    cmocka_unit_test(a_block_has_the_bytes_that_the_format_says),
    cmocka_unit_test(a_block_with_any_byte_changed_is_refused),
    cmocka_unit_test(a_block_that_is_cut_off_is_refused),
    cmocka_unit_test(a_block_of_another_class_count_is_refused),
    cmocka_unit_test(a_header_that_is_none_is_refused),
    cmocka_unit_test(a_footer_that_is_none_has_no_length),
    cmocka_unit_test(a_block_of_impossible_values_is_refused),
    cmocka_unit_test(writing_stops_where_it_fails),
    cmocka_unit_test(a_resumed_training_continues_exactly),
};

/* A case that no test replays would be a promise that nobody keeps. */
static void every_golden_case_is_replayed(void **test)
{
    FILE *file = open_golden();
    char word[64], name[64];
    size_t i, cases = 0;
    (void)test;
    while (fscanf(file, "%63s", word) == 1) {
        if (!strcmp(word, "case")) {
            int found = 0;
            assert_int_equal(fscanf(file, "%63s", name), 1);
            for (i = 0; i < COUNT(tests); ++i)
                found += tests[i].test_func == golden_case && !strcmp((const char *)tests[i].initial_state, name);
            if (found != 1) fail_msg("the case %s is replayed by %d tests", name, found);
            ++cases;
        }
        if (fscanf(file, "%*[^\n]") == EOF) break;
    }
    assert_true(cases >= 11);
    fclose(file);
}

int main(void)
{
    return cmocka_run_group_tests_name("ols", tests, 0, 0) != 0;
}
