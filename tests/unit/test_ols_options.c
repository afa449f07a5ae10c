/* Tests of the method's options as read from a cfg (src/ols/targets.c): values, defaults, and rejected values with the
 * range that the message gives. */
#include "helpers/test_ols.h"

/* 64 zeros: longer than any reasonable value. */
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static double option_value(const ols_options *options, const char *key)
{
    if (!strcmp(key, "smoothing")) return options->smoothing;
    if (!strcmp(key, "alpha")) return options->alpha;
    if (!strcmp(key, "soft_weight")) return options->soft_weight;
    if (!strcmp(key, "epsilon")) return options->epsilon;
    if (!strcmp(key, "period")) return (double)options->period;
    if (!strcmp(key, "soft_temperature")) return options->soft_temperature;
    if (!strcmp(key, "decay")) return options->decay;
    if (!strcmp(key, "start")) return (double)options->start;
    if (!strcmp(key, "normalise")) return options->normalise;
    if (!strcmp(key, "init")) return options->init;
    if (!strcmp(key, "empty")) return options->empty;
    if (!strcmp(key, "freeze")) return options->freeze;
    if (!strcmp(key, "preset")) return options->preset;
    if (!strcmp(key, "boot_beta")) return options->boot_beta;
    if (!strcmp(key, "disturb_alpha")) return options->disturb_alpha;
    if (!strcmp(key, "sce_alpha")) return options->sce_alpha;
    if (!strcmp(key, "sce_beta")) return options->sce_beta;
    if (!strcmp(key, "sce_a")) return options->sce_a;
    if (!strcmp(key, "gce_q")) return options->gce_q;
    if (!strcmp(key, "pc_lambda")) return options->pc_lambda;
    if (!strcmp(key, "pc_start")) return (double)options->pc_start;
    if (!strcmp(key, "tfkd_alpha")) return options->tfkd_alpha;
    if (!strcmp(key, "tfkd_c")) return options->tfkd_c;
    if (!strcmp(key, "tfkd_temperature")) return options->tfkd_temperature;
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
        {"start", "0", 0},
        {"start", "1", 1},
        {"start", "1000000000", 1e9},
        {"soft_temperature", ".1", .1},
        {"soft_temperature", "1", 1},
        {"soft_temperature", "10", 10},
        {"decay", "0", 0},
        {"decay", ".999", .999},
        {"normalise", "sum", OLS_BY_SUM},
        {"normalise", "hits", OLS_BY_HITS},
        {"init", "uniform", OLS_ROW_UNIFORM},
        {"init", "zero", OLS_ROW_ZERO},
        {"init", "ls", OLS_ROW_LS},
        {"empty", "uniform", OLS_ROW_UNIFORM},
        {"empty", "zero", OLS_ROW_ZERO},
        {"empty", "keep", OLS_ROW_KEEP},
        {"freeze", "0", 0},
        {"freeze", ".88", .88},
        {"freeze", "1", 1},
        {"smoothing", "ols-single", OLS_SINGLE},
        {"smoothing", "bootsoft", OLS_BOOTSOFT},
        {"smoothing", "boothard", OLS_BOOTHARD},
        {"smoothing", "disturb", OLS_DISTURB},
        {"smoothing", "sce", OLS_SCE},
        {"smoothing", "gce", OLS_GCE},
        {"smoothing", "pc", OLS_PC},
        {"smoothing", "tfkd", OLS_TFKD},
        {"preset", "paper", OLS_PAPER},
        {"preset", "cifar", OLS_CIFAR},
        {"preset", "fine-grained", OLS_FINE_GRAINED},
        {"boot_beta", "0", 0},
        {"boot_beta", ".95", .95},
        {"disturb_alpha", "0", 0},
        {"disturb_alpha", "1", 1},
        {"sce_alpha", ".1", .1},
        {"sce_alpha", "100", 100},
        {"sce_beta", "0", 0},
        {"sce_beta", "1", 1},
        {"sce_a", "-20", -20},
        {"sce_a", "0", 0},
        {"gce_q", "0", 0},
        {"gce_q", "1", 1},
        {"pc_lambda", "0", 0},
        {"pc_lambda", "1000", 1000},
        {"pc_start", "0", 0},
        {"pc_start", "20000", 20000},
        {"tfkd_alpha", ".95", .95},
        {"tfkd_alpha", "1", 1},
        {"tfkd_c", ".9", .9},
        {"tfkd_c", "1", 1},
        {"tfkd_temperature", "1", 1},
        {"tfkd_temperature", "1000", 1000},
    };
    size_t i, key;
    (void)test;
    for (i = 0; i < COUNT(good); ++i) {
        ols_options options = ols_default_options(OLS_HARD), before;
        char range[128] = "";
        options.period = 7; /* so that period=epoch changes something */
        before = options;
        assert_int_equal(ols_set_option(&options, good[i].key, good[i].value, range, sizeof range), 0);
        assert_close(option_value(&options, good[i].key), good[i].expected, 1e-7);
        for (key = 0; ols_option_key(key) && strcmp(good[i].key, "preset"); ++key)
            if (strcmp(ols_option_key(key), good[i].key))
                assert_close(option_value(&options, ols_option_key(key)), option_value(&before, ols_option_key(key)),
                             0);
    }
    for (key = 0; ols_option_key(key); ++key) {
        int found = 0;
        for (i = 0; i < COUNT(good); ++i) found += !strcmp(good[i].key, ols_option_key(key));
        assert_true(found > 1);
    }
    assert_int_equal(key, 24);
}

