/* The [ols] layer. */
#include "layers/ols_layer.h"

#include "base/error.h"
#include "base/memory.h"

#include "blas.h"
#include "cuda.h"
#include "option_list.h"
#include "utils.h"

#include <stdlib.h>
#include <string.h>

/* Keys that parse_network_cfg reads for every layer. */
static const char *const common_keys[] = {"truth",    "onlyforward", "stopbackward",   "dontsave",
                                          "dontload", "numload",     "dontloadscales", "learning_rate",
                                          "smooth",   "temperature", "noloss",         0};

static int is_common_key(const char *key)
{
    int i;
    for (i = 0; common_keys[i]; ++i)
        if (!strcmp(key, common_keys[i])) return 1;
    return 0;
}

/* Whether a key of [softmax] asks for what [ols] is anyway: Darknet's own cfgs have groups=1. */
static int is_flat_softmax(const char *key, const char *value)
{
    double number;
    if (!strcmp(key, "groups")) return !ols_parse_number(value, 1, 1, &number);
    if (!strcmp(key, "spatial")) return !ols_parse_number(value, 0, 0, &number);
    return 0;
}

/* "smoothing, alpha, ..." */
static const char *list_of_keys(char *text, size_t size)
{
    size_t used = 0;
    int i;
    for (i = 0; ols_option_key(i) && used < size; ++i)
        used += (size_t)snprintf(text + used, size - used, "%s, ", ols_option_key(i));
    if (used < size) snprintf(text + used, size - used, "temperature, noloss");
    return text;
}

/* Ends the program for an unknown key. Darknet would only print a message, and a misspelt key would train with the
 * default value. */
static void check_keys(list *options, int index)
{
    node *n;
    char keys[512];
    for (n = options->front; n; n = n->next) {
        kvp *pair = (kvp *)n->val;
        const char *value = pair->val ? pair->val : ""; /* NULL for a line without = */
        if (is_smoothing_key(pair->key) || is_common_key(pair->key)) continue;
        if (is_flat_softmax(pair->key, value)) continue;
        if (!strcmp(pair->key, "tree") || !strcmp(pair->key, "groups") || !strcmp(pair->key, "spatial"))
            die("[ols] (layer %d): %s=%s: label smoothing is defined for one flat softmax; use [softmax] here", index,
                pair->key, value);
        die("[ols] (layer %d): unknown key %s=%s: must be one of %s", index, pair->key, value,
            list_of_keys(keys, sizeof keys));
    }
}

layer parse_ols(list *options, int batch, int inputs, int index)
{
    layer l;
    char *temperature_text = find_smoothing_option(options, "temperature");
    char *noloss_text = find_smoothing_option(options, "noloss");
    double temperature = 1, noloss = 0;
    check_keys(options, index);
    if (temperature_text && ols_parse_number(temperature_text, 1e-6, 1e6, &temperature))
        die("[ols] (layer %d): temperature=%s is not valid: must be a number from 0.000001 to 1000000", index,
            temperature_text);
    if (noloss_text && (ols_parse_number(noloss_text, 0, 1, &noloss) || (noloss != 0 && noloss != 1)))
        die("[ols] (layer %d): noloss=%s is not valid: must be 0 or 1", index, noloss_text);
    l = make_ols_layer(batch, inputs,
                       parse_label_smoothing(options, "[ols]", index, inputs, OLS_OLS, 0, gpu_index >= 0));
    l.temperature = (float)temperature;
    l.noloss = noloss != 0;
    return l;
}

