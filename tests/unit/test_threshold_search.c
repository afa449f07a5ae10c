/* Tests of eval/threshold_search.h and eval/detection_calibration.h, in cases computed by hand. tests/detector-map.t
 * compares both with NumPy on random sets. */
#include "eval/detection_calibration.h"
#include "eval/threshold_search.h"

#include "base/numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { DOG, CAT, CLASSES, MOST = 16 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A detection of the matching's verdict, in any order of scores. */
typedef struct {
    int class_id;
    double score;
    ap_verdict verdict;
} judged;

/* The same as the arrays of average_precision_matches. */
typedef struct {
    ap_detection detections[MOST];
    ap_match matches[MOST];
    size_t count;
} judged_arrays;

static judged_arrays arrays_of(const judged *j, size_t count)
{
    judged_arrays a;
    size_t i;
    assert_true(count <= MOST);
    for (i = 0; i < count; ++i) {
        const ap_detection d = {0, j[i].class_id, {0, 0, 1, 1}, j[i].score};
        const ap_match m = {j[i].verdict, 0, 0, 0};
        a.detections[i] = d;
        a.matches[i] = m;
    }
    a.count = count;
    return a;
}

static best_threshold search(const judged *j, size_t count, int class_id, size_t objects, double lowest)
{
    const judged_arrays a = arrays_of(j, count);
    operating_point points[MOST];
    const size_t n = operating_points(a.detections, a.matches, a.count, class_id, objects, points);
    return find_best_threshold(points, n, objects, lowest);
}

static void assert_near(double got, double want)
{
    if (fabs(got - want) > 1e-12) fail_msg("%.17g, not %.17g", got, want);
}

/* ---- Points ------------------------------------------------------------------------------------------------------ */

static void every_distinct_score_is_a_point_with_its_precision_and_recall(void **test)
{
    /* of 4 objects: .9 right, .7 wrong and right, .4 wrong */
    static const judged j[] = {
        {DOG, .7, AP_FALSE}, {DOG, .4, AP_FALSE}, {CAT, .8, AP_TRUE}, {DOG, .9, AP_TRUE}, {DOG, .7, AP_TRUE}};
    const judged_arrays a = arrays_of(j, COUNT(j));
    operating_point p[MOST];
    (void)test;
    assert_int_equal(operating_points(a.detections, a.matches, a.count, DOG, 4, p), 3);
    assert_true(p[0].score == .9 && p[1].score == .7 && p[2].score == .4);
    assert_int_equal(p[0].tp, 1);
    assert_int_equal(p[1].tp, 2);
    assert_int_equal(p[2].tp, 2);
    assert_int_equal(p[2].kept, 4);
    assert_near(p[0].precision, 1), assert_near(p[0].recall, .25), assert_near(p[0].f1, .4);
    assert_near(p[1].precision, 2. / 3), assert_near(p[1].recall, .5), assert_near(p[1].f1, 4. / 7);
    assert_near(p[2].precision, .5), assert_near(p[2].recall, .5), assert_near(p[2].f1, .5);
}

static void ignored_detections_are_no_points(void **test)
{
    static const judged j[] = {{DOG, .9, AP_TRUE}, {DOG, .8, AP_IGNORED}, {DOG, .5, AP_FALSE}};
    const judged_arrays a = arrays_of(j, COUNT(j));
    operating_point p[MOST];
    (void)test;
    assert_int_equal(operating_points(a.detections, a.matches, a.count, DOG, 1, p), 2);
    assert_int_equal(p[1].kept, 2);
    /* nor the end of the gap: .7 is the middle of .5 and .9 */
    assert_true(search(j, COUNT(j), DOG, 1, .005).threshold == .7);
}

/* ---- The best ---------------------------------------------------------------------------------------------------- */

static void the_best_f1_is_found_among_all_scores(void **test)
{
    /* F1 of 3 objects: 2/4, 2/5, 4/6, 4/7, 6/8, 6/9 */
    static const judged j[] = {{DOG, .95, AP_TRUE},  {DOG, .9, AP_FALSE}, {DOG, .6, AP_TRUE},
                               {DOG, .55, AP_FALSE}, {DOG, .3, AP_TRUE},  {DOG, .1, AP_FALSE}};
    const best_threshold best = search(j, COUNT(j), DOG, 3, .005);
    (void)test;
    assert_near(best.f1, 6. / 8);
    assert_near(best.precision, 3. / 5);
    assert_near(best.recall, 1);
    assert_true(best.threshold == .2); /* keeps .3, not .1 */
}

