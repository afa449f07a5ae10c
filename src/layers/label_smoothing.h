/* What a layer with label smoothing carries: its options, its soft labels, and where its epoch stands.
 *
 * Darknet passes layers by value, so all of it sits behind one pointer, layer.label_smoothing, which is NULL in a layer
 * without smoothing. The class heads of one network share one state, that of the first head, which is the owner; every
 * [ols] layer is its own owner.
 */
#ifndef LABEL_SMOOTHING_H
#define LABEL_SMOOTHING_H

#include "ols/ols.h"

#include "darknet.h"
#include "list.h"

struct label_smoothing;

/* Networks that train in parallel, one a GPU, and the owners in them that stand for the same layer. Shared by these. */
typedef struct {
    int n;
    network **networks;             /* n; the trainer's */
    struct label_smoothing **twins; /* n, in the order of the networks */
    int references;                 /* twins that have not been freed */
} replica_group;

typedef struct label_smoothing {
    ols_options options;
    ols_state *state;              /* the owner's; NULL where the method keeps none */
    struct label_smoothing *owner; /* itself, or the first head of the network */
    const char *section;           /* "[ols]", "[yolo]", ...: for messages */
    int index;                     /* of the layer */
    int classes;                   /* K */
    int64_t epoch_images;          /* images in the training list; 0 while no trainer has told */
    char **names;                  /* of the classes, or NULL; not owned */
    replica_group *replicas; /* NULL for a network that trains alone. With it, the trainer updates S, not the layer */

    /* Scratch of an [ols] layer on the CPU, `batch` entries each (ols_softmax_cross_entropy). */
    int *sample_labels, *hits;
    /* Scratch of a class head. */
    float *target;          /* K */
    unsigned char *counted; /* the owner's: batch x objects_per_image: the objects that this forward pass has counted */
    int objects_per_image;
} label_smoothing;

/* Reads the smoothing keys of a section and makes the state, on the GPU where `on_gpu` is set. `first` is an earlier
 * head of the same network, to share the state with, or NULL. An invalid value, or one that differs from that of
 * `first`, ends the program with one line that names section, key, value and range. Never returns NULL;
 * free_label_smoothing frees it. */
label_smoothing *parse_label_smoothing(list *options, const char *section, int index, int classes,
                                       ols_smoothing default_method, label_smoothing *first, int on_gpu);

void free_label_smoothing(label_smoothing *smoothing);

/* The value of a key, "" where the line had none, NULL where there is no such line. Marks it as used. */
char *find_smoothing_option(list *options, const char *key);

/* Whether `key` is one of the smoothing keys, and whether a section (with its brackets) may have them: [ols] and the
 * class heads. Other sections have an alpha= of their own. */
int is_smoothing_key(const char *key);
int may_smooth(const char *section);

/* For read_cfg, which drops a line `key=` with a remark: keeps it where the key is one of ours, so that the section's
 * parser refuses it. Returns 1 where it was kept. */
int keep_smoothing_option(char *key, const char *section, list *options);

/* The end of a forward pass over `batch` training images (owner only). */
void count_images(label_smoothing *smoothing, int batch);

/* layer.update and layer.update_gpu of the owner: updates S when it is due, and prints one line. */
void update_soft_labels(layer l, update_args args);

/* Updates S from A (Eq. 6) and prints the line. For trainers of several replicas. */
void apply_soft_label_update(label_smoothing *smoothing);

/* Back to the first epoch (-clear), for every layer of the network. */
void clear_soft_labels(network *net);

/* The owners in a network, in layer order: the i-th, or NULL past the last. */
label_smoothing *soft_labels_owner(network *net, int i);

/* Whether the memory for one more state of K classes is there. Linux promises memory that it does not have, and ends
 * the process when that is used, so this is asked before. */
int enough_memory_for(int classes);

#endif