static void the_defaults_are_those_of_the_paper(void **test)
{
    ols_options options = ols_default_options(OLS_OLS);
    ols_target_spec spec;
    (void)test;
    assert_int_equal(options.smoothing, OLS_OLS);
    assert_close(options.alpha, .5, 0);
    assert_close(options.epsilon, .1, 1e-7);
    assert_int_equal(options.period, 0);
    assert_int_equal(options.start, 0);
    assert_close(options.soft_temperature, 1, 0);
    assert_close(options.decay, 0, 0);
    assert_int_equal(options.normalise, OLS_BY_SUM);
    assert_int_equal(options.init, OLS_ROW_UNIFORM);
    assert_int_equal(options.empty, OLS_ROW_UNIFORM);
    assert_close(options.freeze, 0, 0);
    spec = ols_make_target_spec(&options, 0, 4);
    assert_close(spec.soft_weight, .5, 0);
    options.alpha = .3f; /* the weight of the soft term is 1 - alpha */
    spec = ols_make_target_spec(&options, 0, 4);
    assert_close(spec.soft_weight, .7, 1e-7);
}

static void the_defaults_of_the_methods_are_those_of_their_papers(void **test)
{
    ols_options options = ols_default_options(OLS_BOOTSOFT);
    ols_target_spec spec = ols_make_target_spec(&options, 0, 10);
    (void)test;
    assert_close(spec.hard_weight, .95, 1e-7);
    assert_close(spec.term_weight, .05, 1e-7);
    options.smoothing = OLS_BOOTHARD;
    spec = ols_make_target_spec(&options, 0, 10);
    assert_close(spec.hard_weight, .8, 1e-7);
    assert_close(spec.term_weight, .2, 1e-7);
    assert_close(options.disturb_alpha, .1, 1e-7);
    assert_close(options.sce_alpha, 6, 0);
    assert_close(options.sce_beta, .1, 1e-7);
    assert_close(options.sce_a, -4, 0);
    assert_close(options.gce_q, .7, 1e-7);
    assert_close(options.pc_lambda, 10, 0);
    assert_int_equal(options.pc_start, 0);
    assert_close(options.tfkd_alpha, .1, 1e-7);
    assert_close(options.tfkd_c, .99, 1e-7);
    assert_close(options.tfkd_temperature, 20, 0);
}

static ols_options set_preset(const char *preset)
{
    ols_options options = ols_default_options(OLS_OLS);
    char range[128];
    assert_int_equal(ols_set_option(&options, "preset", preset, range, sizeof range), 0);
    return options;
}

/* Asserts that a preset changes these options and no others; `changed` ends with NULL. */
static void assert_changes(const char *preset, const char *const *changed)
{
    const ols_options defaults = ols_default_options(OLS_OLS), options = set_preset(preset);
    int i, k;
    for (i = 0; ols_option_key(i); ++i) {
        const char *key = ols_option_key(i);
        int expected = 0;
        for (k = 0; changed[k]; ++k) expected |= !strcmp(key, changed[k]);
        assert_int_equal(option_value(&options, key) != option_value(&defaults, key), expected);
    }
}

static void a_preset_sets_what_the_authors_code_does_and_nothing_else(void **test)
{
    static const char *const none[] = {0}, *const cifar[] = {"preset", "init", 0};
    static const char *const fine[] = {"preset", "alpha", "soft_weight", "freeze", 0};
    ols_options options;
    char range[128];
    (void)test;
    assert_changes("paper", none);
    assert_changes("cifar", cifar);
    assert_changes("fine-grained", fine);
    assert_int_equal(set_preset("cifar").init, OLS_ROW_ZERO);
    options = set_preset("fine-grained");
    assert_close(options.alpha, 1, 0);
    assert_close(options.soft_weight, 1, 0);
    assert_close(options.freeze, .88, 1e-7);
    assert_int_equal(ols_set_option(&options, "freeze", ".5", range, sizeof range), 0);
    assert_close(options.freeze, .5, 0);
    assert_close(options.alpha, 1, 0);
}

