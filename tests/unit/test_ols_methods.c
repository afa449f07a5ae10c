/* Tests of the label methods beside hard labels, LS and OLS: where two must coincide, gradients by finite differences,
 * limits, and what is drawn at random. Golden values of each are in test_ols_golden. */
#include "helpers/test_ols.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum { FIRST = OLS_SINGLE, LAST = OLS_TFKD };

/* The options of a method, with weights that make every part of its loss count. */
static ols_options options_of(int method)
{
    ols_options options = ols_default_options((ols_smoothing)method);
    options.boot_beta = .6f;
    options.disturb_alpha = .5f;
    options.sce_alpha = .5f;
    options.sce_beta = .5f;
    options.tfkd_alpha = .6f;
    options.tfkd_temperature = 4;
    return options;
}

/* Loss and gradient with what is drawn for `key`. */
static void forward_drawn(ols_batch x, const ols_options *options, const ols_state *state, float temperature,
                          uint64_t key)
{
    ols_target_spec spec = ols_make_target_spec(options, state, x.classes);
    spec.draws = key;
    ols_softmax_cross_entropy(&spec, x.classes, x.batch, x.logits, temperature, x.truth, x.probs, x.delta, x.loss,
                              x.labels, x.hits);
}

/* ---- Where two methods coincide ---------------------------------------------------------------------------------- */

/* Asserts that the losses of `a` are those of `b` times `factor`, with the same gradients, for hard and mixed labels.
 */
static void assert_same_method(const ols_options *a, const ols_options *b, double factor)
{
    enum { K = 6, B = 8 };
    ols_batch x = new_batch(K, B, 4), y = new_batch(K, B, 4);
    int i;
    x.truth[0] = y.truth[0] = .25f;
    for (i = 1; i < K; ++i) x.truth[i] = y.truth[i] = i == 3 ? .75f : 0;
    forward(x, a, 0, 1);
    forward(y, b, 0, 1);
    for (i = 0; i < B; ++i) assert_close(x.loss[i], factor * y.loss[i], 2e-6 + 3e-7 * fabs(x.loss[i]));
    for (i = 0; i < B * K; ++i) assert_close(x.delta[i], factor * y.delta[i], 1e-6);
    free_batch(x), free_batch(y);
}

static void at_the_ends_of_their_ranges_methods_are_hard_labels(void **test)
{
    const ols_options hard = ols_default_options(OLS_HARD);
    ols_options options;
    (void)test;
    options = ols_default_options(OLS_BOOTSOFT), options.boot_beta = 1;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_BOOTHARD), options.boot_beta = 1;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_DISTURB), options.disturb_alpha = 0;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_SCE), options.sce_beta = 0, options.sce_alpha = 3;
    assert_same_method(&options, &hard, 3);
    options = ols_default_options(OLS_GCE), options.gce_q = 0;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_GCE), options.gce_q = 1e-8f;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_PC), options.pc_lambda = 0;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_TFKD), options.tfkd_alpha = 0;
    assert_same_method(&options, &hard, 1);
    options = ols_default_options(OLS_TFKD), options.tfkd_c = 1, options.tfkd_temperature = 1;
    assert_same_method(&options, &hard, 1);
}

/* L = 1 - p[y]: gce with q = 1, and the reverse cross entropy alone, of which log 0 = -4 has the weight 1/4. */
static void gce_of_one_is_the_reverse_cross_entropy(void **test)
{
    ols_options gce = ols_default_options(OLS_GCE), sce = ols_default_options(OLS_SCE);
    (void)test;
    gce.gce_q = 1;
    sce.sce_alpha = 0;
    sce.sce_beta = .25f;
    assert_same_method(&gce, &sce, 1);
}

/* With u = c for the class and (1 - c) / (K - 1) for the others: e / K = a (1 - c) / (K - 1). */
static void tfkd_with_temperature_one_is_a_label_smoothing(void **test)
{
    ols_options tfkd = ols_default_options(OLS_TFKD), ls = ols_default_options(OLS_LS);
    (void)test;
    tfkd.tfkd_alpha = .4f;
    tfkd.tfkd_c = .9f;
    tfkd.tfkd_temperature = 1;
    ls.epsilon = (float)(.4 * .1 * 6 / 5);
    assert_same_method(&tfkd, &ls, 1);
}

