/* Compares AP with small cases computed by hand. The boxes are in pixels, and their IoU are simple fractions. */
#include "eval/average_precision.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A 10 x 10 box at a place of a grid; boxes at different places do not overlap. It is shifted right by `shift` pixels:
 * its IoU with the unshifted box of the place is (10 - shift) / (10 + shift). */
static ap_box place(int number, float shift)
{
    ap_box box = {100.f * number + 50 + shift, 50, 10, 10};
    return box;
}

static ap_object object(int image, int class_id, ap_box box)
{
    ap_object o;
    memset(&o, 0, sizeof o);
    o.image = image;
    o.class_id = class_id;
    o.box = box;
    return o;
}

static ap_detection detection(int image, int class_id, ap_box box, float score)
{
    ap_detection d;
    memset(&d, 0, sizeof d);
    d.image = image;
    d.class_id = class_id;
    d.box = box;
    d.score = score;
    return d;
}

static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12)) fail_msg("%.15g is not %.15g", value, expected);
}

/* Evaluates a problem with one class. */
static ap_class evaluate(const ap_object *objects, size_t n, const ap_detection *detections, size_t m,
                         const ap_options *options)
{
    ap_class result;
    assert_int_equal(average_precision(objects, n, detections, m, options, &result), AP_OK);
    return result;
}

/* ---- Matching --------------------------------------------------------------------------------------------------- */

static void an_exact_detection_of_every_object_gives_an_ap_of_one(void **state)
{
    ap_object objects[] = {object(7, 0, place(0, 0)), object(7, 0, place(1, 0)), object(3, 0, place(0, 0))};
    ap_detection detections[] = {detection(3, 0, place(0, 0), .3f), detection(7, 0, place(1, 0), .9f),
                                 detection(7, 0, place(0, 0), .5f)};
    ap_options options = ap_default_options(1);
    int points[] = {0, 11, 101};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(points); ++i) {
        ap_class result;
        options.points = points[i];
        result = evaluate(objects, 3, detections, 3, &options);
        assert_close(result.ap, 1);
        assert_int_equal(result.tp, 3);
        assert_int_equal(result.fp, 0);
        assert_close(result.iou_sum, 3);
    }
}

static void a_false_positive_before_the_only_true_one_halves_ap(void **state)
{
    /* ranks: FP, TP. At recall 1 precision is 1/2, and nowhere higher: AP = 1 * 1/2. */
    ap_object objects[] = {object(0, 0, place(0, 0))};
    ap_detection detections[] = {detection(0, 0, place(0, 0), .8f), detection(0, 0, place(5, 0), .9f)};
    ap_options options = ap_default_options(1);
    (void)state;
    assert_close(evaluate(objects, 1, detections, 2, &options).ap, 1. / 2);
}

static void precision_is_interpolated_from_higher_recall(void **state)
{
    /* ranks: FP, TP, TP. Precision at the two TP is 1/2 and 2/3. Interpolation raises the first one to 2/3, so AP = 1/2
     * * 2/3 + 1/2 * 2/3. */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(1, 0))};
    ap_detection detections[] = {detection(0, 0, place(9, 0), .9f), detection(0, 0, place(0, 0), .8f),
                                 detection(0, 0, place(1, 0), .7f)};
    ap_options options = ap_default_options(1);
    (void)state;
    assert_close(evaluate(objects, 2, detections, 3, &options).ap, 2. / 3);
}

static void an_object_detected_twice_counts_once(void **state)
{
    /* ranks: TP, FP (the first object again, although with a larger IoU), TP. Precision is 1 and 2/3: AP = 1/2 * 1 +
     * 1/2 * 2/3 = 5/6. Without the second detection, AP would be 1. */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(1, 0))};
    ap_detection detections[] = {detection(0, 0, place(0, 2), .9f), detection(0, 0, place(0, 0), .8f),
                                 detection(0, 0, place(1, 0), .7f)};
    ap_options options = ap_default_options(1);
    ap_class result;
    (void)state;
    result = evaluate(objects, 2, detections, 3, &options);
    assert_close(result.ap, 5. / 6);
    assert_int_equal(result.tp, 2);
    assert_int_equal(result.fp, 1);
    assert_int_equal(result.detections, 3);
}

