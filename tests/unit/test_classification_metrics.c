/* A classifier's metrics, against cases worked out by hand. tests/classifier-metrics.t compares them with NumPy. */
#include "eval/classification_metrics.h"

#include "helpers/test_helpers.h"

#include <string.h>

static predictions of(const float *p, const int *labels, int count, int classes)
{
    predictions x = {p, labels, count, classes};
    return x;
}

static void equal_probabilities_rank_by_their_number(void **state)
{
    const float p[] = {.2f, .3f, .3f, .2f};
    (void)state;
    assert_int_equal(predicted_class(p, 4), 1);
    assert_int_equal(label_rank(p, 4, 1), 0);
    assert_int_equal(label_rank(p, 4, 2), 1);
    assert_int_equal(label_rank(p, 4, 0), 2);
    assert_int_equal(label_rank(p, 4, 3), 3);
}

static void top_k_counts_labels_among_the_k_most_probable(void **state)
{
    const float p[] = {.5f, .3f, .2f, .5f, .3f, .2f, .5f, .3f, .2f};
    const int labels[] = {0, 1, 2};
    const predictions x = of(p, labels, 3, 3);
    (void)state;
    assert_close(top_k_accuracy(&x, 1), 1. / 3, 1e-15);
    assert_close(top_k_accuracy(&x, 2), 2. / 3, 1e-15);
    assert_close(top_k_accuracy(&x, 3), 1, 0);
}

static void nll_and_brier_are_means_over_images(void **state)
{
    const float p[] = {.75f, .25f, 0, .5f, .25f, .25f};
    const int labels[] = {0, 2};
    const predictions x = of(p, labels, 2, 3);
    (void)state;
    assert_close(negative_log_likelihood(&x), (log(4. / 3) + log(4)) / 2, 1e-12);
    /* 1/16 + 1/16 + 0, and 1/4 + 1/16 + 9/16 */
    assert_close(brier_score(&x), (2. / 16 + 14. / 16) / 2, 1e-12);
}

static void an_excluded_class_costs_no_infinity(void **state)
{
    const float p[] = {1, 0};
    const int labels[] = {1};
    const predictions x = of(p, labels, 1, 2);
    (void)state;
    assert_close(negative_log_likelihood(&x), 126 * log(2), 1e-6); /* of 2^-126 */
    assert_close(kl_divergence(p + 1, p + 1, 1), 0, 0);
}

static void a_bin_holds_its_upper_edge(void **state)
{
    const float p[] = {.5f, .5f, .75f, .25f, .751f, .249f, 1, 0};
    const int labels[] = {0, 0, 1, 0};
    const predictions x = of(p, labels, 4, 2);
    calibration_bin bins[4];
    (void)state;
    reliability_bins(&x, bins, 4);
    assert_int_equal(bins[0].count, 0);
    assert_int_equal(bins[1].count, 1); /* .5 */
    assert_int_equal(bins[2].count, 1); /* .75 */
    assert_int_equal(bins[3].count, 2);
    assert_close(bins[3].probability, 1.751, 1e-6);
    assert_close(bins[3].correct, 1, 0);
    /* |1 - .5| and |1 - .75| of an image each, and |1 - 1.751| of two together */
    assert_close(expected_calibration_error(bins, 4), (.5 + .25 + .751) / 4, 1e-6);
}

static void classwise_error_looks_at_every_probability(void **state)
{
    /* One bin: for each class |how often it is true - sum of its probabilities| / images. */
    const float p[] = {.6f, .3f, .1f, .6f, .3f, .1f};
    const int labels[] = {0, 1};
    const predictions x = of(p, labels, 2, 3);
    (void)state;
    assert_close(classwise_calibration_error(&x, 1), (.2 + .4 + .2) / 2 / 3, 1e-6);
}

static void the_best_temperature_undoes_overconfidence(void **state)
{
    /* Always .9 and right in 3 of 4: 9^(1/T) = 3. */
    const float p[] = {.9f, .1f, .9f, .1f, .1f, .9f, .9f, .1f};
    const int labels[] = {0, 0, 1, 1};
    const predictions x = of(p, labels, 4, 2);
    float scaled[2];
    (void)state;
    assert_close(best_temperature(&x), 2, 1e-5);
    scale_temperature(p, 2, 2, scaled);
    assert_close(scaled[0], .75, 1e-6);
    assert_close(scaled[1], .25, 1e-6);
}

