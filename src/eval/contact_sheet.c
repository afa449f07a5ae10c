/* See contact_sheet.h. */
#include "eval/contact_sheet.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "data/photo.h"
#include "eval/canvas.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CELL_W = SHEET_SIDE + SHEET_GAP,
    CELL_H = SHEET_SIDE + SHEET_LINES * SHEET_LINE + SHEET_GAP,
};

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

/* ---- The sheet --------------------------------------------------------------------------------------------------- */

/* Returns 0 where the image cannot be decoded. */
static int draw_cell(const canvas *c, const sheet_cell *cell, int i, image **letters)
{
    photo p;
    int x, y, line;
    if (!photo_decode(cell->path, &p)) return 0;
    contact_sheet_place(i, &x, &y);
    canvas_photo(c, &p, x, y, SHEET_SIDE);
    photo_close(p);
    for (line = 0; letters && line < SHEET_LINES; ++line) {
        if (cell->lines[line])
            canvas_text(c, letters, cell->lines[line], x, y + SHEET_SIDE + 2 + line * SHEET_LINE, SHEET_SIDE);
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

int contact_sheet_write(const sheet_cell *cells, int count, image **letters, const char *png)
{
    canvas c;
    int w, h, status;
    contact_sheet_size(count, &w, &h);
    c = canvas_make(w, h);
    status = draw_cells(&c, cells, count, letters) || canvas_write(&c, png);
    canvas_free(&c);
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
