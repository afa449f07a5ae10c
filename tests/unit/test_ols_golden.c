/* Compares the method (src/ols) with the paper's equations, evaluated with PyTorch: tests/golden/ols.txt, written by
 * make-golden; and the other methods and the presets with methods.txt, written by make-golden-methods. */
#include "helpers/test_ols.h"

enum { GOLDEN_CLASSES = 5, MOST_SAMPLES = 8, MOST_BATCHES = 8, DRAWS = 5 };

typedef struct {
    const char *file, *name;
} golden;

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

/* By how much a gradient may differ: it is a sum of probabilities, each times a weight. */
static double tolerance_of(const ols_options *options, const ols_state *state)
{
    const ols_target_spec spec = ols_make_target_spec(options, state, GOLDEN_CLASSES);
    return 1e-6 * fmax(1, fmax(spec.hard_weight + spec.term_weight, spec.pair_weight));
}

/* Loss and gradient of batch `number`, in which a method may draw labels. */
static void forward_softmax(ols_batch x, const ols_options *options, const ols_state *state, int number)
{
    ols_target_spec spec = ols_make_target_spec(options, state, x.classes);
    spec.draws = ols_draw_key(DRAWS, (uint64_t)number, 0);
    ols_softmax_cross_entropy(&spec, x.classes, x.batch, x.logits, 1, x.truth, x.probs, x.delta, x.loss, x.labels,
                              x.hits);
}

/* Trains on the batches of the golden file with the options of the case, and compares all results. */
static void golden_case(void **test)
{
    const golden *g = (const golden *)*test;
    int sigmoid = !strncmp(g->name, "sigmoid", 7), mixed = !strncmp(g->name, "mixup", 5);
    FILE *file = open_golden(g->file);
    ols_batch x[MOST_BATCHES];
    ols_options options = ols_default_options(OLS_HARD);
    ols_state *state = 0;
    float expected[MOST_SAMPLES * GOLDEN_CLASSES], partners[MOST_SAMPLES], shares[MOST_SAMPLES];
    int i, b, k, sizes[4], samples, batches, epoch;

    expect_word(file, "size");
    for (i = 0; i < 4; ++i) assert_int_equal(fscanf(file, "%d", &sizes[i]), 1);
    assert_int_equal(sizes[0], GOLDEN_CLASSES);
    samples = sizes[1];
    batches = sizes[2] * sizes[3];
    epoch = samples * sizes[2]; /* images */
    assert_true(samples <= MOST_SAMPLES && batches == MOST_BATCHES);
    for (i = 0; i < batches; ++i) {
        x[i] = new_batch(GOLDEN_CLASSES, samples, 1);
        expect_word(file, "labels");
        for (b = 0; b < samples; ++b) {
            int label;
            assert_int_equal(fscanf(file, "%d", &label), 1);
            set_label(x[i], b, label);
        }
        expect_word(file, "logits");
        read_values(file, x[i].logits, samples * GOLDEN_CLASSES);
        expect_word(file, "partners");
        read_values(file, partners, samples);
        expect_word(file, "shares");
        read_values(file, shares, samples);
        for (b = 0; mixed && b < samples; ++b) mix_labels(x[i], b, (int)partners[b], shares[b]);
    }
    for (;;) {
        char found[64];
        while (strcmp(next_word(file), "case")) assert_int_not_equal(fscanf(file, "%*[^\n]"), EOF);
        assert_int_equal(fscanf(file, "%63s", found), 1);
        if (!strcmp(found, g->name)) break;
    }
    while (!strcmp(next_word(file), "option")) {
        char key[64], value[64], range[256];
        assert_int_equal(fscanf(file, "%63s %63s", key, value), 2);
        assert_int_equal(ols_set_option(&options, key, value, range, sizeof range), 0);
    }
    if (ols_has_state(&options)) {
        state = ols_new_state(GOLDEN_CLASSES, &options);
        state->seed = DRAWS;
    }
    for (i = 0; i < batches; ++i) {
        /* the first batch's "loss" ended the options; a case without statistics may have fewer batches */
        if (i && (state ? (expect_word(file, "loss"), 0) : strcmp(next_word(file), "loss"))) break;
        if (sigmoid) {
            forward_sigmoid(x[i], &options, state);
            read_values(file, expected, samples);
        } else {
            forward_softmax(x[i], &options, state, i);
            read_values(file, expected, samples);
            for (b = 0; b < samples; ++b) assert_close(x[i].loss[b], expected[b], 2e-6 + 2e-7 * expected[b]);
        }
        expect_word(file, "gradient");
        read_values(file, expected, samples * GOLDEN_CLASSES);
        for (k = 0; k < samples * GOLDEN_CLASSES; ++k)
            assert_close(x[i].delta[k], -expected[k], tolerance_of(&options, state));
        if (!state) continue;
        if (sigmoid) {
            for (b = 0; b < samples; ++b)
                ols_accumulate_scores(state, x[i].probs + b * GOLDEN_CLASSES, 1, x[i].labels[b]);
        } else {
            ols_accumulate(state, samples, x[i].probs, x[i].labels, x[i].hits);
        }
        state->images += samples;
        ++state->iterations;
        if (!ols_due(state, &options, epoch)) continue;
        ols_update(state, &options, epoch);
        expect_word(file, "soft");
        read_values(file, expected, GOLDEN_CLASSES * GOLDEN_CLASSES);
        for (k = 0; k < GOLDEN_CLASSES * GOLDEN_CLASSES; ++k) assert_close(state->S[k], expected[k], 1e-6);
    }
    assert_true(i > 1);
    /* a missing update would be the next word here */
    if (i == batches) assert_true(strcmp(next_word(file), "soft"));
    for (i = 0; i < batches; ++i) free_batch(x[i]);
    ols_free_state(state);
    fclose(file);
}