/* Where a temperature is so near to 1 that it makes no difference, the term must be the target of temperature 1. */
static void tfkd_goes_to_the_target_of_temperature_one(void **test)
{
    ols_options near = ols_default_options(OLS_TFKD), one = ols_default_options(OLS_TFKD);
    (void)test;
    near.tfkd_temperature = 1.0000002f;
    one.tfkd_temperature = 1;
    near.tfkd_alpha = one.tfkd_alpha = .7f;
    assert_same_method(&near, &one, 1);
}

/* ---- Gradients --------------------------------------------------------------------------------------------------- */

static double total_loss(ols_batch x, const ols_options *options, const ols_state *state, float temperature)
{
    double sum = 0;
    int b;
    forward_drawn(x, options, state, temperature, 77);
    for (b = 0; b < x.batch; ++b) sum += x.loss[b];
    return sum;
}

/* By differences of fourth order, because with a float loss the step must be large. */
static double slope(ols_batch x, const ols_options *options, const ols_state *state, float temperature, float *logit)
{
    static const int steps[] = {-2, -1, 1, 2};
    const float at = *logit, h = .05f;
    double loss[4];
    int i;
    for (i = 0; i < 4; ++i) {
        *logit = at + steps[i] * h;
        loss[i] = total_loss(x, options, state, temperature);
    }
    *logit = at;
    return (loss[0] - 8 * loss[1] + 8 * loss[2] - loss[3]) / (12 * h);
}

static void assert_gradients(int method, int classes, float temperature)
{
    enum { B = 5 };
    const ols_options options = options_of(method);
    ols_state *state = ols_has_state(&options) ? random_state(classes, &options, 3) : 0;
    ols_batch x = new_batch(classes, B, 15);
    float *delta = floats((size_t)B * classes);
    int i;
    set_label(x, 0, 0), set_label(x, 2, 1); /* a pair of two classes */
    x.truth[0] = .4f, x.truth[1] = .6f;     /* a mixture */
    total_loss(x, &options, state, temperature);
    memcpy(delta, x.delta, (size_t)B * classes * sizeof(float));
    for (i = 0; i < B * classes; ++i)
        assert_close(delta[i], -temperature * slope(x, &options, state, temperature, x.logits + i),
                     3e-4 * (1 + options.pc_lambda * (method == OLS_PC)));
    ols_free_state(state);
    free(delta);
    free_batch(x);
}

static void every_method_has_the_gradient_of_its_loss(void **test)
{
    int method;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        assert_gradients(method, 7, 1);
        assert_gradients(method, 7, 2.5f);
        assert_gradients(method, 2, 1);
    }
}

/* A softmax does not change when all logits grow alike. */
static void gradients_sum_to_zero(void **test)
{
    int method, b, k;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        const ols_options options = options_of(method);
        ols_state *state = ols_has_state(&options) ? random_state(90, &options, 3) : 0;
        ols_batch x = new_batch(90, 12, 16);
        forward_drawn(x, &options, state, 1, 5);
        for (b = 0; b < 12; ++b) {
            double sum = 0;
            for (k = 0; k < 90; ++k) sum += x.delta[b * 90 + k];
            assert_close(sum, 0, 2e-6 * (method == OLS_PC ? options.pc_lambda : 1));
        }
        ols_free_state(state);
        free_batch(x);
    }
}

/* ---- Limits ------------------------------------------------------------------------------------------------------ */

static void saturated_logits_have_a_finite_loss_and_gradient(void **test)
{
    static const float rows[4][3] = {{1e4f, -1e4f, 0}, {-1e4f, 1e4f, 1e4f}, {-1e4f, -1e4f, -1e4f}, {300, 100, 0}};
    int method, label, b;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        const ols_options options = options_of(method);
        ols_state *state = ols_has_state(&options) ? random_state(3, &options, 3) : 0;
        for (label = 0; label < 3; ++label) {
            ols_batch x = new_batch(3, 4, 1);
            memcpy(x.logits, rows, sizeof rows);
            for (b = 0; b < 4; ++b) set_label(x, b, b < 2 ? label : (label + 1) % 3);
            forward_drawn(x, &options, state, 1, 5);
            assert_finite(x.loss, 4);
            assert_finite(x.delta, 12);
            assert_finite(x.probs, 12);
            free_batch(x);
        }
        ols_free_state(state);
    }
}

