/* The soft-label state on the CPU: its memory, the accumulation of predictions in A (Eq. 5), and the update of S from A
 * (Eq. 6). */
#include "ols/ols.h"

#include "base/vectorize.h"
#include "ols/state_parts.h"
#include "ols/terms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t ols_state_bytes(int classes)
{
    size_t bytes = 0;
    int i;
    for (i = 0; i < OLS_PARTS; ++i) bytes += ols_part_bytes(ols_parts + i, classes);
    return bytes;
}

/* Fills row y as `kind` says and returns its sum (0 or 1). Only OLS_ROW_LS uses `epsilon`. */
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
    int i;
    if (!state) return 0;
    state->classes = classes;
    state->single = options->smoothing == OLS_SINGLE;
    for (i = 0; i < OLS_PARTS; ++i) {
        void *array = calloc(1, ols_part_bytes(ols_parts + i, classes));
        if (!array) {
            ols_free_state(state);
            return 0;
        }
        ols_set_pointer(state, ols_parts[i].host, array);
    }
    ols_reset_state(state, options);
    return state;
}

void ols_free_state(ols_state *state)
{
    int i;
    if (!state) return;
#ifdef GPU
    ols_free_gpu(state);
#endif
    for (i = 0; i < OLS_PARTS; ++i) free(ols_get_pointer(state, ols_parts[i].host));
    free(state);
}

static void copy_part(ols_state *to, const ols_state *from, const ols_part *part)
{
    memcpy(ols_get_pointer(to, part->host), ols_get_pointer(from, part->host), ols_part_bytes(part, to->classes));
}

void ols_copy_soft_labels(ols_state *to, const ols_state *from)
{
    int i;
    for (i = 0; i < OLS_PARTS; ++i)
        if (!ols_parts[i].statistics) copy_part(to, from, ols_parts + i);
    to->updates = from->updates;
    to->seed = from->seed;
}

void ols_copy_state(ols_state *to, const ols_state *from)
{
    int i;
    for (i = 0; i < OLS_PARTS; ++i) copy_part(to, from, ols_parts + i);
    to->images = from->images;
    to->iterations = from->iterations;
    to->updates = from->updates;
    to->unlabelled = from->unlabelled;
}

void ols_clear_statistics(ols_state *state)
{
    int i;
    for (i = 0; i < OLS_PARTS; ++i)
        if (ols_parts[i].statistics)
            memset(ols_get_pointer(state, ols_parts[i].host), 0, ols_part_bytes(ols_parts + i, state->classes));
    state->images = state->iterations = state->unlabelled = 0;
}

int ols_reset_state(ols_state *state, const ols_options *options)
{
    int y;
    for (y = 0; y < state->classes; ++y)
        state->row_sum[y] =
            fill_row(state->S + (size_t)y * state->classes, state->classes, y, options->init, options->epsilon);
    state->updates = 0;
    ols_clear_statistics(state);
    return ols_push(state);
}

/* Of states that keep one prediction for each class: takes that of `from` where it falls to it. `correct` are still
 * those of each. */
static void choose_predictions(ols_state *to, const ols_state *from)
{
    const size_t row = (size_t)to->classes;
    int y;
    for (y = 0; y < to->classes; ++y) {
        const int64_t all = to->correct[y] + from->correct[y];
        const uint64_t bits = ols_draw_key(to->seed, (uint64_t)to->updates * row + (uint64_t)y, (uint64_t)all);
        if ((int64_t)ols_below(bits, (uint64_t)all) < to->correct[y] || !from->correct[y]) continue;
        memcpy(to->A + y * row, from->A + y * row, row * sizeof(float));
    }
}

void ols_add_statistics(ols_state *to, const ols_state *from)
{
    size_t i, n;
    int part;
    if (to->single) choose_predictions(to, from);
    for (part = 0; part < OLS_PARTS; ++part) {
        const ols_part *p = ols_parts + part;
        if (!p->statistics) continue;
        n = ols_part_elements(p, to->classes);
        if (p->counts) {
            int64_t *sum = (int64_t *)ols_get_pointer(to, p->host);
            const int64_t *more = (const int64_t *)ols_get_pointer(from, p->host);
            for (i = 0; i < n; ++i) sum[i] += more[i];
        } else if (!to->single) {
            float *sum = (float *)ols_get_pointer(to, p->host);
            const float *more = (const float *)ols_get_pointer(from, p->host);
            for (i = 0; i < n; ++i) sum[i] += more[i];
        }
    }
    to->images += from->images;
    to->unlabelled += from->unlabelled;
    /* Replicas run the same iterations in parallel, so these are not added up. */
    if (from->iterations > to->iterations) to->iterations = from->iterations;
}

#ifndef GPU
int ols_pull(ols_state *state)
{
    (void)state;
    return 0;
}

int ols_pull_counts(ols_state *state)
{
    (void)state;
    return 0;
}

int ols_push(ols_state *state)
{
    (void)state;
    return 0;
}
#endif

/* Makes a correct prediction of class y, whose scores are `stride` floats apart, the one that A holds, if it falls to
 * it. Call it after the prediction has been counted. */
static void choose_prediction(ols_state *state, int y, const float *p, int stride)
{
    float *row = state->A + (size_t)y * state->classes;
    int k;
    if (!ols_takes_over(state->seed, state->updates, y, state->correct[y])) return;
    for (k = 0; k < state->classes; ++k) row[k] = p[(size_t)k * stride] > 0 ? p[(size_t)k * stride] : 0;
}

