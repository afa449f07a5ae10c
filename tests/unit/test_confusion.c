/* Tests of eval/confusion.h: which class was detected as which, in cases computed by hand. */
#include "eval/confusion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DOG, CAT, HORSE, CLASSES };

/* A 10 x 10 box at a place of a grid, shifted right; boxes at different places do not overlap. */
static ap_box place(int number, double shift)
{
    ap_box box = {100 * number + 50 + shift, 50, 10, 10};
    return box;
}

static ap_object object(int image, int class_id, ap_box box, int difficult)
{
    ap_object o = {image, class_id, box, difficult};
    return o;
}

static ap_detection detection(int image, int class_id, ap_box box, double score)
{
    ap_detection d = {image, class_id, box, score};
    return d;
}

static confusion count(const ap_object *objects, size_t n, const ap_detection *detections, size_t m, double threshold)
{
    ap_options options = ap_default_options(CLASSES);
    ap_class results[CLASSES];
    ap_match matches[16];
    confusion c;
    assert_true(m <= 16);
    assert_int_equal(average_precision_matches(objects, n, detections, m, &options, results, matches), AP_OK);
    confusion_count(objects, n, detections, m, matches, CLASSES, .5, threshold, &c);
    return c;
}

static void an_object_is_misclassified_by_the_best_box_of_another_class(void **state)
{
    /* The box with the lower score has the larger IoU. */
    ap_object objects[] = {object(0, DOG, place(0, 0), 0)};
    ap_detection detections[] = {detection(0, HORSE, place(0, 0), .6), detection(0, CAT, place(0, 2), .7)};
    confusion c = count(objects, 1, detections, 2, .25);
    (void)state;
    assert_int_equal(c.pair_count, 1);
    assert_int_equal(c.pairs[0].class_id, DOG);
    assert_int_equal(c.pairs[0].taken_for, CAT);
    assert_int_equal(c.pairs[0].count, 1);
    assert_int_equal(c.misclassified[DOG], 1);
    assert_int_equal(c.found[DOG] + c.missed[DOG], 0);
    assert_int_equal(c.background[CAT] + c.background[HORSE], 0);
    confusion_free(&c);
}

static void an_object_that_its_own_class_found_is_not_misclassified(void **state)
{
    ap_object objects[] = {object(0, DOG, place(0, 0), 0)};
    ap_detection detections[] = {detection(0, CAT, place(0, 0), .9), detection(0, DOG, place(0, 1), .5)};
    confusion c = count(objects, 1, detections, 2, .25);
    (void)state;
    assert_int_equal(c.pair_count, 0);
    assert_int_equal(c.found[DOG], 1);
    confusion_free(&c);
    c = count(objects, 1, detections, 2, .5); /* the score of the object's own box is not above the threshold */
    assert_int_equal(c.pair_count, 1);
    assert_int_equal(c.found[DOG], 0);
    confusion_free(&c);
}

static void boxes_of_low_score_or_overlap_or_another_image_misname_nothing(void **state)
{
    /* Shifted by 4 of 10 the IoU is 6/14. */
    ap_object objects[] = {object(0, DOG, place(0, 0), 0)};
    ap_detection detections[] = {detection(0, CAT, place(0, 0), .25), detection(0, CAT, place(0, 4), .9),
                                 detection(1, CAT, place(0, 0), .9)};
    confusion c = count(objects, 1, detections, 3, .25);
    (void)state;
    assert_int_equal(c.pair_count, 0);
    assert_int_equal(c.missed[DOG], 1);
    assert_int_equal(c.background[CAT], 2);
    confusion_free(&c);
}

static void difficult_objects_are_neither_misclassified_nor_missed_nor_background(void **state)
{
    ap_object objects[] = {object(0, DOG, place(0, 0), 1), object(0, DOG, place(1, 0), 1)};
    ap_detection detections[] = {detection(0, CAT, place(0, 0), .9)};
    confusion c = count(objects, 2, detections, 1, .25);
    (void)state;
    assert_int_equal(c.pair_count, 0);
    assert_int_equal(c.found[DOG] + c.misclassified[DOG] + c.missed[DOG] + c.background[CAT], 0);
    confusion_free(&c);
}

static void pairs_are_counted_and_the_most_frequent_comes_first(void **state)
{
    ap_object objects[] = {object(0, DOG, place(0, 0), 0), object(1, DOG, place(0, 0), 0),
                           object(2, CAT, place(0, 0), 0), object(3, DOG, place(0, 0), 0)};
    ap_detection detections[] = {detection(0, CAT, place(0, 0), .9), detection(1, HORSE, place(0, 0), .8),
                                 detection(2, DOG, place(0, 0), .7), detection(3, HORSE, place(0, 0), .6)};
    confusion c = count(objects, 4, detections, 4, .25);
    (void)state;
    assert_int_equal(c.pair_count, 3);
    assert_true(c.pairs[0].class_id == DOG && c.pairs[0].taken_for == HORSE && c.pairs[0].count == 2);
    assert_true(c.pairs[1].class_id == DOG && c.pairs[1].taken_for == CAT && c.pairs[1].count == 1);
    assert_true(c.pairs[2].class_id == CAT && c.pairs[2].taken_for == DOG && c.pairs[2].count == 1);
    confusion_free(&c);
}

static void a_second_box_on_a_found_object_is_no_background(void **state)
{
    ap_object objects[] = {object(0, DOG, place(0, 0), 0)};
    ap_detection detections[] = {detection(0, DOG, place(0, 0), .9), detection(0, DOG, place(0, 1), .8),
                                 detection(0, DOG, place(5, 0), .7)};
    confusion c = count(objects, 1, detections, 3, .25);
    (void)state;
    assert_int_equal(c.found[DOG], 1);
    assert_int_equal(c.background[DOG], 1);
    confusion_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_misclassified_by_the_best_box_of_another_class),
        cmocka_unit_test(an_object_that_its_own_class_found_is_not_misclassified),
        cmocka_unit_test(boxes_of_low_score_or_overlap_or_another_image_misname_nothing),
        cmocka_unit_test(difficult_objects_are_neither_misclassified_nor_missed_nor_background),
        cmocka_unit_test(pairs_are_counted_and_the_most_frequent_comes_first),
        cmocka_unit_test(a_second_box_on_a_found_object_is_no_background),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
