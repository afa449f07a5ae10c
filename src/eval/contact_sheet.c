/* See contact_sheet.h. */
#include "eval/contact_sheet.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "data/photo.h"

#include "stb_image_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL_W = SHEET_SIDE + SHEET_GAP,
    CELL_H = SHEET_SIDE + SHEET_LINES * SHEET_LINE + SHEET_GAP,
    CHANNELS = 3,
    LETTER_SIZE = 0, /* the smallest of load_letters: 11 pixels high */
    OVERLAP = 1,     /* of one letter with the next, as in Darknet's get_label */
};

typedef struct {
    int w, h;
    unsigned char *bytes; /* [h][w][CHANNELS] */
} canvas;

void contact_sheet_size(int count, int *w, int *h)
{
    const int columns = count < SHEET_COLUMNS ? count : SHEET_COLUMNS;
    *w = SHEET_GAP + columns * CELL_W;
    *h = SHEET_GAP + (count + SHEET_COLUMNS - 1) / SHEET_COLUMNS * CELL_H;
}

void contact_sheet_place(int i, int *x, int *y)
{
    *x = SHEET_GAP + i % SHEET_COLUMNS * CELL_W;
    *y = SHEET_GAP + i / SHEET_COLUMNS * CELL_H;
}

static unsigned char *pixel(const canvas *c, int x, int y)
{
    return c->bytes + ((size_t)y * c->w + x) * CHANNELS;
}

/* ---- Thumbnails -------------------------------------------------------------------------------------------------- */

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

static void thumbnail_size(const photo *p, int *w, int *h)
{
    const int longer = p->w > p->h ? p->w : p->h, factor = SHEET_SIDE / longer;
    *w = factor ? factor * p->w : (int)((long long)p->w * SHEET_SIDE / longer);
    *h = factor ? factor * p->h : (int)((long long)p->h * SHEET_SIDE / longer);
    if (*w < 1) *w = 1;
    if (*h < 1) *h = 1;
}

static void draw_thumbnail(const canvas *c, const photo *p, int left, int top)
{
    int w, h, x, y;
    thumbnail_size(p, &w, &h);
    left += (SHEET_SIDE - w) / 2;
    top += (SHEET_SIDE - h) / 2;
    for (y = 0; y < h; ++y) {
        int first_y, end_y;
        source_range(y, p->h, h, &first_y, &end_y);
        for (x = 0; x < w; ++x) {
            int first_x, end_x;
            source_range(x, p->w, w, &first_x, &end_x);
            mean_colour(p, first_x, end_x, first_y, end_y, pixel(c, left + x, top + y));
        }
    }
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static const image *letter_of(image **letters, char code)
{
    return &letters[LETTER_SIZE][code >= ' ' && code < 127 ? (int)code : '?'];
}

static int text_width(image **letters, const char *text, size_t length)
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
    for (y = 0; y < letter->h && y < SHEET_LINE && top + y < c->h; ++y) {
        for (x = 0; x < letter->w && left + x < c->w; ++x) {
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

static void draw_line(const canvas *c, image **letters, const char *text, int left, int top)
{
    static const char cut[] = "...";
    size_t length = strlen(text);
    if (text_width(letters, text, length) <= SHEET_SIDE) {
        draw_text(c, letters, text, length, left, top);
        return;
    }
    while (length && text_width(letters, text, length) + text_width(letters, cut, strlen(cut)) > SHEET_SIDE) --length;
    left = draw_text(c, letters, text, length, left, top);
    draw_text(c, letters, cut, strlen(cut), left, top);
}

/* ---- The sheet --------------------------------------------------------------------------------------------------- */

/* Returns 0 where the image cannot be decoded. */
static int draw_cell(const canvas *c, const sheet_cell *cell, int i, image **letters)
{
    photo p;
    int x, y, line;
    if (!photo_decode(cell->path, &p)) return 0;
    contact_sheet_place(i, &x, &y);
    draw_thumbnail(c, &p, x, y);
    photo_close(p);
    for (line = 0; letters && line < SHEET_LINES; ++line) {
        if (cell->lines[line]) draw_line(c, letters, cell->lines[line], x, y + SHEET_SIDE + 2 + line * SHEET_LINE);
    }
    return 1;
}

static int draw_cells(const canvas *c, const sheet_cell *cells, int count, image **letters)
{
    progress shown;
    int i;
    progress_begin(&shown, "thumbnails", count, count, 2);
    for (i = 0; i < count && draw_cell(c, &cells[i], i, letters); ++i) progress_step(&shown, 1);
    progress_end(&shown);
    return i < count ? report_error("%s: not an image that can be decoded", cells[i].path) : 0;
}

static void write_bytes(void *file, void *bytes, int count)
{
    fwrite(bytes, 1, count, (FILE *)file); /* atomic_commit finds an error */
}

static int write_png(const canvas *c, const char *png)
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

int contact_sheet_write(const sheet_cell *cells, int count, image **letters, const char *png)
{
    canvas c;
    size_t bytes;
    int status;
    contact_sheet_size(count, &c.w, &c.h);
    bytes = (size_t)c.w * c.h * CHANNELS;
    c.bytes = (unsigned char *)xmalloc(bytes);
    memset(c.bytes, 255, bytes);
    status = draw_cells(&c, cells, count, letters) || write_png(&c, png);
    free(c.bytes);
    return status;
}

/* ---- Of labels --------------------------------------------------------------------------------------------------- */

/* The text of a labelled thumbnail's second and third line. */
typedef struct {
    char predicted[64], probability[16]; /* 64: more than fits into a cell */
} caption;

int label_sheet_write(const labelled_thumbnail *cells, int count, image **letters, const char *png)
{
    sheet_cell *sheet;
    caption *captions;
    int i, status;
    if (!count) {
        report_note("no image for %s, which is not written", png);
        return 0;
    }
    sheet = (sheet_cell *)xcalloc(count, sizeof *sheet);
    captions = (caption *)xcalloc(count, sizeof *captions);
    for (i = 0; i < count; ++i) {
        const sheet_cell cell = {cells[i].path, {cells[i].label, captions[i].predicted, captions[i].probability}};
        snprintf(captions[i].predicted, sizeof captions[i].predicted, "-> %s", cells[i].predicted);
        snprintf(captions[i].probability, sizeof captions[i].probability, "%.2f %%", 100 * cells[i].probability);
        sheet[i] = cell;
    }
    status = contact_sheet_write(sheet, count, letters, png);
    free(captions);
    free(sheet);
    return status;
}
