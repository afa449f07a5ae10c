/* Compares the method (src/ols) with the paper's equations, evaluated with PyTorch: tests/golden/ols.txt, written by
 * make-golden. */
#include "helpers/test_ols.h"

enum { GOLDEN_CLASSES = 5, GOLDEN_BATCH = 8, GOLDEN_BATCHES = 8, GOLDEN_EPOCH = 32 /* images */ };

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

/* A batch in a sigmoid head: scores into probs, delta = q - weight sigmoid(x). The loss is Darknet's. */
static void forward_sigmoid(ols_batch x, const ols_options *options, const ols_state *state)
{
    ols_target_spec spec = ols_make_target_spec(options, state, x.classes);
    float q[GOLDEN_CLASSES];
    int b, k;
    ols_labels(x.classes, x.batch, x.truth, x.labels);
    for (b = 0; b < x.batch; ++b) {
        const float weight = ols_target_weight(&spec, x.labels[b]);
        ols_target(&spec, x.classes, x.labels[b], q);
        for (k = 0; k < x.classes; ++k) {
            int at = b * x.classes + k;
            x.probs[at] = 1 / (1 + expf(-x.logits[at]));
            x.delta[at] = q[k] - weight * x.probs[at];
        }
    }
}

/* Makes a mixture of the one-hot row b of truth, with this share, and of class `other` with the rest. */
static void mix_labels(ols_batch x, int b, int other, float share)
{
    float *truth = x.truth + b * x.classes;
    int k;
    for (k = 0; k < x.classes; ++k) truth[k] = share * truth[k] + (k == other ? 1 - share : 0);
}

/* Trains on the batches of the golden file with the options of the case, and compares all results. */
static void golden_case(void **test)
{
    const char *name = (const char *)*test;
    int sigmoid = !strncmp(name, "sigmoid", 7), mixed = !strncmp(name, "mixup", 5);
    FILE *file = open_golden("ols.txt");
    ols_batch x[GOLDEN_BATCHES];
    ols_options options = ols_default_options(OLS_HARD);
    ols_state *state = 0;
    float expected[GOLDEN_BATCH * GOLDEN_CLASSES], partners[GOLDEN_BATCH], shares[GOLDEN_BATCH];
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
        expect_word(file, "partners");
        read_values(file, partners, GOLDEN_BATCH);
        expect_word(file, "shares");
        read_values(file, shares, GOLDEN_BATCH);
        for (b = 0; mixed && b < GOLDEN_BATCH; ++b) mix_labels(x[i], b, (int)partners[b], shares[b]);
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
        if (i) expect_word(file, "loss"); /* the first batch's "loss" ended the options */
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
        for (k = 0; k < GOLDEN_CLASSES * GOLDEN_CLASSES; ++k) assert_close(state->S[k], expected[k], 1e-6);
    }
    /* a missing update would be the next word here */
    assert_true(strcmp(next_word(file), "soft"));
    for (i = 0; i < GOLDEN_BATCHES; ++i) free_batch(x[i]);
    ols_free_state(state);
    fclose(file);
}

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
    GOLDEN("freeze-empty", "a_frozen_class_without_a_correct_prediction_is_reset"),
    GOLDEN("freeze-empty-zero", "a_frozen_class_without_a_correct_prediction_is_emptied_with_empty_zero"),
    GOLDEN("freeze-empty-keep", "a_frozen_class_without_a_correct_prediction_is_kept_with_empty_keep"),
    GOLDEN("start", "before_start_the_hard_label_trains_alone"),
    GOLDEN("start-period", "start_counts_updates"),
    GOLDEN("hits", "for_a_softmax_hits_normalise_as_the_sum_does"),
    GOLDEN("decay", "with_decay_a_row_is_a_running_mean"),
    GOLDEN("decay-zero", "of_which_a_row_of_zeros_is_no_part"),
    GOLDEN("sharper", "a_soft_temperature_below_one_sharpens"),
    GOLDEN("flatter", "a_soft_temperature_above_one_flattens_what_decay_takes"),
    GOLDEN("sigmoid", "a_sigmoid_head_is_a_binary_cross_entropy_a_class"),
    GOLDEN("sigmoid-hits", "sigmoid_scores_divided_by_the_hits_keep_their_size"),
    GOLDEN("sigmoid-hits-sharper", "sharpened_they_keep_their_sum_as_far_as_no_entry_is_above_one"),
    GOLDEN("sigmoid-hits-zero", "of_these_a_row_of_zeros_has_no_soft_term"),
    GOLDEN("mixup-hard", "hard_labels_of_a_mixture_are_weighed_by_their_shares"),
    GOLDEN("mixup-ls", "smoothed_labels_of_a_mixture_are_weighed_by_their_shares"),
    GOLDEN("mixup-ols", "a_mixture_has_the_soft_labels_of_both_classes_and_counts_as_the_larger_one"),
    GOLDEN("mixup-weights", "a_mixture_whose_targets_do_not_sum_to_one"),
    cmocka_unit_test(every_golden_case_is_replayed),
};

/* Fails if the golden file has a case that no test runs. */
static void every_golden_case_is_replayed(void **test)
{
    FILE *file = open_golden("ols.txt");
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
    assert_true(cases >= 25);
    fclose(file);
}

int main(void)
{
    return cmocka_run_group_tests_name("ols_golden", tests, 0, 0) != 0;
}
