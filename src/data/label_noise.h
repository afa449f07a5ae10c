/* Wrong labels on purpose: the keys noise=, noise_seed=, noise_file= and noise_column= of a .data file, which
 * labelled_images.h describes for classifiers and object_noise.h for detectors. */
#ifndef LABEL_NOISE_H
#define LABEL_NOISE_H

#include "data/class_names.h"

/* Changes labels[count], from 0, as the .data file says; leaves them as they are where it has no such key. paths[count]
 * are those of the images. Returns 0, or 1 after one line on stderr. */
int add_label_noise(const char *data_file, const class_names *classes, char **paths, int count, int *labels);

/* The keys noise= and noise_seed=. */
typedef struct {
    double share;  /* noise=, 0 to 1 */
    unsigned seed; /* noise_seed= */
    int line;      /* of noise= in the .data file, from 1; 0: there is none */
} symmetric_noise;

/* Reads them. Returns 0, or 1 after one line on stderr. */
int read_symmetric_noise(const char *data_file, int classes, symmetric_noise *noise);

/* Symmetric noise: round(share x count) of the labels, drawn without replacement, become another class, each of the
 * other classes with the same probability. `classes` is at least 2, share from 0 to 1. Returns how many it changed. */
int add_symmetric_noise(double share, unsigned seed, int classes, int *labels, int count);

#endif
