/* What the trainers tell the layers: how long an epoch is, what the classes are called, and which networks train in
 * parallel. */
#ifndef EPOCHS_H
#define EPOCHS_H

#include "layers/label_smoothing.h"

/* Called by train_classifier and train_detector before their first batch. `images` is the length of the training list,
 * `classes` that of the .data file (0: unknown), `names_file` a file of class names (NULL: none). Ends the program with
 * one line when the list is empty or the class counts disagree with a layer that smooths labels. Also starts the
 * numbering of batches for random_stream.h, at the batch that the network has reached. */
void train_begin(network **nets, int n, int images, int classes, char *names_file);

/* Called after every step of several networks in parallel: when soft labels are due, A and counts are summed over the
 * networks in their order, S is updated once, and all networks go on with it. */
void all_reduce_soft_labels(network **nets, int n);

/* The state that belongs into a checkpoint of `smoothing`: with replicas A and counts are summed, and *copied is set to
 * 1: free it with ols_free_state. NULL when memory is short. */
ols_state *train_gather(label_smoothing *smoothing, int *copied);

#endif
