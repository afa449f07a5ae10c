#include "divergence.h"

#include "soft_labels.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ADVICE "try a lower learning_rate or a longer burn_in, and look at the labels and anchors"

/* ---- The rule ----------------------------------------------------------------------------------------------------- */

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

/* ---- The training of this process --------------------------------------------------------------------------------- */

typedef struct {
    char path[PATH_MAX];
    size_t iteration;
} saved_file;

/* Two files may be saved in one iteration (.backup and _100.weights), and .backup is soon written over: so many good
 * ones are remembered that one is left. */
enum { GOOD = 4, NEW = 4 };

static struct {
    int begun;
    loss_watch watch;
    saved_file good[GOOD], new[NEW]; /* oldest first; `new`: since the last loss */
    int goods, news;
} training;

static void add(saved_file *files, int *n, int most, const saved_file *file)
{
    int i;
    for (i = 0; i < *n; ++i)
        if (!strcmp(files[i].path, file->path)) break;
    if (i == *n && *n == most) i = 0;
    if (i < *n) memmove(files + i, files + i + 1, (size_t)(--*n - i) * sizeof *files);
    files[(*n)++] = *file;
}

static void forget(saved_file *files, int *n, const char *path)
{
    int i, kept = 0;
    for (i = 0; i < *n; ++i)
        if (strcmp(files[i].path, path)) files[kept++] = files[i];
    *n = kept;
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
    for (i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (l->type == YOLO || l->type == REGION || l->type == DETECTION)
            training.watch.boxes += (double)(l->type == DETECTION ? l->side * l->side : l->w * l->h) * l->n;
    }
    if (weights) {
        saved_file file = {{0}, iteration_of(net)};
        snprintf(file.path, sizeof file.path, "%s", weights);
        add(training.good, &training.goods, GOOD, &file);
    }
}

/* "The last good checkpoint is ..." */
static const char *last_good(char *text, size_t size)
{
    const saved_file *good = training.goods ? training.good + training.goods - 1 : 0;
    int length, i;
    length = good ? snprintf(text, size, "the last good checkpoint is %s (iteration %zu)", good->path, good->iteration)
                  : snprintf(text, size, "there is no good checkpoint yet");
    for (i = 0; i < training.news && length > 0 && (size_t)length < size; ++i)
        length += snprintf(text + length, size - length, "%s %s", i ? "," : ", do not trust", training.new[i].path);
    return text;
}

int divergence_check(size_t iteration, double loss)
{
    static char text[(GOOD + NEW) * PATH_MAX];
    loss_state state = watch_loss(&training.watch, loss);
    int i;
    if (state == LOSS_NOT_FINITE)
        fail("iteration %zu: the loss is %s: the training has diverged; %s; " ADVICE, iteration,
             isnan(loss) ? "not a number" : "infinite", last_good(text, sizeof text));
    if (state == LOSS_EXPLODED)
        fail("iteration %zu: the loss has exploded: above %g for %d iterations; %s; " ADVICE, iteration,
             training.watch.limit, DIVERGENCE_ITERATIONS, last_good(text, sizeof text));
    if (state == LOSS_HIGH) return 0;
    for (i = 0; i < training.news; ++i) add(training.good, &training.goods, GOOD, training.new + i);
    training.news = 0;
    return 1;
}

int divergence_allows(network *net, const char *filename, const char *temporary)
{
    static char text[(GOOD + NEW) * PATH_MAX];
    int wrong;
    if (!training.begun) return 1;
    wrong = first_layer_not_finite(net);
    if (wrong >= 0) {
        unlink(temporary);
        fail("iteration %zu: the weights of layer %d are not finite: the training has diverged; %s was not written; "
             "%s; " ADVICE,
             iteration_of(net), wrong, filename, last_good(text, sizeof text));
    }
    if (!training.watch.high) return 1;
    fprintf(stderr, "%s is not written: the loss is above %g\n", filename, training.watch.limit);
    return 0;
}

void divergence_saved(network *net, const char *filename)
{
    saved_file file = {{0}, iteration_of(net)};
    if (!training.begun) return;
    snprintf(file.path, sizeof file.path, "%s", filename);
    forget(training.good, &training.goods, filename);
    add(training.new, &training.news, NEW, &file);
}
