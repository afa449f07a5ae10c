/* Tests of eval/label_places.h: where labels stand, and that none covers another one where there is room. */
#include "eval/label_places.h"
#include "helpers/test_helpers.h"

enum { SIDE = 200, WIDTH = 40, MOST = 60 };

static const canvas_rectangle area = {10, 20, SIDE, SIDE};

static void assert_place(canvas_rectangle place, int x, int y)
{
    if (place.x != x || place.y != y || place.w != WIDTH || place.h != TEXT_HEIGHT)
        fail_msg("%d,%d %dx%d, not %d,%d", place.x, place.y, place.w, place.h, x, y);
}

static void a_label_stands_above_its_box_then_below_then_inside(void **state)
{
    /* Four times the same box: as wide as a label, so that its left and its right end are the same. */
    const canvas_rectangle box = {100, 100, WIDTH, 50}, boxes[] = {box, box, box, box};
    const int widths[] = {WIDTH, WIDTH, WIDTH, WIDTH};
    canvas_rectangle places[4];
    (void)state;
    place_labels(boxes, widths, 4, area, places);
    assert_place(places[0], 100, 100 - TEXT_HEIGHT);
    assert_place(places[1], 100, 150);
    assert_place(places[2], 100, 100);
    assert_place(places[3], 100, 150 - TEXT_HEIGHT);
}

static void at_the_left_end_before_the_right_end(void **state)
{
    const canvas_rectangle box = {60, 100, 2 * WIDTH, 50}, boxes[] = {box, box, box};
    const int widths[] = {WIDTH, WIDTH, WIDTH};
    canvas_rectangle places[3];
    (void)state;
    place_labels(boxes, widths, 3, area, places);
    assert_place(places[0], 60, 100 - TEXT_HEIGHT);
    assert_place(places[1], 60 + WIDTH, 100 - TEXT_HEIGHT);
    assert_place(places[2], 60, 150);
}

static void a_label_stays_in_the_area(void **state)
{
    /* At the top there is no room above; at the right end the label moves to the left; the third is wider than all. */
    const canvas_rectangle boxes[] = {{10, 20, 60, 50}, {200, 100, 10, 10}, {50, 200, 50, 20}};
    const int widths[] = {WIDTH, WIDTH, 3 * SIDE};
    canvas_rectangle places[3];
    (void)state;
    place_labels(boxes, widths, 3, area, places);
    assert_place(places[0], 10, 70);
    assert_place(places[1], 10 + SIDE - WIDTH, 100 - TEXT_HEIGHT);
    assert_int_equal(places[2].x, 10);
    assert_int_equal(places[2].w, SIDE);
}

static int overlap(canvas_rectangle a, canvas_rectangle b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static void where_there_is_room_none_covers_another(void **state)
{
    /* Boxes that nearly coincide: most of their labels have to go elsewhere. */
    canvas_rectangle boxes[MOST], places[MOST];
    int widths[MOST], run, i, k;
    uint64_t seed = 1;
    (void)state;
    for (run = 0; run < 50; ++run) {
        for (i = 0; i < 24; ++i) {
            const canvas_rectangle box = {80 + (int)(10 * noise(&seed)), 90 + (int)(10 * noise(&seed)),
                                          30 + (int)(20 * noise(&seed)), 30 + (int)(20 * noise(&seed))};
            boxes[i] = box;
            widths[i] = 30 + (int)(20 * noise(&seed));
        }
        place_labels(boxes, widths, 24, area, places);
        for (i = 0; i < 24; ++i) {
            assert_true(places[i].x >= area.x && places[i].x + places[i].w <= area.x + area.w);
            assert_true(places[i].y >= area.y && places[i].y + places[i].h <= area.y + area.h);
            for (k = 0; k < i; ++k) assert_false(overlap(places[i], places[k]));
        }
    }
}

static void where_there_is_none_the_label_stands_above_all_the_same(void **state)
{
    canvas_rectangle boxes[MOST], places[MOST];
    const canvas_rectangle small = {0, 0, WIDTH, 3 * TEXT_HEIGHT}, box = {0, 20, WIDTH, 10};
    int widths[MOST], i;
    (void)state;
    for (i = 0; i < MOST; ++i) {
        boxes[i] = box;
        widths[i] = WIDTH;
    }
    place_labels(boxes, widths, MOST, small, places);
    assert_place(places[MOST - 1], 0, 20 - TEXT_HEIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_stands_above_its_box_then_below_then_inside),
        cmocka_unit_test(at_the_left_end_before_the_right_end),
        cmocka_unit_test(a_label_stays_in_the_area),
        cmocka_unit_test(where_there_is_room_none_covers_another),
        cmocka_unit_test(where_there_is_none_the_label_stands_above_all_the_same),
    };
    return cmocka_run_group_tests(tests, 0, 0);
}