static void every_golden_case_is_replayed(void **test);

#define GOLDEN_OF(file, name, sentence)                                                                                \
    {                                                                                                                  \
        sentence, golden_case, 0, 0, (void *)&(const golden)                                                           \
        {                                                                                                              \
            file, name                                                                                                 \
        }                                                                                                              \
    }
#define GOLDEN(name, sentence) GOLDEN_OF("ols.txt", name, sentence)
#define METHOD(name, sentence) GOLDEN_OF("methods.txt", name, sentence)

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
    METHOD("bootsoft", "soft_bootstrapping_follows_its_equation_through_the_prediction"),
    METHOD("bootsoft-beta", "its_weight_is_boot_beta"),
    METHOD("boothard", "hard_bootstrapping_takes_the_predicted_class_for_a_constant"),
    METHOD("boothard-beta", "its_weight_is_boot_beta_too"),
    METHOD("disturb", "disturb_trains_on_the_classes_that_were_drawn"),
    METHOD("sce", "sce_adds_the_reverse_cross_entropy"),
    METHOD("sce-cifar10", "with_the_weights_of_cifar_10"),
    METHOD("sce-a", "and_another_logarithm_of_zero"),
    METHOD("gce", "gce_follows_its_equation"),
    METHOD("gce-q", "also_near_the_cross_entropy"),
    METHOD("pc", "pairs_of_two_classes_are_confused"),
    METHOD("pc-lambda", "as_much_as_pc_lambda_says"),
    METHOD("tfkd", "tfkd_has_the_softened_teacher"),
    METHOD("tfkd-temperature", "with_any_weight_and_temperature"),
    METHOD("tfkd-linear", "and_with_temperature_one"),
    METHOD("single", "ols_single_takes_one_prediction_a_class"),
    METHOD("single-hits", "of_which_the_number_of_hits_is_one"),
    METHOD("cifar", "the_preset_cifar_follows_the_released_code"),
    METHOD("fine-grained", "so_does_the_preset_fine_grained"),
    METHOD("fine-grained-overridden", "whose_values_other_keys_replace"),
    METHOD("mixup-bootsoft", "a_mixture_under_bootsoft"),
    METHOD("mixup-boothard", "a_mixture_under_boothard"),
    METHOD("mixup-disturb", "a_mixture_under_disturb_of_which_each_label_is_drawn"),
    METHOD("mixup-sce", "a_mixture_under_sce"),
    METHOD("mixup-gce", "a_mixture_under_gce"),
    METHOD("mixup-pc", "a_mixture_under_pc_is_of_its_larger_class"),
    METHOD("mixup-tfkd", "a_mixture_under_tfkd"),
    METHOD("mixup-single", "a_mixture_under_ols_single"),
    cmocka_unit_test(every_golden_case_is_replayed),
};

/* The number of cases of a file; fails if one of them is replayed by no test. */
static size_t replayed_cases(const char *path)
{
    FILE *file = open_golden(path);
    char word[64], name[64];
    size_t i, cases = 0;
    while (fscanf(file, "%63s", word) == 1) {
        if (!strcmp(word, "case")) {
            int found = 0;
            assert_int_equal(fscanf(file, "%63s", name), 1);
            for (i = 0; i < COUNT(tests); ++i) {
                const golden *g = (const golden *)tests[i].initial_state;
                found += tests[i].test_func == golden_case && !strcmp(g->file, path) && !strcmp(g->name, name);
            }
            if (found != 1) fail_msg("the case %s of %s is replayed by %d tests", name, path, found);
            ++cases;
        }
        if (fscanf(file, "%*[^\n]") == EOF) break;
    }
    fclose(file);
    return cases;
}

static void every_golden_case_is_replayed(void **test)
{
    (void)test;
    assert_true(replayed_cases("ols.txt") >= 25);
    assert_true(replayed_cases("methods.txt") >= 25);
}

int main(void)
{
    return cmocka_run_group_tests_name("ols_golden", tests, 0, 0) != 0;
}
