#include "eval/suspect_labels.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static double log_of(double p)
{
    return log(p > LOWEST_PROBABILITY ? p : LOWEST_PROBABILITY);
}

/* log t[k] by class; NAN for a class without images. The caller frees it. */
static double *log_thresholds(const predictions *x)
{
    double *t = (double *)xcalloc(x->classes, sizeof *t);
    int *images = (int *)xcalloc(x->classes, sizeof *images), i, k;
    for (i = 0; i < x->count; ++i) {
        t[x->labels[i]] += prediction_of(x, i)[x->labels[i]];
        ++images[x->labels[i]];
    }
    for (k = 0; k < x->classes; ++k) t[k] = images[k] ? log_of(t[k] / images[k]) : NAN;
    free(images);
    return t;
}

static double score_of(const float *p, int classes, int label, const double *log_t)
{
    double best = -INFINITY;
    int k;
    for (k = 0; k < classes; ++k) {
        const double ratio = log_of(p[k]) - log_t[k];
        if (k != label && ratio > best) best = ratio; /* never where it is NAN */
    }
    return best > -INFINITY ? best - (log_of(p[label]) - log_t[label]) : 0;
}

static int by_score(const void *pa, const void *pb)
{
    const suspect *a = (const suspect *)pa, *b = (const suspect *)pb;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->image < b->image ? -1 : 1;
}

void rank_suspects(const predictions *x, suspect *order)
{
    double *log_t = log_thresholds(x);
    int i;
    for (i = 0; i < x->count; ++i) {
        order[i].image = i;
        order[i].score = score_of(prediction_of(x, i), x->classes, x->labels[i], log_t);
    }
    qsort(order, x->count, sizeof *order, by_score);
    free(log_t);
}

int wrong_among(const suspect *order, int count, const int *given, const int *truth)
{
    int i, wrong = 0;
    for (i = 0; i < count; ++i) wrong += given[order[i].image] != truth[order[i].image];
    return wrong;
}