static void detections_of_equal_score_stand_or_fall_together(void **test)
{
    /* in this order the first of the two alone would have an F1 of 1 */
    static const judged j[] = {{DOG, .9, AP_TRUE}, {DOG, .5, AP_TRUE}, {DOG, .5, AP_FALSE}};
    const best_threshold best = search(j, COUNT(j), DOG, 2, .005);
    (void)test;
    assert_near(best.f1, 4. / 5);
    assert_near(best.precision, 2. / 3);
}

static void of_equal_f1_the_highest_threshold_is_taken(void **test)
{
    /* of 2 objects: 2/3, then 2/4, then 4/6 again: three boxes where one does as well */
    static const judged j[] = {{DOG, .9, AP_TRUE}, {DOG, .8, AP_FALSE}, {DOG, .4, AP_FALSE}, {DOG, .3, AP_TRUE}};
    const best_threshold best = search(j, COUNT(j), DOG, 2, .005);
    (void)test;
    assert_near(best.f1, 2. / 3);
    assert_near(best.precision, 1);
    assert_true(best.threshold == .8 || (best.threshold > .8 && best.threshold < .9));
}

static void all_classes_share_one_threshold(void **test)
{
    /* dogs are best above .5, cats above .1; together, of 4 objects: 2/5, 4/6, 4/7, 6/8, 8/9, 8/10 */
    static const judged j[] = {{DOG, .9, AP_TRUE}, {DOG, .6, AP_TRUE}, {DOG, .4, AP_FALSE},
                               {CAT, .3, AP_TRUE}, {CAT, .2, AP_TRUE}, {DOG, .1, AP_FALSE}};
    best_threshold best = search(j, COUNT(j), DOG, 2, .005);
    (void)test;
    assert_true(best.threshold == .5);
    assert_near(best.f1, 1);
    best = search(j, COUNT(j), CAT, 2, .005);
    assert_true(best.threshold == .1); /* where all are kept: between the lowest threshold and .2 */
    assert_near(best.f1, 1);
    best = search(j, COUNT(j), ALL_CLASSES, 4, .005);
    assert_near(best.f1, 8. / 9);
    assert_near(best.precision, 4. / 5);
    assert_true(best.threshold == .1); /* a score of .1 is not above it */
}

static void without_a_true_positive_there_is_no_best(void **test)
{
    static const judged j[] = {{DOG, .9, AP_FALSE}, {DOG, .8, AP_IGNORED}};
    (void)test;
    assert_true(search(j, 2, DOG, 3, .005).f1 == 0);
    assert_true(search(j, 0, DOG, 3, .005).f1 == 0);
    assert_true(search(j, 2, DOG, 0, .005).f1 == 0);
}

static void scores_may_be_any_numbers(void **test)
{
    static const judged j[] = {{DOG, -3, AP_TRUE}, {DOG, -7, AP_TRUE}, {DOG, -20, AP_FALSE}};
    (void)test;
    assert_true(search(j, 3, DOG, 2, 0).threshold == -13.5);
    assert_true(search(j, 2, DOG, 2, 0).threshold == -7.5); /* no lower score: one less is far enough */
}

static void a_score_at_the_lowest_threshold_is_kept_by_one_above_0(void **test)
{
    static const judged j[] = {{DOG, .9f, AP_TRUE}, {DOG, .005f, AP_TRUE}};
    const double t = search(j, 2, DOG, 2, .005).threshold;
    (void)test;
    assert_true(t > 0 && (float)t < .005f);
}

static void the_last_set_holds_down_to_the_lowest_threshold(void **test)
{
    static const operating_point p[] = {{.score = .9}, {.score = .4}};
    static const operating_point zero[] = {{.score = 0}};
    (void)test;
    assert_true(lowest_threshold_of(p, 2, 0, .005) == .4);
    assert_true(lowest_threshold_of(p, 2, 1, .005) == .005);
    assert_true(lowest_threshold_of(zero, 1, 0, 0) == -1);
}

/* ---- The number -------------------------------------------------------------------------------------------------- */

static void a_threshold_has_the_fewest_decimals_that_do(void **test)
{
    static const struct {
        double low, high, want;
    } cases[] = {{.1, .9, .5},      {.2034, .2187, .21},   {.25, .26, .25}, {.25, .3, .28},   {.5, .75, .6},
                 {.005, .012, .01}, {.5001, .5002, .5001}, {-.2, -.1, -.2}, {.005, .05, .03}, {0, .001, 0}};
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i) {
        const double t = threshold_between(cases[i].low, cases[i].high);
        if (t != cases[i].want) fail_msg("%g to %g: %.17g", cases[i].low, cases[i].high, t);
    }
}

