/* Tests of anchors.h: examples computed by hand, comparison with brute force, and reproducibility with a seed. */
#include "helpers/test_helpers.h"

#include "data/anchors.h"

#include <string.h>

enum { RESTARTS = 20 };

#define assert_size(size, width, height)                                                                               \
    do {                                                                                                               \
        assert_close((size).w, width, 0);                                                                              \
        assert_close((size).h, height, 0);                                                                             \
    } while (0)

static void iou_is_of_two_boxes_on_one_corner(void **test)
{
    const anchor_size wide = {4, 2}, tall = {2, 4}, small = {1, 1}, large = {2, 2};
    (void)test;
    assert_close(anchor_iou(wide, wide), 1, 0);
    assert_close(anchor_iou(wide, tall), 4. / 12, 1e-15); /* 2 x 2 in common, 8 + 8 - 4 in all */
    assert_close(anchor_iou(small, large), .25, 0);
    assert_close(anchor_iou(large, small), .25, 0);
}

/* Anchors 2 x 2 and 4 x 4. IoU of the boxes: 1 x 1 has 1/4 with the first anchor; 2 x 3 has 4/6 with the first and 6/16
 * with the second; 4 x 4 has 1 with the second; 4 x 8 has 16/32 with the second. */
static void every_box_counts_for_the_anchor_that_suits_it_best(void **test)
{
    const anchor_size sizes[] = {{1, 1}, {2, 3}, {4, 4}, {4, 8}}, anchors[] = {{2, 2}, {4, 4}, {1000, 1000}};
    size_t boxes[3];
    double iou[3];
    (void)test;
    assert_close(match_anchors(sizes, 4, anchors, 3, boxes, iou), (1. / 4 + 4. / 6 + 1 + 1. / 2) / 4, 1e-15);
    assert_true(boxes[0] == 2 && boxes[1] == 2 && boxes[2] == 0);
    assert_close(iou[0], (1. / 4 + 4. / 6) / 2, 1e-15);
    assert_close(iou[1], 1.5 / 2, 1e-15);
    assert_close(iou[2], 0, 0);
    assert_close(match_anchors(sizes, 4, anchors, 3, 0, 0), (1. / 4 + 4. / 6 + 1 + 1. / 2) / 4, 1e-15);
}

/* Sums of IoU: 10 x 10: 1 + 100/144 + 100/400 = 1.94; 12 x 12: 100/144 + 1 + 144/400 = 2.05; 20 x 20: 1.61. */
static void one_anchor_is_the_median_box(void **test)
{
    const anchor_size sizes[] = {{20, 20}, {10, 10}, {12, 12}};
    anchor_size anchor;
    (void)test;
    assert_int_equal(find_anchors(sizes, 3, 1, 1, RESTARTS, &anchor, 0), ANCHORS_OK);
    assert_size(anchor, 12, 12);
}

/* Three clusters, each around a box that is its median. */
static const anchor_size clusters[] = {{9, 10},   {10, 11},  {11, 9},  {10, 10}, {100, 51}, {98, 50},
                                       {103, 49}, {100, 50}, {41, 90}, {40, 90}, {39, 90}};

static void clear_clusters_are_found_from_every_seed_smallest_first(void **test)
{
    anchor_size anchors[3];
    unsigned seed;
    (void)test;
    for (seed = 0; seed < 50; ++seed) {
        assert_int_equal(find_anchors(clusters, COUNT(clusters), 3, seed, 4, anchors, 0), ANCHORS_OK);
        assert_size(anchors[0], 10, 10);
        assert_size(anchors[1], 40, 90);
        assert_size(anchors[2], 100, 50);
    }
}

/* Sizes as in a data set: log-uniform, with correlated sides. */
static void make_sizes(anchor_size *sizes, size_t count, uint64_t seed)
{
    size_t i;
    for (i = 0; i < count; ++i) {
        double side = 10 * exp(3 * noise(&seed)), aspect = exp(noise(&seed) - .5);
        sizes[i].w = side * aspect;
        sizes[i].h = side / aspect;
    }
}