static void one_box_over_two_objects_finds_the_one_it_overlaps_most(void **state)
{
    /* Objects of 10 x 10 at x = 0 and x = 3. The first box, at x = 1, has IoU (10-1)/(10+1) = 9/11 with the first
     * object and (10-2)/(10+2) = 8/12 with the second, both above 1/2. It matches only the first object: recall 1/2.
     * The second box also has its largest IoU with the first object, so it is a false positive although the second
     * object is still free (COCO would match it with that one). AP = 1/2 * 1. */
    ap_object objects[] = {object(0, 0, place(0, 3)), object(0, 0, place(0, 0))};
    ap_detection detections[] = {detection(0, 0, place(0, 1), .9f), detection(0, 0, place(0, 1), .8f)};
    ap_options options = ap_default_options(1);
    ap_class result;
    (void)state;
    result = evaluate(objects, 2, detections, 1, &options);
    assert_close(result.ap, 1. / 2);
    assert_close(result.iou_sum, 9. / 11);
    result = evaluate(objects, 2, detections, 2, &options);
    assert_close(result.ap, 1. / 2);
    assert_int_equal(result.tp, 1);
    assert_int_equal(result.fp, 1);
}

static void an_iou_of_exactly_the_threshold_is_enough(void **state)
{
    /* A 10 x 10 object and a 10 x 5 box inside it: IoU = 50/100. */
    ap_object objects[] = {object(0, 0, place(0, 0))};
    ap_box half = {50, 50, 10, 5}, less = {50, 50, 10, 4.875f};
    ap_detection exact = detection(0, 0, half, .9f), below = detection(0, 0, less, .9f);
    ap_options options = ap_default_options(1);
    (void)state;
    assert_close(evaluate(objects, 1, &exact, 1, &options).ap, 1);
    assert_close(evaluate(objects, 1, &below, 1, &options).ap, 0);
    options.iou_threshold = .75;
    assert_close(evaluate(objects, 1, &exact, 1, &options).ap, 0);
}

static void iou_is_that_of_boxes_given_by_their_centre(void **state)
{
    /* 4 x 2 round (2,1) and 4 x 4 round (4,2): corners (0,0)-(4,2) and (2,0)-(6,4) share 2 x 2 = 4 of 8 + 16 - 4. */
    ap_box a = {2, 1, 4, 2}, b = {4, 2, 4, 4}, touching = {6, 1, 4, 2}, apart = {2, 9, 4, 2}, empty = {2, 1, 0, 2},
           inverted = {2, 1, -4, -2};
    (void)state;
    assert_close(ap_iou(a, b), 4. / 20);
    assert_close(ap_iou(b, a), 4. / 20);
    assert_close(ap_iou(a, a), 1);
    assert_close(ap_iou(a, touching), 0);
    assert_close(ap_iou(a, apart), 0);
    assert_close(ap_iou(a, empty), 0);
    assert_close(ap_iou(empty, empty), 0);
    assert_close(ap_iou(a, inverted), 0);
    assert_close(ap_iou(inverted, inverted), 0);
}

static void detections_match_only_objects_of_their_image_and_class(void **state)
{
    ap_object objects[] = {object(0, 0, place(0, 0)), object(1, 1, place(0, 0))};
    ap_detection detections[] = {detection(1, 0, place(0, 0), .9f), detection(0, 1, place(0, 0), .9f),
                                 detection(2, 0, place(0, 0), .9f), detection(-1, 1, place(0, 0), .9f)};
    ap_options options = ap_default_options(2);
    ap_class results[2];
    int k;
    (void)state;
    assert_int_equal(average_precision(objects, 2, detections, 4, &options, results), AP_OK);
    for (k = 0; k < 2; ++k) {
        assert_close(results[k].ap, 0);
        assert_int_equal(results[k].objects, 1);
        assert_int_equal(results[k].detections, 2);
        assert_int_equal(results[k].tp, 0);
        assert_int_equal(results[k].fp, 2);
    }
}