layer make_ols_layer(int batch, int inputs, label_smoothing *smoothing)
{
    layer l;
    memset(&l, 0, sizeof l);
    fprintf(stderr, "ols %-42s %4d\n", ols_smoothing_name(smoothing->options.smoothing), inputs);
    note_open_line(0);
    l.type = OLS;
    l.batch = batch;
    l.groups = 1;
    l.inputs = inputs;
    l.outputs = inputs;
    l.classes = inputs;
    l.temperature = 1;
    l.loss = (float *)xcalloc(batch, sizeof(float));
    l.output = (float *)xcalloc((size_t)inputs * batch, sizeof(float));
    l.delta = (float *)xcalloc((size_t)inputs * batch, sizeof(float));
    l.cost = (float *)xcalloc(1, sizeof(float));
    l.label_smoothing = smoothing;
    smoothing->sample_labels = (int *)xcalloc(batch, sizeof(int));
    smoothing->hits = (int *)xcalloc(batch, sizeof(int));

    l.forward = forward_ols_layer;
    l.backward = backward_ols_layer;
    l.update = update_soft_labels;
#ifdef GPU
    l.forward_gpu = forward_ols_layer_gpu;
    l.backward_gpu = backward_ols_layer_gpu;
    l.update_gpu = update_soft_labels;
    if (gpu_index >= 0) {
        l.output_gpu = cuda_make_array(l.output, (size_t)inputs * batch);
        l.delta_gpu = cuda_make_array(l.delta, (size_t)inputs * batch);
        l.loss_gpu = cuda_make_array(l.loss, batch);
        l.indexes_gpu = cuda_make_int_array(0, 2 * (size_t)batch); /* labels, then hits */
    }
#endif
    return l;
}

void resize_ols_layer(layer *l, int inputs)
{
    if (inputs != l->inputs)
        die("[ols] (layer %d): the network was resized so that %d inputs became %d; put an [avgpool] before it",
            l->label_smoothing->index, l->inputs, inputs);
}

void free_ols_layer(layer l)
{
    if (!l.label_smoothing) return;
    if (l.type == OLS) {
        free(l.loss);
#ifdef GPU
        if (l.loss_gpu) cuda_free(l.loss_gpu);
#endif
    }
    free_label_smoothing(l.label_smoothing);
}

void forward_ols_layer(const layer l, network net)
{
    label_smoothing *smoothing = l.label_smoothing;
    const ols_target_spec spec = current_target_spec(smoothing, 0, net.train);
    if (!net.truth || l.noloss) { /* Darknet's softmax, so that a deployed network gives the same bits */
        softmax_cpu(net.input, l.inputs, l.batch, l.inputs, 1, l.inputs, 1, l.temperature, l.output);
        return;
    }
    ols_softmax_cross_entropy(&spec, l.inputs, l.batch, net.input, l.temperature, net.truth, l.output, l.delta, l.loss,
                              smoothing->sample_labels, smoothing->hits);
    l.cost[0] = sum_array(l.loss, l.batch);
    if (!net.train || !smoothing->state) return;
    ols_accumulate(smoothing->state, l.batch, l.output, smoothing->sample_labels, smoothing->hits);
    count_images(smoothing, l.batch);
}

void backward_ols_layer(const layer l, network net)
{
    axpy_cpu(l.inputs * l.batch, 1, l.delta, 1, net.delta, 1);
}

#ifdef GPU

void forward_ols_layer_gpu(const layer l, network net)
{
    label_smoothing *smoothing = l.label_smoothing;
    const ols_target_spec spec = current_target_spec(smoothing, 1, net.train);
    int *labels = l.indexes_gpu, *hits = l.indexes_gpu + l.batch;
    if (!net.truth || l.noloss) {
        softmax_gpu(net.input_gpu, l.inputs, l.batch, l.inputs, 1, l.inputs, 1, l.temperature, l.output_gpu);
        return;
    }
    check_error((cudaError_t)ols_softmax_cross_entropy_gpu(&spec, l.inputs, l.batch, net.input_gpu, l.temperature,
                                                           net.truth_gpu, l.output_gpu, l.delta_gpu, l.loss_gpu, labels,
                                                           hits));
    if (net.train && smoothing->state) {
        check_error((cudaError_t)ols_accumulate_gpu(smoothing->state, l.batch, l.output_gpu, labels, hits));
        count_images(smoothing, l.batch);
    }
    cuda_pull_array(l.loss_gpu, l.loss, l.batch);
    l.cost[0] = sum_array(l.loss, l.batch);
}

void backward_ols_layer_gpu(const layer l, network net)
{
    axpy_gpu(l.batch * l.inputs, 1, l.delta_gpu, 1, net.delta_gpu, 1);
}

#endif