/* Beyond the smallest float a probability is 0, but its logarithm is not. */
static void gce_and_tfkd_know_the_logarithm_of_a_probability_that_is_zero(void **test)
{
    ols_options gce = ols_default_options(OLS_GCE), tfkd = ols_default_options(OLS_TFKD);
    ols_batch x = new_batch(2, 1, 1);
    (void)test;
    gce.gce_q = .01f;
    x.logits[0] = 0, x.logits[1] = 200;
    set_label(x, 0, 0);
    forward(x, &gce, 0, 1);
    assert_close(x.probs[0], 0, 0);
    assert_close(x.loss[0], (1 - exp(-2)) / .01, 1e-4);
    assert_close(x.delta[0], exp(-2), 1e-6);
    tfkd.tfkd_alpha = 1;
    tfkd.tfkd_c = 1;
    tfkd.tfkd_temperature = 100;
    forward(x, &tfkd, 0, 1);
    assert_close(x.loss[0], log(1 + exp(2)), 1e-5); /* the teacher is one-hot */
    assert_close(x.delta[0], (1 - 1 / (1 + exp(2))) / 100, 1e-6);
    free_batch(x);
}

/* The sample is NaN throughout and no hit, whatever the weights are; the others are as without it, but for its partner.
 */
static void what_is_not_finite_is_not_a_number_and_concerns_no_other_sample(void **test)
{
    static const float bad[] = {NAN, INFINITY};
    int method, b, k;
    size_t i;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        for (i = 0; i < COUNT(bad); ++i) {
            ols_options options = options_of(method);
            ols_state *state = ols_has_state(&options) ? random_state(4, &options, 3) : 0;
            ols_batch x = new_batch(4, 6, 1), y = new_batch(4, 6, 1);
            options.boot_beta = options.sce_alpha = 0;
            x.logits[4 + 2] = bad[i];
            forward_drawn(x, &options, state, 1, 5);
            forward_drawn(y, &options, state, 1, 5);
            assert_true(isnan(x.loss[1]) && x.hits[1] == -1);
            for (k = 0; k < 4; ++k) assert_true(isnan(x.delta[4 + k]) && isnan(x.probs[4 + k]));
            for (b = 0; b < 6; ++b) {
                if (b == 1 || (method == OLS_PC && b == 4)) continue;
                assert_memory_equal(x.loss + b, y.loss + b, sizeof(float));
                assert_memory_equal(x.delta + 4 * b, y.delta + 4 * b, 4 * sizeof(float));
            }
            ols_free_state(state);
            free_batch(x), free_batch(y);
        }
    }
}

static void a_logit_of_minus_infinity_rules_a_class_out(void **test)
{
    int method, k;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        ols_options options = options_of(method);
        ols_state *state = ols_has_state(&options) ? random_state(4, &options, 3) : 0;
        ols_batch x = new_batch(4, 1, 1);
        if (method == OLS_DISTURB) options.disturb_alpha = 0; /* it could draw the class */
        x.logits[3] = -INFINITY;
        set_label(x, 0, 1);
        forward(x, &options, state, 1);
        assert_close(x.probs[3], 0, 0);
        for (k = 0; k < 4; ++k) assert_true(isfinite(x.delta[k]));
        /* a target that has the class, as that of LS, costs infinitely much */
        assert_true(isfinite(x.loss[0]) || method == OLS_SINGLE || method == OLS_TFKD);
        ols_free_state(state);
        free_batch(x);
    }
}

/* The cross entropy is infinite, but its gradient is p - t. */
static void gce_of_zero_has_the_gradient_of_hard_labels_for_a_class_that_is_ruled_out(void **test)
{
    const ols_options hard = ols_default_options(OLS_HARD);
    ols_options gce = ols_default_options(OLS_GCE);
    ols_batch x = new_batch(4, 1, 1), y = new_batch(4, 1, 1);
    int k;
    (void)test;
    gce.gce_q = 0;
    x.logits[3] = y.logits[3] = -INFINITY;
    set_label(x, 0, 3), set_label(y, 0, 3);
    forward(x, &gce, 0, 1);
    forward(y, &hard, 0, 1);
    assert_true(isinf(x.loss[0]));
    for (k = 0; k < 4; ++k) assert_close(x.delta[k], y.delta[k], 1e-7);
    free_batch(x), free_batch(y);
}

