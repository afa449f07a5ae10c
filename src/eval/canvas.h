/* A picture in memory: photos, rectangles and text are drawn onto it, and it is written as a PNG. What lies outside of
 * it is not drawn. Colours are 0xRRGGBB. */
#ifndef CANVAS_H
#define CANVAS_H

#include "data/photo.h"

#include "darknet.h"

enum { TEXT_HEIGHT = 13 }; /* of a line */

typedef struct {
    int w, h;
    unsigned char *bytes; /* [h][w][3] */
} canvas;

typedef struct {
    int x, y, w, h;
} canvas_rectangle;

/* A white one. Free with canvas_free. */
canvas canvas_make(int w, int h);
void canvas_free(canvas *c);

/* Where a photo of w x h pixels lies in a square: in its middle. A larger one is scaled down until it fits, a smaller
 * one is enlarged by the largest whole factor that fits. */
canvas_rectangle canvas_photo_place(int w, int h, int left, int top, int side);

/* Draws it there; where it is scaled down, a pixel is the mean of those that it replaces. Returns the place. */
canvas_rectangle canvas_photo(const canvas *c, const photo *p, int left, int top, int side);

void canvas_fill(const canvas *c, canvas_rectangle r, int colour);

/* The outline, `thickness` pixels wide, inside of the rectangle. */
void canvas_outline(const canvas *c, canvas_rectangle r, int thickness, int colour);

/* The width in pixels of the first `length` bytes of a text. letters: load_letters(). */
int canvas_text_width(image **letters, const char *text, size_t length);

/* Draws dark letters onto what is there. Text that is wider than `most` pixels ends in "...". Each byte that is no
 * printable ASCII is drawn as a question mark. */
void canvas_text(const canvas *c, image **letters, const char *text, int left, int top, int most);

/* Writes the PNG, which appears whole. Returns 0, or 1 after one line on stderr. */
int canvas_write(const canvas *c, const char *png);

#endif
