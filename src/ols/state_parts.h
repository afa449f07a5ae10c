/* A table of the arrays in an ols_state. Code that allocates, frees, copies, adds, saves them or moves them to a GPU
 * loops over this table, so a new array needs only a member in ols_state and a row here. Internal to src/ols. */
#ifndef STATE_PARTS_H
#define STATE_PARTS_H

#include "ols/ols.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t host, device; /* offsets of the pointers in ols_state */
    int per_pair;        /* K x K elements; otherwise K */
    int counts;          /* elements are int64_t; otherwise float */
    int statistics;      /* cleared by every update; otherwise part of the soft labels */
    int in_file;         /* saved in the block of a checkpoint, in the order of this table */
} ols_part;

enum { OLS_PARTS = 5 };

static const ols_part ols_parts[OLS_PARTS] = {
    /* host, device, per_pair, counts, statistics, in_file */
    {offsetof(ols_state, S), offsetof(ols_state, S_gpu), 1, 0, 0, 1},
    {offsetof(ols_state, A), offsetof(ols_state, A_gpu), 1, 0, 1, 1},
    {offsetof(ols_state, row_sum), offsetof(ols_state, row_sum_gpu), 0, 0, 0, 0},
    {offsetof(ols_state, correct), offsetof(ols_state, correct_gpu), 0, 1, 1, 1},
    {offsetof(ols_state, seen), offsetof(ols_state, seen_gpu), 0, 1, 1, 1},
};

static inline size_t ols_part_elements(const ols_part *part, int classes)
{
    return part->per_pair ? (size_t)classes * (size_t)classes : (size_t)classes;
}

static inline size_t ols_part_bytes(const ols_part *part, int classes)
{
    return ols_part_elements(part, classes) * (part->counts ? sizeof(int64_t) : sizeof(float));
}

/* The sum of a row of S as row_sum holds it: exactly 1 where only rounding is between. Other sums may differ in the
 * last bits between the CPU and a GPU. A macro, because kernels need it too. */
#define OLS_ROW_SUM(sum) ((sum) > .999 && (sum) < 1.001 ? 1.f : (float)(sum))

/* Reads the pointer at an offset in the state. The pointers have several types, hence memcpy. */
static inline void *ols_get_pointer(const ols_state *state, size_t offset)
{
    void *pointer;
    memcpy(&pointer, (const char *)state + offset, sizeof pointer);
    return pointer;
}

static inline void ols_set_pointer(ols_state *state, size_t offset, void *pointer)
{
    memcpy((char *)state + offset, &pointer, sizeof pointer);
}

#ifdef __cplusplus
}
#endif
#endif
