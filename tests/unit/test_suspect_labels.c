/* The ranking of suspect_labels.h, in cases worked out by hand. tests/classifier-suspects.t compares it with NumPy. */
#include "eval/suspect_labels.h"

#include "helpers/test_helpers.h"

enum { MOST = 6 };

/* Ranks `count` images of `classes` classes. */
static void rank(const float *p, const int *labels, int count, int classes, suspect *order)
{
    const predictions x = {p, labels, count, classes};
    assert_true(count <= MOST);
    rank_suspects(&x, order);
}

static void the_label_that_is_disbelieved_most_comes_first(void **state)
{
    const float p[] = {.8f, .2f, .1f, .9f, .4f, .6f, .3f, .7f};
    const int labels[] = {0, 0, 0, 1};
    suspect order[MOST];
    (void)state;
    rank(p, labels, 4, 2, order);
    assert_int_equal(order[0].image, 1);
    assert_int_equal(order[1].image, 2);
    assert_int_equal(order[2].image, 3);
    assert_int_equal(order[3].image, 0);
    /* t[0] = (.8 + .1 + .4) / 3, t[1] = .7 */
    assert_close(order[0].score, log(.9 / .7) - log(.1 / (1.3 / 3)), 1e-6);
    assert_close(order[2].score, log(.3 / (1.3 / 3)), 1e-6);
}

static void a_probability_is_judged_beside_what_is_usual_for_its_class(void **state)
{
    /* Class 1 never gets much: .3 is much for it, and .5 little for class 0. */
    const float p[] = {.9f, .1f, .9f, .1f, .5f, .5f, .8f, .2f, .9f, .1f};
    const int labels[] = {0, 0, 0, 1, 1};
    suspect order[MOST];
    (void)state;
    rank(p, labels, 5, 2, order);
    assert_int_equal(order[0].image, 2);
    assert_true(order[0].score > 0); /* though .5 is no less than .5 */
    assert_close(order[0].score, log(.5 / .15) - log(.5 / (2.3 / 3)), 1e-6);
}

static void equal_scores_keep_the_order_of_the_list(void **state)
{
    const float p[] = {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f};
    const int labels[] = {0, 1, 0, 1};
    suspect order[MOST];
    int i;
    (void)state;
    rank(p, labels, 4, 2, order);
    for (i = 0; i < 4; ++i) {
        assert_int_equal(order[i].image, i);
        assert_close(order[i].score, 0, 1e-12);
    }
}

static void a_class_without_images_is_never_likelier(void **state)
{
    const float p[] = {.1f, .1f, .8f, .6f, .3f, .1f};
    const int labels[] = {0, 1};
    suspect order[MOST];
    (void)state;
    rank(p, labels, 2, 3, order);
    assert_int_equal(order[0].image, 1);
    assert_close(order[0].score, log(.6 / .1) - log(1), 1e-6);
    assert_close(order[1].score, log(.1 / .3) - log(1), 1e-6);
}

static void one_class_alone_has_no_suspects(void **state)
{
    const float p[] = {.1f, .9f, .9f, .1f};
    const int labels[] = {0, 0};
    suspect order[MOST];
    (void)state;
    rank(p, labels, 2, 2, order);
    assert_close(order[0].score, 0, 0);
    assert_close(order[1].score, 0, 0);
}

static void an_excluded_label_is_no_infinity(void **state)
{
    const float p[] = {0, 1, 1, 0, 0, 1};
    const int labels[] = {0, 0, 1};
    suspect order[MOST];
    (void)state;
    rank(p, labels, 3, 2, order);
    assert_int_equal(order[0].image, 0);
    assert_close(order[0].score, log(1) - (log(LOWEST_PROBABILITY) - log(.5)), 1e-6);
}

static void wrong_labels_are_counted_among_the_first(void **state)
{
    const suspect order[] = {{2, 3}, {0, 2}, {1, 1}};
    const int given[] = {0, 1, 1}, truth[] = {0, 0, 0};
    (void)state;
    assert_int_equal(wrong_among(order, 1, given, truth), 1);
    assert_int_equal(wrong_among(order, 2, given, truth), 1);
    assert_int_equal(wrong_among(order, 3, given, truth), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_label_that_is_disbelieved_most_comes_first),
        cmocka_unit_test(a_probability_is_judged_beside_what_is_usual_for_its_class),
        cmocka_unit_test(equal_scores_keep_the_order_of_the_list),
        cmocka_unit_test(a_class_without_images_is_never_likelier),
        cmocka_unit_test(one_class_alone_has_no_suspects),
        cmocka_unit_test(an_excluded_label_is_no_infinity),
        cmocka_unit_test(wrong_labels_are_counted_among_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
