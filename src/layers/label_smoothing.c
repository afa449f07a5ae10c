/* Reads the smoothing keys of a section, updates the soft labels and reports every update. */
#include "layers/label_smoothing.h"

#include "base/error.h"
#include "base/memory.h"
#include "layers/class_head.h"
#include "layers/device.h"

#include "option_list.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of memory that can be used without swapping; 0 if unknown. */
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

int is_smoothing_key(const char *key)
{
    int i;
    for (i = 0; ols_option_key(i); ++i)
        if (!strcmp(key, ols_option_key(i))) return 1;
    return 0;
}

int may_smooth(const char *section)
{
    static const char *const sections[] = {"[ols]", "[yolo]", "[region]", "[detection]"};
    size_t i;
    for (i = 0; i < sizeof sections / sizeof *sections; ++i)
        if (!strcmp(section, sections[i])) return 1;
    return 0;
}

int keep_smoothing_option(char *key, const char *section, list *options)
{
    /* [ols] checks every key, a misspelt one too */
    const int ours = !strcmp(section, "[ols]") || (may_smooth(section) && (is_smoothing_key(key) || is_head_key(key)));
    if (ours) option_insert(options, key, (char *)"");
    return ours;
}

int enough_memory_for(int classes)
{
    size_t have = memory_available();
    return !have || ols_state_bytes(classes) <= have;
}

static ols_state *new_state(const label_smoothing *smoothing, int on_gpu)
{
    const size_t need = ols_state_bytes(smoothing->classes), have = memory_available();
    ols_state *state =
        enough_memory_for(smoothing->classes) ? ols_new_state(smoothing->classes, &smoothing->options) : 0;
    if (!state)
        die("%s (layer %d): the soft labels of %d classes take %.1f GB of memory, %.1f GB are available; "
            "smoothing=ls needs none",
            smoothing->section, smoothing->index, smoothing->classes, need / 1e9, have / 1e9);
    if (on_gpu && move_to_gpu(state))
        die("%s (layer %d): the soft labels of %d classes take %.1f GB, more than is free on the GPU",
            smoothing->section, smoothing->index, smoothing->classes, need / 1e9);
    return state;
}

/* Ends the program if heads that share S disagree on something that S depends on. */
static void check_same(const label_smoothing *smoothing, const label_smoothing *first)
{
    const char *key = ols_option_difference(&smoothing->options, &first->options);
    if (smoothing->classes != first->classes)
        die("%s (layer %d): classes=%d, but %s (layer %d) has classes=%d; heads of one network share their soft "
            "labels, so these must be equal",
            smoothing->section, smoothing->index, smoothing->classes, first->section, first->index, first->classes);
    if (key)
        die("%s (layer %d): %s= differs from that of %s (layer %d); heads of one network share their soft labels, so "
            "smoothing= and its companions must be equal",
            smoothing->section, smoothing->index, key, first->section, first->index);
}

label_smoothing *parse_label_smoothing(list *options, const char *section, int index, int classes,
                                       ols_smoothing default_method, label_smoothing *first, int on_gpu)
{
    label_smoothing *smoothing = (label_smoothing *)xcalloc(1, sizeof *smoothing);
    const char *key;
    int i;
    smoothing->options = ols_default_options(default_method);
    for (i = 0; (key = ols_option_key(i)); ++i) {
        const char *value = find_smoothing_option(options, key);
        char range[128];
        if (value && ols_set_option(&smoothing->options, key, value, range, sizeof range))
            die("%s (layer %d): %s=%s is not valid: must be %s", section, index, key, value, range);
    }
    smoothing->section = section;
    smoothing->index = index;
    smoothing->classes = classes;
    if (classes < 2) die("%s (layer %d): label smoothing needs at least 2 classes, not %d", section, index, classes);
    if (first) {
        check_same(smoothing, first);
        smoothing->owner = first;
        smoothing->state = first->state;
    } else {
        smoothing->owner = smoothing;
        if (ols_has_state(&smoothing->options)) smoothing->state = new_state(smoothing, on_gpu);
    }
    smoothing->target = (float *)xcalloc(classes, sizeof(float));
    smoothing->highest = (float *)xcalloc(classes, sizeof(float));
    smoothing->scores = (float *)xcalloc(classes, sizeof(float));
    smoothing->term = (float *)xcalloc(classes, sizeof(float));
    return smoothing;
}

void check_scores(const label_smoothing *smoothing, ols_scores scores)
{
    const char *reason = ols_unfit(&smoothing->options, scores);
    if (reason)
        die("%s (layer %d): smoothing=%s is not defined here: %s", smoothing->section, smoothing->index,
            ols_smoothing_name(smoothing->options.smoothing), reason);
}

void set_draws(label_smoothing *owner, const network *net, uint64_t seed)
{
    owner->net = net;
    owner->seed = seed;
}

