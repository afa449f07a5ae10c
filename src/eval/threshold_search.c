#include "eval/threshold_search.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    double score;
    int is_true;
} scored;

static int by_falling_score(const void *pa, const void *pb)
{
    const scored *a = (const scored *)pa, *b = (const scored *)pb;
    return a->score > b->score ? -1 : a->score < b->score;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

size_t operating_points(const ap_detection *detections, const ap_match *matches, size_t detection_count, int class_id,
                        size_t objects, operating_point *points)
{
    scored *sorted = (scored *)xcalloc(detection_count, sizeof *sorted);
    size_t n = 0, count = 0, tp = 0, i;
    for (i = 0; i < detection_count; ++i) {
        if (matches[i].verdict == AP_IGNORED) continue;
        if (class_id != ALL_CLASSES && detections[i].class_id != class_id) continue;
        sorted[n].score = detections[i].score;
        sorted[n++].is_true = matches[i].verdict == AP_TRUE;
    }
    qsort(sorted, n, sizeof *sorted, by_falling_score);
    for (i = 0; i < n; ++i) {
        operating_point *p = &points[count];
        tp += sorted[i].is_true;
        if (i + 1 < n && sorted[i + 1].score == sorted[i].score) continue;
        p->score = sorted[i].score;
        p->tp = tp;
        p->kept = i + 1;
        p->precision = ratio(tp, i + 1);
        p->recall = ratio(tp, objects);
        p->f1 = ratio(2. * tp, (double)(i + 1 + objects));
        ++count;
    }
    free(sorted);
    return count;
}

double threshold_between(double low, double high)
{
    const double middle = low + (high - low) / 2;
    const int same_float = (float)low == (float)high;
    int digits, below;
    for (digits = 1; digits <= 17; ++digits) {
        const double scale = pow(10, digits), nearest = floor(middle * scale + .5);
        for (below = 0; below <= 1; ++below) { /* the nearest one may be `high` itself */
            const double t = (nearest - below) / scale;
            if (t >= low && t < high && (same_float || (float)t < high)) return t;
        }
    }
    return low;
}

double lowest_threshold_of(const operating_point *points, size_t count, size_t i, double lowest)
{
    const double score = points[i].score, next = i + 1 < count ? points[i + 1].score : lowest;
    if (next < score) return next;
    return score > 0 ? score / 2 : score - 1; /* scores of other programs may be any numbers */
}

best_threshold find_best_threshold(const operating_point *points, size_t count, size_t objects, double lowest)
{
    best_threshold result;
    size_t best = 0, i;
    memset(&result, 0, sizeof result);
    if (!count || !points[count - 1].tp) return result;
    for (i = 1; i < count; ++i) {
        const operating_point *a = &points[i], *b = &points[best];
        if (a->tp * (b->kept + objects) > b->tp * (a->kept + objects)) best = i;
    }
    result.threshold = threshold_between(lowest_threshold_of(points, count, best, lowest), points[best].score);
    result.precision = points[best].precision;
    result.recall = points[best].recall;
    result.f1 = points[best].f1;
    return result;
}
