/* The promises of contact_sheet.h: how large a sheet is, where thumbnails and text stand, and what is refused. */
#include "helpers/test_darknet.h"
#include "helpers/test_helpers.h"

#include "data/photo.h"
#include "eval/contact_sheet.h"

#include "stb_image_write.h"

enum { WHITE = 0xffffff, RED = 0xff0000, BLUE = 0x0000ff, BLACK = 0, MOST_BYTES = 512 * 512 * 3 };

/* ---- Pictures ---------------------------------------------------------------------------------------------------- */

/* Writes a PNG whose columns (or rows) have two colours in turn. */
static const char *striped(const char *name, int w, int h, int rows, int even, int odd)
{
    static unsigned char bytes[MOST_BYTES];
    int x, y, k;
    for (y = 0; y < h; ++y) {
        for (x = 0; x < w; ++x) {
            const int colour = (rows ? y : x) % 2 ? odd : even;
            for (k = 0; k < 3; ++k) bytes[(y * w + x) * 3 + k] = colour >> (16 - 8 * k) & 255;
        }
    }
    assert_true(stbi_write_png(in_folder(name), w, h, 3, bytes, 3 * w));
    return in_folder(name);
}

static const char *solid(const char *name, int w, int h, int colour)
{
    return striped(name, w, h, 0, colour, colour);
}

static int colour_at(const photo *p, int x, int y)
{
    const unsigned char *c = p->bytes + ((size_t)y * p->w + x) * 3;
    return c[0] << 16 | c[1] << 8 | c[2];
}

/* All pixels of the rectangle have this colour. */
static void assert_colour(const photo *p, int left, int top, int w, int h, int colour)
{
    int x, y;
    for (y = top; y < top + h; ++y) {
        for (x = left; x < left + w; ++x) {
            if (colour_at(p, x, y) != colour)
                fail_msg("pixel %d, %d is %06x, not %06x", x, y, colour_at(p, x, y), colour);
        }
    }
}

/* In the cell around it there is nothing but this rectangle. */
static void assert_only(const photo *p, int cell, int left, int top, int w, int h, int colour)
{
    int x, y;
    contact_sheet_place(cell, &x, &y);
    assert_colour(p, x + left, y + top, w, h, colour);
    assert_colour(p, x, y, SHEET_SIDE, top, WHITE);
    assert_colour(p, x, y + top + h, SHEET_SIDE, SHEET_SIDE - top - h, WHITE);
    assert_colour(p, x - 1, y, left + 1, SHEET_SIDE, WHITE);
    assert_colour(p, x + left + w, y, SHEET_SIDE - left - w + 1, SHEET_SIDE, WHITE);
}

static photo sheet_of(const sheet_cell *cells, int count, image **letters)
{
    photo p;
    assert_int_equal(contact_sheet_write(cells, count, letters, in_folder("sheet.png")), 0);
    assert_true(photo_decode(in_folder("sheet.png"), &p));
    return p;
}

static photo sheet_of_one(const char *path)
{
    const sheet_cell cell = {path, {0}};
    return sheet_of(&cell, 1, 0);
}

/* ---- Thumbnails -------------------------------------------------------------------------------------------------- */

static void a_sheet_has_ten_thumbnails_a_row(void **state)
{
    static const int counts[] = {1, 10, 11, 20, 21};
    static const int columns[] = {1, 10, 10, 10, 10}, rows[] = {1, 1, 2, 2, 3};
    sheet_cell cells[21] = {0};
    size_t i;
    int k;
    (void)state;
    for (k = 0; k < 21; ++k) cells[k].path = solid("red.png", 2, 2, RED);
    for (i = 0; i < COUNT(counts); ++i) {
        photo p = sheet_of(cells, counts[i], 0);
        int w, h, x, y;
        contact_sheet_size(counts[i], &w, &h);
        assert_int_equal(p.w, w);
        assert_int_equal(p.h, h);
        assert_int_equal(w, SHEET_GAP + columns[i] * (SHEET_SIDE + SHEET_GAP));
        assert_int_equal(h, SHEET_GAP + rows[i] * (SHEET_SIDE + SHEET_LINES * SHEET_LINE + SHEET_GAP));
        contact_sheet_place(counts[i] - 1, &x, &y);
        assert_colour(&p, x, y, SHEET_SIDE, SHEET_SIDE, RED);
        photo_close(p);
    }
}