void ols_accumulate(ols_state *state, int batch, const float *probs, const int *labels, const int *hits)
{
    /* The threads divide the classes, not the samples. So every sum is added in batch order, for any number of
     * threads. */
    int part, b, classes = state->classes, parts = (size_t)batch * classes < PARALLEL_FROM ? 1 : PARALLEL_PARTS;
    for (b = 0; b < batch; ++b) {
        ++*(labels[b] < 0 ? &state->unlabelled : &state->seen[labels[b]]);
        if (hits[b] < 0) continue;
        ++state->correct[hits[b]];
        if (state->single) choose_prediction(state, hits[b], probs + (size_t)b * classes, 1);
    }
    if (state->single) return;
#pragma omp parallel for schedule(static) if (parts > 1)
    for (part = 0; part < parts; ++part) {
        int first = (int)((int64_t)classes * part / parts), end = (int)((int64_t)classes * (part + 1) / parts), i, k;
        for (i = 0; i < batch; ++i) {
            const float *p = probs + (size_t)i * classes;
            float *row;
            if (hits[i] < 0) continue;
            row = state->A + (size_t)hits[i] * classes;
#pragma omp simd
            for (k = first; k < end; ++k) row[k] += p[k];
        }
    }
}

void ols_accumulate_scores(ols_state *state, const float *scores, int stride, int label)
{
    float *row = state->A + (size_t)label * state->classes;
    int k, top = 0, finite = 1;
    ++state->seen[label];
    for (k = 0; k < state->classes; ++k) {
        float score = scores[(size_t)k * stride];
        if (score > scores[(size_t)top * stride]) top = k;
        finite = finite && isfinite(score);
    }
    if (top != label || !finite) return;
    ++state->correct[label];
    if (state->single) {
        choose_prediction(state, label, scores, stride);
        return;
    }
    for (k = 0; k < state->classes; ++k) {
        float score = scores[(size_t)k * stride];
        if (score > 0) row[k] += score;
    }
}

int ols_due(const ols_state *state, const ols_options *options, int64_t epoch_images)
{
    if (options->period) return state->iterations >= options->period;
    return epoch_images > 0 && state->images >= epoch_images;
}

/* Raises the entries of a row of A, whose sum is `total`, to 1 / temperature, and gives it its old sum again. */
static void sharpen(float *A, int classes, double total, float temperature)
{
    const float power = 1 / temperature;
    float largest = 0;
    double sum = 0;
    int k;
    for (k = 0; k < classes; ++k)
        if (A[k] > largest) largest = A[k];
    for (k = 0; k < classes; ++k) sum += A[k] = powf(A[k] / largest, power); /* none overflows, one is 1 */
    for (k = 0; k < classes; ++k) A[k] = (float)(A[k] * (total / sum));
}

/* Eq. 6 for one class with so many predictions (`hits`) in A: computes row y of S from row y of A. `S` and `A` point to
 * these rows, and row_sum is the old sum of the row of S. Uses up A. Returns the new sum. */
static float update_row(const ols_options *options, int classes, int y, int64_t hits, float *S, float *A, float row_sum)
{
    const double decay = row_sum > 0 ? options->decay : 0;
    double total = 0, divisor, sum = 0;
    float largest = 0;
    int k;
    for (k = 0; k < classes; ++k) {
        total += A[k];
        if (S[k] > largest) largest = S[k];
    }
    divisor = options->normalise == OLS_BY_HITS ? (double)hits : total;
    if (!(total > 0 && divisor > 0)) {
        return options->empty == OLS_ROW_KEEP ? row_sum : fill_row(S, classes, y, options->empty, 0);
    }
    if (options->freeze > 0 && largest >= options->freeze) return row_sum;
    if (options->soft_temperature != 1) sharpen(A, classes, total, options->soft_temperature);
    for (k = 0; k < classes; ++k) {
        const double share = A[k] / divisor; /* of hits above 1: linear scores of YOLO v1, and what was sharpened */
        S[k] = (float)(decay * S[k] + (1 - decay) * (share < 1 ? share : 1));
        sum += S[k];
    }
    return OLS_ROW_SUM(sum);
}

void ols_update(ols_state *state, const ols_options *chosen, int64_t epoch_images)
{
    ols_options first = *chosen; /* those of the first update: what init= has put into S is no reason to keep it */
    const ols_options *options = state->updates ? chosen : &first;
    int64_t images = state->images;
    int y, classes = state->classes;
    first.freeze = first.decay = 0;
    for (y = 0; y < classes; ++y) {
        size_t at = (size_t)y * classes;
        const int64_t hits = state->single ? state->correct[y] > 0 : state->correct[y];
        state->row_sum[y] = update_row(options, classes, y, hits, state->S + at, state->A + at, state->row_sum[y]);
    }
    ols_clear_statistics(state);
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
        const float *row = state->S + (size_t)y * classes;
        if (state->row_sum[y] == 0) continue;
        ++rows;
        summary->diagonal += row[y];
        for (k = 0; k < classes; ++k) {
            float value = row[k], share = value / state->row_sum[y];
            if (share > 0) summary->entropy -= share * log(share);
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
