#include "eval/detection_sheet.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "eval/canvas.h"
#include "eval/label_places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SIDE = DETECTION_SHEET_SIDE,
    GAP = DETECTION_SHEET_GAP,
    BETWEEN = 4, /* the two pictures of a pair */
    PAIR_W = 2 * SIDE + BETWEEN + GAP,
    CAPTION = TEXT_HEIGHT + 4,
    OUTLINE = 2, /* of a box, in pixels */
    LINE = 128   /* bytes of a text */
};

/* ---- Which images -------------------------------------------------------------------------------------------------
 */

static int most_errors_first(const void *pa, const void *pb)
{
    const image_errors *a = (const image_errors *)pa, *b = (const image_errors *)pb;
    const int errors_a = a->missed + a->wrong, errors_b = b->missed + b->wrong;
    return errors_a != errors_b ? (errors_a > errors_b ? -1 : 1) : a->image - b->image;
}

image_errors *count_image_errors(const sheet_detections *d, int *count)
{
    image_errors *e = (image_errors *)xcalloc(d->images, sizeof *e);
    size_t k;
    int i;
    for (i = 0; i < d->images; ++i) e[i].image = i;
    for (k = 0; k < d->object_count; ++k)
        if (!d->objects[k].difficult) ++e[d->objects[k].image].objects;
    for (i = 0; i < d->images; ++i) e[i].missed = e[i].objects;
    for (k = 0; k < d->detection_count; ++k) {
        image_errors *of = &e[d->detections[k].image];
        if (!(d->detections[k].score > d->score_threshold) || d->matches[k].verdict == AP_IGNORED) continue;
        ++of->boxes;
        of->wrong += d->matches[k].verdict == AP_FALSE;
        of->missed -= d->matches[k].verdict == AP_TRUE;
    }
    qsort(e, d->images, sizeof *e, most_errors_first);
    for (*count = 0; *count < d->images && e[*count].missed + e[*count].wrong; ++*count) continue;
    return e;
}

/* ---- Boxes with labels --------------------------------------------------------------------------------------------
 */

typedef enum { RIGHT, WRONG, NEITHER } mark_kind;

typedef struct {
    ap_box box; /* in pixels of the image's file */
    double score;
    mark_kind kind;
    char text[LINE];
} mark;

typedef struct {
    mark *marks;
    size_t count, capacity;
} mark_list;

static mark *add_mark(mark_list *list, ap_box box, double score, mark_kind kind)
{
    mark *m;
    list->marks = (mark *)grow_array(list->marks, list->count, &list->capacity, sizeof *list->marks);
    m = &list->marks[list->count++];
    m->box = box;
    m->score = score;
    m->kind = kind;
    return m;
}

static int best_first(const void *pa, const void *pb)
{
    const mark *a = (const mark *)pa, *b = (const mark *)pb;
    return a->score != b->score ? (a->score > b->score ? -1 : 1) : strcmp(a->text, b->text);
}

static mark_list marks_of_objects(const sheet_detections *d, const unsigned char *found, int image)
{
    mark_list list = {0, 0, 0};
    size_t k;
    for (k = 0; k < d->object_count; ++k) {
        const ap_object *o = &d->objects[k];
        if (o->image != image) continue;
        snprintf(add_mark(&list, o->box, 1,
                          o->difficult ? NEITHER
                          : found[k]   ? RIGHT
                                       : WRONG)
                     ->text,
                 LINE, "%.100s", d->names[o->class_id]);
    }
    return list;
}

static mark_list marks_of_detections(const sheet_detections *d, int image)
{
    static const mark_kind kinds[] = {WRONG, RIGHT, NEITHER}; /* in the order of ap_verdict */
    mark_list list = {0, 0, 0};
    size_t k;
    for (k = 0; k < d->detection_count; ++k) {
        const ap_detection *x = &d->detections[k];
        if (x->image != image || !(x->score > d->score_threshold)) continue;
        snprintf(add_mark(&list, x->box, x->score, kinds[d->matches[k].verdict])->text, LINE, "%.100s %.2f",
                 d->names[x->class_id], x->score);
    }
    if (list.count) qsort(list.marks, list.count, sizeof *list.marks, best_first);
    return list;
}

/* The pixel of 0..most at which an edge lies. Boxes of other programs may be far outside, where no int reaches. */
static int edge(double at, int most)
{
    return (int)floor(fmin(fmax(at, 0), most) + .5);
}

/* Where a box is on the sheet: `on` is where the photo lies. */
static canvas_rectangle scaled(ap_box box, const photo *p, canvas_rectangle on)
{
    const double sx = (double)on.w / p->w, sy = (double)on.h / p->h;
    const int left = edge(sx * (box.x - box.w / 2), on.w), right = edge(sx * (box.x + box.w / 2), on.w);
    const int top = edge(sy * (box.y - box.h / 2), on.h), bottom = edge(sy * (box.y + box.h / 2), on.h);
    const canvas_rectangle r = {on.x + left, on.y + top, right - left, bottom - top};
    return r;
}