static void equal_scores_keep_the_order_of_the_input(void **state)
{
    /* One object, forty boxes with the same score. If the exact box is the k-th of them in the input, it has rank k and
     * AP = 1/k. Forty, because a few boxes may by chance stay in order even in a sort that is not stable. */
    ap_object objects[] = {object(0, 0, place(0, 0))};
    ap_detection detections[40];
    ap_options options = ap_default_options(1);
    size_t k, i;
    (void)state;
    for (k = 0; k < COUNT(detections); ++k) {
        for (i = 0; i < COUNT(detections); ++i) detections[i] = detection(0, 0, place(i == k ? 0 : 1, 0), .5f);
        assert_close(evaluate(objects, 1, detections, COUNT(detections), &options).ap, 1. / (k + 1));
    }
}

static void the_first_of_two_objects_overlapped_alike_is_taken(void **state)
{
    /* The box is in the middle between two objects, with IoU (10-2)/(10+2) = 2/3 with each. It matches the first one.
     * So the exact box of the second object, which follows, is a TP, and that of the first an FP. */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(0, 4))};
    ap_detection detections[] = {detection(0, 0, place(0, 2), .9f), detection(0, 0, place(0, 4), .8f)};
    ap_options options = ap_default_options(1);
    (void)state;
    assert_int_equal(evaluate(objects, 2, detections, 2, &options).tp, 2);
    detections[1].box = place(0, 0);
    assert_int_equal(evaluate(objects, 2, detections, 2, &options).tp, 1);
}

/* ---- What does not count ----------------------------------------------------------------------------------------- */

static ap_object difficult(ap_object o)
{
    o.difficult = 1;
    return o;
}

static void detections_of_difficult_objects_count_neither_way_however_many(void **state)
{
    /* Two boxes on the difficult object, one on no object, one on the ordinary object. VOC: ignored, ignored, FP, TP,
     * so AP is 1/2. COCO: only the first box can match the difficult object, so the second is an FP: AP 1/3. */
    ap_object objects[] = {difficult(object(0, 0, place(0, 0))), object(0, 0, place(1, 0))};
    ap_detection detections[] = {detection(0, 0, place(0, 0), .9f), detection(0, 0, place(0, 1), .8f),
                                 detection(0, 0, place(7, 0), .7f), detection(0, 0, place(1, 0), .6f)};
    const ap_verdict verdicts[] = {AP_IGNORED, AP_IGNORED, AP_FALSE, AP_TRUE};
    ap_options options = ap_default_options(1);
    ap_match matches[4];
    ap_class result;
    size_t i;
    (void)state;
    assert_int_equal(average_precision_matches(objects, 2, detections, 4, &options, &result, matches), AP_OK);
    assert_close(result.ap, 1. / 2);
    assert_int_equal(result.objects, 1);
    assert_int_equal(result.ignored, 1);
    assert_int_equal(result.detections, 4);
    assert_int_equal(result.tp, 1);
    assert_int_equal(result.fp, 1);
    for (i = 0; i < 4; ++i) assert_int_equal(matches[i].verdict, verdicts[i]);
    assert_int_equal(matches[3].object, 1);
    assert_int_equal(matches[3].rank, 2);
    assert_close(matches[3].iou, 1);
    options.rule = AP_COCO;
    assert_close(evaluate(objects, 2, detections, 4, &options).ap, 1. / 3);
}

static void a_class_with_difficult_objects_only_has_no_ap(void **state)
{
    ap_object objects[] = {difficult(object(0, 0, place(0, 0)))};
    ap_detection detections[] = {detection(0, 0, place(0, 0), .9f), detection(0, 0, place(5, 0), .8f)};
    ap_options options = ap_default_options(1);
    ap_class result;
    (void)state;
    result = evaluate(objects, 1, detections, 2, &options);
    assert_true(result.ap == AP_NO_OBJECTS);
    assert_int_equal(result.objects, 0);
    assert_int_equal(result.fp, 1);
}

/* ---- COCO's rule ------------------------------------------------------------------------------------------------ */

static ap_options coco_options(void)
{
    ap_options options = ap_default_options(1);
    options.rule = AP_COCO;
    options.points = 101;
    return options;
}

