/* Writes and reads the soft-label block of a checkpoint. The byte layout is in ols.h. */
#include "ols/ols.h"

#include "ols/state_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

uint64_t ols_block_bytes(int classes)
{
    uint64_t k = (uint64_t)classes;
    return OLS_BLOCK_HEADER + 2 * k * k * sizeof(float) + 2 * k * sizeof(int64_t) + OLS_BLOCK_FOOTER;
}

uint32_t ols_checksum(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *at = (const unsigned char *)bytes;
    while (n) { /* zlib's lengths have 32 bits */
        uInt part = n > 1u << 30 ? 1u << 30 : (uInt)n;
        crc = (uint32_t)crc32(crc, at, part);
        at += part;
        n -= part;
    }
    return crc;
}

int ols_write_block(const ols_state *state, int (*write)(void *context, const void *bytes, size_t n), void *context)
{
    unsigned char header[OLS_BLOCK_HEADER], footer[OLS_BLOCK_FOOTER];
    const uint32_t version = OLS_BLOCK_VERSION, classes = (uint32_t)state->classes;
    const int64_t position[4] = {state->images, state->iterations, state->updates, state->unlabelled};
    const uint64_t length = ols_block_bytes(state->classes);
    uint32_t crc;
    int i;

    memcpy(header, OLS_BLOCK_MAGIC, 8);
    memcpy(header + 8, &version, 4);
    memcpy(header + 12, &classes, 4);
    memcpy(header + 16, position, 32);
    crc = ols_checksum(0, header, sizeof header);
    if (write(context, header, sizeof header)) return -1;
    for (i = 0; i < OLS_PARTS; ++i) {
        const void *array = ols_get_pointer(state, ols_parts[i].host);
        const size_t bytes = ols_part_bytes(ols_parts + i, state->classes);
        if (!ols_parts[i].in_file) continue;
        crc = ols_checksum(crc, array, bytes);
        if (write(context, array, bytes)) return -1;
    }
    memcpy(footer, &length, 8);
    crc = ols_checksum(crc, footer, 8);
    memcpy(footer + 8, &crc, 4);
    memcpy(footer + 12, OLS_BLOCK_END, 4);
    return write(context, footer, sizeof footer) ? -1 : 0;
}

uint64_t ols_footer_length(const unsigned char *footer)
{
    uint64_t length;
    if (memcmp(footer + 12, OLS_BLOCK_END, 4)) return 0;
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

/* Checks that every entry of S is from 0 to 1, with some room for rounding, and sets row_sum. Returns 0, or -1 for any
 * other entry. */
static int check_rows(const float *S, int classes, float *row_sum)
{
    int y, k;
    for (y = 0; y < classes; ++y) {
        const float *row = S + (size_t)y * classes;
        double sum = 0;
        for (k = 0; k < classes; ++k) {
            if (!(row[k] >= 0 && row[k] <= 1.001f)) return -1;
            sum += row[k];
        }
        row_sum[y] = OLS_ROW_SUM(sum);
    }
    return 0;
}

static int check_counts(const ols_state *state)
{
    size_t i, k = state->classes;
    for (i = 0; i < k * k; ++i)
        if (!(state->A[i] >= 0 && isfinite(state->A[i]))) return -1;
    for (i = 0; i < k; ++i)
        if (state->correct[i] < 0 || state->seen[i] < state->correct[i]) return -1;
    return state->images < 0 || state->iterations < 0 || state->updates < 0 || state->unlabelled < 0 ? -1 : 0;
}

/* Reads what follows the header into `state`, which has the K of the header. Returns 0, or -1 with *reason set. */
static int read_body(ols_state *state, const unsigned char *header, int (*read)(void *context, void *bytes, size_t n),
                     void *context, const char **reason)
{
    unsigned char footer[OLS_BLOCK_FOOTER];
    uint32_t crc = ols_checksum(0, header, OLS_BLOCK_HEADER), stated;
    int64_t position[4];
    int i;

    *reason = "the soft-label block is cut off";
    for (i = 0; i < OLS_PARTS; ++i) {
        void *array = ols_get_pointer(state, ols_parts[i].host);
        const size_t bytes = ols_part_bytes(ols_parts + i, state->classes);
        if (!ols_parts[i].in_file) continue;
        if (read(context, array, bytes)) return -1;
        crc = ols_checksum(crc, array, bytes);
    }
    if (read(context, footer, sizeof footer)) return -1;
    crc = ols_checksum(crc, footer, 8);
    memcpy(&stated, footer + 8, 4);
    *reason = "the soft-label block is damaged (checksum)";
    if (ols_footer_length(footer) != ols_block_bytes(state->classes) || stated != crc) return -1;

    memcpy(position, header + 16, sizeof position);
    state->images = position[0];
    state->iterations = position[1];
    state->updates = position[2];
    state->unlabelled = position[3];
    *reason = "the soft-label block holds impossible values";
    return check_rows(state->S, state->classes, state->row_sum) || check_counts(state) ? -1 : 0;
}

int ols_read_block(ols_state *state, int (*read)(void *context, void *bytes, size_t n), void *context,
                   const char **reason)
{
    unsigned char header[OLS_BLOCK_HEADER];
    ols_options options = ols_default_options(OLS_OLS);
    ols_state *fresh;
    int classes, status;

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
    status = read_body(fresh, header, read, context, reason);
    if (!status) ols_copy_state(state, fresh);
    ols_free_state(fresh);
    return status;
}
