/* Soft-label state: S, A, counts, and how an update turns A into S. CPU reference. */
#include "ols/ols.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARALLEL_FROM = 32768 }; /* elements of a batch below which a second thread costs more than it saves */

static size_t square(int classes)
{
    return (size_t)classes * (size_t)classes;
}

size_t ols_state_bytes(int classes)
{
    return 2 * square(classes) * sizeof(float) + (size_t)classes * (sizeof(float) + 2 * sizeof(int64_t));
}

/* Row y as `kind` says, and its sum (0 or 1). `epsilon` is read by OLS_ROW_LS. */
static float fill_row(float *row, int classes, int y, ols_row kind, float epsilon)
{
    float value = kind == OLS_ROW_UNIFORM ? 1.f / classes : kind == OLS_ROW_LS ? epsilon / classes : 0;
    int k;
    for (k = 0; k < classes; ++k) row[k] = value;
    if (kind == OLS_ROW_LS) row[y] += 1 - epsilon;
    return kind == OLS_ROW_ZERO ? 0.f : 1.f;
}

ols_state *ols_new_state(int classes, const ols_options *options)
{
    ols_state *state = (ols_state *)calloc(1, sizeof *state);
    if (!state) return 0;
    state->classes = classes;
    state->soft = (float *)malloc(square(classes) * sizeof(float));
    state->sums = (float *)calloc(square(classes), sizeof(float));
    state->weight = (float *)malloc(classes * sizeof(float));
    state->correct = (int64_t *)calloc(classes, sizeof(int64_t));
    state->seen = (int64_t *)calloc(classes, sizeof(int64_t));
    if (!state->soft || !state->sums || !state->weight || !state->correct || !state->seen) {
        ols_free_state(state);
        return 0;
    }
    ols_reset_state(state, options);
    return state;
}

void ols_free_state(ols_state *state)
{
    if (!state) return;
#ifdef GPU
    ols_free_gpu(state);
#endif
    free(state->soft);
    free(state->sums);
    free(state->weight);
    free(state->correct);
    free(state->seen);
    free(state);
}

void ols_clear_sums(ols_state *state)
{
    memset(state->sums, 0, square(state->classes) * sizeof(float));
    memset(state->correct, 0, state->classes * sizeof(int64_t));
    memset(state->seen, 0, state->classes * sizeof(int64_t));
    state->images = state->iterations = state->unlabelled = 0;
}

int ols_reset_state(ols_state *state, const ols_options *options)
{
    int y;
    for (y = 0; y < state->classes; ++y)
        state->weight[y] =
            fill_row(state->soft + (size_t)y * state->classes, state->classes, y, options->init, options->epsilon);
    state->updates = 0;
    ols_clear_sums(state);
#ifdef GPU
    if (state->soft_gpu) return ols_push(state);
#endif
    return 0;
}

void ols_add_sums(ols_state *to, const ols_state *from)
{
    size_t i, n = square(to->classes);
    int y;
    for (i = 0; i < n; ++i) to->sums[i] += from->sums[i];
    for (y = 0; y < to->classes; ++y) {
        to->correct[y] += from->correct[y];
        to->seen[y] += from->seen[y];
    }
    to->images += from->images;
    to->unlabelled += from->unlabelled;
    /* Replicas step together: their iterations are the same ones, not more of them. */
    if (from->iterations > to->iterations) to->iterations = from->iterations;
}

void ols_accumulate(ols_state *state, int batch, const float *probs, const int *labels, const int *hits)
{
    /* A part of the classes is one thread's for the whole batch: the order of a sum is that of the batch. */
    int part, b, classes = state->classes, parts = (size_t)batch * classes < PARALLEL_FROM ? 1 : 16;
    for (b = 0; b < batch; ++b) {
        ++*(labels[b] < 0 ? &state->unlabelled : &state->seen[labels[b]]);
        if (hits[b] >= 0) ++state->correct[hits[b]];
    }
#pragma omp parallel for schedule(static) if (parts > 1)
    for (part = 0; part < parts; ++part) {
        int first = (int)((int64_t)classes * part / parts), end = (int)((int64_t)classes * (part + 1) / parts), i, k;
        for (i = 0; i < batch; ++i) {
            float *sums = state->sums + (size_t)(hits[i] < 0 ? 0 : hits[i]) * classes;
            const float *p = probs + (size_t)i * classes;
            if (hits[i] < 0) continue;
#pragma omp simd
            for (k = first; k < end; ++k) sums[k] += p[k];
        }
    }
}

