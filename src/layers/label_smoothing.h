/* The label-smoothing data of a layer: its options, its soft labels and its position in the epoch.
 *
 * Darknet passes layers by value, so these data are behind one pointer, layer.label_smoothing. It is NULL in a layer
 * without smoothing. All class heads of a network share the state of the first one, which is its owner; every [ols]
 * layer is its own owner.
 */
#ifndef LABEL_SMOOTHING_H
#define LABEL_SMOOTHING_H

#include "ols/ols.h"

#include "darknet.h"
#include "list.h"

struct label_smoothing;

/* An object of class `label` that an anchor of a head is trained on. `earlier` is the number of the one before it at
 * the same anchor, counted from 1; 0: none. */
typedef struct {
    int label, earlier;
} anchor_object;

/* Networks that train in parallel, one per GPU. `twins` are the label_smoothing of the same layer in each network; all
 * of them point to one group. */
typedef struct {
    int n;
    network **networks;             /* n; owned by the trainer */
    struct label_smoothing **twins; /* n, in the order of the networks */
    int references;                 /* twins that have not been freed */
} replica_group;

typedef struct label_smoothing {
    ols_options options;
    ols_state *state;                /* that of the owner; NULL if the method keeps none */
    struct label_smoothing *owner;   /* itself, or the first head of the network */
    const char *section;             /* "[ols]", "[yolo]", ...: for messages */
    int index;                       /* number of the layer */
    int classes;                     /* K */
    int64_t epoch_images;            /* images in the training list; 0 until a trainer sets it */
    char **names;                    /* names of the classes, or NULL; not owned */
    int64_t last_correct, last_seen; /* in the owner: samples that the last update counted; 0 before the first one */
    replica_group *replicas; /* NULL for a network that trains alone; otherwise the trainer updates S, not the layer */
    /* In the owner, for what depends on the iteration or is drawn; NULL and 0 until a trainer sets them: */
    const network *net;
    uint64_t seed;

    /* Scratch memory of an [ols] layer on the CPU, `batch` entries each (ols_softmax_cross_entropy). */
    int *sample_labels, *hits;
    /* Scratch memory of a class head. */
    float *target, *highest, *scores, *term; /* K each */
    unsigned char *counted; /* in the owner, batch x objects_per_image: 1 for an object counted in this forward pass */
    int objects_per_image;
    /* The objects of this forward pass by the anchor that they train, in a sigmoid head. */
    int *last_object; /* batch x anchors of an image: the number of the last object, counted from 1; 0: none */
    anchor_object *objects;
    int object_count, object_room;
} label_smoothing;

/* Reads the smoothing keys of a section and allocates the state, on the GPU if `on_gpu` is set. `default_method` is for
 * a section without smoothing=. `first` is an earlier head of the same network, whose state is then shared, or NULL.
 * Ends the program with one line if a value is not valid or differs from that of `first`. Never returns NULL; free the
 * result with free_label_smoothing. */
label_smoothing *parse_label_smoothing(list *options, const char *section, int index, int classes,
                                       ols_smoothing default_method, label_smoothing *first, int on_gpu);

void free_label_smoothing(label_smoothing *smoothing);

/* The value of a key in a section; "" if its line has no value, NULL if there is no such line. Marks the line as
 * used. */
char *find_smoothing_option(list *options, const char *key);

/* Whether `key` is one of the smoothing keys; and whether a section, named with its brackets, may have them: [ols] and
 * the class heads. In other sections alpha= has another meaning. */
int is_smoothing_key(const char *key);
int may_smooth(const char *section);

/* Called by read_cfg for a line `key=` without a value, which Darknet drops with only a message. Keeps the line if the
 * key is one of ours, so that the section's parser can refuse it. Returns 1 if it was kept, else 0. */
int keep_smoothing_option(char *key, const char *section, list *options);

/* The target spec for this forward pass; with the state's pointers on the device if `on_device` is set. Its random
 * draws depend on the seed, the images that the network has seen, and the layer. Without `is_training` nothing is
 * drawn, and no samples are paired. */
ols_target_spec current_target_spec(const label_smoothing *smoothing, int on_device, int is_training);

/* Gives the owner what a training's draws depend on: the network, and a seed that differs between replicas. */
void set_draws(label_smoothing *owner, const network *net, uint64_t seed);

/* Ends the program if the method makes no sense for the scores of this section. */
void check_scores(const label_smoothing *smoothing, ols_scores scores);

/* Counts the `batch` images of a training forward pass. Only for the owner. */
void count_images(label_smoothing *smoothing, int batch);

/* The owner's layer.update and layer.update_gpu: updates S when it is due, and then prints one line. */
void update_soft_labels(layer l, update_args args);

/* Updates S from A (Eq. 6) and prints the line. Trainers with several replicas call it directly. */
void apply_soft_label_update(label_smoothing *smoothing);

/* Resets all soft labels of a network to before the first epoch (-clear). */
void clear_soft_labels(network *net);

/* The i-th owner in a network, in layer order; NULL past the last. */
label_smoothing *soft_labels_owner(network *net, int i);

/* Whether there is memory for one more state of K classes. Asked before allocating, because on Linux an allocation can
 * succeed without enough memory, and the process is then killed when it uses it. */
int enough_memory_for(int classes);

#endif