/* Sections are read in the order of the keys, so that a key behind or before preset= has the last word. */
static void preset_comes_before_all_that_it_sets(void **test)
{
    int i;
    (void)test;
    for (i = 0; strcmp(ols_option_key(i), "preset"); ++i) assert_string_equal(ols_option_key(i), "smoothing");
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

/* Asserts that a value is rejected with a range, and that the options are unchanged. */
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
    static const char *const keys[] = {
        "alpha",  "epsilon",     "freeze",           "decay",  "boot_beta", "disturb_alpha", "gce_q", "tfkd_alpha",
        "tfkd_c", "soft_weight", "soft_temperature", "period", "start"};
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
    for (k = 0; k < 9; ++k) {
        assert_refused(keys[k], "1.0001");
        assert_refused(keys[k], "2");
        assert_refused(keys[k], "epoch");
    }
    assert_refused("sce_alpha", "100.1");
    assert_refused("sce_beta", "-.1");
    assert_refused("sce_a", ".1");
    assert_refused("sce_a", "-20.1");
    assert_refused("pc_lambda", "1001");
    assert_refused("pc_start", "1.5");
    assert_refused("tfkd_temperature", ".99");
    assert_refused("tfkd_temperature", "1001");
    assert_refused("decay", "1");
    assert_refused("soft_temperature", "0");
    assert_refused("soft_temperature", ".099");
    assert_refused("start", "1.5");
    assert_refused("start", "1000000001");
    assert_refused("start", "epoch");
    assert_refused("period", "0");
    assert_refused("period", "1.5");
    assert_refused("period", "1000000001");
}

static void a_value_that_is_none_of_the_choices_is_refused(void **test)
{
    static const char *const keys[] = {"smoothing", "preset", "init", "empty", "normalise"};
    static const char *const bad[] = {
        "",       "#",    "# ols", "1",        "OLS", "Zero", "unifor", "uniform,zero", "uniform zero",
        "ols ls", "none", "nan",   "ols" ZEROS};
    size_t i, k;
    (void)test;
    for (k = 0; k < COUNT(keys); ++k)
        for (i = 0; i < COUNT(bad); ++i) assert_refused(keys[k], bad[i]);
    assert_refused("smoothing", "uniform");
    assert_refused("init", "keep"); /* at the start there is nothing to keep */
    assert_refused("init", "hard");
    assert_refused("empty", "ls");
    assert_refused("normalise", "uniform");
}

static void an_unknown_key_is_refused(void **test)
{
    static const char *const keys[] = {"", "Alpha", "alpha ", "smooth", "smoothing=", "temperature"};
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(keys); ++i) assert_refused(keys[i], "1");
}

/* The bytes after the buffer must not change; the sanitizers check this, too. */
static void a_range_is_cut_to_the_space_there_is(void **test)
{
    size_t key, size;
    (void)test;
    for (key = 0; ols_option_key(key); ++key) {
        for (size = 1; size < 60; ++size) {
            ols_options options = ols_default_options(OLS_OLS);
            char range[64], whole[128];
            memset(range, 'x', sizeof range);
            assert_int_equal(ols_set_option(&options, ols_option_key(key), "no", whole, sizeof whole), -1);
            assert_int_equal(ols_set_option(&options, ols_option_key(key), "no", range, size), -1);
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
    options.smoothing = OLS_SINGLE;
    assert_true(ols_has_state(&options));
    assert_null(ols_smoothing_name(OLS_TFKD + 1));
}

/* One row for each method: what its equations allow in a head with a softmax, with sigmoids, with linear scores. */
static void a_method_fits_the_scores_that_its_equations_are_about(void **test)
{
    static const char *const fits[] = {
        "hard 111",    "ls 111",  "ols 111", "ols-single 111", "bootsoft 110", "boothard 111",
        "disturb 111", "sce 100", "gce 100", "pc 000",         "tfkd 100",
    };
    int method, scores;
    (void)test;
    for (method = 0; ols_smoothing_name(method); ++method) {
        ols_options options = ols_default_options((ols_smoothing)method);
        char found[64];
        assert_null(ols_unfit(&options, OLS_CLASSIFIER));
        snprintf(found, sizeof found, "%s ", ols_smoothing_name(method));
        for (scores = OLS_SOFTMAX_HEAD; scores <= OLS_LINEAR_HEAD; ++scores)
            strcat(found, ols_unfit(&options, (ols_scores)scores) ? "0" : "1");
        assert_string_equal(found, fits[method]);
        options.tfkd_temperature = 1;
        if (method == OLS_TFKD)
            for (scores = OLS_SOFTMAX_HEAD; scores <= OLS_LINEAR_HEAD; ++scores)
                assert_null(ols_unfit(&options, (ols_scores)scores));
    }
    assert_int_equal(method, COUNT(fits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_set_from_its_text),
        cmocka_unit_test(the_defaults_are_those_of_the_paper),
        cmocka_unit_test(the_defaults_of_the_methods_are_those_of_their_papers),
        cmocka_unit_test(a_preset_sets_what_the_authors_code_does_and_nothing_else),
        cmocka_unit_test(preset_comes_before_all_that_it_sets),
        cmocka_unit_test(a_comment_after_a_value_is_ignored),
        cmocka_unit_test(a_value_that_is_no_number_in_range_is_refused),
        cmocka_unit_test(a_value_that_is_none_of_the_choices_is_refused),
        cmocka_unit_test(an_unknown_key_is_refused),
        cmocka_unit_test(a_range_is_cut_to_the_space_there_is),
        cmocka_unit_test(methods_have_their_names_and_say_whether_they_keep_statistics),
        cmocka_unit_test(a_method_fits_the_scores_that_its_equations_are_about),
    };
    return cmocka_run_group_tests_name("ols_options", tests, 0, 0) != 0;
}
