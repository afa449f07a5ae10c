/* See classify.h. */
#include "eval/classify.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "data/photo.h"

#include "cuda.h"
#include "network.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LOADERS = 4 };

/* ---- The network ------------------------------------------------------------------------------------------------ */

/* The layer whose output network_predict returns. */
static const layer *output_layer(const network *net)
{
    int i = net->n - 1;
    while (i > 0 && net->layers[i].type == COST) --i;
    return &net->layers[i];
}

int check_classifier(const network *net, const char *cfg, int *classes)
{
    const layer *l = output_layer(net);
    *classes = l->outputs;
    if (l->type != SOFTMAX && l->type != OLS)
        return report_error("%s does not end in [softmax] or [ols]: it is no classifier", cfg);
    if (l->type == SOFTMAX && (l->softmax_tree || l->groups > 1 || l->spatial))
        return report_error("%s: a [softmax] with tree=, groups= or spatial= is not one distribution", cfg);
    if (net->c != 3) return report_error("%s: channels=%d: must be 3", cfg, net->c);
    if (net->w < 2 || net->h < 2) return report_error("%s: %dx%d pixels: must be 2x2 at least", cfg, net->w, net->h);
    return 0;
}

network *load_classifier(const char *cfg_file, const char *weights_file, const char *data, int classes)
{
    network *net = load_network((char *)cfg_file, (char *)weights_file, 0);
    int outputs, status = check_classifier(net, cfg_file, &outputs);
    if (!status && outputs != classes)
        status = report_error("classes=%d in %s, but %d in %s: must be the same", classes, data, outputs, cfg_file);
    if (!status) return net;
    free_network(net);
    return 0;
}

/* The last layer with weights; -1 where there is none. */
static int last_weights(const network *net)
{
    int i = net->n - 1;
    while (i >= 0 && net->layers[i].type != CONNECTED && net->layers[i].type != CONVOLUTIONAL) --i;
    return i;
}

static int features_of(const layer *l)
{
    return l->type == CONNECTED ? l->inputs : l->c;
}

int classifier_features(const network *net, const char *cfg)
{
    const int last = last_weights(net);
    if (last > 0) return features_of(&net->layers[last]);
    report_error("%s has no features: no section comes before its last [connected] or [convolutional]", cfg);
    return 0;
}

/* ---- Loading images --------------------------------------------------------------------------------------------- */

/* The images first .. first + count - 1 of a list, as one input of the network. */
typedef struct {
    char **paths; /* of the whole list */
    int first, count, w, h;
    float *input; /* [count][3][h][w] */
} batch;

typedef struct {
    pthread_t thread;
    int running;
    const batch *of;
    int start; /* loads the images `start`, start + LOADERS, ... of the batch */
    char *bad; /* the path that cannot be used, or NULL */
    const char *error;
} loader;

/* What is wrong with the image, or NULL. */
static const char *load_input(char *path, int w, int h, float *input)
{
    const size_t floats = (size_t)w * h * 3;
    photo p;
    image crop;
    if (!photo_decode(path, &p)) return "not an image that can be decoded";
    if (p.w < 2 || p.h < 2) { /* resize_image reads out of bounds for a side of one pixel */
        photo_close(p);
        return "must be 2x2 pixels at least";
    }
    crop = photo_center_crop(p, w, h);
    photo_close(p);
    memcpy(input, crop.data, floats * sizeof *input);
    free_image(crop);
    return 0;
}

static void *load_share(void *argument)
{
    loader *l = (loader *)argument;
    const batch *b = l->of;
    int i;
    for (i = l->start; i < b->count && !l->error; i += LOADERS) {
        l->bad = b->paths[b->first + i];
        l->error = load_input(l->bad, b->w, b->h, b->input + (size_t)i * b->w * b->h * 3);
    }
    return 0;
}

static int start_loading(loader *loaders, const batch *b)
{
    int i;
    memset(loaders, 0, LOADERS * sizeof *loaders);
    for (i = 0; i < LOADERS && i < b->count; ++i) {
        loaders[i].of = b;
        loaders[i].start = i;
        if (pthread_create(&loaders[i].thread, 0, load_share, &loaders[i]))
            return report_error("cannot start a thread");
        loaders[i].running = 1;
    }
    return 0;
}

