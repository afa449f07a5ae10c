#include "train/epochs.h"

#include "base/error.h"
#include "data/lists.h"
#include "layers/device.h"
#include "data/random_stream.h"
#include "utils.h"

#include <stdlib.h>
#include <string.h>

/* The lines of a names file; there must be as many as classes. They stay: every layer points to them. */
static char **read_names(char *file, int classes)
{
    text_lines names;
    if (read_lines("list of names", file, &names)) exit(1);
    if (names.count < classes) die("%s has %d lines, but the network has %d classes", file, names.count, classes);
    return names.text;
}

/* The device on which a network's state lives must be current while it is copied. */
static void pull(network *net, label_smoothing *labels)
{
    use_device_of(net);
    if (pull_state(labels->state)) die("%s: copying the soft labels from the GPU failed", labels->section);
}

static void push(network *net, label_smoothing *labels)
{
    use_device_of(net);
    if (push_state(labels->state)) die("%s: copying the soft labels to the GPU failed", labels->section);
}

/* Every replica has loaded the same checkpoint, whose A and position must count once. */
static void join_replicas(network **nets, int n, int which)
{
    label_smoothing **group = (label_smoothing **)calloc(n, sizeof *group);
    int i;
    if (!group) die("out of memory");
    for (i = 0; i < n; ++i) {
        group[i] = soft_labels_owner(nets[i], which);
        group[i]->replicas = n;
        group[i]->group = group;
        group[i]->owns_group = i == 0;
        group[i]->networks = nets;
        if (i == 0 || !group[i]->state) continue;
        pull(nets[i], group[i]);
        ols_clear_sums(group[i]->state);
        push(nets[i], group[i]);
    }
}

void train_begin(network **nets, int n, int images, int classes, char *names_file)
{
    label_smoothing *labels;
    char **names = 0;
    int i, which;
    if (images < 1) die("the training list is empty");
    for (which = 0; (labels = soft_labels_owner(nets[0], which)); ++which) {
        if (classes && classes != labels->classes)
            die("the .data file says classes=%d, but %s (layer %d) has %d", classes, labels->section, labels->index,
                labels->classes);
        if (names_file && !names) names = read_names(names_file, labels->classes);
        for (i = 0; i < n; ++i) {
            labels = soft_labels_owner(nets[i], which);
            labels->epoch_images = images;
            labels->names = names;
        }
        if (n > 1) join_replicas(nets, n, which);
    }
    fprintf(stderr, "Seed: %u (repeat this run with -seed %u)\n", random_seed(), random_seed());
    random_begin_loads(get_current_batch(nets[0]));
}

ols_state *train_gather(label_smoothing *labels, int *copied)
{
    ols_state *sum;
    int i, n = labels->replicas;
    size_t square = (size_t)labels->classes * labels->classes;
    *copied = 0;
    if (n < 2) {
        if (pull_state(labels->state)) die("%s: copying the soft labels from the GPU failed", labels->section);
        return labels->state;
    }
    sum = enough_memory_for(labels->classes) ? ols_new_state(labels->classes, &labels->options) : 0;
    if (!sum) return 0;
    for (i = 0; i < n; ++i) {
        pull(labels->networks[i], labels->group[i]);
        ols_add_sums(sum, labels->group[i]->state);
    }
    use_device_of(labels->networks[0]);
    memcpy(sum->soft, labels->state->soft, square * sizeof(float));
    memcpy(sum->weight, labels->state->weight, labels->classes * sizeof(float));
    sum->updates = labels->state->updates;
    *copied = 1;
    return sum;
}

/* Position over all replicas, which is known without asking a GPU. */
static int due(const label_smoothing *labels)
{
    ols_state position = *labels->state;
    int i;
    for (i = 1; i < labels->replicas; ++i) position.images += labels->group[i]->state->images;
    return ols_due(&position, &labels->options, labels->epoch_images);
}

void train_merge(network **nets, int n)
{
    label_smoothing *labels;
    int i, which;
    for (which = 0; (labels = soft_labels_owner(nets[0], which)); ++which) {
        ols_state *first = labels->state;
        if (!first || labels->replicas < 2 || !due(labels)) continue;
        for (i = 0; i < n; ++i) {
            pull(nets[i], labels->group[i]);
            if (i > 0) ols_add_sums(first, labels->group[i]->state);
        }
        push(nets[0], labels);
        apply_soft_label_update(labels);
        for (i = 1; i < n; ++i) {
            ols_state *state = labels->group[i]->state;
            size_t square = (size_t)state->classes * state->classes;
            ols_clear_sums(state);
            memcpy(state->soft, first->soft, square * sizeof(float));
            memcpy(state->weight, first->weight, state->classes * sizeof(float));
            state->updates = first->updates;
            push(nets[i], labels->group[i]);
        }
    }
}