/* It has Darknet's cross entropy with its row of truth. */
static void a_truth_without_a_class_has_no_term_and_no_pair(void **test)
{
    static const float truth[] = {.3f, .3f, .4f, 0};
    const ols_options hard = ols_default_options(OLS_HARD);
    int method, b;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        const ols_options options = options_of(method);
        ols_state *state = ols_has_state(&options) ? random_state(4, &options, 3) : 0;
        ols_batch x = new_batch(4, 2, 1), y = new_batch(4, 2, 1);
        for (b = 0; b < 2; ++b) {
            memcpy(x.truth + 4 * b, truth, sizeof truth);
            memcpy(y.truth + 4 * b, truth, sizeof truth);
        }
        forward_drawn(x, &options, state, 1, 5);
        forward(y, &hard, 0, 1);
        assert_memory_equal(x.loss, y.loss, 2 * sizeof(float));
        assert_memory_equal(x.delta, y.delta, 8 * sizeof(float));
        ols_free_state(state);
        free_batch(x), free_batch(y);
    }
}

static void boothard_takes_the_first_of_the_largest(void **test)
{
    static const float logits[] = {0, 2, 1, 2};
    ols_options options = ols_default_options(OLS_BOOTHARD);
    ols_batch x = new_batch(4, 1, 1);
    (void)test;
    options.boot_beta = 0; /* the prediction alone */
    memcpy(x.logits, logits, sizeof logits);
    forward(x, &options, 0, 1);
    assert_close(x.delta[1], 1 - x.probs[1], 1e-7);
    assert_close(x.delta[3], -x.probs[3], 1e-7);
    free_batch(x);
}

/* ---- Pairs ------------------------------------------------------------------------------------------------------- */

static void pairs_are_of_the_two_halves_and_of_two_classes(void **test)
{
    enum { K = 5, B = 7 }; /* pairs 0-3, 1-4, 2-5; the last one is alone */
    static const int labels[] = {0, 1, 2, 0, 2, 4, 3}, paired[] = {0, 1, 1, 0, 1, 1, 0};
    const ols_options pc = ols_default_options(OLS_PC), hard = ols_default_options(OLS_HARD);
    ols_batch x = new_batch(K, B, 9), y = new_batch(K, B, 9);
    int b, k;
    (void)test;
    for (b = 0; b < B; ++b) set_label(x, b, labels[b]), set_label(y, b, labels[b]);
    forward(x, &pc, 0, 1);
    forward(y, &hard, 0, 1);
    for (b = 0; b < B; ++b) {
        double distance = 0;
        const int other = b < 3 ? b + 3 : b - 3;
        for (k = 0; k < K; ++k) distance += pow(x.probs[b * K + k] - x.probs[other * K + k], 2);
        assert_close(x.loss[b] - y.loss[b], paired[b] ? pc.pc_lambda / 2 * distance : 0, 2e-6);
        assert_int_equal(!memcmp(x.delta + b * K, y.delta + b * K, K * sizeof(float)), !paired[b]);
    }
    free_batch(x), free_batch(y);
}

/* ---- Random draws ------------------------------------------------------------------------------------------------ */

/* DisturbLabel: the label stays with the probability 1 - alpha + alpha / K, and becomes another one with alpha / K. */
static void disturb_draws_every_class_as_often_as_its_paper_says(void **test)
{
    enum { K = 5, N = 40000 };
    ols_target_spec spec = {0};
    int counts[K] = {0}, i, k;
    (void)test;
    spec.disturb = .3f;
    for (i = 0; i < N; ++i) {
        spec.draws = ols_draw_key(1, i / 100, 3);
        ++counts[ols_draw_class(&spec, K, 2, i % 100)];
    }
    for (k = 0; k < K; ++k) { /* within four standard deviations */
        const double p = .3 / K + (k == 2 ? .7 : 0);
        assert_close(counts[k], N * p, 4 * sqrt(N * p * (1 - p)));
    }
    spec.disturb = 1;
    assert_int_equal(ols_draw_class(&spec, K, 2, 0), ols_draw_class(&spec, K, 4, 0)); /* the label is forgotten */
}

