/* Writes and reads weights files and the soft-label blocks at their end. */
#include "train/checkpoint.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "layers/device.h"
#include "train/divergence.h"
#include "train/epochs.h"
#include "train/layer_weights.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Darknet saves and loads one file at a time, so the hooks share their state in static variables. */
static atomic_file saving;
static int partial_allowed;
static int ended_before = -1; /* the first layer before which the file being read had already ended; -1: none */

/* ---- Saving ------------------------------------------------------------------------------------------------------ */

FILE *checkpoint_create(const char *filename)
{
    const int error = atomic_open(&saving, filename);
    if (error)
        die("cannot save weights to %s: %s (is the folder of `backup` in the .data file there?)", filename,
            strerror(error));
    return saving.stream;
}

static int write_bytes(void *context, const void *bytes, size_t n)
{
    return fwrite(bytes, 1, n, (FILE *)context) == n ? 0 : -1;
}

static void write_blocks(FILE *file, network *net)
{
    label_smoothing *smoothing;
    int i, copied;
    for (i = 0; (smoothing = soft_labels_owner(net, i)); ++i) {
        ols_state *state;
        if (!smoothing->state) continue;
        state = train_gather(smoothing, &copied);
        if (!state) {
            atomic_discard(&saving);
            die("cannot save weights: not enough memory to gather the soft labels of all GPUs");
        }
        ols_write_block(state, write_bytes, file); /* atomic_finish reports a write error */
        if (copied) ols_free_state(state);
    }
}

void checkpoint_commit(FILE *file, network *net, const char *filename, int cutoff)
{
    int error;
    if (cutoff >= net->n) write_blocks(file, net);
    error = atomic_finish(&saving);
    if (!error) error = publish_checkpoint(net, &saving);
    if (error) die("cannot save weights to %s: %s; the file as it was before is untouched", filename, strerror(error));
}

/* ---- Loading ----------------------------------------------------------------------------------------------------- */

void checkpoint_allow_partial(int allow)
{
    partial_allowed = allow;
}

/* The size of a file in bytes; -1 if it is not a regular file but, for instance, a pipe. */
static long long file_size(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) || !S_ISREG(status.st_mode) ? -1 : (long long)status.st_size;
}

void checkpoint_mark(FILE *file, int layer)
{
    if (ended_before < 0 && !feof(file) && ftello(file) == file_size(file)) ended_before = layer;
}

/* The first layer in [from, cutoff) that reads weights, or -1. */
static int first_missing(network *net, int from, int cutoff)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int i;
    for (i = from; i < net->n && i < cutoff; ++i)
        if (!net->layers[i].dontload && layer_weight_arrays(net->layers + i, arrays)) return i;
    return -1;
}

static int read_bytes(void *context, void *bytes, size_t n)
{
    return fread(bytes, 1, n, (FILE *)context) == n ? 0 : -1;
}

static void seek(FILE *file, long long offset, const char *filename)
{
    if (fseeko(file, offset, SEEK_SET)) die("\ncannot read %s: %s", filename, strerror(errno));
}

/* The offset of the first soft-label block at the end of a file; `size` if there is no block. A block ends with its
 * length, so the blocks are found from the last to the first. */
static long long blocks_begin(FILE *file, long long size, const char *filename)
{
    long long begin = size;
    unsigned char footer[OLS_BLOCK_FOOTER];
    while (begin >= OLS_BLOCK_HEADER + OLS_BLOCK_FOOTER) {
        uint64_t length;
        seek(file, begin - OLS_BLOCK_FOOTER, filename);
        if (read_bytes(file, footer, sizeof footer)) break;
        length = ols_footer_length(footer);
        if (length < OLS_BLOCK_HEADER + OLS_BLOCK_FOOTER || length > (uint64_t)begin) break;
        begin -= (long long)length;
    }
    return begin;
}

/* 1 if the bytes from `at` to the end of the file begin like a block, even like one that is cut off; otherwise 0. */
static int starts_like_block(FILE *file, long long at, long long size, const char *filename)
{
    char magic[8] = {0};
    size_t n = size - at < 8 ? (size_t)(size - at) : 8;
    seek(file, at, filename);
    return n && fread(magic, 1, n, file) == n && !memcmp(magic, OLS_BLOCK_MAGIC, n);
}

/* Reads the blocks from offset `at` on. Messages continue the line "Loading weights from ...", which Darknet ends with
 * "Done!". */