static void between_neighbouring_scores_it_keeps_the_upper_one_alone(void **test)
{
    const double low = .3f, high = nextafterf(.3f, 1), next = nextafter(high, 1);
    const double t = threshold_between(low, high);
    (void)test;
    assert_true(t >= low && t < high);
    assert_true((float)t >= (float)low && (float)t < (float)high); /* as `detector test` compares */
    assert_true(threshold_between(high, next) == high);            /* as close as doubles can be */
}

static void a_number_is_written_with_the_decimals_that_it_needs(void **test)
{
    static const struct {
        double value;
        int least;
        const char *want;
    } cases[] = {{.5, 2, "0.50"}, {.125, 2, "0.125"},   {.5, 0, "0.5"},
                 {3, 0, "3"},     {.0213, 1, "0.0213"}, {-.1, 2, "-0.10"}};
    char text[DECIMAL_TEXT];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(cases); ++i)
        assert_string_equal(format_decimal(cases[i].value, cases[i].least, text), cases[i].want);
    assert_string_equal(skip_leading_zero("0.50"), ".50");
    assert_string_equal(skip_leading_zero("0"), "0");
    assert_string_equal(skip_leading_zero("10.5"), "10.5");
}

/* ---- Calibration ------------------------------------------------------------------------------------------------- */

static void detection_ece_compares_scores_with_precision(void **test)
{
    /* Bins of 1/15. (12/15, 13/15]: .82 and .86, one of two right: |1 - 1.68|. (4/15, 5/15]: .3 wrong: .3. (0, 1/15]:
     * .02 right: .98. Left out: .009, and one that is ignored. */
    static const judged j[] = {{DOG, .82, AP_TRUE}, {CAT, .86, AP_FALSE},  {DOG, .3, AP_FALSE},
                               {DOG, .02, AP_TRUE}, {DOG, .009, AP_FALSE}, {DOG, .5, AP_IGNORED}};
    const judged_arrays a = arrays_of(j, COUNT(j));
    const detection_calibration c = calibrate_detections(a.detections, a.matches, a.count);
    (void)test;
    assert_int_equal(c.detections, 4);
    assert_int_equal(c.bins[12].count, 2);
    assert_int_equal(c.bins[4].count, 1);
    assert_int_equal(c.bins[0].count, 1);
    assert_near(c.ece, (.68 + .3 + .98) / 4);
}

static void the_lowest_score_counts(void **test)
{
    static const judged j[] = {{DOG, .01, AP_FALSE}};
    const judged_arrays a = arrays_of(j, 1);
    (void)test;
    assert_near(calibrate_detections(a.detections, a.matches, 1).ece, .01);
}

static void scores_that_are_no_probabilities_have_no_ece(void **test)
{
    static const judged j[] = {{DOG, .5, AP_TRUE}, {DOG, 1e300, AP_TRUE}, {DOG, 0, AP_TRUE}};
    const judged_arrays a = arrays_of(j, COUNT(j));
    (void)test;
    assert_true(calibrate_detections(a.detections, a.matches, 2).ece == -1);
    assert_true(calibrate_detections(a.detections + 2, a.matches + 2, 1).ece == -1);
    assert_true(calibrate_detections(0, 0, 0).ece == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_distinct_score_is_a_point_with_its_precision_and_recall),
        cmocka_unit_test(ignored_detections_are_no_points),
        cmocka_unit_test(the_best_f1_is_found_among_all_scores),
        cmocka_unit_test(detections_of_equal_score_stand_or_fall_together),
        cmocka_unit_test(of_equal_f1_the_highest_threshold_is_taken),
        cmocka_unit_test(all_classes_share_one_threshold),
        cmocka_unit_test(without_a_true_positive_there_is_no_best),
        cmocka_unit_test(scores_may_be_any_numbers),
        cmocka_unit_test(a_score_at_the_lowest_threshold_is_kept_by_one_above_0),
        cmocka_unit_test(the_last_set_holds_down_to_the_lowest_threshold),
        cmocka_unit_test(a_threshold_has_the_fewest_decimals_that_do),
        cmocka_unit_test(between_neighbouring_scores_it_keeps_the_upper_one_alone),
        cmocka_unit_test(a_number_is_written_with_the_decimals_that_it_needs),
        cmocka_unit_test(detection_ece_compares_scores_with_precision),
        cmocka_unit_test(the_lowest_score_counts),
        cmocka_unit_test(scores_that_are_no_probabilities_have_no_ece),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