static void a_seed_gives_the_same_bits_for_the_same_boxes_in_any_order(void **test)
{
    enum { COUNT_ = 500, NUM = 9 };
    static anchor_size sizes[COUNT_], turned[COUNT_];
    anchor_size once[NUM], again[NUM], other[NUM];
    uint64_t seed = 5;
    int i;
    (void)test;
    make_sizes(sizes, COUNT_, 1);
    memcpy(turned, sizes, sizeof sizes);
    for (i = COUNT_ - 1; i > 0; --i) {
        int j = (int)(noise(&seed) * (i + 1));
        anchor_size swap = turned[i];
        turned[i] = turned[j];
        turned[j] = swap;
    }
    assert_int_equal(find_anchors(sizes, COUNT_, NUM, 7, 3, once, 0), ANCHORS_OK);
    assert_int_equal(find_anchors(sizes, COUNT_, NUM, 7, 3, again, 0), ANCHORS_OK);
    assert_memory_equal(once, again, sizeof once);
    assert_int_equal(find_anchors(turned, COUNT_, NUM, 7, 3, again, 0), ANCHORS_OK);
    assert_memory_equal(once, again, sizeof once);
    assert_int_equal(find_anchors(sizes, COUNT_, NUM, 8, 3, other, 0), ANCHORS_OK);
    assert_memory_not_equal(once, other, sizeof once);
}

static void more_restarts_are_never_worse(void **test)
{
    enum { COUNT_ = 500, NUM = 9 };
    static anchor_size sizes[COUNT_];
    anchor_size anchors[NUM];
    double first = 0, last = 0;
    int restarts;
    (void)test;
    make_sizes(sizes, COUNT_, 1);
    for (restarts = 1; restarts <= 30; ++restarts) {
        double average;
        assert_int_equal(find_anchors(sizes, COUNT_, NUM, 7, restarts, anchors, 0), ANCHORS_OK);
        average = match_anchors(sizes, COUNT_, anchors, NUM, 0, 0);
        assert_true(average >= last);
        if (restarts == 1) first = average;
        last = average;
    }
    assert_true(last > first + .002);
}

/* ---- Brute force ------------------------------------------------------------------------------------------------ */

