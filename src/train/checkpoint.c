/* Writes and reads weights files and the soft-label blocks at their end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fopencookie */
#endif
#include "train/checkpoint.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "layers/device.h"
#include "train/divergence.h"
#include "train/epochs.h"
#include "train/layer_weights.h"
#include "train/trailer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Darknet saves and loads one file at a time, so the hooks share their state in static variables. */
static struct {
    atomic_file file;
    uint32_t crc; /* of what was written to `file` */
    int error;    /* errno of the first write that failed */
} saving;
static struct {
    int is_known;          /* the members below belong to the file that is being read */
    long long weights_end; /* where Darknet's weights end; -1 for a pipe */
    int ended_before;      /* the first layer before which they had already ended; -1: none */
} loading;
static checkpoint_purpose purpose;
static struct {
    const char *backup, *last;
} resumed; /* files that a training goes on from */

/* ---- Saving ------------------------------------------------------------------------------------------------------ */

/* The file that Darknet writes to: passes all bytes on, and adds them to the checksum. */
static ssize_t pass_on(void *context, const char *bytes, size_t n)
{
    (void)context;
    errno = 0;
    if (fwrite(bytes, 1, n, saving.file.stream) != n) {
        if (!saving.error) saving.error = errno ? errno : EIO;
        return 0;
    }
    saving.crc = ols_checksum(saving.crc, bytes, n);
    return (ssize_t)n;
}

FILE *checkpoint_create(const char *filename)
{
    const cookie_io_functions_t passes = {0, pass_on, 0, 0};
    FILE *file;
    int error;
    memset(&saving, 0, sizeof saving);
    error = atomic_open(&saving.file, filename);
    if (error)
        die("cannot save weights to %s: %s (is the folder of `backup` in the .data file there?)", filename,
            strerror(error));
    file = fopencookie(0, "wb", passes);
    if (!file) {
        atomic_discard(&saving.file);
        die("cannot save weights to %s: %s", filename, strerror(errno));
    }
    return file;
}

void checkpoint_keep_optimiser_in(const char *backup, const char *last)
{
    resumed.backup = backup;
    resumed.last = last;
}

static int keeps_optimiser(const char *filename)
{
    return (resumed.backup && !strcmp(filename, resumed.backup)) || (resumed.last && !strcmp(filename, resumed.last));
}

int checkpoint_revision(const network *net, int cutoff)
{
    return cutoff >= net->n ? TRAILER_MARK : 0;
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
            fclose(file); /* which writes to what is discarded */
            atomic_discard(&saving.file);
            die("cannot save weights: not enough memory to gather the soft labels of all GPUs");
        }
        ols_write_block(state, write_bytes, file); /* checkpoint_commit reports a write error */
        if (copied) ols_free_state(state);
    }
}

void checkpoint_commit(FILE *file, network *net, const char *filename, int cutoff)
{
    int error;
    if (cutoff >= net->n) {
        write_blocks(file, net);
        trailer_write(file, net, keeps_optimiser(filename), &saving.crc);
    }
    fclose(file); /* an error of it is one of pass_on */
    error = saving.error;
    if (error)
        atomic_discard(&saving.file);
    else
        error = atomic_finish(&saving.file);
    if (!error) error = publish_checkpoint(net, &saving.file);
    if (error) die("cannot save weights to %s: %s; the file as it was before is untouched", filename, strerror(error));
}

/* ---- Loading ----------------------------------------------------------------------------------------------------- */

void checkpoint_load_for(checkpoint_purpose what)
{
    purpose = what;
}

/* The size of a file in bytes; -1 if it is not a regular file but, for instance, a pipe. */
static long long file_size(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) || !S_ISREG(status.st_mode) ? -1 : (long long)status.st_size;
}

static int read_bytes(void *context, void *bytes, size_t n)
{
    return fread(bytes, 1, n, (FILE *)context) == n ? 0 : -1;
}