static void coco_goes_on_to_the_next_free_object(void **state)
{
    /* Objects at 0 and 4, a box at 0 and one at 1. The latter has IoU 9/11 with the first object, which is taken, and
     * 7/13 with the second. */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(0, 4))};
    ap_detection detections[] = {detection(0, 0, place(0, 0), .9f), detection(0, 0, place(0, 1), .8f)};
    ap_options options = coco_options();
    (void)state;
    assert_int_equal(evaluate(objects, 2, detections, 2, &options).tp, 2);
    options.rule = AP_VOC;
    assert_int_equal(evaluate(objects, 2, detections, 2, &options).tp, 1);
}

static void coco_takes_the_last_of_two_objects_overlapped_alike(void **state)
{
    /* The case of VOC above, but the box in the middle matches the second object. */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(0, 4))};
    ap_detection detections[] = {detection(0, 0, place(0, 2), .9f)};
    ap_options options = coco_options();
    ap_match match;
    ap_class result;
    (void)state;
    assert_int_equal(average_precision_matches(objects, 2, detections, 1, &options, &result, &match), AP_OK);
    assert_int_equal(match.object, 1);
}

static void coco_prefers_an_object_that_counts_to_a_nearer_one_that_does_not(void **state)
{
    ap_object objects[] = {difficult(object(0, 0, place(0, 0))), object(0, 0, place(0, 3))};
    ap_detection detections[] = {detection(0, 0, place(0, 0), .9f)};
    ap_options options = coco_options();
    (void)state;
    assert_int_equal(evaluate(objects, 2, detections, 1, &options).tp, 1);
    options.rule = AP_VOC;
    assert_int_equal(evaluate(objects, 2, detections, 1, &options).tp, 0);
}

static void coco_takes_so_many_detections_of_an_image_and_equal_scores_by_image(void **state)
{
    ap_object objects[] = {object(1, 0, place(0, 0)), object(2, 0, place(0, 0))};
    ap_detection detections[] = {detection(2, 0, place(0, 0), .5f), detection(1, 0, place(5, 0), .9f),
                                 detection(1, 0, place(0, 0), .5f)};
    ap_options options = coco_options();
    ap_match matches[3];
    ap_class result;
    (void)state;
    assert_int_equal(average_precision_matches(objects, 2, detections, 3, &options, &result, matches), AP_OK);
    assert_int_equal(matches[2].rank, 2);
    assert_int_equal(matches[0].rank, 3);
    options.max_detections = 1;
    assert_int_equal(average_precision_matches(objects, 2, detections, 3, &options, &result, matches), AP_OK);
    assert_int_equal(matches[2].verdict, AP_IGNORED);
    assert_int_equal(matches[0].rank, 2);
    assert_int_equal(result.detections, 3);
    assert_int_equal(result.found, 1);
}

static void coco_leaves_out_what_is_of_another_area(void **state)
{
    /* Objects with areas 100 and 400; boxes on both, and boxes of both sizes on no object. */
    ap_box large = {1000, 50, 20, 20}, nowhere = {2000, 50, 20, 20};
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, large)};
    ap_detection detections[] = {detection(0, 0, nowhere, .9f), detection(0, 0, place(5, 0), .8f),
                                 detection(0, 0, large, .7f), detection(0, 0, place(0, 0), .6f)};
    ap_options options = coco_options();
    (void)state;
    assert_close(evaluate(objects, 2, detections, 4, &options).ap, 1. / 2); /* FP FP TP TP */
    options.area_high = 100;                                                /* the limit is included */
    assert_close(evaluate(objects, 2, detections, 4, &options).ap, 1. / 2); /* - FP - TP */
    assert_int_equal(evaluate(objects, 2, detections, 4, &options).objects, 1);
    options.area_low = 400;
    options.area_high = 1000;
    assert_close(evaluate(objects, 2, detections, 4, &options).ap, 1. / 2); /* FP - TP - */
    options.area_low = 401;
    assert_true(evaluate(objects, 2, detections, 4, &options).ap == AP_NO_OBJECTS);
}