/* The two classes of a mixture have numbers in a row, and so have those of the objects at an anchor. */
static void whether_a_label_is_drawn_does_not_depend_on_what_was_drawn_before_it(void **test)
{
    enum { K = 10, N = 100000 };
    static const float alpha = .3f;
    ols_target_spec spec = {0};
    int drawn[2] = {0}, all = 0, i;
    (void)test;
    spec.disturb = alpha;
    for (i = 0; i < N; ++i) {
        int first;
        spec.draws = ols_draw_key(1, i, 3);
        first = ols_draw_class(&spec, K, -1, 0); /* -1: not drawn */
        if (first < 0) continue;
        ++all;
        drawn[first < K / 2] += ols_draw_class(&spec, K, -1, 1) >= 0;
    }
    for (i = 0; i < 2; ++i) /* within four standard deviations */
        assert_close(drawn[i], all / 2. * alpha, 4 * sqrt(all / 2. * alpha));
}

static void the_draws_depend_on_the_seed_the_place_and_the_part(void **test)
{
    static const uint64_t keys[][3] = {{1, 10, 3}, {2, 10, 3}, {1, 11, 3}, {1, 10, 4}};
    ols_target_spec spec = {0};
    int drawn[COUNT(keys)][64], i;
    size_t a, b;
    (void)test;
    spec.disturb = 1;
    for (a = 0; a < COUNT(keys); ++a) {
        spec.draws = ols_draw_key(keys[a][0], keys[a][1], keys[a][2]);
        for (i = 0; i < 64; ++i) drawn[a][i] = ols_draw_class(&spec, 1000, 0, i);
        for (i = 0; i < 64; ++i) assert_int_equal(drawn[a][i], ols_draw_class(&spec, 1000, 0, i));
        for (b = 0; b < a; ++b) {
            int same = 0;
            for (i = 0; i < 64; ++i) same += drawn[a][i] == drawn[b][i];
            assert_true(same < 5);
        }
    }
}

static void any_number_of_threads_gives_the_same_bits(void **test)
{
#ifdef _OPENMP
    enum { K = 1000, B = 64 };
    int method;
    (void)test;
    for (method = FIRST; method <= LAST; ++method) {
        const ols_options options = options_of(method);
        ols_state *state = ols_has_state(&options) ? random_state(K, &options, 3) : 0;
        ols_state *other = ols_has_state(&options) ? random_state(K, &options, 3) : 0;
        ols_batch x = new_batch(K, B, 20), y = new_batch(K, B, 20);
        int b;
        for (b = 0; b < B; ++b)
            x.logits[b * K + b % 3] = y.logits[b * K + b % 3] = 9, set_label(x, b, b % 3), set_label(y, b, b % 3);
        omp_set_num_threads(1);
        forward_drawn(x, &options, state, 1, 5);
        if (state) ols_accumulate(state, B, x.probs, x.labels, x.hits);
        omp_set_num_threads(4);
        forward_drawn(y, &options, other, 1, 5);
        if (state) ols_accumulate(other, B, y.probs, y.labels, y.hits);
        assert_memory_equal(x.loss, y.loss, B * sizeof(float));
        assert_memory_equal(x.delta, y.delta, (size_t)B * K * sizeof(float));
        if (state) assert_same_state(state, other);
        ols_free_state(state), ols_free_state(other);
        free_batch(x), free_batch(y);
    }
#else
    (void)test;
    skip();
#endif
}

/* ---- OLS-Single -------------------------------------------------------------------------------------------------- */

/* Gives a state of OLS-Single the hits first .. end - 1 of class 1; sample i says p[2] = i / 100. */
static void see(ols_state *state, int first, int end)
{
    int i;
    for (i = first; i < end; ++i) {
        const float p[3] = {0, 1 - i / 100.f, i / 100.f};
        const int label = 1;
        ols_accumulate(state, 1, p, &label, &label);
    }
}

static int kept(const ols_state *state)
{
    return (int)lround(100. * state->A[3 + 2]);
}

static ols_state *single_state(uint64_t seed)
{
    const ols_options options = ols_default_options(OLS_SINGLE);
    ols_state *state = ols_new_state(3, &options);
    state->seed = seed;
    return state;
}

static void assert_each_as_often(const int *counts, int n, int draws)
{
    int i;
    for (i = 0; i < n; ++i) assert_close(counts[i], (double)draws / n, 4 * sqrt((double)draws / n));
}

