/* What a layer with label smoothing carries: options, soft-label state, and where its epoch stands.
 *
 * Darknet passes layers by value, so all of it sits behind one pointer, layer.label_smoothing. It is NULL in a layer
 * without smoothing. The class heads of one network share one state (the first head owns it); every [ols] layer has its
 * own.
 */
#ifndef SOFT_LABELS_H
#define SOFT_LABELS_H

#include "darknet.h"
#include "list.h"
#include "ols/ols.h"

typedef struct label_smoothing {
    ols_options options;
    ols_state *state;              /* NULL when options.smoothing keeps none */
    struct label_smoothing *owner; /* whose `state` and epoch this is: itself, or the first head */
    const char *section;           /* "[ols]", "[yolo]", ...: for messages */
    int index;                     /* of the layer */
    int classes;
    int64_t epoch_images;           /* images in the training list; 0 while no trainer has told */
    char **names;                   /* of the classes, or NULL; not owned */
    int replicas;                   /* networks trained in parallel: above 1, the trainer updates, not the layer */
    struct label_smoothing **group; /* the owner's twins in those networks, `replicas` of them; owned by the first */
    int owns_group;                 /* 1 in the first; the others must not look into the array, which may be gone */
    network **networks;             /* those networks; the trainer's */
    int *labels;                    /* 2 x batch: an [ols] layer's labels, then its hits (ols.h), on the CPU */
    float *target;                  /* classes: scratch for a head */
    unsigned char *counted;         /* batch x objects: which objects of this forward pass were counted; the owner's */
    int objects;                    /* objects per image in `counted` */
} label_smoothing;

/* Reads the smoothing keys of a section and makes the state. `first` is an earlier head of the same network to share
 * with, or NULL. An invalid value, or one that differs from `first`'s, ends the program with one line that names
 * section, key, value and range. Never returns NULL; free_soft_labels frees it. */
label_smoothing *parse_soft_labels(list *options, const char *section, int index, int classes, ols_smoothing smoothing,
                                   label_smoothing *first);

/* The value of a key, "" where the line had none, NULL where there is no such line. Marks it as used. */
char *find_smoothing_option(list *options, const char *key);

/* For read_cfg, which drops a line `key=` with a remark: keeps it where the key is one of ours, so that the section's
 * parser refuses it. 1: kept. */
int keep_smoothing_option(char *key, const char *section, list *options);

/* The end of a forward pass over `batch` training images (owner only). */
void count_images(label_smoothing *labels, int batch);

/* layer.update and layer.update_gpu of the owner: updates S when it is due and prints one line. */
void update_soft_labels(layer l, update_args args);

/* Updates S from A and prints the line. For trainers of several replicas. */
void apply_soft_label_update(label_smoothing *labels);

/* Back to the first epoch (-clear), for every layer of the network. */
void clear_soft_labels(network *net);

/* The owners in a network, in layer order: the i-th, or NULL past the last. */
label_smoothing *soft_labels_owner(network *net, int i);

void free_soft_labels(label_smoothing *labels);

/* 1 when one more state of K classes fits into memory. Linux promises memory that it does not have and ends the process
 * when it is used, so this is asked before. */
int enough_memory_for(int classes);

#endif
