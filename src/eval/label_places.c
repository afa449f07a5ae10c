#include "eval/label_places.h"

#include <limits.h>

enum { SEARCH_STEP = 4 }; /* of the search for any free place, in pixels */

static int overlap(canvas_rectangle a, canvas_rectangle b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static int is_free(canvas_rectangle place, const canvas_rectangle *taken, int count)
{
    int i;
    for (i = 0; i < count && !overlap(place, taken[i]); ++i) continue;
    return i == count;
}

static int within(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* Moves a label sideways into the area. */
static canvas_rectangle at(canvas_rectangle area, int x, int y, int w)
{
    const canvas_rectangle place = {within(x, area.x, area.x + area.w - w), y, w, TEXT_HEIGHT};
    return place;
}

/* The free place that is nearest to `wanted`. Returns 0 where there is none. */
static int find_nearest(canvas_rectangle wanted, canvas_rectangle area, const canvas_rectangle *taken, int count,
                        canvas_rectangle *place)
{
    long nearest = LONG_MAX;
    int x, y;
    for (y = area.y; y + TEXT_HEIGHT <= area.y + area.h; y += SEARCH_STEP) {
        for (x = area.x; x + wanted.w <= area.x + area.w; x += SEARCH_STEP) {
            const canvas_rectangle here = {x, y, wanted.w, TEXT_HEIGHT};
            const long dx = x - wanted.x, dy = y - wanted.y, distance = dx * dx + dy * dy;
            if (distance >= nearest || !is_free(here, taken, count)) continue;
            nearest = distance;
            *place = here;
        }
    }
    return nearest < LONG_MAX;
}

static canvas_rectangle find_place(canvas_rectangle box, int w, canvas_rectangle area, const canvas_rectangle *taken,
                                   int count)
{
    const int bottom = box.y + box.h, right = box.x + box.w - w;
    const int ys[] = {box.y - TEXT_HEIGHT, bottom, box.y, bottom - TEXT_HEIGHT};
    canvas_rectangle place = at(area, box.x, within(ys[0], area.y, area.y + area.h - TEXT_HEIGHT), w);
    const canvas_rectangle first = place;
    int i;
    for (i = 0; i < 8; ++i) {
        place = at(area, i % 2 ? right : box.x, ys[i / 2], w);
        if (place.y >= area.y && place.y + TEXT_HEIGHT <= area.y + area.h && is_free(place, taken, count)) return place;
    }
    return find_nearest(first, area, taken, count, &place) ? place : first;
}

void place_labels(const canvas_rectangle *boxes, const int *widths, int count, canvas_rectangle area,
                  canvas_rectangle *places)
{
    int i;
    for (i = 0; i < count; ++i)
        places[i] = find_place(boxes[i], widths[i] < area.w ? widths[i] : area.w, area, places, i);
}
