/* The soft-label block of a checkpoint (ols/encoding.c). With an odd first byte its length and checksum are put right,
 * so that what stands before them is reached. What is read are soft labels: entries from 0 to 1, finite sums, counts
 * that can be; they are written, and read as the same. After an error the state is that of before. */
#include "fuzz.h"

#include "ols/ols.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

enum { K = 3 };

typedef struct {
    uint8_t *bytes;
    size_t size, at;
} stream;

static int take(void *context, void *bytes, size_t n)
{
    stream *s = (stream *)context;
    if (n > s->size - s->at) return -1;
    memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return 0;
}

static int put(void *context, const void *bytes, size_t n)
{
    stream *s = (stream *)context;
    s->bytes = (uint8_t *)realloc(s->bytes, s->size + n);
    memcpy(s->bytes + s->size, bytes, n);
    s->size += n;
    return 0;
}

static void put_right(uint8_t *block)
{
    const uint64_t length = ols_block_bytes(K);
    uint8_t *footer = block + length - OLS_BLOCK_FOOTER;
    uint32_t crc;
    memcpy(footer, &length, 8);
    crc = (uint32_t)crc32(0, block, (uInt)(length - 8));
    memcpy(footer + 8, &crc, 4);
    memcpy(footer + 12, "OLS\n", 4);
}

static int same(const ols_state *a, const ols_state *b)
{
    return !memcmp(a->S, b->S, K * K * sizeof *a->S) && !memcmp(a->A, b->A, K * K * sizeof *a->A) &&
           !memcmp(a->correct, b->correct, K * sizeof *a->correct) && !memcmp(a->seen, b->seen, K * sizeof *a->seen) &&
           a->images == b->images && a->iterations == b->iterations && a->updates == b->updates &&
           a->unlabelled == b->unlabelled;
}

static void check_state(const ols_state *s)
{
    int i;
    for (i = 0; i < K * K; ++i) MUST(s->S[i] >= 0 && s->S[i] < 1.01 && s->A[i] >= 0 && isfinite(s->A[i]));
    for (i = 0; i < K; ++i) MUST(s->correct[i] >= 0 && s->seen[i] >= s->correct[i] && isfinite(s->row_sum[i]));
    MUST(s->images >= 0 && s->iterations >= 0 && s->updates >= 0 && s->unlabelled >= 0);
}

void fuzz(const uint8_t *data, size_t size)
{
    const ols_options options = ols_default_options(OLS_OLS);
    ols_state *state = ols_new_state(K, &options), *before = ols_new_state(K, &options);
    stream in = {(uint8_t *)fuzz_text(data + (size > 0), size - (size > 0)), size - (size > 0), 0}, out = {0};
    const char *reason = 0;
    if (size && *data % 2 && in.size >= ols_block_bytes(K)) put_right(in.bytes);
    if (ols_read_block(state, take, &in, &reason)) {
        MUST(reason && same(state, before));
    } else {
        check_state(state);
        MUST(!ols_write_block(state, put, &out) && out.size == ols_block_bytes(K));
        MUST(!ols_read_block(before, take, &out, &reason) && same(state, before));
    }
    free(in.bytes);
    free(out.bytes);
    ols_free_state(before);
    ols_free_state(state);
}
