/* Detects a training that diverges, and keeps the checkpoints that can be trusted. */
#include "train/divergence.h"

#include "base/error.h"
#include "layers/class_head.h"
#include "train/layer_weights.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The rule ---------------------------------------------------------------------------------------------------- */

loss_state watch_loss(loss_watch *watch, double loss)
{
    const double times = 10;
    if (!isfinite(loss)) return LOSS_NOT_FINITE;
    if (!watch->limit) watch->limit = times * fmax(fmax(watch->boxes, loss), 1);
    if (loss <= watch->limit) {
        watch->high_count = 0;
        return LOSS_FINE;
    }
    return ++watch->high_count >= DIVERGENCE_ITERATIONS ? LOSS_EXPLODED : LOSS_HIGH;
}

static int all_finite(const float *x, size_t n)
{
    size_t i;
    int wrong = 0;
    for (i = 0; i < n; ++i) wrong |= !(fabsf(x[i]) <= FLT_MAX); /* no early exit, so that the loop is vectorized */
    return !wrong;
}

int first_layer_not_finite(const network *net)
{
    weight_array arrays[MAX_WEIGHT_ARRAYS];
    int i, k;
    for (i = 0; i < net->n; ++i)
        for (k = layer_weight_arrays(net->layers + i, arrays); k-- > 0;)
            if (!all_finite(arrays[k].values, arrays[k].count)) return i;
    return -1;
}

/* ---- Lists of checkpoints ---------------------------------------------------------------------------------------- */

typedef struct {
    char path[PATH_MAX]; /* absolute, see set_path */
    size_t iteration;    /* the iteration of its weights */
    /* Only for an unverified checkpoint, about the file that it replaced: */
    int has_backup;          /* that file still exists, as <path>.before */
    int backup_verified;     /* that file was a verified checkpoint of this training */
    size_t backup_iteration; /* the iteration of that checkpoint */
} saved_file;

/* One iteration saves at most four: .backup, _100.weights, and with -map _last.weights and _best.weights. */
enum { MAX_FILES = 8 };

/* In the order of saving, the oldest first. */
typedef struct {
    saved_file files[MAX_FILES];
    int count;
} saved_list;

static saved_file *find_file(saved_list *list, const char *path)
{
    int i;
    for (i = 0; i < list->count; ++i)
        if (!strcmp(list->files[i].path, path)) return list->files + i;
    return 0;
}

static void remove_file(saved_list *list, saved_file *file)
{
    const saved_file *end = list->files + list->count--;
    memmove(file, file + 1, (size_t)(end - file - 1) * sizeof *file);
}

/* Adds a file. It replaces the entry with the same path, or the oldest entry if the list is full. */
static void add_file(saved_list *list, const saved_file *file)
{
    saved_file *same = find_file(list, file->path);
    if (same)
        remove_file(list, same);
    else if (list->count == MAX_FILES)
        remove_file(list, list->files);
    list->files[list->count++] = *file;
}

/* Stores a path as an absolute one without links, so that a file has only one name: a save replaces what a link points
 * to. Of a file that is not there yet, that is its folder's path and its name. */
static void set_path(saved_file *file, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char folder[PATH_MAX], whole[PATH_MAX];
    if (realpath(path, file->path)) return;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(name - path) : 1, slash ? path : ".");
    if (!realpath(folder, whole) ||
        snprintf(file->path, sizeof file->path, "%s/%s", whole, name) >= (int)sizeof file->path)
        snprintf(file->path, sizeof file->path, "%s", path);
}

/* Writes <path>.before to `backup`. Returns 0, or -1 if that is too long for a path. */
static int backup_path(const char *path, char backup[PATH_MAX])
{
    return snprintf(backup, PATH_MAX, "%s.before", path) < PATH_MAX ? 0 : -1;
}

/* ---- The training of this process -------------------------------------------------------------------------------- */

static struct {
    int is_watched;
    loss_watch watch;
    size_t last_iteration;
    saved_list verified;
    saved_list unverified; /* saved after the last iteration with a good loss */
} training;

static size_t iteration_of(network *net)
{
    return *net->seen / ((size_t)net->batch * net->subdivisions);
}

void divergence_begin(network *net, const char *weights, size_t last_iteration)
{
    int i;
    memset(&training, 0, sizeof training);
    training.is_watched = 1;
    training.last_iteration = last_iteration;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (is_detection_head(l))
            training.watch.boxes += (double)(l->type == DETECTION ? l->side * l->side : l->w * l->h) * l->n;
    }
    if (weights) {
        saved_file file = {{0}, iteration_of(net), 0, 0, 0};
        set_path(&file, weights);
        add_file(&training.verified, &file);
    }
}

void divergence_mark_verified(void)
{
    char backup[PATH_MAX];
    int i;
    for (i = 0; i < training.unverified.count; ++i) {
        const saved_file *file = training.unverified.files + i;
        if (file->has_backup && !backup_path(file->path, backup)) unlink(backup);
        add_file(&training.verified, file);
    }
    training.unverified.count = 0;
}

