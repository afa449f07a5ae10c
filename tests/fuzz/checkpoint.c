/* A weights file, loaded into a small network with soft labels, and read as `ols show` does. It is refused with one
 * line and status 1, or the soft labels are such that a training can go on from them. By the bits of the first byte,
 * length and checksum of a block at its end are put right (1), or the checksum of a trailer (2), so that what stands
 * before them is reached; the others say what it is loaded for. */
#include "fuzz.h"

#include "layers/label_smoothing.h"
#include "train/checkpoint.h"
#include "train/trailer.h"

#include "darknet.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

enum { K = 2 };

static network *net;

static void make_it(void)
{
    static const char cfg[] = "[net]\nbatch=1\nwidth=2\nheight=2\nchannels=1\n[convolutional]\nfilters=1\nsize=1\n"
                              "batch_normalize=1\nactivation=linear\n[connected]\noutput=2\nactivation=linear\n[ols]\n";
    net = parse_network_cfg((char *)fuzz_file_named("a.cfg", cfg, strlen(cfg)));
}

static void check_state(const ols_state *s)
{
    int i;
    const int k = s->classes;
    for (i = 0; i < k * k; ++i) MUST(s->S[i] >= 0 && s->S[i] < 1.01 && s->A[i] >= 0 && isfinite(s->A[i]));
    for (i = 0; i < k; ++i) MUST(s->correct[i] >= 0 && s->seen[i] >= s->correct[i]);
    MUST(s->images >= 0 && s->iterations >= 0 && s->updates >= 0);
}

static void load(void *path)
{
    load_weights(net, (char *)path);
    check_state(net->layers[net->n - 1].label_smoothing->state);
}

static void show(void *path)
{
    ols_state *state = checkpoint_read_soft_labels((const char *)path, 0);
    check_state(state);
    ols_free_state(state);
}

static void put_trailer_right(uint8_t *file, size_t size)
{
    uint32_t crc;
    if (size < TRAILER_BYTES) return;
    crc = (uint32_t)crc32(0, file, (uInt)(size - 8));
    memcpy(file + size - 8, &crc, 4);
    memcpy(file + size - 4, "OLS\n", 4);
}

static void put_block_right(uint8_t *file, size_t size)
{
    const uint64_t length = ols_block_bytes(K);
    uint8_t *footer = file + size - OLS_BLOCK_FOOTER;
    uint32_t crc;
    if (size < length) return;
    memcpy(footer, &length, 8);
    crc = (uint32_t)crc32(0, file + size - length, (uInt)(length - 8));
    memcpy(footer + 8, &crc, 4);
    memcpy(footer + 12, "OLS\n", 4);
}

void fuzz(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_text(data + (size > 0), size - (size > 0)), *path;
    const int bits = size ? *data : 0;
    if (!net) make_it();
    if (bits & 1) put_block_right((uint8_t *)bytes, size - 1);
    if (bits & 2) put_trailer_right((uint8_t *)bytes, size - 1);
    checkpoint_load_for((checkpoint_purpose)(bits / 4 % 3));
    path = (char *)fuzz_file((uint8_t *)bytes, size - (size > 0));
    fuzz_survives(load, path);
    fuzz_forget();
    fuzz_survives(show, path);
    fuzz_forget();
    free(bytes);
}
