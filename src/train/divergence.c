#include "train/divergence.h"

#include "base/error.h"
#include "layers/label_smoothing.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADVICE "try a lower learning_rate or a longer burn_in, and look at the labels and anchors"

/* ---- The rule ---------------------------------------------------------------------------------------------------- */

loss_state watch_loss(loss_watch *watch, double loss)
{
    const double times = 10;
    if (!isfinite(loss)) return LOSS_NOT_FINITE;
    if (!watch->limit) watch->limit = times * fmax(fmax(watch->boxes, loss), 1);
    watch->high = loss > watch->limit ? watch->high + 1 : 0;
    return watch->high >= DIVERGENCE_ITERATIONS ? LOSS_EXPLODED : watch->high ? LOSS_HIGH : LOSS_FINE;
}

static int all_finite(const float *x, size_t n)
{
    size_t i;
    int wrong = 0;
    if (!x) return 1;
    for (i = 0; i < n; ++i) wrong |= !(fabsf(x[i]) <= FLT_MAX); /* no early end: this way it is vectorized */
    return !wrong;
}

int first_layer_not_finite(const network *net)
{
    int i;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        size_t weights = 0, biases = 0, rows = 0;
        switch (l->type) {
        case CONVOLUTIONAL:
        case DECONVOLUTIONAL:
            weights = l->nweights, biases = rows = l->n;
            break;
        case CONNECTED:
            weights = (size_t)l->inputs * l->outputs, biases = rows = l->outputs;
            break;
        case LOCAL:
            weights = (size_t)l->size * l->size * l->c * l->n * l->out_w * l->out_h, biases = l->outputs;
            break;
        case BATCHNORM:
            rows = l->c;
            break;
        default:
            continue;
        }
        if (!l->batch_normalize && l->type != BATCHNORM) rows = 0;
        if (!all_finite(l->weights, weights) || !all_finite(l->biases, biases) || !all_finite(l->scales, rows) ||
            !all_finite(l->rolling_mean, rows) || !all_finite(l->rolling_variance, rows))
            return i;
    }
    return -1;
}

/* ---- The training of this process -------------------------------------------------------------------------------- */

typedef struct {
    char path[PATH_MAX];
    size_t iteration;
    int replaces;         /* `new` only: the file before it is kept beside it, */
    int replaced_is_good; /* and is one of this training, */
    size_t replaced;      /* of this iteration */
} saved_file;

/* Some are saved in one iteration (.backup, _100.weights, and with -map _last and _best). */
enum { FILES = 8 };

static struct {
    int begun;
    loss_watch watch;
    saved_file good[FILES], new[FILES]; /* oldest first; `new`: since the last loss */
    int goods, news;
    size_t last; /* iteration */
} training;

static saved_file *find(saved_file *files, int n, const char *path)
{
    int i;
    for (i = 0; i < n; ++i)
        if (!strcmp(files[i].path, path)) return files + i;
    return 0;
}

static void take_out(saved_file *files, int *n, int which)
{
    memmove(files + which, files + which + 1, (size_t)(--*n - which) * sizeof *files);
}

/* In place of one of that name, or of the oldest. */
static void add(saved_file *files, int *n, const saved_file *file)
{
    saved_file *same = find(files, *n, file->path);
    if (same || *n == FILES) take_out(files, n, same ? (int)(same - files) : 0);
    files[(*n)++] = *file;
}

/* One name for one file, however its folder was given. A link stays what it is: a save replaces it, not its target. */
static void set_path(saved_file *file, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char folder[PATH_MAX], whole[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(name - path) : 1, slash ? path : ".");
    if (!realpath(folder, whole) ||
        snprintf(file->path, sizeof file->path, "%s/%s", whole, name) >= (int)sizeof file->path)
        snprintf(file->path, sizeof file->path, "%s", path);
}

/* Where the file that is written over stays until its successor has proved good. */
static void name_before(const char *path, char *before)
{
    before[0] = 0;
    if (strlen(path) + sizeof ".before" <= PATH_MAX) sprintf(before, "%s.before", path);
}

static size_t iteration_of(network *net)
{
    return *net->seen / ((size_t)net->batch * net->subdivisions);
}

