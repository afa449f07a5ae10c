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
        for (key = 0; ols_option_key(key); ++key)
            if (strcmp(ols_option_key(key), good[i].key))
                assert_close(option_value(&options, ols_option_key(key)), option_value(&before, ols_option_key(key)),
                             0);
    }
    for (key = 0; ols_option_key(key); ++key) {
        int found = 0;
        for (i = 0; i < COUNT(good); ++i) found += !strcmp(good[i].key, ols_option_key(key));
        assert_true(found > 1);
    }
    assert_int_equal(key, 12);
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
    static const char *const keys[] = {"alpha",       "epsilon",          "freeze", "decay",
                                       "soft_weight", "soft_temperature", "period", "start"};
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
    for (k = 0; k < 4; ++k) {
        assert_refused(keys[k], "1.0001");
        assert_refused(keys[k], "2");
        assert_refused(keys[k], "epoch");
    }
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
    static const char *const keys[] = {"smoothing", "init", "empty", "normalise"};
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_set_from_its_text),
        cmocka_unit_test(the_defaults_are_those_of_the_paper),
        cmocka_unit_test(a_comment_after_a_value_is_ignored),
        cmocka_unit_test(a_value_that_is_no_number_in_range_is_refused),
        cmocka_unit_test(a_value_that_is_none_of_the_choices_is_refused),
        cmocka_unit_test(an_unknown_key_is_refused),
        cmocka_unit_test(a_range_is_cut_to_the_space_there_is),
        cmocka_unit_test(methods_have_their_names_and_say_whether_they_keep_statistics),
    };
    return cmocka_run_group_tests_name("ols_options", tests, 0, 0) != 0;
}
