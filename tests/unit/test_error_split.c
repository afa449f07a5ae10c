/* Tests of eval/error_split.h: cases computed by hand, and random sets with the numbers that tidecv gives
 * (tests/golden/tide.txt, written by make-golden-tide). */
#include "eval/error_split.h"
#include "helpers/test_helpers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DOG, CAT, CLASSES };

/* A 10 x 10 box at a place of a grid, shifted right; boxes at different places do not overlap. Its IoU with the
 * unshifted box of the place is (10 - shift) / (10 + shift). */
static ap_box place(int number, double shift)
{
    ap_box box = {100 * number + 50 + shift, 50, 10, 10};
    return box;
}

static error_split split(const ap_object *objects, size_t n, const ap_detection *detections, size_t m)
{
    const split_options options = split_default_options();
    error_split result;
    split_errors(objects, n, detections, m, CLASSES, &options, &result);
    return result;
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9)) fail_msg("%.12g is not %.12g", value, expected);
}

static void assert_counts(const error_split *s, const size_t *expected)
{
    int kind;
    for (kind = 0; kind < ERROR_KINDS; ++kind)
        if (s->count[kind] != expected[kind])
            fail_msg("%s: %zu is not %zu", error_kind_name((error_kind)kind), s->count[kind], expected[kind]);
}

/* Dogs alone. The recalls that one of two true positives reaches are 0 to .50, 51 of 101. */
static const double HALF = 51 / 101.;

static void what_is_perfect_has_no_errors(void **state)
{
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}};
    const ap_detection detections[] = {{0, DOG, place(0, 0), .9}};
    const size_t none[ERROR_KINDS] = {0};
    const error_split s = split(objects, 1, detections, 1);
    (void)state;
    assert_near(s.ap, 1);
    assert_counts(&s, none);
    assert_near(s.without_false_positives + s.without_false_negatives, 0);
}

/* A dog that nothing found, with one box near it and another dog that is found. */
static error_split with_box(int class_id, double shift)
{
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}, {0, DOG, place(1, 0), 0}, {0, CAT, place(2, 0), 0}};
    const ap_detection detections[] = {
        {0, DOG, place(1, 0), .9}, {0, CAT, place(2, 0), .9}, {0, class_id, place(0, shift), .5}};
    return split(objects, 3, detections, 3);
}

static void a_box_beside_its_object_is_a_localisation_error(void **state)
{
    const size_t counts[ERROR_KINDS] = {0, 1, 0, 0, 0, 0};
    const error_split s = with_box(DOG, 5); /* IoU 1/3 */
    (void)state;
    assert_near(s.ap, (HALF + 1) / 2);
    assert_counts(&s, counts);
    assert_near(s.gain[ERROR_LOCATION], (1 - HALF) / 2); /* it takes the dog */
    assert_near(s.gain[ERROR_MISSED], 0);
    assert_near(s.without_false_positives, 0); /* it is behind all hits */
    assert_near(s.without_false_negatives, (1 - HALF) / 2);
}

static void a_box_of_another_class_is_a_classification_error_which_moves_to_the_right_class(void **state)
{
    const size_t counts[ERROR_KINDS] = {1, 0, 0, 0, 0, 0};
    const error_split s = with_box(CAT, 0);
    (void)state;
    assert_counts(&s, counts);
    assert_near(s.gain[ERROR_CLASS], (1 - HALF) / 2);
    assert_near(s.gain[ERROR_LOCATION], 0);
}

static void the_wrong_class_at_the_wrong_place_is_both_and_its_object_missed(void **state)
{
    const size_t counts[ERROR_KINDS] = {0, 0, 1, 0, 0, 1};
    const error_split s = with_box(CAT, 5);
    (void)state;
    assert_counts(&s, counts);
    assert_near(s.gain[ERROR_BOTH], 0);
    assert_near(s.gain[ERROR_MISSED], (1 - HALF) / 2); /* one dog less is asked for */
}

static void a_box_on_nothing_is_background(void **state)
{
    /* Before the hit: precision 1/2. */
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}};
    const ap_detection detections[] = {{0, DOG, place(5, 0), .9}, {0, DOG, place(0, 0), .5}};
    const size_t counts[ERROR_KINDS] = {0, 0, 0, 0, 1, 0};
    const error_split s = split(objects, 1, detections, 2);
    (void)state;
    assert_near(s.ap, .5);
    assert_counts(&s, counts);
    assert_near(s.gain[ERROR_BACKGROUND], .5);
    assert_near(s.without_false_positives, .5);
}

static void the_second_box_on_an_object_is_a_duplicate(void **state)
{
    /* Hit, duplicate, hit: 1 up to recall .5, then 2/3. */
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}, {0, DOG, place(1, 0), 0}};
    const ap_detection detections[] = {{0, DOG, place(0, 1), .9}, {0, DOG, place(0, 0), .8}, {0, DOG, place(1, 0), .5}};
    const size_t counts[ERROR_KINDS] = {0, 0, 0, 1, 0, 0};
    const error_split s = split(objects, 2, detections, 3);
    (void)state;
    assert_near(s.ap, HALF + (1 - HALF) * 2 / 3);
    assert_counts(&s, counts);
    assert_near(s.gain[ERROR_DUPLICATE], (1 - HALF) / 3);
}

static void of_the_errors_of_an_object_the_best_takes_it_and_the_others_go(void **state)
{
    /* The cat's box comes first, so correcting the localisation only removes the dog's. */
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}, {0, CAT, place(2, 0), 0}};
    const ap_detection detections[] = {{0, CAT, place(0, 0), .8}, {0, DOG, place(0, 5), .7}, {0, CAT, place(2, 0), .9}};
    const error_split s = split(objects, 2, detections, 3);
    (void)state;
    assert_near(s.ap, .5);
    assert_near(s.gain[ERROR_LOCATION], 0);
    assert_near(s.gain[ERROR_CLASS], .5);
    assert_near(s.gain[ERROR_MISSED], 0);
}

