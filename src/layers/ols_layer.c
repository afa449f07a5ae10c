#include "layers/ols_layer.h"

#include "base/error.h"
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

/* A misspelt key would train something else than the user wrote, so it is an error here, not a remark. */
static void check_keys(list *options, int index)
{
    node *n;
    int i;
    for (n = options->front; n; n = n->next) {
        kvp *pair = (kvp *)n->val;
        const char *value = pair->val ? pair->val : ""; /* a line without = has none */
        int known = 0;
        for (i = 0; ols_option_keys[i]; ++i) known |= !strcmp(pair->key, ols_option_keys[i]);
        for (i = 0; common_keys[i]; ++i) known |= !strcmp(pair->key, common_keys[i]);
        if (!known && (!strcmp(pair->key, "tree") || !strcmp(pair->key, "groups") || !strcmp(pair->key, "spatial")))
            die("\n[ols] (layer %d): %s=%s: label smoothing is defined for one flat softmax; use [softmax] here", index,
                pair->key, value);
        if (!known)
            die("\n[ols] (layer %d): unknown key %s=%s: must be one of smoothing, alpha, soft_weight, epsilon, period, "
                "init, empty, freeze, temperature, noloss",
                index, pair->key, value);
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
        die("\n[ols] (layer %d): temperature=%s is not valid: must be a number from 0.000001 to 1000000", index,
            temperature_text);
    if (noloss_text && (ols_parse_number(noloss_text, 0, 1, &noloss) || (noloss != 0 && noloss != 1)))
        die("\n[ols] (layer %d): noloss=%s is not valid: must be 0 or 1", index, noloss_text);
    l = make_ols_layer(batch, inputs, parse_soft_labels(options, "[ols]", index, inputs, OLS_OLS, 0));
    l.temperature = (float)temperature;
    l.noloss = noloss != 0;
    return l;
}

layer make_ols_layer(int batch, int inputs, label_smoothing *labels)
{
    layer l;
    memset(&l, 0, sizeof l);
    fprintf(stderr, "ols %-42s %4d\n", ols_smoothing_name(labels->options.smoothing), inputs);
    l.type = OLS;
    l.batch = batch;
    l.groups = 1;
    l.inputs = inputs;
    l.outputs = inputs;
    l.classes = inputs;
    l.temperature = 1;
    l.loss = (float *)calloc(batch, sizeof(float));
    l.output = (float *)calloc((size_t)inputs * batch, sizeof(float));
    l.delta = (float *)calloc((size_t)inputs * batch, sizeof(float));
    l.cost = (float *)calloc(1, sizeof(float));
    l.label_smoothing = labels;
    labels->labels = (int *)calloc(2 * (size_t)batch, sizeof(int));

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
        l.indexes_gpu = cuda_make_int_array(labels->labels, 2 * (size_t)batch);
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
        free(l.label_smoothing->labels);
#ifdef GPU
        if (l.loss_gpu) cuda_free(l.loss_gpu);
#endif
    }
    free_soft_labels(l.label_smoothing);
}

void forward_ols_layer(const layer l, network net)
{
    label_smoothing *labels = l.label_smoothing;
    ols_mix mix = ols_target_mix(&labels->options, labels->state, l.inputs);
    int *hits = labels->labels + l.batch;
    if (!net.truth || l.noloss) { /* Darknet's own, so that a deployed network predicts the same bits */
        softmax_cpu(net.input, l.inputs, l.batch, l.inputs, 1, l.inputs, 1, l.temperature, l.output);
        return;
    }
    ols_softmax_cross_entropy(&mix, l.inputs, l.batch, net.input, l.temperature, net.truth, l.output, l.delta, l.loss,
                              labels->labels, hits);
    l.cost[0] = sum_array(l.loss, l.batch);
    if (!net.train || !labels->state) return;
    ols_accumulate(labels->state, l.batch, l.output, labels->labels, hits);
    count_images(labels, l.batch);
}

void backward_ols_layer(const layer l, network net)
{
    axpy_cpu(l.inputs * l.batch, 1, l.delta, 1, net.delta, 1);
}

#ifdef GPU

void forward_ols_layer_gpu(const layer l, network net)
{
    label_smoothing *labels = l.label_smoothing;
    ols_mix mix = ols_target_mix_gpu(&labels->options, labels->state, l.inputs);
    int *hits = l.indexes_gpu + l.batch;
    if (!net.truth || l.noloss) {
        softmax_gpu(net.input_gpu, l.inputs, l.batch, l.inputs, 1, l.inputs, 1, l.temperature, l.output_gpu);
        return;
    }
    check_error((cudaError_t)ols_softmax_cross_entropy_gpu(&mix, l.inputs, l.batch, net.input_gpu, l.temperature,
                                                           net.truth_gpu, l.output_gpu, l.delta_gpu, l.loss_gpu,
                                                           l.indexes_gpu, hits));
    if (net.train && labels->state) {
        check_error((cudaError_t)ols_accumulate_gpu(labels->state, l.batch, l.output_gpu, l.indexes_gpu, hits));
        count_images(labels, l.batch);
    }
    cuda_pull_array(l.loss_gpu, l.loss, l.batch);
    l.cost[0] = sum_array(l.loss, l.batch);
}

void backward_ols_layer_gpu(const layer l, network net)
{
    axpy_gpu(l.batch * l.inputs, 1, l.delta_gpu, 1, net.delta_gpu, 1);
}

#endif