static void seek(FILE *file, long long offset, const char *filename)
{
    if (fseeko(file, offset, SEEK_SET)) die("cannot read %s: %s", filename, strerror(errno));
}

/* The offset of the first of the soft-label blocks that end at `end`; `end` if there is no block. A block ends with its
 * length, so the blocks are found from the last to the first. */
static long long blocks_begin(FILE *file, long long end)
{
    long long begin = end;
    unsigned char footer[OLS_BLOCK_FOOTER];
    while (begin >= OLS_BLOCK_HEADER + OLS_BLOCK_FOOTER) {
        uint64_t length;
        if (fseeko(file, begin - OLS_BLOCK_FOOTER, SEEK_SET) || read_bytes(file, footer, sizeof footer)) break;
        length = ols_footer_length(footer);
        if (length < OLS_BLOCK_HEADER + OLS_BLOCK_FOOTER || length > (uint64_t)begin) break;
        begin -= (long long)length;
    }
    return begin;
}

/* Looks where the weights of a file end. Its position stays; that it has met its end is forgotten (feof). */
static void begin_loading(FILE *file)
{
    const long long at = ftello(file), size = file_size(file);
    loading.is_known = 1;
    loading.ended_before = -1;
    loading.weights_end = -1;
    if (size < 0) return;
    loading.weights_end = blocks_begin(file, trailer_find(file, size).begin);
    fseeko(file, at, SEEK_SET);
}

void checkpoint_mark(FILE *file, int layer)
{
    if (feof(file)) return;
    if (!loading.is_known) begin_loading(file);
    if (loading.weights_end < 0 || loading.ended_before >= 0 || ftello(file) != loading.weights_end) return;
    loading.ended_before = layer;
    fseeko(file, 0, SEEK_END); /* or the layers of a larger network would be filled with what follows the weights */
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
            die("%s is damaged: its soft-label block cannot be read", filename);
        if (classes != smoothing->classes)
            die("%s holds soft labels of %d classes, but %s (layer %d) has %d: it belongs to another cfg", filename,
                classes, smoothing->section, smoothing->index, smoothing->classes);
        if (!enough_memory_for(classes))
            die("%s: its soft labels of %d classes take another %.1f GB of memory while they are read, which is more "
                "than is free",
                filename, classes, ols_state_bytes(classes) / 1e9);
        seek(file, at, filename);
        if (ols_read_block(smoothing->state, read_bytes, file, &reason)) die("%s: %s", filename, reason);
        if (ols_push(smoothing->state)) die("%s: the soft labels could not be copied to the GPU", filename);
        at += (long long)ols_block_bytes(classes);
    }
}

/* Refuses a file that ends before the network is complete, unless it may: then returns 1, else 0. */
static int ends_early(network *net, const char *filename, long long size, int is_at_end, int cutoff)
{
    const int missing = loading.ended_before < 0 ? -1 : first_missing(net, loading.ended_before, cutoff);
    if (is_at_end && missing < 0)
        die("%s is cut off: it has %lld bytes, which end in the middle of a layer's weights%s", filename, size,
            size < 16 ? " (not even a header)" : "; or it belongs to another cfg");
    if (missing >= 0 && purpose == LOAD_TO_USE)
        die("%s is cut off: it has no weights for layer %d and after; or it belongs to another cfg", filename, missing);
    if (missing >= 0)
        fprintf(stderr, "%s ends before layer %d: the layers from there on start from scratch. ", filename, missing);
    return missing >= 0;
}

/* Refuses a file whose weights end elsewhere than those of the network, which were read up to `at`. `blocks` and `end`
 * are where soft-label blocks begin and end, and `size` is that of the file. */
static void check_fit(FILE *file, const char *filename, long long at, long long blocks, long long end, long long size)
{
    if (at > blocks || (at < blocks && blocks < end))
        die("%s does not fit this cfg: its weights end at byte %lld, the cfg's layers at %lld", filename, blocks, at);
    if (at < size && blocks == size && starts_like_block(file, at, size, filename))
        die("%s is damaged: its soft-label block is cut off or overwritten", filename);
    if (at < blocks)
        fprintf(stderr, "%s has %lld bytes more than this cfg reads: is it the right cfg? ", filename, blocks - at);
}