static void coco_compares_recall_in_floating_point(void **state)
{
    /* 7/20 is below the .35 of np.linspace and so does not reach that point: .00 to .34 are 35 points. */
    ap_object objects[20];
    ap_detection detections[7];
    ap_options options = coco_options();
    int i;
    (void)state;
    for (i = 0; i < 20; ++i) objects[i] = object(i, 0, place(0, 0));
    for (i = 0; i < 7; ++i) detections[i] = detection(i, 0, place(0, 0), .9f);
    assert_close(evaluate(objects, 20, detections, 7, &options).ap, 35. / 101);
    options.rule = AP_VOC;
    assert_close(evaluate(objects, 20, detections, 7, &options).ap, 36. / 101);
}

static void coco_averages_over_thresholds_areas_and_counts(void **state)
{
    /* One class. A small object (10 x 10) with a box of IoU 7/13 = .538 (above one of the ten thresholds), and a large
     * one (100 x 100) with an exact box, which has a higher score. AP at .50 is 1; from .55 on recall is 1/2 and AP
     * 51/101. */
    ap_box large = {1000, 50, 100, 100};
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, large)};
    ap_detection detections[] = {detection(0, 0, large, .9f), detection(0, 0, place(0, 3), .8f)};
    coco_metrics m;
    double per_class[2];
    (void)state;
    assert_int_equal(coco_evaluate(objects, 2, detections, 2, 2, &m, per_class), AP_OK);
    assert_close(m.ap, (1 + 9 * 51. / 101) / 10);
    assert_close(per_class[0], m.ap);
    assert_true(per_class[1] == AP_NO_OBJECTS);
    assert_close(m.ap50, 1);
    assert_close(m.ap75, 51. / 101);
    assert_close(m.ap_small, .1);
    assert_close(m.ap_medium, AP_NO_OBJECTS);
    assert_close(m.ap_large, 1);
    assert_close(m.ar1, .5);
    assert_close(m.ar10, .55);
    assert_close(m.ar100, .55);
    assert_close(m.ar_small, .1);
    assert_close(m.ar_medium, AP_NO_OBJECTS);
    assert_close(m.ar_large, 1);
}

/* ---- The curve -------------------------------------------------------------------------------------------------- */

static void the_three_ways_to_read_one_curve_differ_as_worked_out_by_hand(void **state)
{
    /* Four objects; ranks TP FP TP FP FP TP; the fourth object is missed.
     *     recall     1/4  2/4  3/4
     *     precision  1    2/3  3/6     (falling, so it is its own interpolation)
     * area: 1/4 (1 + 2/3 + 1/2)                                                                     = 13/24
     * 11 points: 0 .1 .2 at 1; .3 .4 .5 at 2/3; .6 .7 at 1/2; .8 .9 1 at 0: (3 + 2 + 1)/11          = 6/11
     * 101 points: 0 to .25, 26 of them at 1; to .50, 25 at 2/3; to .75, 25 at 1/2: (26+50/3+25/2)/101 = 331/606 */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(1, 0)), object(0, 0, place(2, 0)),
                           object(0, 0, place(3, 0))};
    ap_detection detections[] = {detection(0, 0, place(0, 0), .9f), detection(0, 0, place(7, 0), .8f),
                                 detection(0, 0, place(1, 0), .7f), detection(0, 0, place(8, 0), .6f),
                                 detection(0, 0, place(9, 0), .5f), detection(0, 0, place(2, 0), .4f)};
    ap_options options = ap_default_options(1);
    (void)state;
    assert_int_equal(options.points, 0);
    assert_close(evaluate(objects, 4, detections, 6, &options).ap, 13. / 24);
    options.points = 11;
    assert_close(evaluate(objects, 4, detections, 6, &options).ap, 6. / 11);
    options.points = 101;
    assert_close(evaluate(objects, 4, detections, 6, &options).ap, 331. / 606);
}

static void a_recall_of_exactly_a_recall_point_reaches_it(void **state)
{
    /* 3 of 10 objects are found with precision 1: recall reaches 0, .1, .2 and .3 of the 11 points, 0 to .30 of 101. In
     * double, 3 * .1 is above 3/10, which would lose the last one. The same for all other hundredths. */
    ap_object objects[100];
    ap_detection detections[100];
    ap_options options = ap_default_options(1);
    int i;
    (void)state;
    for (i = 0; i < 100; ++i) {
        objects[i] = object(i, 0, place(0, 0));
        detections[i] = detection(i, 0, place(0, 0), .9f);
    }
    options.points = 11;
    assert_close(evaluate(objects, 10, detections, 3, &options).ap, 4. / 11);
    options.points = 101;
    assert_close(evaluate(objects, 10, detections, 3, &options).ap, 31. / 101);
    for (i = 0; i <= 100; ++i) assert_close(evaluate(objects, 100, detections, i, &options).ap, (i + 1.) / 101 * !!i);
}