static void cells_stand_in_their_order(void **state)
{
    sheet_cell cells[12] = {0};
    photo p;
    int k;
    (void)state;
    for (k = 0; k < 12; ++k) cells[k].path = solid("red.png", 32, 32, RED);
    cells[1].path = cells[10].path = solid("blue.png", 32, 32, BLUE);
    p = sheet_of(cells, 12, 0);
    for (k = 0; k < 12; ++k) assert_only(&p, k, 0, 0, SHEET_SIDE, SHEET_SIDE, k == 1 || k == 10 ? BLUE : RED);
    photo_close(p);
}

static void small_images_grow_by_whole_factors(void **state)
{
    photo p = sheet_of_one(striped("stripes.png", 32, 32, 0, RED, BLUE));
    int x, y, i;
    (void)state;
    contact_sheet_place(0, &x, &y);
    for (i = 0; i < 32; ++i) assert_colour(&p, x + 4 * i, y, 4, SHEET_SIDE, i % 2 ? BLUE : RED);
    photo_close(p);
    p = sheet_of_one(solid("red.png", 50, 40, RED)); /* twice */
    assert_only(&p, 0, 14, 24, 100, 80, RED);
    photo_close(p);
    p = sheet_of_one(solid("red.png", 100, 128, RED)); /* as it is */
    assert_only(&p, 0, 14, 0, 100, 128, RED);
    photo_close(p);
}