/* A pipe has no end at which to look for the rest, and one that ends too soon may be the first layers of a network. */
static void check_pipe(const char *filename, int is_at_end)
{
    if (purpose != LOAD_TO_USE)
        fprintf(stderr, "%s is no regular file: its soft labels and momentum are not read, nor is it checked. ",
                filename);
    else if (is_at_end)
        die("%s is cut off, or belongs to another cfg: it ends before the last layer does", filename);
}

/* Whether every layer takes all of its weights from the file: then it may take the state of the optimiser, too. */
static int loads_all(const network *net)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        const layer *l = net->layers + i;
        if (l->dontload || l->dontloadscales || l->numload) return 0;
    }
    return 1;
}

void checkpoint_finish_load(FILE *file, network *net, const char *filename, int start, int cutoff)
{
    const long long size = file_size(file), position = ftello(file);
    const int is_at_end = feof(file);
    const char *damage;
    long long at, blocks;
    trailer end;
    if (!loading.is_known) begin_loading(file);
    loading.is_known = 0;
    if (ferror(file)) die("cannot read weights from %s: %s", filename, strerror(errno));
    if (size < 0) {
        check_pipe(filename, is_at_end);
        return;
    }

    end = trailer_find(file, size);
    if ((damage = trailer_check(file, size, &end))) die("%s %s", filename, damage);
    if (ends_early(net, filename, size, is_at_end, cutoff) || start > 0 || cutoff < net->n) return;
    at = loading.ended_before < 0 ? position : loading.weights_end;
    blocks = blocks_begin(file, end.begin);
    check_fit(file, filename, at, blocks, end.begin, size);
    load_blocks(file, net, blocks, end.begin, filename);
    if (purpose == LOAD_TO_RESUME && at == blocks && loads_all(net) && trailer_read_optimiser(file, &end, net))
        die("%s holds the optimiser's state of another network, or of another adam=: numbered weights, which "
            "have none, can be gone on from, and -clear starts over",
            filename);
}

ols_state *checkpoint_read_soft_labels(const char *filename, int which)
{
    FILE *file = fopen(filename, "rb");
    ols_options options = ols_default_options(OLS_OLS);
    unsigned char header[OLS_BLOCK_HEADER];
    const char *reason;
    ols_state *state;
    const char *damage;
    long long size, at;
    trailer end;
    int classes;
    if (!file) die("cannot open %s: %s", filename, strerror(errno));
    size = file_size(file);
    if (size < 0) die("%s is not a weights file", filename);
    end = trailer_find(file, size);
    if ((damage = trailer_check(file, size, &end))) die("%s %s", filename, damage);
    at = blocks_begin(file, end.begin);
    if (at == end.begin)
        die("%s holds no soft labels: it was not trained with smoothing=ols or ols-single, or it is cut off", filename);
    for (;; --which) {
        seek(file, at, filename);
        if (read_bytes(file, header, sizeof header)) die("%s holds no soft labels of that number", filename);
        if (ols_read_header(header, &classes, &reason)) die("%s: %s", filename, reason);
        if (ols_block_bytes(classes) > (uint64_t)(end.begin - at))
            die("%s is damaged: its soft labels are said to be of %d classes, which do not fit in the file", filename,
                classes);
        if (which <= 0) break;
        at += (long long)ols_block_bytes(classes);
        if (at >= end.begin) die("%s holds fewer sets of soft labels than that", filename);
    }
    state = ols_new_state(classes, &options);
    if (!state) die("not enough memory for the soft labels of %d classes", classes);
    seek(file, at, filename);
    if (ols_read_block(state, read_bytes, file, &reason)) die("%s: %s", filename, reason);
    fclose(file);
    return state;
}
