#include "data/anchors.h"

#include "base/memory.h"
#include "base/splitmix64.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A limit for the iterations of one restart: moving the anchors to medians may come back to anchors that were there
 * before, and would then never end. Its value matters little, as the best anchors on the way are kept. */
enum { MOST_ITERATIONS = 300 };

double anchor_iou(anchor_size a, anchor_size b)
{
    double both = (a.w < b.w ? a.w : b.w) * (a.h < b.h ? a.h : b.h);
    return both / (a.w * a.h + b.w * b.h - both);
}

/* The anchor of largest IoU; equal: the first. */
static int best_anchor(anchor_size size, const anchor_size *anchors, int num, double *iou)
{
    int k, best = 0;
    *iou = anchor_iou(size, anchors[0]);
    for (k = 1; k < num; ++k) {
        double other = anchor_iou(size, anchors[k]);
        if (other > *iou) *iou = other, best = k;
    }
    return best;
}

double match_anchors(const anchor_size *sizes, size_t count, const anchor_size *anchors, int num, size_t *boxes,
                     double *iou)
{
    double sum = 0;
    size_t i;
    int k;
    if (boxes) memset(boxes, 0, num * sizeof *boxes);
    for (k = 0; iou && k < num; ++k) iou[k] = 0;
    for (i = 0; i < count; ++i) {
        double best;
        k = best_anchor(sizes[i], anchors, num, &best);
        if (boxes) ++boxes[k];
        if (iou) iou[k] += best;
        sum += best;
    }
    for (k = 0; iou && boxes && k < num; ++k)
        if (boxes[k]) iou[k] /= boxes[k];
    return sum / count;
}

/* ---- Order ------------------------------------------------------------------------------------------------------ */

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_width(const void *a, const void *b)
{
    const anchor_size *p = (const anchor_size *)a, *q = (const anchor_size *)b;
    int order = compare(p->w, q->w);
    return order ? order : compare(p->h, q->h);
}

static int by_area(const void *a, const void *b)
{
    const anchor_size *p = (const anchor_size *)a, *q = (const anchor_size *)b;
    int order = compare(p->w * p->h, q->w * q->h);
    return order ? order : by_width(a, b);
}

typedef struct {
    double h;
    size_t box;
} height;

static int by_height(const void *a, const void *b)
{
    const height *p = (const height *)a, *q = (const height *)b;
    int order = compare(p->h, q->h);
    return order ? order : (p->box > q->box) - (p->box < q->box);
}

static size_t different(const anchor_size *sorted, size_t count)
{
    size_t i, n = count > 0;
    for (i = 1; i < count; ++i) n += by_width(&sorted[i - 1], &sorted[i]) != 0;
    return n;
}

size_t count_different_sizes(const anchor_size *sizes, size_t count)
{
    anchor_size *sorted = (anchor_size *)xmalloc(count * sizeof *sorted);
    size_t n;
    if (count) memcpy(sorted, sizes, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_width);
    n = different(sorted, count);
    free(sorted);
    return n;
}

/* ---- k-means ---------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t count;
    int num;
    anchor_size *sizes; /* count, by width */
    height *heights;    /* count, by height: medians need no sorting then */
    double *iou;        /* count: of every box with its anchor */
    int *own;           /* count: the anchor of every box */
    size_t *boxes;      /* num: of every anchor */
    size_t *seen;       /* num: of those, how many were met so far; scratch of move_to_medians */
} problem;

/* 0 <= number < 1. */
static double draw(uint64_t *state)
{
    return (double)(splitmix64_next(state) >> 11) / 9007199254740992.;
}

/* k-means++. A box that was drawn has distance 0 and is not drawn again. */
static void draw_anchors(problem *p, anchor_size *anchors, uint64_t *random)
{
    size_t i, chosen = (size_t)(draw(random) * p->count);
    int k;
    for (i = 0; i < p->count; ++i) p->iou[i] = 0;
    for (k = 0; k < p->num; ++k) {
        double sum = 0, at;
        anchors[k] = p->sizes[chosen];
        for (i = 0; i < p->count; ++i) {
            double iou = anchor_iou(p->sizes[i], anchors[k]);
            if (iou > p->iou[i]) p->iou[i] = iou;
            sum += 1 - p->iou[i];
        }
        at = draw(random) * sum;
        for (i = 0; i < p->count; ++i) {
            if (p->iou[i] >= 1) continue;
            chosen = i; /* rounding may leave a little of `at` behind the last */
            at -= 1 - p->iou[i];
            if (at < 0) break;
        }
    }
}

/* Gives every box to its best anchor. Returns how many changed theirs; the average IoU in `average`. */
static size_t assign(problem *p, const anchor_size *anchors, double *average)
{
    size_t i, changed = 0;
    double sum = 0;
    memset(p->boxes, 0, p->num * sizeof *p->boxes);
    for (i = 0; i < p->count; ++i) {
        int k = best_anchor(p->sizes[i], anchors, p->num, &p->iou[i]);
        changed += k != p->own[i];
        p->own[i] = k;
        ++p->boxes[k];
        sum += p->iou[i];
    }
    *average = sum / p->count;
    return changed;
}

