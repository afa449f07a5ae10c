#include "layers/label_smoothing.h"

#include "base/error.h"
#include "layers/device.h"
#include "option_list.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of memory that can be had without swapping, or 0 when unknown. */
static size_t memory_available(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1) break;
    fclose(file);
    return (size_t)kib << 10;
}

char *find_smoothing_option(list *options, const char *key)
{
    node *n;
    for (n = options->front; n; n = n->next) {
        kvp *pair = (kvp *)n->val;
        if (strcmp(pair->key, key)) continue;
        pair->used = 1;
        return pair->val ? pair->val : (char *)"";
    }
    return 0;
}

int keep_smoothing_option(char *key, const char *section, list *options)
{
    int i, ours = !strcmp(section, "[ols]"); /* which checks every key, a misspelt one too */
    int head = !strcmp(section, "[yolo]") || !strcmp(section, "[region]") || !strcmp(section, "[detection]");
    for (i = 0; head && ols_option_keys[i]; ++i) ours |= !strcmp(key, ols_option_keys[i]);
    if (ours) option_insert(options, key, (char *)"");
    return ours;
}

int enough_memory_for(int classes)
{
    size_t have = memory_available();
    return !have || ols_state_bytes(classes) <= have;
}

static ols_state *new_state(const label_smoothing *labels)
{
    size_t need = ols_state_bytes(labels->classes), have = memory_available();
    ols_state *state = enough_memory_for(labels->classes) ? ols_new_state(labels->classes, &labels->options) : 0;
    if (!state)
        die("\n%s (layer %d): the soft labels of %d classes take %.1f GB of memory, %.1f GB are available; "
            "smoothing=ls needs none",
            labels->section, labels->index, labels->classes, need / 1e9, have / 1e9);
#ifdef GPU
    if (gpu_index >= 0 && !strcmp(labels->section, "[ols]") && ols_state_to_gpu(state))
        die("\n%s (layer %d): the soft labels of %d classes take %.1f GB, more than is free on the GPU",
            labels->section, labels->index, labels->classes, need / 1e9);
#endif
    return state;
}

static int same_options(const ols_options *a, const ols_options *b)
{
    return a->smoothing == b->smoothing && a->alpha == b->alpha && a->soft_weight == b->soft_weight &&
           a->epsilon == b->epsilon && a->period == b->period && a->init == b->init && a->empty == b->empty &&
           a->freeze == b->freeze;
}

/* Heads that share S must agree on everything that S depends on. */
static void check_same(const label_smoothing *labels, const label_smoothing *first)
{
    if (labels->classes != first->classes)
        die("\n%s (layer %d): classes=%d, but %s (layer %d) has classes=%d; heads of one network share their soft "
            "labels, so these must be equal",
            labels->section, labels->index, labels->classes, first->section, first->index, first->classes);
    if (!same_options(&labels->options, &first->options))
        die("\n%s (layer %d): smoothing=%s with its keys differs from %s (layer %d); heads of one network share their "
            "soft labels, so smoothing, alpha, soft_weight, epsilon, period, init, empty and freeze must be equal",
            labels->section, labels->index, ols_smoothing_name(labels->options.smoothing), first->section,
            first->index);
}

label_smoothing *parse_soft_labels(list *options, const char *section, int index, int classes, ols_smoothing smoothing,
                                   label_smoothing *first)
{
    label_smoothing *labels = (label_smoothing *)calloc(1, sizeof *labels);
    ols_options chosen;
    int i;
    if (!labels) die("out of memory");
    chosen = ols_default_options(smoothing);
    for (i = 0; ols_option_keys[i]; ++i) {
        char *value = find_smoothing_option(options, ols_option_keys[i]);
        char range[128];
        if (value && ols_set_option(&chosen, ols_option_keys[i], value, range, sizeof range))
            die("\n%s (layer %d): %s=%s is not valid: must be %s", section, index, ols_option_keys[i], value, range);
    }
    labels->options = chosen;
    labels->section = section;
    labels->index = index;
    labels->classes = classes;
    if (classes < 2) die("\n%s (layer %d): label smoothing needs at least 2 classes, not %d", section, index, classes);
    if (first) {
        check_same(labels, first);
        labels->owner = first;
        labels->state = first->state;
    } else {
        labels->owner = labels;
        labels->replicas = 1;
        if (ols_has_state(&chosen)) labels->state = new_state(labels);
    }
    labels->target = (float *)calloc(classes, sizeof(float));
    if (!labels->target) die("out of memory");
    return labels;
}

void count_images(label_smoothing *labels, int batch)
{
    if (labels->state) labels->state->images += batch;
}

static const char *class_name(const label_smoothing *labels, int k, char *buffer, size_t size)
{
    if (labels->names) return labels->names[k];
    snprintf(buffer, size, "%d", k);
    return buffer;
}

static void print_update(const label_smoothing *labels, const ols_summary *summary)
{
    char a[16], b[16];
    int i;
    printf("%s soft labels, %s %lld: %lld/%lld correct (%.2f %%), mean S[y][y] %.4f, mean entropy %.4f nats",
           labels->section, labels->options.period ? "update" : "epoch", (long long)labels->state->updates,
           (long long)summary->correct, (long long)summary->seen,
           summary->seen ? 100. * summary->correct / summary->seen : 0., summary->diagonal, summary->entropy);
    for (i = 0; i < 3 && summary->confusions[i].value > 0; ++i)
        printf("%s %s -> %s %.4f",
               i ? "," : ", strongest:", class_name(labels, summary->confusions[i].label, a, sizeof a),
               class_name(labels, summary->confusions[i].other, b, sizeof b), summary->confusions[i].value);
    if (summary->unlabelled) printf(" (%lld images had no single label)", (long long)summary->unlabelled);
    printf("\n");
    fflush(stdout);
}

void apply_soft_label_update(label_smoothing *labels)
{
    ols_summary summary;
    if (pull_counts(labels->state)) die("%s: the GPU failed before the soft labels' update", labels->section);
    ols_count(labels->state, &summary);
    if (update_state(labels->state, &labels->options, labels->epoch_images))
        die("%s: the GPU failed in the soft labels' update", labels->section);
    ols_summarize(labels->state, &summary);
    print_update(labels, &summary);
}

void update_soft_labels(layer l, update_args args)
{
    label_smoothing *labels = l.label_smoothing;
    (void)args;
    if (!labels->state) return;
    ++labels->state->iterations;
    if (labels->replicas > 1) return;
    if (!labels->options.period && !labels->epoch_images)
        die("%s (layer %d): period=epoch needs a trainer that tells how many images an epoch has (classifier train, "
            "detector train); set period to a number of iterations",
            labels->section, labels->index);
    if (ols_due(labels->state, &labels->options, labels->epoch_images)) apply_soft_label_update(labels);
}

label_smoothing *soft_labels_owner(network *net, int i)
{
    int j;
    for (j = 0; j < net->n; ++j) {
        label_smoothing *labels = net->layers[j].label_smoothing;
        if (labels && labels->owner == labels && i-- == 0) return labels;
    }
    return 0;
}

void clear_soft_labels(network *net)
{
    label_smoothing *labels;
    int i;
    for (i = 0; (labels = soft_labels_owner(net, i)); ++i)
        if (labels->state && ols_reset_state(labels->state, &labels->options))
            die("%s: copying the soft labels to the GPU failed", labels->section);
}

void free_soft_labels(label_smoothing *labels)
{
    if (!labels) return;
    if (labels->owner == labels) {
        ols_free_state(labels->state);
        if (labels->owns_group) free(labels->group);
        free(labels->counted);
    }
    free(labels->target);
    free(labels);
}
