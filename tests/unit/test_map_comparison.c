/* Tests of eval/map_comparison.h and bootstrap.h: what AP depends on, and its difference in samples of the images,
 * which must be what average_precision gives for images that are really there several times. */
#include "eval/map_comparison.h"
#include "helpers/test_helpers.h"

#include <string.h>

enum { CLASSES = 3, IMAGES = 8, MOST = 2000, DOG = 0, CAT = 1 };

static ap_box place(int number)
{
    ap_box box = {100 * number + 50, 50, 10, 10};
    return box;
}

typedef struct {
    ap_object objects[MOST];
    ap_detection detections[MOST];
    ap_match matches[MOST];
    ap_class per_class[CLASSES];
    size_t object_count, detection_count;
} evaluation;

static void evaluate(evaluation *e, ap_rule rule, int points)
{
    ap_options options = ap_default_options(CLASSES);
    options.rule = rule;
    options.points = points;
    assert_int_equal(average_precision_matches(e->objects, e->object_count, e->detections, e->detection_count, &options,
                                               e->per_class, e->matches),
                     AP_OK);
}

static void a_ranking_has_what_ap_depends_on(void **state)
{
    /* The last box is behind all hits; the one on the difficult dog is ignored. */
    static evaluation e;
    const ap_object objects[] = {{2, DOG, place(0), 0}, {0, DOG, place(0), 0}, {0, DOG, place(1), 1}};
    const ap_detection detections[] = {{1, DOG, place(0), .8},
                                       {0, DOG, place(1), .95},
                                       {0, DOG, place(0), .7},
                                       {2, DOG, place(0), .9},
                                       {2, DOG, place(1), .6}};
    map_rankings r;
    (void)state;
    e.object_count = COUNT(objects);
    e.detection_count = COUNT(detections);
    memcpy(e.objects, objects, sizeof objects);
    memcpy(e.detections, detections, sizeof detections);
    evaluate(&e, AP_VOC, 0);
    r = map_rankings_of_objects(e.objects, e.object_count, CLASSES, IMAGES);
    map_rankings_add(&r, e.detections, e.matches, e.detection_count);
    assert_int_equal(r.classes[DOG].object_count, 2);
    assert_true(r.classes[DOG].objects[0] == 1 && r.classes[DOG].objects[1] == 3);
    assert_int_equal(r.classes[DOG].ranked_count, 3);
    assert_true(r.classes[DOG].ranked[0] == 3 && r.classes[DOG].ranked[1] == -2 && r.classes[DOG].ranked[2] == 1);
    assert_int_equal(r.classes[CAT].object_count + r.classes[CAT].ranked_count, 0);
    map_rankings_free(&r);
}

static uint32_t labels_of(const ap_object *objects, size_t count)
{
    map_rankings r = map_rankings_of_objects(objects, count, CLASSES, IMAGES);
    const uint32_t labels = r.labels;
    map_rankings_free(&r);
    return labels;
}

static void labels_are_the_same_in_any_order_and_others_where_one_number_is(void **state)
{
    static const ap_object objects[] = {{2, DOG, {.5, .5, .1, .1}, 0}, {0, CAT, {.5, .5, .1, .1}, 0}};
    const ap_object back[] = {objects[1], objects[0]};
    const ap_object others[] = {{3, DOG, {.5, .5, .1, .1}, 0},      {2, CAT, {.5, .5, .1, .1}, 0},
                                {2, DOG, {.500001, .5, .1, .1}, 0}, {2, DOG, {.5, .500001, .1, .1}, 0},
                                {2, DOG, {.5, .5, .100001, .1}, 0}, {2, DOG, {.5, .5, .1, .100001}, 0},
                                {2, DOG, {.5, .5, .1, .1}, 1}};
    size_t i;
    (void)state;
    assert_int_equal(labels_of(objects, 2), labels_of(back, 2));
    assert_int_not_equal(labels_of(objects, 2), labels_of(objects, 1));
    for (i = 0; i < COUNT(others); ++i) {
        const ap_object changed[] = {others[i], objects[1]};
        if (labels_of(changed, 2) == labels_of(objects, 2)) fail_msg("object %zu does not count", i);
    }
}

/* Objects in all images but the last, and boxes on them or beside them; no two scores are equal. The last class has no
 * objects, but boxes. */
static void make_random(evaluation *e, uint64_t *seed, uint64_t *seed_of_objects)
{
    int image, i;
    e->object_count = e->detection_count = 0;
    for (image = 0; image < IMAGES; ++image) {
        const int count = image == IMAGES - 1 ? 0 : (int)(noise(seed_of_objects) * 5);
        for (i = 0; i < count; ++i) {
            const ap_object o = {image, noise(seed_of_objects) < .5, place(i), noise(seed_of_objects) < .1};
            e->objects[e->object_count++] = o;
        }
        for (i = 0; i < 12; ++i) {
            const ap_detection d = {image, (int)(noise(seed) * 2.2), place((int)(noise(seed) * 6)), noise(seed)};
            e->detections[e->detection_count++] = d;
        }
    }
}

/* The same with image i times[i] times. */
static void multiply(const evaluation *from, const int *times, evaluation *to)
{
    size_t i;
    int copy;
    to->object_count = to->detection_count = 0;
    for (i = 0; i < from->object_count; ++i)
        for (copy = 0; copy < times[from->objects[i].image]; ++copy) {
            to->objects[to->object_count] = from->objects[i];
            to->objects[to->object_count++].image += IMAGES * copy;
        }
    for (i = 0; i < from->detection_count; ++i)
        for (copy = 0; copy < times[from->detections[i].image]; ++copy) {
            to->detections[to->detection_count] = from->detections[i];
            to->detections[to->detection_count++].image += IMAGES * copy;
        }
}

