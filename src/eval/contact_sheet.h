/* Contact sheets: many images as thumbnails in one picture, with some lines of text below each.
 *
 * Thumbnails stand in rows of SHEET_COLUMNS, from the left and from the top. Each lies in the middle of a square of
 * SHEET_SIDE pixels (canvas_photo), so that 32x32 become 128x128.
 */
#ifndef CONTACT_SHEET_H
#define CONTACT_SHEET_H

#include "eval/canvas.h"

enum {
    SHEET_COLUMNS = 10,
    SHEET_SIDE = 128,
    SHEET_GAP = 14,  /* around the whole, and between cells */
    SHEET_LINES = 3, /* of text below a thumbnail */
    SHEET_LINE = TEXT_HEIGHT,
    SHEET_MOST = 1000, /* images on one sheet: 73 MB of pixels */
};

typedef struct {
    const char *path;               /* of the image */
    const char *lines[SHEET_LINES]; /* text; NULL: an empty line. What is too wide for the cell ends in "..." */
} sheet_cell;

/* The width and height in pixels of a sheet of `count` images. */
void contact_sheet_size(int count, int *w, int *h);

/* The top left corner of cell i: of the square that its thumbnail lies in the middle of. */
void contact_sheet_place(int i, int *x, int *y);

/* Writes the sheet as a PNG, which appears whole. count: 1 to SHEET_MOST. letters: load_letters(), or NULL for no text;
 * of the bytes of a text that are no printable ASCII each is drawn as a question mark. Shows progress on stderr where
 * it takes more than two seconds. Returns 0, or 1 after one line on stderr. */
int contact_sheet_write(const sheet_cell *cells, int count, image **letters, const char *png);

/* An image with two classes. */
typedef struct {
    const char *path, *label, *predicted; /* label and predicted: names */
    double probability;                   /* of the predicted class */
} labelled_thumbnail;

/* The same with the lines "label", "-> predicted" and "97.31 %" below each image. Without an image nothing is written,
 * and a note says so. */
int label_sheet_write(const labelled_thumbnail *cells, int count, image **letters, const char *png);

#endif
