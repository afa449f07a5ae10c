/* Tests of eval/detection_sheet.h: which images are on the sheet, and what is drawn in which colour. */
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include "data/photo.h"
#include "eval/canvas.h"
#include "eval/detection_sheet.h"

#include "stb_image_write.h"

enum { WHITE = 0xffffff, GREEN = 0x00a000, RED = 0xe02020, GREY = 0x808080, PHOTO = 0x203040, PIXELS = 32 };
enum { SCALE = DETECTION_SHEET_SIDE / PIXELS, LEFT = DETECTION_SHEET_GAP, TOP = DETECTION_SHEET_GAP, DOG = 0, CAT = 1 };

static const char *photo_of(int w, int h)
{
    static unsigned char bytes[PIXELS * PIXELS * 3];
    int i, k;
    for (i = 0; i < w * h; ++i)
        for (k = 0; k < 3; ++k) bytes[3 * i + k] = PHOTO >> (16 - 8 * k) & 255;
    assert_true(stbi_write_png(in_folder("photo.png"), w, h, 3, bytes, 3 * w));
    return in_folder("photo.png");
}

static int colour_at(const photo *p, int x, int y)
{
    const unsigned char *c = p->bytes + ((size_t)y * p->w + x) * 3;
    return c[0] << 16 | c[1] << 8 | c[2];
}

static void assert_colour(const photo *p, int x, int y, int colour)
{
    if (colour_at(p, x, y) != colour) fail_msg("pixel %d, %d is %06x, not %06x", x, y, colour_at(p, x, y), colour);
}

/* Without pixels: labels are their background alone. */
static image **test_letters(void)
{
    static image letters[128], *sizes[] = {letters};
    int code;
    for (code = ' '; code < 127; ++code) letters[code].w = 6;
    return sizes;
}

static char *names[] = {(char *)"dog", (char *)"cat"};

/* Two images. In the second, a dog is found, a cat is missed, a difficult dog is ignored; a dog box stands on nothing,
 * and one below the threshold too. In the first, a dog is found by a box below the threshold. */
static const ap_object objects[] = {
    {1, DOG, {6, 20, 8, 8}, 0}, {1, CAT, {20, 20, 8, 8}, 0}, {1, DOG, {20, 6, 8, 8}, 1}, {0, DOG, {6, 20, 8, 8}, 0}};
static const ap_detection detections[] = {{1, DOG, {6, 20, 8, 8}, .9},
                                          {1, DOG, {20, 6, 8, 8}, .8},
                                          {1, DOG, {6, 6, 8, 8}, .5},
                                          {1, DOG, {24, 24, 8, 8}, .25},
                                          {0, DOG, {6, 20, 8, 8}, .2}};
static const ap_match matches[] = {
    {AP_TRUE, 0, 1, 1}, {AP_IGNORED, 0, 0, 0}, {AP_FALSE, 0, 0, 2}, {AP_FALSE, 0, 0, 3}, {AP_TRUE, 3, 1, 4}};

static sheet_detections scene(char **paths)
{
    static const detect_size sizes[] = {{PIXELS, PIXELS}, {PIXELS, PIXELS}};
    const sheet_detections d = {paths, names, sizes, objects, COUNT(objects), detections, matches, COUNT(detections),
                                2,     .25};
    return d;
}

static void images_are_counted_and_the_one_with_most_errors_comes_first(void **state)
{
    const sheet_detections d = scene(0);
    int count;
    image_errors *e = count_image_errors(&d, &count);
    (void)state;
    assert_int_equal(count, 2);
    assert_true(e[0].image == 1 && e[0].objects == 2 && e[0].missed == 1 && e[0].boxes == 2 && e[0].wrong == 1);
    assert_true(e[1].image == 0 && e[1].objects == 1 && e[1].missed == 1 && e[1].boxes == 0 && e[1].wrong == 0);
    free(e);
}

static photo sheet_of(const sheet_detections *d, int most)
{
    photo p;
    assert_int_equal(detection_sheet_write(d, most, test_letters(), in_folder("sheet.png")), 0);
    assert_true(photo_decode(in_folder("sheet.png"), &p));
    return p;
}