static void a_class_without_objects_counts_with_an_ap_of_0_where_something_was_detected(void **state)
{
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}};
    const ap_detection detections[] = {{0, DOG, place(0, 0), .9}, {0, CAT, place(5, 0), .1}};
    (void)state;
    assert_near(split(objects, 1, detections, 2).ap, .5);
    assert_near(split(objects, 1, detections, 1).ap, 1);
}

static void what_lies_in_a_difficult_object_of_its_class_is_ignored(void **state)
{
    const ap_object objects[] = {{0, DOG, place(0, 0), 1}, {0, DOG, place(1, 0), 0}};
    ap_detection detections[] = {{0, DOG, place(0, 4), .9}, {0, DOG, place(1, 0), .5}};
    (void)state;
    assert_near(split(objects, 2, detections, 2).ap, 1); /* .6 of the box lies in it */
    detections[0].box = place(0, 5);
    assert_near(split(objects, 2, detections, 2).ap, .5); /* .5 is not more than .5 */
    detections[0].box = place(0, 4);
    detections[0].class_id = CAT; /* a second class in the mean */
    assert_near(split(objects, 2, detections, 2).ap, .5);
}

static void a_split_without_objects_or_detections_is_of_zeros(void **state)
{
    const ap_object objects[] = {{0, DOG, place(0, 0), 0}};
    const size_t missed[ERROR_KINDS] = {0, 0, 0, 0, 0, 1}, none[ERROR_KINDS] = {0};
    error_split s = split(0, 0, 0, 0);
    (void)state;
    assert_near(s.ap, 0);
    assert_counts(&s, none);
    s = split(objects, 1, 0, 0);
    assert_near(s.ap, 0);
    assert_counts(&s, missed);
}

/* ---- Against tidecv -------------------------------------------------------------------------------------------------
 */

enum { MOST = 4096, NUMBERS = 1 + 2 * ERROR_KINDS + 2 };

static void compare_set(int number, const ap_object *objects, size_t n, const ap_detection *detections, size_t m,
                        int classes, const split_options *options, const double *expected)
{
    double numbers[NUMBERS];
    error_split s;
    int k;
    split_errors(objects, n, detections, m, classes, options, &s);
    numbers[0] = s.ap;
    for (k = 0; k < ERROR_KINDS; ++k) {
        numbers[1 + k] = s.gain[k];
        numbers[1 + ERROR_KINDS + k] = (double)s.count[k];
    }
    numbers[NUMBERS - 2] = s.without_false_positives;
    numbers[NUMBERS - 1] = s.without_false_negatives;
    for (k = 0; k < NUMBERS; ++k)
        if (!(fabs(numbers[k] - expected[k]) <= 1e-8))
            fail_msg("set %d, number %d: %.12g is not %.12g", number, k, numbers[k], expected[k]);
}

static ap_box from_corner(const double *v)
{
    ap_box box = {v[0] + v[2] / 2, v[1] + v[3] / 2, v[2], v[3]};
    return box;
}

static void random_sets_are_split_as_by_tidecv(void **state)
{
    static ap_object objects[MOST];
    static ap_detection detections[MOST];
    FILE *file = open_golden("tide.txt");
    split_options options = split_default_options();
    char line[4096];
    size_t n = 0, m = 0;
    int classes = 0, sets = 0;
    (void)state;
    while (fgets(line, sizeof line, file)) {
        int image, class_id, difficult, k;
        double v[5], expected[NUMBERS];
        if (sscanf(line, "set %d %lf %lf", &classes, &options.foreground, &options.background) == 3) {
            n = m = 0;
            ++sets;
        } else if (sscanf(line, "object %d %d %lf %lf %lf %lf %d", &image, &class_id, v, v + 1, v + 2, v + 3,
                          &difficult) == 7) {
            const ap_object o = {image, class_id, from_corner(v), difficult};
            assert_true(n < MOST);
            objects[n++] = o;
        } else if (sscanf(line, "detection %d %d %lf %lf %lf %lf %lf", &image, &class_id, v, v + 1, v + 2, v + 3,
                          v + 4) == 7) {
            const ap_detection d = {image, class_id, from_corner(v), v[4]};
            assert_true(m < MOST);
            detections[m++] = d;
        } else if (!strncmp(line, "split ", 6)) {
            char *at = line + 6;
            for (k = 0; k < NUMBERS; ++k) expected[k] = strtod(at, &at);
            assert_true(*at == '\n');
            compare_set(sets, objects, n, detections, m, classes, &options, expected);
        } else {
            assert_true(*line == '#');
        }
    }
    fclose(file);
    assert_true(sets >= 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_perfect_has_no_errors),
        cmocka_unit_test(a_box_beside_its_object_is_a_localisation_error),
        cmocka_unit_test(a_box_of_another_class_is_a_classification_error_which_moves_to_the_right_class),
        cmocka_unit_test(the_wrong_class_at_the_wrong_place_is_both_and_its_object_missed),
        cmocka_unit_test(a_box_on_nothing_is_background),
        cmocka_unit_test(the_second_box_on_an_object_is_a_duplicate),
        cmocka_unit_test(of_the_errors_of_an_object_the_best_takes_it_and_the_others_go),
        cmocka_unit_test(a_class_without_objects_counts_with_an_ap_of_0_where_something_was_detected),
        cmocka_unit_test(what_lies_in_a_difficult_object_of_its_class_is_ignored),
        cmocka_unit_test(a_split_without_objects_or_detections_is_of_zeros),
        cmocka_unit_test(random_sets_are_split_as_by_tidecv),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