/* Iterations before the running one. Darknet counts the images of a forward pass before it. */
static int64_t iterations_before(const network *net)
{
    const size_t images = (size_t)net->batch * net->subdivisions;
    return *net->seen ? (int64_t)((*net->seen - 1) / images) : 0;
}

ols_target_spec current_target_spec(const label_smoothing *smoothing, int on_device, int is_training)
{
    const ols_options *options = &smoothing->options;
    const label_smoothing *owner = smoothing->owner;
    ols_target_spec spec =
        (on_device ? ols_make_target_spec_gpu : ols_make_target_spec)(options, smoothing->state, smoothing->classes);
    if (!is_training) spec.disturb = spec.pair_weight = 0;
    if (owner->net && iterations_before(owner->net) < options->pc_start) spec.pair_weight = 0;
    if (owner->net) spec.draws = ols_draw_key(owner->seed, *owner->net->seen, (uint64_t)smoothing->index);
    return spec;
}

void count_images(label_smoothing *smoothing, int batch)
{
    if (smoothing->state) smoothing->state->images += batch;
}

static const char *class_name(const label_smoothing *smoothing, int k, char *buffer, size_t size)
{
    if (smoothing->names) return smoothing->names[k];
    snprintf(buffer, size, "%d", k);
    return buffer;
}

static void print_update(const label_smoothing *smoothing, const ols_summary *summary)
{
    char a[16], b[16];
    int i;
    printf("%s soft labels, %s %lld: %lld/%lld correct (%.2f %%), mean S[y][y] %.4f, mean entropy %.4f nats",
           smoothing->section, smoothing->options.period ? "update" : "epoch", (long long)smoothing->state->updates,
           (long long)summary->correct, (long long)summary->seen,
           summary->seen ? 100. * summary->correct / summary->seen : 0., summary->diagonal, summary->entropy);
    for (i = 0; i < 3 && summary->confusions[i].value > 0; ++i)
        printf("%s %s -> %s %.4f",
               i ? "," : ", strongest:", class_name(smoothing, summary->confusions[i].label, a, sizeof a),
               class_name(smoothing, summary->confusions[i].other, b, sizeof b), summary->confusions[i].value);
    if (summary->unlabelled) printf(" (%lld images had no single label)", (long long)summary->unlabelled);
    if (smoothing->state->updates < smoothing->options.start)
        printf(" (hard labels alone until start=%lld)", (long long)smoothing->options.start);
    printf("\n");
    fflush(stdout);
}

void apply_soft_label_update(label_smoothing *smoothing)
{
    ols_summary summary;
    if (ols_pull_counts(smoothing->state)) die("%s: the GPU failed before the soft labels' update", smoothing->section);
    ols_count(smoothing->state, &summary);
    smoothing->last_correct = summary.correct;
    smoothing->last_seen = summary.seen;
    if (update_state(smoothing->state, &smoothing->options, smoothing->epoch_images))
        die("%s: the GPU failed in the soft labels' update", smoothing->section);
    ols_summarize(smoothing->state, &summary);
    print_update(smoothing, &summary);
}

void update_soft_labels(layer l, update_args args)
{
    label_smoothing *smoothing = l.label_smoothing;
    (void)args;
    if (!smoothing->state) return;
    ++smoothing->state->iterations;
    if (smoothing->replicas) return;
    if (!smoothing->options.period && !smoothing->epoch_images)
        die("%s (layer %d): period=epoch needs a trainer that tells how many images an epoch has (classifier train, "
            "detector train); set period to a number of iterations",
            smoothing->section, smoothing->index);
    if (ols_due(smoothing->state, &smoothing->options, smoothing->epoch_images)) apply_soft_label_update(smoothing);
}

label_smoothing *soft_labels_owner(network *net, int i)
{
    int j;
    for (j = 0; j < net->n; ++j) {
        label_smoothing *smoothing = net->layers[j].label_smoothing;
        if (smoothing && smoothing->owner == smoothing && i-- == 0) return smoothing;
    }
    return 0;
}

void clear_soft_labels(network *net)
{
    label_smoothing *smoothing;
    int i;
    for (i = 0; (smoothing = soft_labels_owner(net, i)); ++i)
        if (smoothing->state && ols_reset_state(smoothing->state, &smoothing->options))
            die("%s: copying the soft labels to the GPU failed", smoothing->section);
}

static void leave_group(replica_group *group)
{
    if (!group || --group->references) return;
    free(group->twins);
    free(group);
}

void free_label_smoothing(label_smoothing *smoothing)
{
    if (!smoothing) return;
    if (smoothing->owner == smoothing) {
        ols_free_state(smoothing->state);
        leave_group(smoothing->replicas);
        free(smoothing->counted);
    }
    free(smoothing->last_object);
    free(smoothing->objects);
    free(smoothing->sample_labels);
    free(smoothing->hits);
    free(smoothing->target);
    free(smoothing->highest);
    free(smoothing->scores);
    free(smoothing->term);
    free(smoothing);
}