static void objects_are_left_and_boxes_right_in_the_colour_of_what_became_of_them(void **state)
{
    char *path = (char *)photo_of(PIXELS, PIXELS), *paths[] = {path, path};
    const sheet_detections d = scene(paths);
    const int right = LEFT + DETECTION_SHEET_SIDE + 4;
    photo p = sheet_of(&d, 1);
    (void)state;
    assert_int_equal(p.w, 2 * DETECTION_SHEET_GAP + 2 * DETECTION_SHEET_SIDE + 4);
    /* The middle of the lower side of each box, whose labels stand above it. */
    assert_colour(&p, LEFT + 6 * SCALE, TOP + 24 * SCALE - 1, GREEN);
    assert_colour(&p, LEFT + 20 * SCALE, TOP + 24 * SCALE - 1, RED);
    assert_colour(&p, LEFT + 20 * SCALE, TOP + 10 * SCALE - 1, GREY);
    assert_colour(&p, LEFT + 6 * SCALE, TOP + 10 * SCALE - 1, PHOTO);
    assert_colour(&p, right + 6 * SCALE, TOP + 24 * SCALE - 1, GREEN);
    assert_colour(&p, right + 20 * SCALE, TOP + 10 * SCALE - 1, GREY);
    assert_colour(&p, right + 6 * SCALE, TOP + 10 * SCALE - 1, RED);
    assert_colour(&p, right + 24 * SCALE, TOP + 28 * SCALE - 1, PHOTO);      /* not above the threshold */
    assert_colour(&p, LEFT + 2 * SCALE + 2, TOP + 16 * SCALE - 2, 0xc8f0c8); /* the label above its box */
    assert_colour(&p, LEFT + 16 * SCALE + 2, TOP + 16 * SCALE - 2, 0xffc8c8);
    photo_close(p);
}

static void a_row_is_as_high_as_its_highest_photo_needs(void **state)
{
    char *path = (char *)photo_of(PIXELS, PIXELS / 2), *paths[] = {path, path};
    static const detect_size sizes[] = {{PIXELS, PIXELS / 2}, {PIXELS, PIXELS / 4}};
    const int height = DETECTION_SHEET_SIDE / 2 + 2 * TEXT_HEIGHT;
    sheet_detections d = scene(paths);
    photo p;
    (void)state;
    d.sizes = sizes;
    p = sheet_of(&d, 2);
    assert_int_equal(p.w, DETECTION_SHEET_GAP + 2 * (2 * DETECTION_SHEET_SIDE + 4 + DETECTION_SHEET_GAP));
    assert_int_equal(p.h, DETECTION_SHEET_GAP + height + TEXT_HEIGHT + 4 + DETECTION_SHEET_GAP);
    assert_colour(&p, LEFT + 1, TOP + TEXT_HEIGHT - 1, WHITE);
    assert_colour(&p, LEFT + 1, TOP + TEXT_HEIGHT, PHOTO);
    assert_colour(&p, LEFT + 1, TOP + height - TEXT_HEIGHT, WHITE);
    photo_close(p);
}

static void a_box_far_outside_is_drawn_at_the_edge(void **state)
{
    static const ap_object far[] = {{1, DOG, {1e300, 20, 8, 8}, 0},
                                    {1, DOG, {6, 1e12, 8, 8}, 0},
                                    {1, DOG, {-1e12, -1e300, 8, 8}, 0},
                                    {1, DOG, {16, 16, 3e12, 3e12}, 0}};
    const int last = LEFT + DETECTION_SHEET_SIDE - 1;
    char *path = (char *)photo_of(PIXELS, PIXELS), *paths[] = {path, path};
    sheet_detections d = scene(paths);
    photo p;
    (void)state;
    d.objects = far;
    d.object_count = COUNT(far);
    d.detection_count = 0;
    p = sheet_of(&d, 1);
    assert_colour(&p, last, TOP + 20 * SCALE, RED);
    assert_colour(&p, last - 5, TOP + 24 * SCALE - 1, PHOTO); /* no line from there to the left */
    assert_colour(&p, LEFT + 10 * SCALE - 1, TOP + 6 * SCALE, PHOTO);
    assert_colour(&p, LEFT + 16 * SCALE, TOP + DETECTION_SHEET_SIDE - 1, RED);
    photo_close(p);
}

