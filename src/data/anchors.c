/* k-means over the sizes of boxes; the method is described in anchors.h. */
#include "data/anchors.h"

#include "base/memory.h"
#include "base/splitmix64.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The most iterations of one restart. Medians can lead back to earlier anchors, and the loop would then never end. The
 * number matters little, since the best anchors so far are kept. */
enum { MOST_ITERATIONS = 300 };

double anchor_iou(anchor_size a, anchor_size b)
{
    double both = (a.w < b.w ? a.w : b.w) * (a.h < b.h ? a.h : b.h);
    return both / (a.w * a.h + b.w * b.h - both);
}

/* The index of the anchor with the largest IoU, the first one if several are equal. Sets *iou. */
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
    anchor_size *sizes; /* count, sorted by width */
    height *heights;    /* count, sorted by height, so that finding the medians needs no sorting */
    double *iou;        /* count: IoU of every box with its anchor */
    int *own;           /* count: index of the anchor of every box */
    size_t *boxes;      /* num: number of boxes of every anchor */
    size_t *seen;       /* num: how many of these were visited so far; used by move_to_medians */
} problem;

/* Returns a random number, 0 <= number < 1. */
static double draw(uint64_t *state)
{
    return (double)(splitmix64_next(state) >> 11) / 9007199254740992.;
}

/* Draws the first anchors with k-means++. A box that was drawn has distance 0 and is not drawn again. */
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
            chosen = i; /* where rounding keeps `at` from falling below 0, the last candidate is taken */
            at -= 1 - p->iou[i];
            if (at < 0) break;
        }
    }
}

/* Assigns every box to its best anchor. Returns how many boxes changed their anchor; sets *average to the average
 * IoU. */
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

/* Moves every anchor without boxes to the box that has the smallest IoU with its own anchor. Returns how many anchors
 * moved. */
static int move_idle(problem *p, anchor_size *anchors)
{
    int k, moved = 0;
    for (k = 0; k < p->num; ++k) {
        size_t i, worst = 0;
        if (p->boxes[k]) continue;
        for (i = 1; i < p->count; ++i)
            if (p->iou[i] < p->iou[worst]) worst = i;
        anchors[k] = p->sizes[worst];
        for (i = 0; i < p->count; ++i) { /* so that the next anchor moves to another box */
            double iou = anchor_iou(p->sizes[i], anchors[k]);
            if (iou > p->iou[i]) p->iou[i] = iou;
        }
        ++moved;
    }
    return moved;
}

/* Computes the median of an anchor's boxes: called with their values in ascending order, it uses the one or two values
 * in the middle. */
static void add_to_median(double *median, double value, size_t *seen, size_t boxes)
{
    size_t place = (*seen)++;
    if (place == (boxes - 1) / 2) *median = value;
    if (place == boxes / 2) *median = (*median + value) / 2; /* an odd number: the mean of the value with itself */
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

/* Runs k-means from `anchors`, which it moves. Copies the anchors with the largest average IoU to `best`, if that
 * exceeds *best_average. */
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
