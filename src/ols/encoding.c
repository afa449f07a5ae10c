/* The soft-label block of a checkpoint: its layout is numbered in ols.h. */
#include "ols/ols.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char footer_magic[4] = {'O', 'L', 'S', '\n'};

uint64_t ols_block_bytes(int classes)
{
    uint64_t k = (uint64_t)classes;
    return OLS_BLOCK_HEADER + 2 * k * k * sizeof(float) + 2 * k * sizeof(int64_t) + OLS_BLOCK_FOOTER;
}

static uint32_t checksum(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = (const unsigned char *)bytes;
    while (n) { /* zlib counts in 32 bits */
        uInt part = n > 1u << 30 ? 1u << 30 : (uInt)n;
        crc = (uint32_t)crc32(crc, at, part);
        at += part;
        n -= part;
    }
    return crc;
}

int ols_write_block(const ols_state *state, int (*write)(void *context, const void *bytes, size_t n), void *context)
{
    size_t k = state->classes;
    unsigned char header[OLS_BLOCK_HEADER], footer[OLS_BLOCK_FOOTER];
    uint32_t version = OLS_BLOCK_VERSION, classes = (uint32_t)k, crc = 0;
    int64_t position[4];
    uint64_t length = ols_block_bytes(state->classes);
    struct {
        const void *bytes;
        size_t n;
    } parts[5];
    int i;

    position[0] = state->images;
    position[1] = state->iterations;
    position[2] = state->updates;
    position[3] = state->unlabelled;
    memcpy(header, OLS_BLOCK_MAGIC, 8);
    memcpy(header + 8, &version, 4);
    memcpy(header + 12, &classes, 4);
    memcpy(header + 16, position, 32);

    parts[0].bytes = header, parts[0].n = sizeof header;
    parts[1].bytes = state->soft, parts[1].n = k * k * sizeof(float);
    parts[2].bytes = state->sums, parts[2].n = k * k * sizeof(float);
    parts[3].bytes = state->correct, parts[3].n = k * sizeof(int64_t);
    parts[4].bytes = state->seen, parts[4].n = k * sizeof(int64_t);
    for (i = 0; i < 5; ++i) {
        crc = checksum(crc, parts[i].bytes, parts[i].n);
        if (write(context, parts[i].bytes, parts[i].n)) return -1;
    }
    memcpy(footer, &length, 8);
    crc = checksum(crc, footer, 8);
    memcpy(footer + 8, &crc, 4);
    memcpy(footer + 12, footer_magic, 4);
    return write(context, footer, sizeof footer) ? -1 : 0;
}

uint64_t ols_footer_length(const unsigned char *footer)
{
    uint64_t length;
    if (memcmp(footer + 12, footer_magic, 4)) return 0;
    memcpy(&length, footer, 8);
    return length;
}

int ols_read_header(const unsigned char *header, int *classes, const char **reason)
{
    uint32_t version, k;
    memcpy(&version, header + 8, 4);
    memcpy(&k, header + 12, 4);
    if (memcmp(header, OLS_BLOCK_MAGIC, 8)) {
        *reason = "the soft-label block does not begin where the weights end";
    } else if (version != OLS_BLOCK_VERSION) {
        *reason = "the soft-label block is of a version that this program does not know";
    } else if (k < 2 || k > 1u << 20) {
        *reason = "the soft-label block is damaged (impossible number of classes)";
    } else {
        *classes = (int)k;
        return 0;
    }
    return -1;
}

/* Sums of the rows (0 or 1) into weight; 0 when every row is a distribution or all zero. */
static int check_rows(const float *soft, int classes, float *weight)
{
    int y, k;
    for (y = 0; y < classes; ++y) {
        const float *row = soft + (size_t)y * classes;
        double sum = 0;
        for (k = 0; k < classes; ++k) {
            if (!(row[k] >= 0 && row[k] <= 1.001f)) return -1;
            sum += row[k];
        }
        if (sum != 0 && fabs(sum - 1) > 1e-3) return -1;
        weight[y] = sum != 0;
    }
    return 0;
}

static int check_counts(const ols_state *state)
{
    size_t i, k = state->classes;
    for (i = 0; i < k * k; ++i)
        if (!(state->sums[i] >= 0 && isfinite(state->sums[i]))) return -1;
    for (i = 0; i < k; ++i)
        if (state->correct[i] < 0 || state->seen[i] < state->correct[i]) return -1;
    return state->images < 0 || state->iterations < 0 || state->updates < 0 || state->unlabelled < 0 ? -1 : 0;
}

int ols_read_block(ols_state *state, int (*read)(void *context, void *bytes, size_t n), void *context,
                   const char **reason)
{
    size_t k = state->classes;
    unsigned char header[OLS_BLOCK_HEADER], footer[OLS_BLOCK_FOOTER];
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *fresh = 0;
    uint32_t crc, stated;
    int64_t position[4];
    int classes, status = -1;

    *reason = "the soft-label block is cut off";
    if (read(context, header, sizeof header)) return -1;
    if (ols_read_header(header, &classes, reason)) return -1;
    if (classes != state->classes) {
        *reason = "the soft-label block is of another number of classes";
        return -1;
    }
    fresh = ols_new_state(classes, &options);
    if (!fresh) {
        *reason = "there is not enough memory to read the soft-label block";
        return -1;
    }
    *reason = "the soft-label block is cut off";
    if (read(context, fresh->soft, k * k * sizeof(float)) || read(context, fresh->sums, k * k * sizeof(float)) ||
        read(context, fresh->correct, k * sizeof(int64_t)) || read(context, fresh->seen, k * sizeof(int64_t)) ||
        read(context, footer, sizeof footer))
        goto done;

    crc = checksum(0, header, sizeof header);
    crc = checksum(crc, fresh->soft, k * k * sizeof(float));
    crc = checksum(crc, fresh->sums, k * k * sizeof(float));
    crc = checksum(crc, fresh->correct, k * sizeof(int64_t));
    crc = checksum(crc, fresh->seen, k * sizeof(int64_t));
    crc = checksum(crc, footer, 8);
    memcpy(&stated, footer + 8, 4);
    *reason = "the soft-label block is damaged (checksum)";
    if (ols_footer_length(footer) != ols_block_bytes(classes) || stated != crc) goto done;

    memcpy(position, header + 16, sizeof position);
    fresh->images = position[0];
    fresh->iterations = position[1];
    fresh->updates = position[2];
    fresh->unlabelled = position[3];
    *reason = "the soft-label block holds impossible values";
    if (check_rows(fresh->soft, classes, fresh->weight) || check_counts(fresh)) goto done;

    memcpy(state->soft, fresh->soft, k * k * sizeof(float));
    memcpy(state->sums, fresh->sums, k * k * sizeof(float));
    memcpy(state->weight, fresh->weight, k * sizeof(float));
    memcpy(state->correct, fresh->correct, k * sizeof(int64_t));
    memcpy(state->seen, fresh->seen, k * sizeof(int64_t));
    state->images = fresh->images;
    state->iterations = fresh->iterations;
    state->updates = fresh->updates;
    state->unlabelled = fresh->unlabelled;
    status = 0;
done:
    ols_free_state(fresh);
    return status;
}