static void the_best_temperature_of_what_cannot_be_improved_is_the_end_of_the_range(void **state)
{
    const float right[] = {.9f, .1f}, wrong[] = {.1f, .9f};
    const int labels[] = {0};
    const predictions x = of(right, labels, 1, 2), y = of(wrong, labels, 1, 2);
    (void)state;
    assert_close(best_temperature(&x), LOWEST_TEMPERATURE, 1e-9);
    assert_close(best_temperature(&y), HIGHEST_TEMPERATURE, 1e-4);
}

static void the_split_is_an_order_of_all_images(void **state)
{
    enum { N = 1000 };
    int order[N], other[N], seen[N] = {0}, i, moved = 0;
    (void)state;
    split_order(N, 1, order);
    split_order(N, 2, other);
    for (i = 0; i < N; ++i) {
        ++seen[order[i]];
        moved += order[i] != i;
    }
    for (i = 0; i < N; ++i) assert_int_equal(seen[i], 1);
    assert_true(moved > N / 2);
    assert_memory_not_equal(order, other, sizeof order);
    split_order(N, 1, other);
    assert_memory_equal(order, other, sizeof order);
}

static void precision_recall_and_f1_of_a_class(void **state)
{
    const int labels[] = {0, 0, 0, 1, 1}, predicted[] = {0, 0, 1, 1, 1};
    size_t confusion[9];
    class_metrics c[3];
    (void)state;
    confusion_matrix(labels, predicted, 5, 3, confusion);
    assert_int_equal(confusion[0], 2);
    assert_int_equal(confusion[1], 1);
    assert_int_equal(confusion[3], 0);
    assert_int_equal(confusion[4], 2);
    metrics_by_class(confusion, 3, c);
    assert_close(c[0].accuracy, 2. / 3, 1e-15);
    assert_close(c[0].precision, 1, 0);
    assert_close(c[1].accuracy, 1, 0);
    assert_close(c[1].precision, 2. / 3, 1e-15);
    assert_close(c[1].f1, 4. / 5, 1e-15);
    assert_close(c[2].accuracy + c[2].precision + c[2].f1, 0, 0); /* without images, and never predicted */
}

static void the_interval_of_a_difference_holds_it(void **state)
{
    unsigned char a[400], b[400];
    paired_difference d;
    int i;
    (void)state;
    for (i = 0; i < 400; ++i) {
        a[i] = i % 4 != 0; /* 3 of 4 */
        b[i] = i % 2 == 0; /* 1 of 2 */
    }
    d = paired_bootstrap(a, b, 400, 2000, .95, 1);
    assert_close(d.difference, .25, 1e-15);
    /* +1 for half of the images, -1 for a quarter: a standard error of sqrt((3/4 - 1/16) / 400) = .0415 */
    assert_close(d.low, .25 - 1.96 * .0415, .012);
    assert_close(d.high, .25 + 1.96 * .0415, .012);
    d = paired_bootstrap(a, a, 400, 100, .95, 1);
    assert_close(d.difference, 0, 0);
    assert_close(d.low, 0, 0);
    assert_close(d.high, 0, 0);
}

static void kl_leaves_out_classes_without_votes(void **state)
{
    const float h[] = {.5f, .5f, 0}, p[] = {.25f, .5f, .25f};
    (void)state;
    assert_close(kl_divergence(h, p, 3), .5 * log(2), 1e-12);
    assert_close(kl_divergence(h, h, 3), 0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_probabilities_rank_by_their_number),
        cmocka_unit_test(top_k_counts_labels_among_the_k_most_probable),
        cmocka_unit_test(nll_and_brier_are_means_over_images),
        cmocka_unit_test(an_excluded_class_costs_no_infinity),
        cmocka_unit_test(a_bin_holds_its_upper_edge),
        cmocka_unit_test(classwise_error_looks_at_every_probability),
        cmocka_unit_test(the_best_temperature_undoes_overconfidence),
        cmocka_unit_test(the_best_temperature_of_what_cannot_be_improved_is_the_end_of_the_range),
        cmocka_unit_test(the_split_is_an_order_of_all_images),
        cmocka_unit_test(precision_recall_and_f1_of_a_class),
        cmocka_unit_test(the_interval_of_a_difference_holds_it),
        cmocka_unit_test(kl_leaves_out_classes_without_votes),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