/* Draws with its corner at left, top onto a canvas of 8 x 8 in the middle of a larger buffer. */
static void draw_over_the_edge(int left, int top)
{
    enum { EDGE = 8, BYTES = 3 * EDGE * EDGE, AROUND = 3 * PIXELS * PIXELS };
    static unsigned char buffer[AROUND + BYTES + AROUND], colours[3 * EDGE * EDGE];
    const canvas c = {EDGE, EDGE, buffer + AROUND};
    const photo p = {.w = EDGE, .h = EDGE, .c = 3, .bytes = colours};
    float letter_pixels[9 * TEXT_HEIGHT] = {0};
    image letters[128], *sizes[] = {letters};
    int x, y, k;
    for (k = 0; k < 128; ++k) {
        const image letter = {.w = 9, .h = TEXT_HEIGHT, .c = 1, .data = letter_pixels};
        letters[k] = letter;
    }
    for (k = 0; k < 3 * EDGE * EDGE; ++k) colours[k] = (unsigned char)(k / 3 + 1);
    memset(buffer, 255, sizeof buffer);
    canvas_photo(&c, &p, left, top, EDGE);
    for (y = 0; y < EDGE; ++y)
        for (x = 0; x < EDGE; ++x) {
            const int from_x = x - left, from_y = y - top;
            const int is_drawn = from_x >= 0 && from_x < EDGE && from_y >= 0 && from_y < EDGE;
            assert_int_equal(c.bytes[3 * (y * EDGE + x)], is_drawn ? from_y * EDGE + from_x + 1 : 255);
        }
    canvas_text(&c, sizes, "a", left, top, 9);
    for (k = 0; k < AROUND; ++k) assert_true(buffer[k] == 255 && buffer[AROUND + BYTES + k] == 255);
}

static void what_lies_outside_of_a_canvas_is_not_drawn(void **state)
{
    static const int places[] = {-20, -8, -3, 0, 5, 8, 20};
    size_t i, k;
    (void)state;
    for (i = 0; i < COUNT(places); ++i)
        for (k = 0; k < COUNT(places); ++k) draw_over_the_edge(places[i], places[k]);
}

static void without_errors_there_is_a_note_and_no_sheet(void **state)
{
    char *path = (char *)photo_of(PIXELS, PIXELS), *paths[] = {path, path};
    sheet_detections d = scene(paths);
    (void)state;
    d.object_count = 1;
    d.detection_count = 1;
    unlink(in_folder("sheet.png"));
    hush();
    assert_int_equal(detection_sheet_write(&d, 5, test_letters(), in_folder("sheet.png")), 0);
    unhush();
    assert_non_null(strstr(said(), "darknet: note: no image with an error for "));
    assert_non_null(strstr(said(), "sheet.png, which is not written\n"));
    assert_int_equal(access(in_folder("sheet.png"), F_OK), -1);
}

static void a_sheet_that_is_there_is_said_to_be_older(void **state)
{
    sheet_detections d = scene(0);
    photo before, after;
    (void)state;
    d.object_count = d.detection_count = 0;
    photo_of(PIXELS, PIXELS);
    rename(in_folder("photo.png"), in_folder("sheet.png"));
    assert_true(photo_decode(in_folder("sheet.png"), &before));
    hush();
    assert_int_equal(detection_sheet_write(&d, 5, test_letters(), in_folder("sheet.png")), 0);
    unhush();
    assert_non_null(strstr(said(), "which is not written; the one that is there is of an earlier run\n"));
    assert_true(photo_decode(in_folder("sheet.png"), &after));
    assert_int_equal(after.w, before.w);
    photo_close(before);
    photo_close(after);
}

static void what_is_no_image_is_one_line_and_no_sheet(void **state)
{
    char *path = (char *)in_folder("nothing.png"), *paths[] = {path, path};
    const sheet_detections d = scene(paths);
    (void)state;
    unlink(in_folder("sheet.png"));
    hush();
    assert_int_equal(detection_sheet_write(&d, 5, test_letters(), in_folder("sheet.png")), 1);
    unhush();
    assert_non_null(strstr(said(), "nothing.png: not an image that can be decoded"));
    assert_int_equal(access(in_folder("sheet.png"), F_OK), -1);
}

static int make_folder(void **state)
{
    (void)state;
    return make_folder_for("test_detection_sheet");
}

static int remove_folder(void **state)
{
    static const char *const files[] = {"photo.png", "sheet.png"};
    (void)state;
    return remove_folder_with(files, COUNT(files));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_counted_and_the_one_with_most_errors_comes_first),
        cmocka_unit_test(objects_are_left_and_boxes_right_in_the_colour_of_what_became_of_them),
        cmocka_unit_test(a_row_is_as_high_as_its_highest_photo_needs),
        cmocka_unit_test(a_box_far_outside_is_drawn_at_the_edge),
        cmocka_unit_test(what_lies_outside_of_a_canvas_is_not_drawn),
        cmocka_unit_test(without_errors_there_is_a_note_and_no_sheet),
        cmocka_unit_test(a_sheet_that_is_there_is_said_to_be_older),
        cmocka_unit_test(what_is_no_image_is_one_line_and_no_sheet),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