void divergence_end(size_t iteration)
{
    training.last_iteration = iteration;
    if (!training.watch.high_count) divergence_mark_verified(); /* as if they had been saved in the last iteration */
}

/* Restores the files that unverified checkpoints have replaced. Checkpoints that replaced nothing stay unverified. */
static void roll_back_unverified(void)
{
    char backup[PATH_MAX];
    int i;
    for (i = training.unverified.count - 1; i >= 0; --i) {
        saved_file file = training.unverified.files[i];
        if (!file.has_backup || backup_path(file.path, backup) || rename(backup, file.path)) continue;
        remove_file(&training.unverified, training.unverified.files + i);
        file.iteration = file.backup_iteration;
        if (file.backup_verified) add_file(&training.verified, &file);
    }
}

/* Returns the end of a message, "the last good checkpoint is ...", in static storage. */
static const char *last_good_text(void)
{
    static char text[(MAX_FILES + 2) * PATH_MAX];
    const saved_file *last = 0;
    int length, i;
    for (i = 0; i < training.verified.count; ++i)
        if (!last || training.verified.files[i].iteration >= last->iteration) last = training.verified.files + i;
    length = last ? sprintf(text, "the last good checkpoint is %s (iteration %zu)", last->path, last->iteration)
                  : sprintf(text, "there is no good checkpoint yet");
    for (i = 0; i < training.unverified.count; ++i)
        length += sprintf(text + length, "%s %s", i ? "," : ", do not trust", training.unverified.files[i].path);
    return text;
}

static const char *advice(void)
{
    return training.watch.boxes > 0
               ? "try a lower learning_rate or a longer burn_in, and look at the labels and anchors"
               : "try a lower learning_rate or a longer burn_in, and look at the labels";
}

int divergence_check(size_t iteration, double loss)
{
    switch (watch_loss(&training.watch, loss)) {
    case LOSS_NOT_FINITE:
        roll_back_unverified();
        die("iteration %zu: the loss is %s: the training has diverged; %s; %s", iteration,
            isnan(loss) ? "not a number" : "infinite", last_good_text(), advice());
    case LOSS_EXPLODED:
        roll_back_unverified();
        die("iteration %zu: the loss has exploded: above %g for %d iterations; %s; %s", iteration, training.watch.limit,
            DIVERGENCE_ITERATIONS, last_good_text(), advice());
    case LOSS_HIGH:
        return 0;
    case LOSS_FINE:
        break;
    }
    divergence_mark_verified();
    return 1;
}

static void require_finite_weights(network *net, atomic_file *file)
{
    const int wrong = first_layer_not_finite(net);
    char path[PATH_MAX];
    if (wrong < 0) return;
    snprintf(path, sizeof path, "%s", file->path);
    atomic_discard(file);
    roll_back_unverified();
    die("iteration %zu: the weights of layer %d are not finite: the training has diverged; %s was not written; "
        "%s; %s",
        iteration_of(net), wrong, path, last_good_text(), advice());
}

/* Keeps the file at `path`, which the weights of `iteration` are about to replace, as <path>.before. Returns the entry
 * of the new file. Keeps nothing on a file system without hard links. */
static saved_file back_up(const char *path, size_t iteration)
{
    saved_file file = {{0}, 0, 0, 0, 0}, *replaced;
    char backup[PATH_MAX];
    set_path(&file, path);
    if ((replaced = find_file(&training.unverified, file.path))) {
        file = *replaced; /* saved twice since the last good loss: the file from before both saves is already kept */
    } else {
        if (!backup_path(file.path, backup)) {
            unlink(backup);
            file.has_backup = !link(file.path, backup);
        }
        if ((replaced = find_file(&training.verified, file.path))) {
            file.backup_verified = 1;
            file.backup_iteration = replaced->iteration;
            remove_file(&training.verified, replaced);
        }
    }
    file.iteration = iteration;
    return file;
}

int publish_checkpoint(network *net, atomic_file *file)
{
    const int is_high = training.watch.high_count > 0;
    saved_file saved;
    size_t iteration;
    int error, is_last;
    if (!training.is_watched) return atomic_publish(file); /* such a network may have no batch */
    iteration = iteration_of(net);
    is_last = iteration >= training.last_iteration;
    require_finite_weights(net, file);
    if (atomic_writes_through(file)) return atomic_publish(file); /* a device or a pipe has no version before */
    if (is_last && !is_high) return atomic_publish(file);         /* no later iteration can verify it */
    if (!is_last && is_high) {
        report_note("%s is not written: the loss is above %g", file->path, training.watch.limit);
        atomic_discard(file);
        return 0;
    }
    if (is_high) {
        roll_back_unverified();
        report_note("the loss of the last iteration was above %g: do not trust %s before it is evaluated; %s",
                    training.watch.limit, file->path, last_good_text());
    }
    saved = back_up(file->path, iteration);
    error = atomic_publish(file);
    if (!error) add_file(&training.unverified, &saved);
    return error;
}