static void each_correct_sample_becomes_the_soft_label_as_often(void **test)
{
    enum { N = 7, DRAWS = 4000 };
    const ols_options options = ols_default_options(OLS_SINGLE);
    int counts[N] = {0}, i;
    (void)test;
    for (i = 0; i < DRAWS; ++i) {
        ols_state *state = single_state(i % 50);
        state->updates = i / 50;
        see(state, 0, N);
        ++counts[kept(state)];
        assert_int_equal(state->correct[1], N);
        ols_update(state, &options, 0);
        assert_close(state->S[3 + 1] + state->S[3 + 2], 1, 1e-6); /* one prediction is a distribution */
        assert_close(state->S[0], 1. / 3, 1e-7);                  /* a class without one goes by `empty` */
        ols_free_state(state);
    }
    assert_each_as_often(counts, N, DRAWS);
}

/* Two replicas with 2 and 5 correct samples: each of the 7 is as likely, in any order of merging, and none is lost. */
static void merged_replicas_keep_each_correct_sample_as_often(void **test)
{
    enum { N = 7, DRAWS = 4000 };
    int counts[N] = {0}, i;
    (void)test;
    for (i = 0; i < DRAWS; ++i) {
        ols_state *one = single_state(i), *other = single_state(i);
        see(one, 0, 2);
        see(other, 2, N);
        ols_add_statistics(one, other);
        assert_int_equal(one->correct[1], N);
        assert_int_equal(one->seen[1], N);
        ++counts[kept(one)];
        ols_free_state(one), ols_free_state(other);
    }
    assert_each_as_often(counts, N, DRAWS);
}

static void a_replica_without_a_correct_sample_changes_nothing(void **test)
{
    ols_state *one = single_state(1), *other = single_state(1);
    (void)test;
    see(one, 4, 5);
    ols_add_statistics(one, other);
    assert_int_equal(kept(one), 4);
    ols_add_statistics(other, one);
    assert_int_equal(kept(other), 4);
    ols_free_state(one), ols_free_state(other);
}

/* Scores of a head that are far apart in memory. */
static void the_scores_of_a_head_are_kept_in_the_same_way(void **test)
{
    ols_state *batch = single_state(3), *scores = single_state(3);
    int i;
    (void)test;
    see(batch, 0, 30);
    for (i = 0; i < 30; ++i) {
        const float p[7] = {0, 9, 9, 1 - i / 100.f, 9, 9, i / 100.f};
        ols_accumulate_scores(scores, p, 3, 1);
    }
    assert_same_state(batch, scores);
    ols_free_state(batch), ols_free_state(scores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_ends_of_their_ranges_methods_are_hard_labels),
        cmocka_unit_test(gce_of_one_is_the_reverse_cross_entropy),
        cmocka_unit_test(tfkd_with_temperature_one_is_a_label_smoothing),
        cmocka_unit_test(tfkd_goes_to_the_target_of_temperature_one),
        cmocka_unit_test(every_method_has_the_gradient_of_its_loss),
        cmocka_unit_test(gradients_sum_to_zero),
        cmocka_unit_test(saturated_logits_have_a_finite_loss_and_gradient),
        cmocka_unit_test(gce_and_tfkd_know_the_logarithm_of_a_probability_that_is_zero),
        cmocka_unit_test(what_is_not_finite_is_not_a_number_and_concerns_no_other_sample),
        cmocka_unit_test(a_logit_of_minus_infinity_rules_a_class_out),
        cmocka_unit_test(gce_of_zero_has_the_gradient_of_hard_labels_for_a_class_that_is_ruled_out),
        cmocka_unit_test(a_truth_without_a_class_has_no_term_and_no_pair),
        cmocka_unit_test(boothard_takes_the_first_of_the_largest),
        cmocka_unit_test(pairs_are_of_the_two_halves_and_of_two_classes),
        cmocka_unit_test(disturb_draws_every_class_as_often_as_its_paper_says),
        cmocka_unit_test(whether_a_label_is_drawn_does_not_depend_on_what_was_drawn_before_it),
        cmocka_unit_test(the_draws_depend_on_the_seed_the_place_and_the_part),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(each_correct_sample_becomes_the_soft_label_as_often),
        cmocka_unit_test(merged_replicas_keep_each_correct_sample_as_often),
        cmocka_unit_test(a_replica_without_a_correct_sample_changes_nothing),
        cmocka_unit_test(the_scores_of_a_head_are_kept_in_the_same_way),
    };
    return cmocka_run_group_tests_name("ols_methods", tests, 0, 0) != 0;
}
