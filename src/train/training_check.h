/* One look at everything before the first batch: the .data file, its lists, names, images and labels, the cfg, and the
 * folder for weights. All problems are printed, one line each, the first 20 of them. */
#ifndef TRAINING_CHECK_H
#define TRAINING_CHECK_H

#include "base/problems.h"

#include "darknet.h"

/* What is trained; UNKNOWN is found out from the cfg, or else from the data. */
typedef enum { CHECK_UNKNOWN, CHECK_CLASSIFIER, CHECK_DETECTOR } checked_kind;

/* Checks a .data file and, where cfg_file is not NULL, the cfg. Writes one line to `summary` if there is no problem,
 * and returns 0; otherwise returns 1 after lines on stderr. */
int check_training(const char *data_file, const char *cfg_file, checked_kind kind, FILE *summary);

/* Hooks at the beginning of the two trainers: the same, and end the program with status 1 if there is a problem.
 * After training_check_skip (-nocheck) they look at nothing but the cfg's classes and batches. */
void check_detector_training(const char *data_file, const char *cfg_file);
void check_classifier_training(const char *data_file, const char *cfg_file);
void training_check_skip(void);

/* Adds a problem where the folder backup= of the .data file cannot take the weights of a cfg (NULL: not known), or has
 * less than `bytes` free. */
void check_backup(const char *data_file, const char *folder, const char *cfg_file, double bytes, problems *list);

/* About how many bytes the largest checkpoint of the network takes: one with the state of the optimiser. */
double checkpoint_size(network *net);

/* Adds a problem where a classifier's network has another number of outputs than classes. */
void check_outputs(const network *net, const char *cfg_file, int classes, const char *data_file, problems *list);

/* Adds a problem for every [softmax], [logistic] and [cost] that reads labels, as Darknet's do wherever they stand, but
 * has not as many outputs as there are values of labels: it would read other memory; and for smoothing=pc with single
 * samples, where it would be hard labels. */
void check_losses(const network *net, const char *cfg_file, problems *list);

#endif