void divergence_begin(network *net, const char *weights)
{
    int i;
    memset(&training, 0, sizeof training);
    training.begun = 1;
    training.last = net->max_batches;
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (l->type == YOLO || l->type == REGION || l->type == DETECTION)
            training.watch.boxes += (double)(l->type == DETECTION ? l->side * l->side : l->w * l->h) * l->n;
    }
    if (weights) {
        saved_file file = {{0}, iteration_of(net), 0, 0, 0};
        set_path(&file, weights);
        add(training.good, &training.goods, &file);
    }
}

void divergence_accept(void)
{
    char before[PATH_MAX];
    int i;
    for (i = 0; i < training.news; ++i) {
        name_before(training.new[i].path, before);
        if (training.new[i].replaces) unlink(before);
        add(training.good, &training.goods, training.new + i);
    }
    training.news = 0;
}

/* Puts back what the files of the last iteration replaced; what replaced nothing stays in `new`. */
static void take_back_new(void)
{
    char before[PATH_MAX];
    int i;
    for (i = training.news - 1; i >= 0; --i) {
        saved_file file = training.new[i];
        name_before(file.path, before);
        if (!file.replaces || rename(before, file.path)) continue;
        take_out(training.new, &training.news, i);
        file.iteration = file.replaced;
        if (file.replaced_is_good) add(training.good, &training.goods, &file);
    }
}

/* "the last good checkpoint is ...", after taking back what is not. */
static const char *last_good(void)
{
    static char text[(FILES + 2) * PATH_MAX];
    const saved_file *best = 0;
    int length, i;
    take_back_new();
    for (i = 0; i < training.goods; ++i)
        if (!best || training.good[i].iteration >= best->iteration) best = training.good + i;
    length = best ? sprintf(text, "the last good checkpoint is %s (iteration %zu)", best->path, best->iteration)
                  : sprintf(text, "there is no good checkpoint yet");
    for (i = 0; i < training.news; ++i)
        length += sprintf(text + length, "%s %s", i ? "," : ", do not trust", training.new[i].path);
    return text;
}

int divergence_check(size_t iteration, double loss)
{
    loss_state state = watch_loss(&training.watch, loss);
    if (state == LOSS_NOT_FINITE)
        die("iteration %zu: the loss is %s: the training has diverged; %s; " ADVICE, iteration,
            isnan(loss) ? "not a number" : "infinite", last_good());
    if (state == LOSS_EXPLODED)
        die("iteration %zu: the loss has exploded: above %g for %d iterations; %s; " ADVICE, iteration,
            training.watch.limit, DIVERGENCE_ITERATIONS, last_good());
    if (state == LOSS_HIGH) return 0;
    divergence_accept();
    return 1;
}

int divergence_allows(network *net, const char *filename, const char *temporary)
{
    int wrong;
    if (!training.begun) return 1;
    wrong = first_layer_not_finite(net);
    if (wrong >= 0) {
        unlink(temporary);
        die("iteration %zu: the weights of layer %d are not finite: the training has diverged; %s was not written; "
            "%s; " ADVICE,
            iteration_of(net), wrong, filename, last_good());
    }
    if (!training.watch.high) return 1;
    if (iteration_of(net) < training.last) {
        fprintf(stderr, "%s is not written: the loss is above %g\n", filename, training.watch.limit);
        return 0;
    }
    /* It may be one wild batch, and there will be no other file of these weights. */
    fprintf(stderr, "the loss of the last iteration was above %g: do not trust %s before it is evaluated; %s\n",
            training.watch.limit, filename, last_good());
    return 1;
}

void divergence_replaces(network *net, const char *filename)
{
    saved_file file = {{0}, 0, 0, 0, 0}, *same;
    char before[PATH_MAX];
    if (!training.begun) return;
    file.iteration = iteration_of(net);
    /* Behind the last iteration nothing will tell; what it replaces then is kept only where its loss was high. */
    if (file.iteration >= training.last && !training.watch.high) return;
    set_path(&file, filename);
    name_before(file.path, before);
    if ((same = find(training.new, training.news, file.path))) {
        /* twice since the last loss: what is there has proved nothing */
        const size_t iteration = file.iteration;
        file = *same;
        file.iteration = iteration;
    } else if (before[0]) {
        unlink(before);
        file.replaces = !link(file.path, before); /* a file system without links keeps nothing */
        if ((same = find(training.good, training.goods, file.path))) {
            file.replaced_is_good = 1;
            file.replaced = same->iteration;
            take_out(training.good, &training.goods, (int)(same - training.good));
        }
    }
    add(training.new, &training.news, &file);
}