static map_rankings rankings_of(const evaluation *e)
{
    map_rankings r = map_rankings_of_objects(e->objects, e->object_count, CLASSES, IMAGES);
    map_rankings_add(&r, e->detections, e->matches, e->detection_count);
    return r;
}

static void assert_difference(double found, const evaluation *a, const evaluation *b, int k)
{
    if (k == CLASSES)
        assert_close(found, mean_average_precision(a->per_class, k) - mean_average_precision(b->per_class, k), 1e-12);
    else if (a->per_class[k].objects)
        assert_close(found, a->per_class[k].ap - b->per_class[k].ap, 1e-12);
    else
        assert_true(isnan(found));
}

static void the_difference_of_a_sample_is_that_of_images_that_are_there_several_times(void **state)
{
    static evaluation a, b, sample_a, sample_b;
    uint64_t seed = 1, other = 2;
    int run, k;
    (void)state;
    for (run = 0; run < 60; ++run) {
        const ap_rule rule = run % 2 ? AP_COCO : AP_VOC;
        const int points = run % 2 ? 101 : run % 4 ? 11 : 0;
        uint64_t objects = run, same_objects = run, stream = run;
        paired_difference d[CLASSES + 1];
        map_rankings ra, rb;
        int times[IMAGES];
        make_random(&a, &seed, &objects);
        make_random(&b, &other, &same_objects);
        evaluate(&a, rule, points);
        evaluate(&b, rule, points);
        ra = rankings_of(&a);
        rb = rankings_of(&b);
        map_compare(&ra, &rb, points, rule, 1, .95, run, d); /* one sample: the interval is its difference */
        bootstrap_draw(&stream, IMAGES, times);
        multiply(&a, times, &sample_a);
        multiply(&b, times, &sample_b);
        evaluate(&sample_a, rule, points);
        evaluate(&sample_b, rule, points);
        for (k = 0; k <= CLASSES; ++k) {
            assert_difference(d[k].difference, &a, &b, k);
            assert_difference(d[k].low, &sample_a, &sample_b, k);
            assert_difference(d[k].high, &sample_a, &sample_b, k);
        }
        map_rankings_free(&ra);
        map_rankings_free(&rb);
    }
}

/* Two images with a dog: a finds it in the first alone, b in none. Of the samples a quarter has the first twice, a half
 * both, and a quarter the second twice: differences 1, 1/2 and 0. */
static void the_interval_holds_the_middle_of_the_samples(void **state)
{
    int objects[] = {1, 2}, found[] = {1};
    class_ranking of_a = {objects, found, 2, 1}, of_b = {objects, 0, 2, 0};
    const map_rankings a = {&of_a, 1, 2, 0}, b = {&of_b, 1, 2, 0};
    paired_difference d[2], again[2];
    (void)state;
    map_compare(&a, &b, 0, AP_VOC, 4000, .95, 1, d);
    assert_close(d[0].difference, .5, 0);
    assert_close(d[0].low, 0, 0);
    assert_close(d[0].high, 1, 0);
    map_compare(&a, &b, 0, AP_VOC, 4000, .4, 1, d); /* the middle 40 % are all 1/2 */
    assert_close(d[1].low, .5, 0);
    assert_close(d[1].high, .5, 0);
    map_compare(&a, &b, 0, AP_VOC, 4000, .4, 1, again);
    assert_memory_equal(d, again, sizeof d);
    map_compare(&a, &a, 0, AP_VOC, 100, .95, 1, d);
    assert_true(d[1].difference == 0 && d[1].low == 0 && d[1].high == 0);
}

static void the_ends_of_an_interval_are_quantiles_of_the_sorted_samples(void **state)
{
    double samples[101];
    paired_difference d = {7, 0, 0};
    int i;
    (void)state;
    for (i = 0; i <= 100; ++i) samples[i] = 37 * i % 101;
    bootstrap_interval(samples, 101, .9, &d);
    assert_true(d.difference == 7);
    assert_close(d.low, 5, 1e-12);
    assert_close(d.high, 95, 1e-12);
    bootstrap_interval(samples, 101, .89, &d); /* 5.5 % and 94.5 %: between two */
    assert_close(d.low, 5.5, 1e-12);
    assert_close(d.high, 94.5, 1e-12);
    bootstrap_interval(samples, 1, .95, &d);
    assert_true(d.low == 0 && d.high == 0);
}

static void every_draw_has_as_many_images_as_there_are(void **state)
{
    int times[10], total[10] = {0}, s, i;
    uint64_t stream = 7;
    (void)state;
    for (s = 0; s < 1000; ++s) {
        int sum = 0;
        bootstrap_draw(&stream, 10, times);
        for (i = 0; i < 10; ++i) {
            sum += times[i];
            total[i] += times[i];
        }
        assert_int_equal(sum, 10);
    }
    for (i = 0; i < 10; ++i) assert_close(total[i], 1000, 150); /* five standard deviations */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ranking_has_what_ap_depends_on),
        cmocka_unit_test(labels_are_the_same_in_any_order_and_others_where_one_number_is),
        cmocka_unit_test(the_difference_of_a_sample_is_that_of_images_that_are_there_several_times),
        cmocka_unit_test(the_interval_holds_the_middle_of_the_samples),
        cmocka_unit_test(the_ends_of_an_interval_are_quantiles_of_the_sorted_samples),
        cmocka_unit_test(every_draw_has_as_many_images_as_there_are),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