static void the_curve_has_a_point_for_every_true_positive(void **state)
{
    ap_object objects[] = {object(0, 1, place(0, 0)), object(0, 1, place(1, 0)), object(0, 1, place(2, 0))};
    ap_detection detections[] = {detection(0, 1, place(1, 0), .5f), detection(0, 0, place(1, 0), .8f),
                                 detection(0, 1, place(9, 0), .75f), detection(0, 1, place(0, 0), 1)};
    ap_options options = ap_default_options(2);
    ap_match matches[4];
    ap_class results[2];
    ap_point points[2];
    (void)state;
    assert_int_equal(average_precision_matches(objects, 3, detections, 4, &options, results, matches), AP_OK);
    assert_int_equal(results[1].found, 2);
    assert_int_equal(ap_curve(detections, matches, 4, 1, results[1].objects, points), 2);
    assert_close(points[0].recall, 1. / 3);
    assert_close(points[0].precision, 1);
    assert_close(points[0].score, 1);
    assert_close(points[1].recall, 2. / 3);
    assert_close(points[1].precision, 2. / 3);
    assert_close(points[1].score, .5);
    assert_int_equal(ap_curve(detections, matches, 4, 0, 0, points), 0);
}

/* ---- Classes ---------------------------------------------------------------------------------------------------- */

static void a_class_without_objects_is_marked_and_its_detections_are_false(void **state)
{
    ap_detection detections[] = {detection(0, 0, place(0, 0), .9f), detection(0, 0, place(0, 0), .1f)};
    ap_options options = ap_default_options(1);
    ap_class result;
    (void)state;
    result = evaluate(0, 0, detections, 2, &options);
    assert_true(result.ap == AP_NO_OBJECTS);
    assert_int_equal(result.objects, 0);
    assert_int_equal(result.detections, 2);
    assert_int_equal(result.tp, 0);
    assert_int_equal(result.fp, 1);
    assert_true(mean_average_precision(&result, 1) == AP_NO_OBJECTS);
}

static void a_class_without_detections_has_an_ap_of_zero(void **state)
{
    ap_object objects[] = {object(0, 0, place(0, 0))};
    ap_options options = ap_default_options(1);
    int points[] = {0, 11, 101};
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(points); ++i) {
        ap_class result;
        options.points = points[i];
        result = evaluate(objects, 1, 0, 0, &options);
        assert_close(result.ap, 0);
        assert_int_equal(result.objects, 1);
        assert_int_equal(result.detections, 0);
    }
}

static void the_mean_leaves_out_classes_without_objects(void **state)
{
    /* Class 0: found, AP 1. Class 1: a false positive, no object. Class 2: nothing. Class 3: missed, AP 0. The mean is
     * (1 + 0) / 2; if classes 1 and 2 counted as 0, it would be 1/4. */
    ap_object objects[] = {object(0, 3, place(0, 0)), object(0, 0, place(1, 0))};
    ap_detection detections[] = {detection(0, 1, place(0, 0), .9f), detection(0, 0, place(1, 0), .9f)};
    ap_options options = ap_default_options(4);
    ap_class results[4], total;
    (void)state;
    assert_int_equal(average_precision(objects, 2, detections, 2, &options, results), AP_OK);
    assert_close(results[0].ap, 1);
    assert_true(results[1].ap == AP_NO_OBJECTS);
    assert_true(results[2].ap == AP_NO_OBJECTS);
    assert_close(results[3].ap, 0);
    assert_close(mean_average_precision(results, 4), 1. / 2);
    total = ap_total(results, 4);
    assert_close(total.ap, 1. / 2);
    assert_int_equal(total.objects, 2);
    assert_int_equal(total.detections, 2);
    assert_int_equal(total.tp, 1);
    assert_int_equal(total.fp, 1);
    assert_close(total.iou_sum, 1);
}