/* Moves every anchor without boxes to one of the boxes that fit theirs worst. Returns how many moved. */
static int move_idle(problem *p, anchor_size *anchors)
{
    int k, moved = 0;
    for (k = 0; k < p->num; ++k) {
        size_t i, worst = 0;
        if (p->boxes[k]) continue;
        for (i = 1; i < p->count; ++i)
            if (p->iou[i] < p->iou[worst]) worst = i;
        anchors[k] = p->sizes[worst];
        for (i = 0; i < p->count; ++i) { /* so that the next one goes elsewhere */
            double iou = anchor_iou(p->sizes[i], anchors[k]);
            if (iou > p->iou[i]) p->iou[i] = iou;
        }
        ++moved;
    }
    return moved;
}

/* Adds `value`, the next in order of an anchor's boxes, to that anchor's median where it is in the middle. */
static void add_to_median(double *median, double value, size_t *seen, size_t boxes)
{
    size_t place = (*seen)++;
    if (place == (boxes - 1) / 2) *median = value;
    if (place == boxes / 2) *median = (*median + value) / 2; /* odd: with itself */
}

static void move_to_medians(problem *p, anchor_size *anchors)
{
    size_t i;
    memset(p->seen, 0, p->num * sizeof *p->seen);
    for (i = 0; i < p->count; ++i) {
        int k = p->own[i];
        add_to_median(&anchors[k].w, p->sizes[i].w, &p->seen[k], p->boxes[k]);
    }
    memset(p->seen, 0, p->num * sizeof *p->seen);
    for (i = 0; i < p->count; ++i) {
        int k = p->own[p->heights[i].box];
        add_to_median(&anchors[k].h, p->heights[i].h, &p->seen[k], p->boxes[k]);
    }
}

/* From `anchors` on; the best ones seen, if better than `best_average`, in `best`. */
static void iterate(problem *p, anchor_size *anchors, anchor_size *best, double *best_average)
{
    size_t i;
    int iteration;
    for (i = 0; i < p->count; ++i) p->own[i] = -1;
    for (iteration = 0; iteration < MOST_ITERATIONS; ++iteration) {
        double average;
        size_t changed = assign(p, anchors, &average);
        if (average > *best_average) {
            *best_average = average;
            memcpy(best, anchors, p->num * sizeof *best);
        }
        if (move_idle(p, anchors)) continue;
        if (!changed) break;
        move_to_medians(p, anchors);
    }
}

static void free_problem(problem *p)
{
    free(p->sizes);
    free(p->heights);
    free(p->iou);
    free(p->own);
    free(p->boxes);
    free(p->seen);
}

/* Copies and sorts the sizes. */
static anchors_status make_problem(const anchor_size *sizes, size_t count, int num, problem *p)
{
    size_t i;
    memset(p, 0, sizeof *p);
    p->count = count;
    p->num = num;
    p->sizes = (anchor_size *)xmalloc(count * sizeof *p->sizes);
    p->heights = (height *)xmalloc(count * sizeof *p->heights);
    p->iou = (double *)xmalloc(count * sizeof *p->iou);
    p->own = (int *)xmalloc(count * sizeof *p->own);
    p->boxes = (size_t *)xmalloc(num * sizeof *p->boxes);
    p->seen = (size_t *)xmalloc(num * sizeof *p->seen);
    memcpy(p->sizes, sizes, count * sizeof *p->sizes);
    qsort(p->sizes, count, sizeof *p->sizes, by_width);
    for (i = 0; i < count; ++i) {
        p->heights[i].h = p->sizes[i].h;
        p->heights[i].box = i;
    }
    qsort(p->heights, count, sizeof *p->heights, by_height);
    return different(p->sizes, count) < (size_t)num ? ANCHORS_TOO_FEW_SIZES : ANCHORS_OK;
}

anchors_status find_anchors(const anchor_size *sizes, size_t count, int num, unsigned seed, int restarts,
                            anchor_size *anchors, void (*progress)(int done, int restarts))
{
    problem p;
    anchors_status status;
    anchor_size *now, *best;
    uint64_t random = seed;
    double best_average = -1;
    size_t i;
    int done;

    if (num < 1 || restarts < 1) return ANCHORS_BAD_NUMBER;
    if (count < (size_t)num) return ANCHORS_TOO_FEW_SIZES;
    for (i = 0; i < count; ++i)
        if (!(sizes[i].w > 0 && sizes[i].h > 0 && isfinite(sizes[i].w) && isfinite(sizes[i].h)))
            return ANCHORS_BAD_SIZE;

    status = make_problem(sizes, count, num, &p);
    now = (anchor_size *)xmalloc(num * sizeof *now);
    best = (anchor_size *)xmalloc(num * sizeof *best);
    for (done = 0; status == ANCHORS_OK && done < restarts; ++done) {
        draw_anchors(&p, now, &random);
        iterate(&p, now, best, &best_average);
        if (progress) progress(done + 1, restarts);
    }
    if (status == ANCHORS_OK) {
        memcpy(anchors, best, num * sizeof *anchors);
        qsort(anchors, num, sizeof *anchors, by_area);
    }
    free(now);
    free(best);
    free_problem(&p);
    return status;
}