void ols_accumulate_scores(ols_state *state, const float *scores, int stride, int label)
{
    float *sums = state->sums + (size_t)label * state->classes;
    int k, top = 0, finite = 1;
    ++state->seen[label];
    for (k = 0; k < state->classes; ++k) {
        float score = scores[(size_t)k * stride];
        if (score > scores[(size_t)top * stride]) top = k;
        finite = finite && isfinite(score);
    }
    if (top != label || !finite) return;
    ++state->correct[label];
    for (k = 0; k < state->classes; ++k) {
        float score = scores[(size_t)k * stride];
        if (score > 0) sums[k] += score;
    }
}

int ols_due(const ols_state *state, const ols_options *options, int64_t epoch_images)
{
    if (options->period) return state->iterations >= options->period;
    return epoch_images > 0 && state->images >= epoch_images;
}

/* Row y of S from row y of A, and its sum. */
static float update_row(const ols_options *options, int classes, int y, float *soft, const float *sums, float weight)
{
    double total = 0;
    float largest = 0;
    int k;
    for (k = 0; k < classes; ++k) {
        total += sums[k];
        if (soft[k] > largest) largest = soft[k];
    }
    if (options->freeze > 0 && largest >= options->freeze) return weight;
    if (!(total > 0)) {
        return options->empty == OLS_ROW_KEEP ? weight : fill_row(soft, classes, y, options->empty, 0);
    }
    for (k = 0; k < classes; ++k) soft[k] = (float)(sums[k] / total);
    return 1;
}

void ols_update(ols_state *state, const ols_options *chosen, int64_t epoch_images)
{
    ols_options without_freeze = *chosen;
    const ols_options *options = state->updates ? chosen : &without_freeze;
    int64_t images = state->images;
    int y, classes = state->classes;
    without_freeze.freeze = 0;
    for (y = 0; y < classes; ++y) {
        size_t at = (size_t)y * classes;
        state->weight[y] = update_row(options, classes, y, state->soft + at, state->sums + at, state->weight[y]);
    }
    ols_clear_sums(state);
    if (!options->period && epoch_images > 0) state->images = images % epoch_images;
    ++state->updates;
}

void ols_count(const ols_state *state, ols_summary *summary)
{
    int y;
    summary->correct = summary->seen = 0;
    for (y = 0; y < state->classes; ++y) {
        summary->correct += state->correct[y];
        summary->seen += state->seen[y];
    }
    summary->unlabelled = state->unlabelled;
}

void ols_summarize(const ols_state *state, ols_summary *summary)
{
    int y, k, i, j, rows = 0, classes = state->classes;
    summary->diagonal = summary->entropy = 0;
    memset(summary->confusions, 0, sizeof summary->confusions);
    for (y = 0; y < classes; ++y) {
        const float *row = state->soft + (size_t)y * classes;
        if (state->weight[y] == 0) continue;
        ++rows;
        summary->diagonal += row[y];
        for (k = 0; k < classes; ++k) {
            float value = row[k];
            if (value > 0) summary->entropy -= value * log(value);
            if (k == y || value <= summary->confusions[2].value) continue;
            for (i = 2; i > 0 && value > summary->confusions[i - 1].value; --i) {
            }
            for (j = 2; j > i; --j) summary->confusions[j] = summary->confusions[j - 1];
            summary->confusions[i].label = y;
            summary->confusions[i].other = k;
            summary->confusions[i].value = value;
        }
    }
    if (rows) {
        summary->diagonal /= rows;
        summary->entropy /= rows;
    }
}