/* ---- Counts at a score ------------------------------------------------------------------------------------------ */

static void counts_are_of_detections_above_the_score_threshold_and_ap_is_of_all(void **state)
{
    /* ranks: TP at .75, TP at .5 (IoU 8/12), FP at .5 (the second object again), FP at .25, TP at .125. Above .25 there
     * are two TP and one FP. AP of all: 1/3 (1 + 1 + 3/5) = 13/15. */
    ap_object objects[] = {object(0, 0, place(0, 0)), object(0, 0, place(1, 0)), object(0, 0, place(2, 0))};
    ap_detection detections[] = {detection(0, 0, place(2, 0), .125f), detection(0, 0, place(8, 0), .25f),
                                 detection(0, 0, place(1, 2), .5f), detection(0, 0, place(1, 0), .5f),
                                 detection(0, 0, place(0, 0), .75f)};
    struct {
        float threshold;
        size_t tp, fp;
        double iou_sum;
    } expected[] = {{-1, 3, 2, 1 + 8. / 12 + 1}, {.25f, 2, 1, 1 + 8. / 12}, {.5f, 1, 0, 1}, {.75f, 0, 0, 0}};
    ap_options options = ap_default_options(1);
    size_t i;
    (void)state;
    assert_true(options.score_threshold == .25f);
    for (i = 0; i < COUNT(expected); ++i) {
        ap_class result;
        options.score_threshold = expected[i].threshold;
        result = evaluate(objects, 3, detections, 5, &options);
        assert_int_equal(result.tp, expected[i].tp);
        assert_int_equal(result.fp, expected[i].fp);
        assert_close(result.iou_sum, expected[i].iou_sum);
        assert_close(result.ap, 13. / 15);
    }
}

/* ---- Refused input ---------------------------------------------------------------------------------------------- */

/* Infinity and NaN from bits: with -Ofast the compiler may assume that arithmetic never produces them. */
static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void expect_refusal(ap_object o, ap_detection d, ap_options options, ap_status expected)
{
    ap_class untouched, result[4];
    memset(result, 0x5a, sizeof result);
    memset(&untouched, 0x5a, sizeof untouched);
    assert_int_equal(average_precision(&o, 1, &d, 1, &options, result), expected);
    assert_memory_equal(result, &untouched, sizeof untouched);
    assert_true(strlen(ap_status_text(expected)) > 0);
}

static void options_out_of_range_are_refused_and_leave_the_result_alone(void **state)
{
    const ap_object o = object(0, 0, place(0, 0));
    const ap_detection d = detection(0, 0, place(0, 0), .9f);
    const float infinity = float_of_bits(0x7f800000u), not_a_number = float_of_bits(0x7fc00000u);
    const int bad_points[] = {-1, 1, 2, 10, 12, 100, 102};
    const double bad_iou[] = {0, -.5, 1.0001, infinity, not_a_number};
    ap_options options;
    size_t i;
    (void)state;
    for (i = 0; i < COUNT(bad_points); ++i) {
        options = ap_default_options(1);
        options.points = bad_points[i];
        expect_refusal(o, d, options, AP_BAD_POINTS);
    }
    for (i = 0; i < COUNT(bad_iou); ++i) {
        options = ap_default_options(1);
        options.iou_threshold = bad_iou[i];
        expect_refusal(o, d, options, AP_BAD_IOU_THRESHOLD);
    }
    options = ap_default_options(1);
    options.score_threshold = not_a_number;
    expect_refusal(o, d, options, AP_BAD_SCORE_THRESHOLD);
    options.score_threshold = infinity;
    expect_refusal(o, d, options, AP_BAD_SCORE_THRESHOLD);
    expect_refusal(o, d, ap_default_options(0), AP_BAD_CLASSES);
    expect_refusal(o, d, ap_default_options(-3), AP_BAD_CLASSES);
    options = ap_default_options(1);
    options.iou_threshold = 1;
    assert_close(evaluate(&o, 1, &d, 1, &options).ap, 1);
}

