/* What the trainers tell the layers: the length of an epoch, the class names, and which networks train in parallel; and
 * what the layers tell them. */
#ifndef EPOCHS_H
#define EPOCHS_H

#include "layers/label_smoothing.h"

/* Prepares n networks, which train in parallel, for label smoothing. Called by train_classifier and train_detector
 * before their first batch. `images` is the length of the training list, `classes` that of the .data file (0: unknown),
 * and `names_file` a file of class names (NULL: none). Ends the program with one line if the list is empty or the
 * number of classes differs from that of a layer with label smoothing. Also starts the numbering of batches for
 * random_stream.h, at the batch that the network has reached. */
void train_begin(network **nets, int n, int images, int classes, char *names_file);

/* Merges the soft labels of networks that train in parallel; called after every step. If an update is due, it sums A
 * and the counts over the networks in their order, updates S once, and copies S to all networks. */
void all_reduce_soft_labels(network **nets, int n);

/* Returns the state to save in a checkpoint. With replicas, it is a new state with A and counts summed over them;
 * *copied is then 1, and the caller frees it with ols_free_state. Otherwise it is the state of `smoothing`, and *copied
 * is 0. Returns NULL when memory runs out. */
ols_state *train_gather(label_smoothing *smoothing, int *copied);

/* The share of the training samples that a network has predicted correctly since the last update of its first soft
 * labels, 0 to 1, as they were augmented and with the weights of their iteration; right after an update, of the samples
 * before it. Sums over replicas. -1 if nothing was counted: without soft labels, or before the first sample. */
double training_accuracy(network *net);

#endif