/* Returns a loader that had an error, or NULL. */
static const loader *wait_for_loaders(loader *loaders)
{
    const loader *failed = 0;
    int i;
    for (i = 0; i < LOADERS; ++i) {
        if (loaders[i].running) pthread_join(loaders[i].thread, 0);
        loaders[i].running = 0;
        if (loaders[i].error && !failed) failed = &loaders[i];
    }
    return failed;
}

/* ---- Predicting ------------------------------------------------------------------------------------------------- */

static void mirror(const batch *b)
{
    int i;
    for (i = 0; i < b->count; ++i) {
        image im = {b->w, b->h, 3, b->input + (size_t)i * b->w * b->h * 3};
        flip_image(im);
    }
}

/* to += weight * the network's output for each image of the batch. Returns 0 where it is not finite. */
static int add_output(const float *output, const network *net, const batch *b, float weight, float *to)
{
    const size_t n = (size_t)b->count * net->outputs;
    size_t i;
    for (i = 0; i < n; ++i) {
        if (!isfinite(output[i])) return 0;
        to[i] += weight * output[i];
    }
    return 1;
}

/* The features of the batch's images, from the pass that has just been made, to their places among all images'. */
static void take_features(const network *net, const batch *b, float *all)
{
    const int last = last_weights(net);
    const layer *before = &net->layers[last - 1];
    const int count = features_of(&net->layers[last]), places = before->outputs / count;
    float *features = all + (size_t)b->first * count;
    size_t i;
    int k;
#ifdef GPU
    if (net->gpu_index >= 0) cuda_pull_array(before->output_gpu, before->output, (size_t)b->count * before->outputs);
#endif
    for (i = 0; i < (size_t)b->count * count; ++i) {
        double sum = 0;
        for (k = 0; k < places; ++k) sum += before->output[i * places + k];
        features[i] = (float)(sum / places);
    }
}

static int predict(network *net, const batch *b, const classify_options *how, float *to)
{
    memset(to, 0, (size_t)b->count * net->outputs * sizeof *to);
    if (how->attack)
        return add_output(attack_images(net, b->input, how->labels + b->first, b->count, b->first, how->attack), net, b,
                          1, to);
    if (!how->flip) return add_output(network_predict(net, b->input), net, b, 1, to);
    if (!add_output(network_predict(net, b->input), net, b, .5f, to)) return 0;
    mirror(b);
    return add_output(network_predict(net, b->input), net, b, .5f, to);
}

static batch next_batch(const network *net, char **paths, int first, int count, float *input)
{
    batch b = {paths, first, count - first < net->batch ? count - first : net->batch, net->w, net->h, input};
    return b;
}

int classify_images(network *net, char **paths, int count, const classify_options *how, float *probabilities)
{
    const size_t floats = (size_t)net->batch * net->w * net->h * 3;
    float *inputs[2] = {(float *)xcalloc(floats, sizeof(float)), (float *)xcalloc(floats, sizeof(float))};
    batch current, next = next_batch(net, paths, 0, count, inputs[0]);
    loader loaders[LOADERS];
    progress shown;
    int i, turn = 0, status = start_loading(loaders, &next);
    progress_begin(&shown, "images", count, count, 2);
    while (!status && next.count > 0) {
        const loader *failed = wait_for_loaders(loaders);
        if (failed) {
            progress_end(&shown);
            status = report_error("%s: %s", failed->bad, failed->error);
            break;
        }
        current = next;
        turn = !turn;
        next = next_batch(net, paths, current.first + current.count, count, inputs[turn]);
        status = start_loading(loaders, &next);
        if (!status && !predict(net, &current, how, probabilities + (size_t)current.first * net->outputs)) {
            progress_end(&shown);
            status = report_error("the output is not finite: weights that are untrained or have diverged");
        }
        if (!status && how->features) take_features(net, &current, how->features);
        for (i = 0; i < current.count && !status; ++i) progress_step(&shown, 1);
    }
    wait_for_loaders(loaders);
    progress_end(&shown);
    free(inputs[0]);
    free(inputs[1]);
    return status;
}