static void a_class_out_of_range_is_refused(void **state)
{
    const ap_box box = place(0, 0);
    const ap_options options = ap_default_options(3);
    (void)state;
    expect_refusal(object(0, 3, box), detection(0, 0, box, .9f), options, AP_CLASS_OUT_OF_RANGE);
    expect_refusal(object(0, -1, box), detection(0, 0, box, .9f), options, AP_CLASS_OUT_OF_RANGE);
    expect_refusal(object(0, 0, box), detection(0, 3, box, .9f), options, AP_CLASS_OUT_OF_RANGE);
    expect_refusal(object(0, 0, box), detection(0, -1, box, .9f), options, AP_CLASS_OUT_OF_RANGE);
}

static void scores_and_boxes_that_are_not_finite_are_refused(void **state)
{
    const uint32_t bits[] = {0x7f800000u /* inf */, 0xff800000u /* -inf */, 0x7fc00000u /* NaN */};
    const ap_options options = ap_default_options(1);
    const ap_box box = place(0, 0);
    size_t i, side;
    (void)state;
    for (i = 0; i < COUNT(bits); ++i) {
        const float bad = float_of_bits(bits[i]);
        expect_refusal(object(0, 0, box), detection(0, 0, box, bad), options, AP_NOT_FINITE);
        for (side = 0; side < 4; ++side) {
            float sides[4] = {box.x, box.y, box.w, box.h};
            ap_box broken;
            sides[side] = bad;
            broken.x = sides[0], broken.y = sides[1], broken.w = sides[2], broken.h = sides[3];
            expect_refusal(object(0, 0, broken), detection(0, 0, box, .9f), options, AP_NOT_FINITE);
            expect_refusal(object(0, 0, box), detection(0, 0, broken, .9f), options, AP_NOT_FINITE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_detection_of_every_object_gives_an_ap_of_one),
        cmocka_unit_test(a_false_positive_before_the_only_true_one_halves_ap),
        cmocka_unit_test(precision_is_interpolated_from_higher_recall),
        cmocka_unit_test(an_object_detected_twice_counts_once),
        cmocka_unit_test(one_box_over_two_objects_finds_the_one_it_overlaps_most),
        cmocka_unit_test(an_iou_of_exactly_the_threshold_is_enough),
        cmocka_unit_test(iou_is_that_of_boxes_given_by_their_centre),
        cmocka_unit_test(detections_match_only_objects_of_their_image_and_class),
        cmocka_unit_test(equal_scores_keep_the_order_of_the_input),
        cmocka_unit_test(the_first_of_two_objects_overlapped_alike_is_taken),
        cmocka_unit_test(detections_of_difficult_objects_count_neither_way_however_many),
        cmocka_unit_test(a_class_with_difficult_objects_only_has_no_ap),
        cmocka_unit_test(coco_goes_on_to_the_next_free_object),
        cmocka_unit_test(coco_takes_the_last_of_two_objects_overlapped_alike),
        cmocka_unit_test(coco_prefers_an_object_that_counts_to_a_nearer_one_that_does_not),
        cmocka_unit_test(coco_takes_so_many_detections_of_an_image_and_equal_scores_by_image),
        cmocka_unit_test(coco_leaves_out_what_is_of_another_area),
        cmocka_unit_test(coco_compares_recall_in_floating_point),
        cmocka_unit_test(coco_averages_over_thresholds_areas_and_counts),
        cmocka_unit_test(the_curve_has_a_point_for_every_true_positive),
        cmocka_unit_test(the_three_ways_to_read_one_curve_differ_as_worked_out_by_hand),
        cmocka_unit_test(a_recall_of_exactly_a_recall_point_reaches_it),
        cmocka_unit_test(a_class_without_objects_is_marked_and_its_detections_are_false),
        cmocka_unit_test(a_class_without_detections_has_an_ap_of_zero),
        cmocka_unit_test(the_mean_leaves_out_classes_without_objects),
        cmocka_unit_test(counts_are_of_detections_above_the_score_threshold_and_ap_is_of_all),
        cmocka_unit_test(options_out_of_range_are_refused_and_leave_the_result_alone),
        cmocka_unit_test(a_class_out_of_range_is_refused),
        cmocka_unit_test(scores_and_boxes_that_are_not_finite_are_refused),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