static void load_blocks(FILE *file, network *net, long long at, long long size, const char *filename)
{
    label_smoothing *smoothing;
    int i;
    for (i = 0; (smoothing = soft_labels_owner(net, i)); ++i) {
        unsigned char header[OLS_BLOCK_HEADER];
        const char *reason;
        int classes;
        if (!smoothing->state) continue;
        if (at >= size) {
            fprintf(stderr, "%s holds no soft labels for %s (layer %d): they start from init. ", filename,
                    smoothing->section, smoothing->index);
            continue;
        }
        seek(file, at, filename);
        if (read_bytes(file, header, sizeof header) || ols_read_header(header, &classes, &reason))
            die("\n%s is damaged: its soft-label block cannot be read", filename);
        if (classes != smoothing->classes)
            die("\n%s holds soft labels of %d classes, but %s (layer %d) has %d: it belongs to another cfg", filename,
                classes, smoothing->section, smoothing->index, smoothing->classes);
        if (!enough_memory_for(classes))
            die("\n%s: its soft labels of %d classes take another %.1f GB of memory while they are read, which is more "
                "than is free",
                filename, classes, ols_state_bytes(classes) / 1e9);
        seek(file, at, filename);
        if (ols_read_block(smoothing->state, read_bytes, file, &reason)) die("\n%s: %s", filename, reason);
        if (ols_push(smoothing->state)) die("\n%s: the soft labels could not be copied to the GPU", filename);
        at += (long long)ols_block_bytes(classes);
    }
}

void checkpoint_finish_load(FILE *file, network *net, const char *filename, int start, int cutoff)
{
    long long size = file_size(file), at = ftello(file), begin;
    int ended = ended_before, missing;
    ended_before = -1;
    if (ferror(file)) die("\ncannot read weights from %s: %s", filename, strerror(errno));
    if (size < 0) return; /* a pipe has no size with which to check the rest */

    missing = ended < 0 ? -1 : first_missing(net, ended, cutoff);
    if (feof(file) && missing < 0)
        die("\n%s is cut off: it has %lld bytes, which end in the middle of a layer's weights%s", filename, size,
            size < 16 ? " (not even a header)" : "; or it belongs to another cfg");
    if (missing >= 0 && !partial_allowed)
        die("\n%s is cut off: it has no weights for layer %d and after; or it belongs to another cfg", filename,
            missing);
    if (missing >= 0) {
        fprintf(stderr, "%s ends before layer %d: the layers from there on start from scratch. ", filename, missing);
        return;
    }
    if (start > 0 || cutoff < net->n) return;

    begin = blocks_begin(file, size, filename);
    if (begin < size && begin != at)
        die("\n%s does not fit this cfg: its weights end at byte %lld, the cfg's layers at %lld", filename, begin, at);
    if (begin == size && at < size && starts_like_block(file, at, size, filename))
        die("\n%s is damaged: its soft-label block is cut off or overwritten", filename);
    if (begin == size && at < size)
        fprintf(stderr, "%s has %lld bytes more than this cfg reads: is it the right cfg? ", filename, size - at);
    load_blocks(file, net, begin, size, filename);
}

ols_state *checkpoint_read_soft_labels(const char *filename, int which)
{
    FILE *file = fopen(filename, "rb");
    ols_options options = ols_default_options(OLS_OLS);
    unsigned char header[OLS_BLOCK_HEADER];
    const char *reason;
    ols_state *state;
    long long size, at;
    int classes;
    if (!file) die("cannot open %s: %s", filename, strerror(errno));
    size = file_size(file);
    if (size < 0) die("%s is not a weights file", filename);
    at = blocks_begin(file, size, filename);
    if (at == size) die("%s holds no soft labels: it was not trained with smoothing=ols, or it is cut off", filename);
    for (;; --which) {
        seek(file, at, filename);
        if (read_bytes(file, header, sizeof header)) die("%s holds no soft labels of that number", filename);
        if (ols_read_header(header, &classes, &reason)) die("%s: %s", filename, reason);
        if (ols_block_bytes(classes) > (uint64_t)(size - at))
            die("%s is damaged: its soft labels are said to be of %d classes, which do not fit in the file", filename,
                classes);
        if (which <= 0) break;
        at += (long long)ols_block_bytes(classes);
        if (at >= size) die("%s holds fewer sets of soft labels than that", filename);
    }
    state = ols_new_state(classes, &options);
    if (!state) die("not enough memory for the soft labels of %d classes", classes);
    seek(file, at, filename);
    if (ols_read_block(state, read_bytes, file, &reason)) die("%s: %s", filename, reason);
    fclose(file);
    return state;
}