/* Draws the photo into the middle of the area, with outlines, and then with the labels on top. */
static void draw_picture(const canvas *c, image **letters, const photo *p, canvas_rectangle area, const mark_list *list)
{
    static const int strong[] = {0x00a000, 0xe02020, 0x808080}, pale[] = {0xc8f0c8, 0xffc8c8, 0xe0e0e0};
    const canvas_rectangle on = canvas_photo(c, p, area.x, area.y - (SIDE - area.h) / 2, SIDE);
    canvas_rectangle *boxes = (canvas_rectangle *)xcalloc(list->count, sizeof *boxes);
    canvas_rectangle *places = (canvas_rectangle *)xcalloc(list->count, sizeof *places);
    int *widths = (int *)xcalloc(list->count, sizeof *widths);
    size_t k;
    for (k = list->count; k-- > 0;) { /* the best box on top */
        const mark *m = &list->marks[k];
        boxes[k] = scaled(m->box, p, on);
        widths[k] = canvas_text_width(letters, m->text, strlen(m->text)) + 2;
        canvas_outline(c, boxes[k], OUTLINE, strong[m->kind]);
    }
    place_labels(boxes, widths, (int)list->count, area, places);
    for (k = 0; k < list->count; ++k) {
        const mark *m = &list->marks[k];
        canvas_fill(c, places[k], pale[m->kind]);
        canvas_text(c, letters, m->text, places[k].x + 1, places[k].y, places[k].w - 2);
    }
    free(widths);
    free(places);
    free(boxes);
}

/* ---- The sheet ----------------------------------------------------------------------------------------------------
 */

/* Which images are in a row, and where it lies. */
typedef struct {
    const image_errors *errors; /* [pairs] */
    int pairs, top, height;     /* of the pictures, without the text below */
} sheet_row;

/* As high as the highest photo, with room for labels above and below it. */
static int row_height(const sheet_detections *d, const sheet_row *row)
{
    int i, highest = 0;
    for (i = 0; i < row->pairs; ++i) {
        const detect_size size = d->sizes[row->errors[i].image];
        const int photo_height = canvas_photo_place(size.w, size.h, 0, 0, SIDE).h;
        if (photo_height > highest) highest = photo_height;
    }
    highest += 2 * TEXT_HEIGHT;
    return highest < SIDE ? highest : SIDE;
}

/* The caller frees the rows. *height becomes that of the sheet. */
static sheet_row *make_rows(const sheet_detections *d, const image_errors *errors, int count, int *row_count,
                            int *height)
{
    sheet_row *rows;
    int i;
    *row_count = (count + DETECTION_SHEET_PAIRS - 1) / DETECTION_SHEET_PAIRS;
    *height = GAP;
    rows = (sheet_row *)xcalloc(*row_count, sizeof *rows);
    for (i = 0; i < *row_count; ++i) {
        const int left = count - i * DETECTION_SHEET_PAIRS;
        rows[i].errors = errors + i * DETECTION_SHEET_PAIRS;
        rows[i].pairs = left < DETECTION_SHEET_PAIRS ? left : DETECTION_SHEET_PAIRS;
        rows[i].top = *height;
        rows[i].height = row_height(d, &rows[i]);
        *height += rows[i].height + CAPTION + GAP;
    }
    return rows;
}

/* Returns 0 where the image cannot be decoded. */
static int draw_pair(const canvas *c, image **letters, const sheet_detections *d, const unsigned char *found,
                     const sheet_row *row, int column)
{
    const image_errors *e = &row->errors[column];
    const canvas_rectangle left = {GAP + column * PAIR_W, row->top, SIDE, row->height};
    const canvas_rectangle right = {left.x + SIDE + BETWEEN, row->top, SIDE, row->height};
    const int caption = row->top + row->height + 2;
    const char *path = d->paths[e->image], *name = strrchr(path, '/');
    mark_list truth, detected;
    char text[LINE];
    photo p;
    if (!photo_decode(path, &p)) return 0;
    truth = marks_of_objects(d, found, e->image);
    detected = marks_of_detections(d, e->image);
    draw_picture(c, letters, &p, left, &truth);
    draw_picture(c, letters, &p, right, &detected);
    snprintf(text, sizeof text, "%d of %d missed: %.90s", e->missed, e->objects, name ? name + 1 : path);
    canvas_text(c, letters, text, left.x, caption, SIDE);
    snprintf(text, sizeof text, "%d of %d boxes above %g wrong", e->wrong, e->boxes, d->score_threshold);
    canvas_text(c, letters, text, right.x, caption, SIDE);
    free(truth.marks);
    free(detected.marks);
    photo_close(p);
    return 1;
}

static unsigned char *found_objects(const sheet_detections *d)
{
    unsigned char *found = (unsigned char *)xcalloc(d->object_count, 1);
    size_t k;
    for (k = 0; k < d->detection_count; ++k)
        if (d->matches[k].verdict == AP_TRUE && d->detections[k].score > d->score_threshold)
            found[d->matches[k].object] = 1;
    return found;
}

static int draw_rows(const canvas *c, image **letters, const sheet_detections *d, const sheet_row *rows, int row_count,
                     int count)
{
    unsigned char *found = found_objects(d);
    const char *broken = 0;
    progress shown;
    int i, k;
    progress_begin(&shown, "images", count, count, 2);
    for (i = 0; i < row_count && !broken; ++i) {
        for (k = 0; k < rows[i].pairs && !broken; ++k) {
            if (!draw_pair(c, letters, d, found, &rows[i], k)) broken = d->paths[rows[i].errors[k].image];
            progress_step(&shown, 1);
        }
    }
    progress_end(&shown);
    free(found);
    return broken ? report_error("%s: not an image that can be decoded", broken) : 0;
}

int detection_sheet_write(const sheet_detections *d, int most, image **letters, const char *png)
{
    int count, row_count, height, status = 0;
    image_errors *errors = count_image_errors(d, &count);
    if (count > most) count = most;
    if (!count) {
        report_note("no image with an error for %s, which is not written%s", png,
                    access(png, F_OK) ? "" : "; the one that is there is of an earlier run");
    } else {
        sheet_row *rows = make_rows(d, errors, count, &row_count, &height);
        canvas c = canvas_make(GAP + rows[0].pairs * PAIR_W, height);
        status = draw_rows(&c, letters, d, rows, row_count, count) || canvas_write(&c, png);
        canvas_free(&c);
        free(rows);
    }
    free(errors);
    return status;
}
