/* Where the labels of boxes are drawn, so that none covers another one where there is room. */
#ifndef LABEL_PLACES_H
#define LABEL_PLACES_H

#include "eval/canvas.h"

/* Finds places for labels of TEXT_HEIGHT pixels. boxes, widths (of the labels): [count]. A label stands above its box,
 * or below it, or inside at the top or the bottom, at its left or its right end; or else at the nearest place in `area`
 * that is free. Where nothing is free it stands above or at the top of `area`, on other labels. It always lies in
 * `area`, which is at least TEXT_HEIGHT high; what is wider than `area` gets the width of it. places[count] is filled
 * in; labels that come first choose first. */
void place_labels(const canvas_rectangle *boxes, const int *widths, int count, canvas_rectangle area,
                  canvas_rectangle *places);

#endif