static void large_images_shrink_to_the_mean_of_their_pixels(void **state)
{
    photo p = sheet_of_one(striped("stripes.png", 256, 512, 1, BLACK, WHITE));
    (void)state;
    assert_only(&p, 0, 32, 0, 64, 128, 0x808080); /* 127.5, rounded up */
    photo_close(p);
    p = sheet_of_one(solid("red.png", 512, 1, RED));
    assert_only(&p, 0, 0, 63, 128, 1, RED);
    photo_close(p);
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

enum { LETTER_W = 9, LETTER_H = 11, ADVANCE = LETTER_W - 1, CODES = 128 };

/* Letters that fill their pixels: black; '.' and '?' in a grey of their own. */
static image **test_letters(void)
{
    static image letters[CODES], *sizes[] = {letters};
    int code, i;
    for (code = ' '; code < 127 && !letters[code].data; ++code) {
        letters[code] = make_image(LETTER_W, LETTER_H, 1);
        for (i = 0; i < LETTER_W * LETTER_H; ++i) letters[code].data[i] = code == '.' ? .2f : code == '?' ? .4f : 0;
    }
    return sizes;
}

static void text_stands_below_its_thumbnail(void **state)
{
    const sheet_cell cells[] = {{solid("red.png", 32, 32, RED), {"ab", 0, "a\xc3"}}, {in_folder("red.png"), {0}}};
    photo p = sheet_of(cells, 2, test_letters());
    int x, y;
    (void)state;
    contact_sheet_place(0, &x, &y);
    assert_only(&p, 0, 0, 0, SHEET_SIDE, SHEET_SIDE, RED);
    y += SHEET_SIDE + 2;
    assert_colour(&p, x, y, LETTER_W + ADVANCE, LETTER_H, BLACK);
    assert_colour(&p, x + LETTER_W + ADVANCE, y, 50, LETTER_H, WHITE);
    assert_colour(&p, x, y + LETTER_H, SHEET_SIDE, 2 * SHEET_LINE - LETTER_H, WHITE); /* the second line is empty */
    assert_colour(&p, x + LETTER_W, y + 2 * SHEET_LINE, ADVANCE, LETTER_H, 0x666666); /* no ASCII: a question mark */
    contact_sheet_place(1, &x, &y);
    assert_colour(&p, x, y + SHEET_SIDE, SHEET_SIDE, SHEET_LINES * SHEET_LINE, WHITE);
    photo_close(p);
}

static void text_that_is_too_wide_ends_in_dots(void **state)
{
    enum { FITS = SHEET_SIDE / ADVANCE, LETTERS = FITS - 3 };
    const sheet_cell cell = {solid("red.png", 32, 32, RED), {"0123456789abcdef", "0123456789abcdefg", 0}};
    photo p = sheet_of(&cell, 1, test_letters());
    int x, y;
    (void)state;
    assert_int_equal(FITS, 16);
    contact_sheet_place(0, &x, &y);
    y += SHEET_SIDE + 2;
    assert_colour(&p, x, y, FITS * ADVANCE, LETTER_H, BLACK);
    y += SHEET_LINE;
    assert_colour(&p, x, y, LETTERS * ADVANCE, LETTER_H, BLACK);
    assert_colour(&p, x + LETTERS * ADVANCE + 1, y, 3 * ADVANCE, LETTER_H, 0x333333);
    assert_colour(&p, x + FITS * ADVANCE + 1, y, SHEET_GAP - 2, LETTER_H, WHITE);
    photo_close(p);
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

static void assert_refused(const char *image_path, const char *png, const char *text)
{
    const sheet_cell cell = {image_path, {0}};
    int status;
    hush();
    status = contact_sheet_write(&cell, 1, 0, png);
    unhush();
    assert_int_equal(status, 1);
    if (!strstr(said(), text) || strchr(said(), '\n') != said() + strlen(said()) - 1) fail_msg("said: %s", said());
}

static void what_is_no_image_is_one_line_and_no_file(void **state)
{
    FILE *file = fopen(in_folder("no.png"), "w");
    (void)state;
    assert_non_null(file);
    fputs("x", file);
    fclose(file);
    unlink(in_folder("sheet.png"));
    assert_refused(in_folder("no.png"), in_folder("sheet.png"), "no.png: not an image that can be decoded");
    assert_int_equal(access(in_folder("sheet.png"), F_OK), -1);
    assert_int_equal(access(in_folder("sheet.png.tmp"), F_OK), -1);
}

static void a_place_that_is_not_there_is_one_line(void **state)
{
    (void)state;
    assert_refused(solid("red.png", 2, 2, RED), in_folder("nowhere/x.png"), "x.png: No such file or directory");
}

static void a_sheet_of_labels_without_images_is_a_note(void **state)
{
    (void)state;
    unlink(in_folder("sheet.png"));
    hush();
    assert_int_equal(label_sheet_write(0, 0, 0, in_folder("sheet.png")), 0);
    unhush();
    assert_non_null(strstr(said(), "darknet: note: no image for "));
    assert_int_equal(access(in_folder("sheet.png"), F_OK), -1);
}

static int make_folder(void **state)
{
    (void)state;
    return make_folder_for("test_contact_sheet");
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"red.png", "blue.png", "stripes.png", "no.png", "sheet.png"};
    (void)state;
    return remove_folder_with(names, COUNT(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sheet_has_ten_thumbnails_a_row),
        cmocka_unit_test(cells_stand_in_their_order),
        cmocka_unit_test(small_images_grow_by_whole_factors),
        cmocka_unit_test(large_images_shrink_to_the_mean_of_their_pixels),
        cmocka_unit_test(text_stands_below_its_thumbnail),
        cmocka_unit_test(text_that_is_too_wide_ends_in_dots),
        cmocka_unit_test(what_is_no_image_is_one_line_and_no_file),
        cmocka_unit_test(a_place_that_is_not_there_is_one_line),
        cmocka_unit_test(a_sheet_of_labels_without_images_is_a_note),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
