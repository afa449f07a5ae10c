#include "eval/canvas.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/memory.h"

#include "stb_image_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANNELS = 3,
    LETTER_SIZE = 0, /* the smallest of load_letters: 11 pixels high */
    OVERLAP = 1,     /* of one letter with the next, as in Darknet's get_label */
};

canvas canvas_make(int w, int h)
{
    const size_t bytes = (size_t)w * h * CHANNELS;
    canvas c = {w, h, (unsigned char *)xmalloc(bytes)};
    memset(c.bytes, 255, bytes);
    return c;
}

void canvas_free(canvas *c)
{
    free(c->bytes);
    c->bytes = 0;
}

static unsigned char *pixel(const canvas *c, int x, int y)
{
    return c->bytes + ((size_t)y * c->w + x) * CHANNELS;
}

static int within(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* ---- Photos -------------------------------------------------------------------------------------------------------
 */

/* The pixels of a photo's side that pixel `i` of a thumbnail's stands for: first .. end - 1, one at least. */
static void source_range(int i, int side, int scaled, int *first, int *end)
{
    *first = (int)((long long)i * side / scaled);
    *end = (int)((i + 1LL) * side / scaled);
    if (*end <= *first) *end = *first + 1;
}

static void mean_colour(const photo *p, int x, int end_x, int y, int end_y, unsigned char *colour)
{
    const long long n = (long long)(end_x - x) * (end_y - y);
    long long sum[CHANNELS] = {0};
    int i, j, k;
    for (j = y; j < end_y; ++j) {
        for (i = x; i < end_x; ++i) {
            for (k = 0; k < CHANNELS; ++k) sum[k] += p->bytes[((size_t)j * p->w + i) * CHANNELS + k];
        }
    }
    for (k = 0; k < CHANNELS; ++k) colour[k] = (unsigned char)((sum[k] + n / 2) / n);
}

canvas_rectangle canvas_photo_place(int w, int h, int left, int top, int side)
{
    const int longer = w > h ? w : h, factor = side / longer;
    canvas_rectangle r;
    r.w = factor ? factor * w : (int)((long long)w * side / longer);
    r.h = factor ? factor * h : (int)((long long)h * side / longer);
    if (r.w < 1) r.w = 1;
    if (r.h < 1) r.h = 1;
    r.x = left + (side - r.w) / 2;
    r.y = top + (side - r.h) / 2;
    return r;
}

canvas_rectangle canvas_photo(const canvas *c, const photo *p, int left, int top, int side)
{
    const canvas_rectangle r = canvas_photo_place(p->w, p->h, left, top, side);
    const int begin_x = within(-r.x, 0, r.w), end_of_row = within(c->w - r.x, 0, r.w);
    const int end_of_photo = within(c->h - r.y, 0, r.h);
    int x, y;
    for (y = within(-r.y, 0, r.h); y < end_of_photo; ++y) {
        int first_y, end_y;
        source_range(y, p->h, r.h, &first_y, &end_y);
        for (x = begin_x; x < end_of_row; ++x) {
            int first_x, end_x;
            source_range(x, p->w, r.w, &first_x, &end_x);
            mean_colour(p, first_x, end_x, first_y, end_y, pixel(c, r.x + x, r.y + y));
        }
    }
    return r;
}

/* ---- Rectangles ---------------------------------------------------------------------------------------------------
 */

void canvas_fill(const canvas *c, canvas_rectangle r, int colour)
{
    const int left = within(r.x, 0, c->w), right = within(r.x + r.w, 0, c->w);
    const int top = within(r.y, 0, c->h), bottom = within(r.y + r.h, 0, c->h);
    int x, y, k;
    for (y = top; y < bottom; ++y) {
        for (x = left; x < right; ++x) {
            for (k = 0; k < CHANNELS; ++k) pixel(c, x, y)[k] = (unsigned char)(colour >> (16 - 8 * k));
        }
    }
}

void canvas_outline(const canvas *c, canvas_rectangle r, int thickness, int colour)
{
    const canvas_rectangle sides[] = {{r.x, r.y, r.w, thickness},
                                      {r.x, r.y + r.h - thickness, r.w, thickness},
                                      {r.x, r.y, thickness, r.h},
                                      {r.x + r.w - thickness, r.y, thickness, r.h}};
    int i;
    for (i = 0; i < 4; ++i) canvas_fill(c, sides[i], colour);
}

/* ---- Text ---------------------------------------------------------------------------------------------------------
 */

static const image *letter_of(image **letters, char code)
{
    return &letters[LETTER_SIZE][code >= ' ' && code < 127 ? (int)code : '?'];
}

int canvas_text_width(image **letters, const char *text, size_t length)
{
    int width = 0;
    size_t i;
    for (i = 0; i < length; ++i) width += letter_of(letters, text[i])->w - OVERLAP;
    return width;
}

/* Letters are dark on white; where two overlap, the darker pixel stays. */
static void draw_letter(const canvas *c, const image *letter, int left, int top)
{
    int x, y, k;
    for (y = top < 0 ? -top : 0; y < letter->h && y < TEXT_HEIGHT && top + y < c->h; ++y) {
        for (x = left < 0 ? -left : 0; x < letter->w && left + x < c->w; ++x) {
            const unsigned char shade = (unsigned char)(255 * letter->data[y * letter->w + x] + .5f);
            unsigned char *to = pixel(c, left + x, top + y);
            for (k = 0; k < CHANNELS; ++k) to[k] = to[k] < shade ? to[k] : shade;
        }
    }
}

static int draw_text(const canvas *c, image **letters, const char *text, size_t length, int left, int top)
{
    size_t i;
    for (i = 0; i < length; ++i) {
        const image *letter = letter_of(letters, text[i]);
        draw_letter(c, letter, left, top);
        left += letter->w - OVERLAP;
    }
    return left;
}

void canvas_text(const canvas *c, image **letters, const char *text, int left, int top, int most)
{
    static const char cut[] = "...";
    size_t length = strlen(text);
    const int whole = canvas_text_width(letters, text, length) <= most;
    while (!whole && length &&
           canvas_text_width(letters, text, length) + canvas_text_width(letters, cut, strlen(cut)) > most)
        --length;
    left = draw_text(c, letters, text, length, left, top);
    if (!whole) draw_text(c, letters, cut, strlen(cut), left, top);
}

/* ---- The file -----------------------------------------------------------------------------------------------------
 */

static void write_bytes(void *file, void *bytes, int count)
{
    fwrite(bytes, 1, count, (FILE *)file); /* atomic_commit finds an error */
}

int canvas_write(const canvas *c, const char *png)
{
    atomic_file file;
    int error = atomic_open(&file, png);
    if (!error) {
        if (stbi_write_png_to_func(write_bytes, file.stream, c->w, c->h, CHANNELS, c->bytes, c->w * CHANNELS))
            error = atomic_commit(&file);
        else {
            atomic_discard(&file);
            error = ENOMEM;
        }
    }
    return error ? report_error("cannot write %s: %s", png, strerror(error)) : 0;
}
