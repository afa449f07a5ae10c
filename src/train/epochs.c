/* Prepares label smoothing for a training, and merges the soft labels of networks that train in parallel. */
#include "train/epochs.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/lists.h"
#include "layers/device.h"
#include "data/random_stream.h"
#include "utils.h"

#include <stdlib.h>
#include <string.h>

/* Reads the names of the classes; the file must have at least as many lines as there are classes. The names stay until
 * the program ends, because every layer points to them. */
static char **read_names(char *file, int classes)
{
    static text_lines names;
    if (read_lines("list of names", file, &names)) exit(1);
    if (names.count < classes) die("%s has %d lines, but the network has %d classes", file, names.count, classes);
    return names.text;
}

/* Copies the soft labels of a network from its GPU, which must be the current device meanwhile. */
static void pull(network *net, label_smoothing *smoothing)
{
    use_device_of(net);
    if (ols_pull(smoothing->state)) die("%s: copying the soft labels from the GPU failed", smoothing->section);
}

static void push(network *net, label_smoothing *smoothing)
{
    use_device_of(net);
    if (ols_push(smoothing->state)) die("%s: copying the soft labels to the GPU failed", smoothing->section);
}

/* Puts the same layer of all networks into one group. All of them have loaded the same checkpoint, but its A and
 * position must count once, so only the first network keeps them. */
static void join_replicas(network **nets, int n, int which)
{
    replica_group *group = (replica_group *)xcalloc(1, sizeof *group);
    int i;
    group->n = group->references = n;
    group->networks = nets;
    group->twins = (label_smoothing **)xcalloc(n, sizeof *group->twins);
    for (i = 0; i < n; ++i) {
        label_smoothing *twin = soft_labels_owner(nets[i], which);
        twin->replicas = group;
        group->twins[i] = twin;
        if (i == 0 || !twin->state) continue;
        pull(nets[i], twin);
        ols_clear_statistics(twin->state);
        push(nets[i], twin);
    }
}

void train_begin(network **nets, int n, int images, int classes, char *names_file)
{
    label_smoothing *smoothing;
    char **names = 0;
    int i, which;
    if (images < 1) die("the training list is empty");
    for (which = 0; (smoothing = soft_labels_owner(nets[0], which)); ++which) {
        if (classes && classes != smoothing->classes)
            die("the .data file says classes=%d, but %s (layer %d) has %d", classes, smoothing->section,
                smoothing->index, smoothing->classes);
        if (names_file && !names) names = read_names(names_file, smoothing->classes);
        for (i = 0; i < n; ++i) {
            smoothing = soft_labels_owner(nets[i], which);
            smoothing->epoch_images = images;
            smoothing->names = names;
            set_draws(smoothing, nets[i], random_seed() + ((uint64_t)i << 32));
            if (smoothing->state) smoothing->state->seed = random_seed();
        }
        if (n > 1) join_replicas(nets, n, which);
    }
    fprintf(stderr, "Seed: %u (repeat this run with -seed %u)\n", random_seed(), random_seed());
    random_begin_loads(get_current_batch(nets[0]));
}

ols_state *train_gather(label_smoothing *smoothing, int *copied)
{
    const replica_group *group = smoothing->replicas;
    ols_state *sum;
    int i;
    *copied = 0;
    if (!group) {
        if (ols_pull(smoothing->state)) die("%s: copying the soft labels from the GPU failed", smoothing->section);
        return smoothing->state;
    }
    sum = enough_memory_for(smoothing->classes) ? ols_new_state(smoothing->classes, &smoothing->options) : 0;
    if (!sum) return 0;
    pull(group->networks[0], smoothing);
    ols_copy_soft_labels(sum, smoothing->state);
    for (i = 0; i < group->n; ++i) {
        pull(group->networks[i], group->twins[i]);
        ols_add_statistics(sum, group->twins[i]->state);
    }
    use_device_of(group->networks[0]);
    *copied = 1;
    return sum;
}

/* Whether an update is due after the images that all replicas have seen together. Their number is in host memory, so
 * this does not wait for a GPU. */
static int due(const label_smoothing *smoothing)
{
    ols_state position = *smoothing->state;
    int i;
    for (i = 1; i < smoothing->replicas->n; ++i) position.images += smoothing->replicas->twins[i]->state->images;
    return ols_due(&position, &smoothing->options, smoothing->epoch_images);
}

void all_reduce_soft_labels(network **nets, int n)
{
    label_smoothing *smoothing;
    int i, which;
    for (which = 0; (smoothing = soft_labels_owner(nets[0], which)); ++which) {
        ols_state *first = smoothing->state;
        label_smoothing **twins;
        if (!first || !smoothing->replicas || !due(smoothing)) continue;
        twins = smoothing->replicas->twins;
        for (i = 0; i < n; ++i) {
            pull(nets[i], twins[i]);
            if (i > 0) ols_add_statistics(first, twins[i]->state);
        }
        push(nets[0], smoothing);
        apply_soft_label_update(smoothing);
        for (i = 1; i < n; ++i) {
            ols_clear_statistics(twins[i]->state);
            ols_copy_soft_labels(twins[i]->state, first);
            push(nets[i], twins[i]);
        }
    }
}

/* Adds the samples that one network has counted since the last update. */
static void add_counts(network *net, label_smoothing *smoothing, int64_t *correct, int64_t *seen)
{
    ols_summary summary;
    use_device_of(net);
    if (ols_pull_counts(smoothing->state)) die("%s: copying the counts from the GPU failed", smoothing->section);
    ols_count(smoothing->state, &summary);
    *correct += summary.correct;
    *seen += summary.seen;
}

double training_accuracy(network *net)
{
    label_smoothing *smoothing = soft_labels_owner(net, 0);
    const replica_group *group = smoothing ? smoothing->replicas : 0;
    int64_t correct = 0, seen = 0;
    int i;
    if (!smoothing || !smoothing->state) return -1;
    if (!group) add_counts(net, smoothing, &correct, &seen);
    for (i = 0; group && i < group->n; ++i) add_counts(group->networks[i], group->twins[i], &correct, &seen);
    use_device_of(net);
    if (!seen) {
        correct = smoothing->last_correct;
        seen = smoothing->last_seen;
    }
    return seen ? (double)correct / seen : -1;
}