static int compare_doubles(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double median(double *values, int n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* Computes the best average IoU of the medians over all partitions into `num` parts (`all`), and over those partitions
 * at which k-means can stop, because every box is in the part of the anchor with the largest IoU (`ends`). */
static void best_of_all_partitions(const anchor_size *sizes, int count, int num, double *all, double *ends)
{
    int code, codes = 1, i, k;
    *all = *ends = 0;
    for (i = 0; i < count; ++i) codes *= num;
    for (code = 0; code < codes; ++code) {
        anchor_size anchors[4];
        double average;
        int rest = code, end = 1;
        for (k = 0; k < num; ++k) {
            double w[16], h[16];
            int n = 0;
            for (i = 0, rest = code; i < count; ++i, rest /= num)
                if (rest % num == k) w[n] = sizes[i].w, h[n++] = sizes[i].h;
            if (!n) break;
            anchors[k].w = median(w, n);
            anchors[k].h = median(h, n);
        }
        if (k < num) continue;
        average = match_anchors(sizes, count, anchors, num, 0, 0);
        for (i = 0, rest = code; i < count; ++i, rest /= num)
            for (k = 0; k < num; ++k)
                if (anchor_iou(sizes[i], anchors[k]) > anchor_iou(sizes[i], anchors[rest % num])) end = 0;
        if (average > *all) *all = average;
        if (end && average > *ends) *ends = average;
    }
}

static void restarts_reach_the_best_of_all_partitions(void **test)
{
    enum { COUNT_ = 8, SETS = 20 };
    anchor_size sizes[COUNT_], anchors[3];
    int set, num, reached = 0;
    (void)test;
    for (set = 1; set <= SETS; ++set) {
        make_sizes(sizes, COUNT_, set);
        for (num = 1; num <= 3; ++num) {
            double all, ends, found;
            best_of_all_partitions(sizes, COUNT_, num, &all, &ends);
            assert_int_equal(find_anchors(sizes, COUNT_, num, 1, 200, anchors, 0), ANCHORS_OK);
            found = match_anchors(sizes, COUNT_, anchors, num, 0, 0);
            assert_true(ends > 0 && found >= ends - 1e-12);
            assert_true(found >= .99 * all);
            reached += found >= all - 1e-12;
        }
    }
    assert_true(reached >= 50); /* of 60: k-means does not always find the best partition */
}

/* ---- Edges ------------------------------------------------------------------------------------------------------ */

static void as_many_anchors_as_different_sizes_are_these_sizes(void **test)
{
    const anchor_size different[] = {{3, 3}, {3, 4}, {20, 3}, {20, 40}, {21, 40}};
    anchor_size sizes[60], anchors[5];
    size_t i;
    unsigned seed;
    (void)test;
    for (i = 0; i < COUNT(sizes); ++i) sizes[i] = different[i * i % 5 ? i % 5 : 0];
    assert_int_equal(count_different_sizes(sizes, COUNT(sizes)), 5);
    for (seed = 0; seed < 20; ++seed) {
        assert_int_equal(find_anchors(sizes, COUNT(sizes), 5, seed, 1, anchors, 0), ANCHORS_OK);
        assert_memory_equal(anchors, different, sizeof anchors);
    }
}

/* An anchor that loses all its boxes must be moved; this happens in some of these small sets. */
static void no_anchor_is_left_without_boxes(void **test)
{
    enum { COUNT_ = 6, NUM = 4 };
    anchor_size sizes[COUNT_], anchors[NUM];
    size_t boxes[NUM];
    unsigned seed;
    int i, k;
    (void)test;
    for (seed = 0; seed < 20000; ++seed) {
        uint64_t random = seed + 1;
        for (i = 0; i < COUNT_; ++i) {
            sizes[i].w = 1 + (int)(12 * noise(&random));
            sizes[i].h = 1 + (int)(12 * noise(&random));
        }
        if (find_anchors(sizes, COUNT_, NUM, seed, 1, anchors, 0) != ANCHORS_OK) continue; /* too few different sizes */
        match_anchors(sizes, COUNT_, anchors, NUM, boxes, 0);
        for (k = 0; k < NUM; ++k) assert_true(boxes[k] > 0);
    }
}

/* 100 boxes of about 10 x 10, whose distances add up to less than 10, and three of 100 x 100 with a distance of about 1
 * each. So k-means++ draws one of the three as its second anchor in a third of the restarts. If all boxes were equally
 * likely, that would happen in a thirtieth of them. */
static void a_rare_size_is_often_drawn_at_the_first_try(void **test)
{
    anchor_size sizes[103], anchors[2];
    uint64_t random = 9;
    unsigned seed;
    int i, found = 0;
    (void)test;
    for (i = 0; i < 103; ++i) {
        sizes[i].w = i < 100 ? 10 + noise(&random) : 100 + i;
        sizes[i].h = i < 100 ? 10 + noise(&random) : 100;
    }
    for (seed = 0; seed < 400; ++seed) {
        assert_int_equal(find_anchors(sizes, 103, 2, seed, 1, anchors, 0), ANCHORS_OK);
        found += anchors[1].w > 100;
    }
    assert_in_range(found, 100, 250);
}

/* With an even number of boxes the median is between the two middle ones. */
static void one_anchor_for_many_boxes_is_their_median(void **test)
{
    enum { MANY = 40 };
    anchor_size sizes[MANY], anchor;
    int set, count, i, medians = 0;
    (void)test;
    for (set = 1; set <= 20; ++set) {
        for (count = MANY - 1; count <= MANY; ++count) {
            double w[MANY], h[MANY], middle_w, middle_h;
            make_sizes(sizes, count, set);
            for (i = 0; i < count; ++i) w[i] = sizes[i].w, h[i] = sizes[i].h;
            middle_w = median(w, count);
            middle_h = median(h, count);
            assert_int_equal(find_anchors(sizes, count, 1, 1, 1, &anchor, 0), ANCHORS_OK);
            medians += anchor.w == middle_w && anchor.h == middle_h;
        }
    }
    assert_true(medians >= 20); /* of 40: in the others the box that was drawn first is even better */
}

static void more_anchors_than_different_sizes_are_refused(void **test)
{
    const anchor_size sizes[] = {{3, 3}, {3, 4}, {3, 3}, {3, 4}};
    anchor_size anchors[5] = {{-1, -1}};
    (void)test;
    assert_int_equal(find_anchors(sizes, 4, 3, 1, 1, anchors, 0), ANCHORS_TOO_FEW_SIZES);
    assert_int_equal(find_anchors(sizes, 4, 5, 1, 1, anchors, 0), ANCHORS_TOO_FEW_SIZES);
    assert_int_equal(find_anchors(sizes, 0, 1, 1, 1, anchors, 0), ANCHORS_TOO_FEW_SIZES);
    assert_close(anchors[0].w, -1, 0);
    assert_int_equal(find_anchors(sizes, 4, 2, 1, 1, anchors, 0), ANCHORS_OK);
    assert_int_equal(count_different_sizes(sizes, 0), 0);
}

static void sizes_and_numbers_that_mean_nothing_are_refused(void **test)
{
    const double bad[] = {0, -1, NAN, INFINITY};
    anchor_size sizes[] = {{3, 3}, {3, 4}, {5, 5}}, anchors[3];
    size_t i;
    (void)test;
    for (i = 0; i < COUNT(bad); ++i) {
        sizes[1].w = bad[i];
        assert_int_equal(find_anchors(sizes, 3, 1, 1, 1, anchors, 0), ANCHORS_BAD_SIZE);
        sizes[1].w = 3;
        sizes[2].h = bad[i];
        assert_int_equal(find_anchors(sizes, 3, 1, 1, 1, anchors, 0), ANCHORS_BAD_SIZE);
        sizes[2].h = 5;
    }
    assert_int_equal(find_anchors(sizes, 3, 0, 1, 1, anchors, 0), ANCHORS_BAD_NUMBER);
    assert_int_equal(find_anchors(sizes, 3, 1, 1, 0, anchors, 0), ANCHORS_BAD_NUMBER);
}

static int called;

static void note_progress(int done, int restarts)
{
    assert_int_equal(done, ++called);
    assert_int_equal(restarts, 6);
}

static void progress_is_told_after_every_restart(void **test)
{
    anchor_size anchors[3];
    (void)test;
    called = 0;
    assert_int_equal(find_anchors(clusters, COUNT(clusters), 3, 1, 6, anchors, note_progress), ANCHORS_OK);
    assert_int_equal(called, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iou_is_of_two_boxes_on_one_corner),
        cmocka_unit_test(every_box_counts_for_the_anchor_that_suits_it_best),
        cmocka_unit_test(one_anchor_is_the_median_box),
        cmocka_unit_test(clear_clusters_are_found_from_every_seed_smallest_first),
        cmocka_unit_test(a_seed_gives_the_same_bits_for_the_same_boxes_in_any_order),
        cmocka_unit_test(more_restarts_are_never_worse),
        cmocka_unit_test(restarts_reach_the_best_of_all_partitions),
        cmocka_unit_test(as_many_anchors_as_different_sizes_are_these_sizes),
        cmocka_unit_test(no_anchor_is_left_without_boxes),
        cmocka_unit_test(a_rare_size_is_often_drawn_at_the_first_try),
        cmocka_unit_test(one_anchor_for_many_boxes_is_their_median),
        cmocka_unit_test(more_anchors_than_different_sizes_are_refused),
        cmocka_unit_test(sizes_and_numbers_that_mean_nothing_are_refused),
        cmocka_unit_test(progress_is_told_after_every_restart),
    };
    return cmocka_run_group_tests_name("anchors", tests, 0, 0) != 0;
}
